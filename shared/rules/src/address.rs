//! E-mail addresses, in the form in which mail servers take them. No I/O.

use std::fmt;
use url::Host;

/// The longest address. Source: <https://www.rfc-editor.org/errata/eid1690>
const LONGEST: usize = 254;
/// The longest part before the `@`. Source: <https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1.1>
const LONGEST_NAME: usize = 64;

/// An e-mail address: ASCII only, its domain in small letters and, where it has other letters, in Punycode.
///
/// Stricter than the mail standards: no quoted names, no comments, no addresses of machines. What this type takes, Amazon SES takes.
///
/// Source: <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html>
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address(String);

impl Address {
    /// Reads an address. A domain with other letters than ASCII is written in Punycode: `ana@exämple.org` is
    /// `ana@xn--exmple-cua.org`.
    ///
    /// # Errors
    /// What is wrong, and what to write. It does not repeat the text.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if let Some(inner) = text.split_once('<').map(|(_, rest)| rest)
            && inner.contains('@')
        {
            return Err(
                "write the address alone, such as ana@example.com, without a name and without `<` and `>`",
            );
        }
        if text.contains([',', ';']) {
            return Err(
                "write one address, and each other one as an entry of its own: [ana@example.com, bo@example.com]",
            );
        }
        if text.strip_prefix("mailto:").is_some() {
            return Err("write the address without `mailto:`");
        }
        let Some((name, domain)) = text.rsplit_once('@') else {
            return Err("an address has an `@`: write one such as ana@example.com");
        };
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err("an address has no spaces and no line breaks");
        }
        check_name(name)?;
        let domain = check_domain(domain)?;
        let address = format!("{name}@{domain}");
        if address.len() > LONGEST {
            return Err("an address has 254 characters at most");
        }
        Ok(Self(address))
    }

    /// The address as it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The domain, in Punycode where it has other letters than ASCII.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// Whether mail to both goes to the same mailbox at every server that is known: names differ in case nowhere in practice.
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check_name(name: &str) -> Result<(), &'static str> {
    if name.is_empty() {
        return Err("nothing stands before the `@`: write an address such as ana@example.com");
    }
    if !name.is_ascii() {
        return Err(
            "the part before the `@` has a letter that Amazon SES takes in no address: ask for an address with a to z, digits and \
                    hyphens only",
        );
    }
    let is_fine = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~-.".contains(c);
    if !name.chars().all(is_fine) {
        return Err("the part before the `@` has a sign that no plain address has");
    }
    if name.starts_with('.') || name.ends_with('.') || name.contains("..") {
        return Err("the part before the `@` has a full stop at its beginning or end, or two in a row");
    }
    if name.len() > LONGEST_NAME {
        return Err("the part before the `@` has 64 characters at most");
    }
    Ok(())
}

fn check_domain(domain: &str) -> Result<String, &'static str> {
    const NO_DOMAIN: &str = "the part after the `@` is no domain: write one such as example.com";
    match Host::parse(domain) {
        Ok(Host::Domain(domain)) => {
            let is_label = |label: &str| {
                let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
                (1..=63).contains(&label.len())
                    && label.bytes().all(is_fine)
                    && !label.starts_with('-')
                    && !label.ends_with('-')
            };
            let is_domain = domain.contains('.') && domain.split('.').all(is_label);
            if is_domain { Ok(domain) } else { Err(NO_DOMAIN) }
        }
        Ok(Host::Ipv4(_) | Host::Ipv6(_)) | Err(_) => Err(NO_DOMAIN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // D086
    #[test]
    fn a_domain_with_other_letters_is_written_in_punycode() {
        for (text, expected) in [
            ("ana@example.com", "ana@example.com"),
            ("Ana.Roth+bi@Example.COM", "Ana.Roth+bi@example.com"),
            ("ana@exämple.org", "ana@xn--exmple-cua.org"),
            ("ana@EXÄMPLE.org", "ana@xn--exmple-cua.org"),
            ("o'hara@mail.example.co.uk", "o'hara@mail.example.co.uk"),
            ("ana@corp.local", "ana@corp.local"),
        ] {
            assert_eq!(Address::parse(text).unwrap().as_str(), expected, "{text}");
        }
    }

    // D020, D086, D090
    #[test]
    fn what_amazon_ses_would_refuse_is_refused_with_what_to_write_and_not_repeated() {
        let long = format!("{}@hunter2.com", "a".repeat(65));
        for (text, expected) in [
            ("zoë.hunter2@example.org", "has a letter that Amazon SES takes in no address"),
            ("pat hunter2@example.com", "no spaces"),
            ("hunter2@example.org\r\nBcc: x@example.org", "no spaces and no line breaks"),
            ("Ana <hunter2@example.com>", "write the address alone"),
            ("hunter2@example.com, b@example.com", "write one address"),
            ("hunter2@example.com;b@example.com", "write one address"),
            ("mailto:hunter2@example.com", "without `mailto:`"),
            ("hunter2", "has an `@`"),
            ("@hunter2.com", "nothing stands before"),
            ("a@b@hunter2.com", "has a sign that no plain address has"),
            ("\"hunter2\"@example.com", "has a sign that no plain address has"),
            (".hunter2@example.com", "full stop"),
            ("hunter2.@example.com", "full stop"),
            ("hunter..2@example.com", "full stop"),
            ("hunter2@localhost", "is no domain"),
            ("hunter2@127.0.0.1", "is no domain"),
            ("hunter2@[::1]", "is no domain"),
            ("hunter2@example..com", "is no domain"),
            ("hunter2@-example.com", "is no domain"),
            ("hunter2@exa_mple.com", "is no domain"),
            ("hunter2@", "is no domain"),
            (long.as_str(), "64 characters at most"),
        ] {
            let problem = Address::parse(text).unwrap_err();
            assert!(problem.contains(expected), "{text}: {problem}");
            assert!(!problem.contains("hunter2"), "{problem}");
        }
    }

    #[test]
    fn case_makes_no_other_mailbox() {
        let address = |text| Address::parse(text).unwrap();
        assert!(address("Ana@example.com").is_same_as(&address("ana@EXAMPLE.com")));
        assert!(!address("ana@example.com").is_same_as(&address("bo@example.com")));
        assert_eq!(address("ana@exämple.org").domain(), "xn--exmple-cua.org");
    }

    proptest! {
        #[test]
        fn whatever_is_taken_is_one_line_of_printable_ascii_with_one_at_sign(text in "\\PC{0,40}@\\PC{0,20}") {
            if let Ok(address) = Address::parse(&text) {
                let text = address.as_str();
                prop_assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{}", text);
                prop_assert_eq!(text.matches('@').count(), 1);
                prop_assert_eq!(Address::parse(text), Ok(address.clone()));
            }
        }
    }
}
