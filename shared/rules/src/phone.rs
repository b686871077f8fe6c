//! Numbers of phones, in the form of E.164. A number is personal data: no problem, no `Debug` and no key repeats one. No I/O.

use sha2::{Digest, Sha256};
use std::fmt;

/// How many digits follow the plus. Source: <https://www.itu.int/rec/T-REC-E.164>
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// The number of a phone: plus, the country's code, and digits alone.
///
/// Source: <https://www.twilio.com/docs/glossary/what-e164>
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// Reads a number.
    ///
    /// # Errors
    /// What is wrong, and what to write. It does not repeat the text.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const FORM: &str =
            "write plus, the country's code and digits alone, in quotation marks, such as \"+4915112345678\"";
        if text.contains([',', ';']) {
            return Err(
                "write one number, and each other one as an entry of its own: [\"+4915112345678\", \"+14155550123\"]",
            );
        }
        if ["whatsapp:", "messenger:", "rcs:"].iter().any(|kind| text.trim_start().starts_with(kind)) {
            return Err(
                "send-sms sends text messages only: write the number alone, such as \"+4915112345678\"",
            );
        }
        if text.contains('@') {
            return Err(
                "an address gets no text message: write the number of a phone, such as \"+4915112345678\"",
            );
        }
        if text.chars().any(char::is_alphabetic) {
            return Err(FORM);
        }
        let Some(digits) = text.strip_prefix('+') else {
            return Err(match text.trim() {
                text if text.starts_with('+') => "a number has no spaces: remove them",
                text if text.starts_with("00") => {
                    "write plus in the place of the two zeros at the beginning, such as \"+4915112345678\""
                }
                text if text.starts_with('0') => {
                    "the country's code is missing: write plus and the code in the place of the first zero, such as \"+4915112345678\""
                }
                _ => FORM,
            });
        };
        if digits.contains("(0)") {
            return Err("leave out the zero in brackets: it is not dialled after the country's code");
        }
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(
                "a number has plus and digits alone: remove spaces, hyphens, brackets and other signs",
            );
        }
        if digits.starts_with('0') {
            return Err(
                "no country's code begins with 0: write the code behind the plus, such as \"+4915112345678\"",
            );
        }
        if !DIGITS.contains(&digits.len()) {
            return Err("a number has 7 to 15 digits behind the plus: write it with the country's code");
        }
        Ok(Self(text.to_owned()))
    }

    /// The number as it is sent. Not for logs and errors.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last two digits, for logs and errors: `…78`.
    pub fn masked(&self) -> String {
        format!("…{}", self.last_two())
    }

    /// What names the number in keys, records and on the command line: the last two digits, and a short part of its SHA-256, by which
    /// several numbers with the same two digits are distinguished. It hides a number from a glance and no more: a program that tries all
    /// numbers of a country finds those that fit.
    pub fn key(&self) -> String {
        let digest = Sha256::digest(self.0.as_bytes());
        let digest: String = digest.iter().take(3).map(|byte| format!("{byte:02x}")).collect();
        format!("phone-{} ({digest})", self.last_two())
    }

    fn last_two(&self) -> &str {
        &self.0[self.0.len() - 2..]
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhoneNumber({})", self.masked())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // D019
    #[test]
    fn a_number_has_plus_and_digits_and_what_is_wrong_is_said_without_it() {
        for number in
            ["+46701234567", "+4915112345678", "+14155550123", "+290 1234567".replace(' ', "").as_str()]
        {
            assert_eq!(PhoneNumber::parse(number).unwrap().as_str(), number);
        }
        for (text, expected) in [
            ("", "write plus"),
            ("46701234567", "write plus"),
            (" 46701234567", "write plus"),
            ("0046701234567", "in the place of the two zeros"),
            ("0701234567", "the country's code is missing"),
            ("+46 70 123 45 67", "plus and digits alone"),
            ("+46-70-1234567", "plus and digits alone"),
            (" +46701234567", "has no spaces"),
            ("+46701234567 ", "plus and digits alone"),
            ("+46(0)701234567", "zero in brackets"),
            ("+0701234567", "begins with 0"),
            ("+46701", "7 to 15 digits"),
            ("+4670123456789012", "7 to 15 digits"),
            ("+46701234567, +46701234568", "write one number"),
            ("whatsapp:+46701234567", "text messages only"),
            ("ana@example.com", "an address gets no text message"),
            ("owner", "write plus"),
            ("tel:+46701234567", "write plus"),
            ("+４６７０１２３４５６７", "plus and digits alone"),
        ] {
            let problem = PhoneNumber::parse(text).unwrap_err();
            assert!(problem.contains(expected), "{text}: {problem}");
            assert!(!problem.contains("4670") && !problem.contains("070123"), "{problem}");
        }
    }

    #[test]
    fn only_the_last_two_digits_are_shown() {
        let number = PhoneNumber::parse("+46701234567").unwrap();
        assert_eq!((number.masked().as_str(), format!("{number:?}").as_str()), ("…67", "PhoneNumber(…67)"));
        let key = number.key();
        assert!(key.starts_with("phone-67 (") && key.len() == "phone-67 (000000)".len(), "{key}");
        let other = PhoneNumber::parse("+46701234667").unwrap();
        assert_ne!(key, other.key());
    }

    proptest! {
        #[test]
        fn whatever_is_taken_is_plus_and_ascii_digits(text in "\\PC{0,20}") {
            if let Ok(number) = PhoneNumber::parse(&text) {
                let digits = number.as_str().strip_prefix('+').unwrap();
                prop_assert!(digits.bytes().all(|byte| byte.is_ascii_digit()));
            }
        }

        #[test]
        fn a_key_has_no_more_than_two_digits_of_the_number_in_order(text in "\\+[1-9][0-9]{6,14}") {
            let number = PhoneNumber::parse(&text).unwrap();
            prop_assert!(!number.key().contains(&text[text.len() - 7..]));
        }
    }
}
