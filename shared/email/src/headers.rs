//! Header values: one line of ASCII each, whatever the text.
//!
//! Amazon SES takes a message in parts ("simple"), and writes the MIME message itself, but its subject and display names have to be ASCII:
//! other characters go into encoded words.

use plain_text::one_line;
use rules::Address;

/// The longest subject, in characters.
const SUBJECT_LIMIT: usize = 150;
/// The longest subject as it is sent: a line of a mail has 998 characters at most, with `Subject: `.
const ENCODED_LIMIT: usize = 900;
/// The longest encoded word. Source: <https://www.rfc-editor.org/rfc/rfc2047#section-2>
const WORD_LIMIT: usize = 75;
const BEFORE: &str = "=?UTF-8?B?";
const AFTER: &str = "?=";
/// The longest display name, in characters.
const NAME_LIMIT: usize = 100;

/// A text on one line: runs of control characters, line breaks and spaces become one space each.
pub(crate) fn line(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = one_line(&spaced);
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A subject: cut to 150 characters, and encoded.
pub(crate) fn subject(text: &str) -> String {
    let mut line = cut(&line(text), SUBJECT_LIMIT);
    loop {
        let encoded = encoded(&line);
        if encoded.len() <= ENCODED_LIMIT {
            return encoded;
        }
        line = cut(&line, line.chars().count().saturating_sub(5));
    }
}

/// A sender with its display name: the whole name is quoted or in encoded words, or the address stands alone.
pub(crate) fn mailbox(name: &str, address: &Address) -> String {
    let name = cut(&line(name), NAME_LIMIT);
    if name.is_empty() {
        return address.to_string();
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " !#$%&'*+-/=?^_`{|}~.,:;()<>@[]".contains(c);
    let looks_encoded = name.contains("=?");
    if name.chars().all(is_plain) && !looks_encoded {
        return format!("\"{name}\" <{address}>");
    }
    format!("{} <{address}>", words(&name))
}

/// The id to which every mail of a thread refers. Amazon SES gives each mail a `Message-ID` of its own, so an id of ours stands in
/// `References` of all of them. `None` if there is nothing to refer to.
pub(crate) fn references(thread: &str, from: &Address) -> Option<String> {
    let is_fine = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
    let id: String = thread.chars().filter(is_fine).take(64).collect();
    (!id.is_empty()).then(|| format!("<tableau-{id}@{}>", from.domain()))
}

/// A text as it stands in a header: as it is, if it is ASCII that no reader takes for an encoded word.
fn encoded(line: &str) -> String {
    if line.is_ascii() && !line.contains("=?") { line.to_owned() } else { words(line) }
}

/// Encoded words. None ends within a character, so each can be decoded alone.
fn words(line: &str) -> String {
    let room = (WORD_LIMIT - BEFORE.len() - AFTER.len()) / 4 * 3;
    let mut chunks = vec![String::new()];
    for c in line.chars() {
        match chunks.last_mut() {
            Some(last) if last.len() + c.len_utf8() <= room => last.push(c),
            _ => chunks.push(c.to_string()),
        }
    }
    let word = |chunk: &String| format!("{BEFORE}{}{AFTER}", base64(chunk.as_bytes()));
    chunks.iter().map(word).collect::<Vec<_>>().join(" ")
}

fn base64(bytes: &[u8]) -> String {
    aws_smithy_types::base64::encode(bytes)
}

/// Cuts a text to `limit` characters, with `…` as the last one.
pub(crate) fn cut(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let kept: String = text.chars().take(limit.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    /// What a mail program shows of encoded words.
    fn decoded(header: &str) -> String {
        let word = |word: &str| match word.strip_prefix(BEFORE).and_then(|word| word.strip_suffix(AFTER)) {
            Some(word) => String::from_utf8(aws_smithy_types::base64::decode(word).unwrap()).unwrap(),
            None => word.to_owned(),
        };
        if header.contains(BEFORE) { header.split(' ').map(word).collect() } else { header.to_owned() }
    }

    // D090
    #[test]
    fn control_characters_in_a_subject_become_one_space() {
        for (text, expected) in [
            ("Sales\r\nBcc: x@example.org", "Sales Bcc: x@example.org"),
            ("Sales\r\n\r\n\t\u{0} Body", "Sales Body"),
            ("Sales\u{2028}Next\u{85}line\u{7f}", "Sales Next line"),
            ("  Sales  ", "Sales"),
        ] {
            assert_eq!(subject(text), expected, "{text:?}");
        }
    }

    // D139
    #[test]
    fn a_long_subject_with_umlauts_is_cut_and_each_encoded_word_is_whole() {
        let long = subject(&"Überprüfung der Verkäufe ".repeat(24));
        for word in long.split(' ') {
            assert!(word.len() <= WORD_LIMIT, "{word}");
        }
        let shown = decoded(&long);
        assert!(shown.chars().count() <= SUBJECT_LIMIT, "{shown}");
        assert!(shown.starts_with("Überprüfung der Verkäufe Überprüfung") && shown.ends_with('…'), "{shown}");
        let widest = subject(&"🌅".repeat(600));
        assert!(widest.len() <= ENCODED_LIMIT, "{}", widest.len());
    }

    // D085
    #[test]
    fn a_display_name_is_quoted_or_encoded_as_a_whole() {
        let to = address("zoe@example.com");
        let name = "Zoë Ångström-Lindqvist (BI), EMEA";
        let encoded = mailbox(name, &to);
        let (words, rest) = encoded.rsplit_once(" <").unwrap();
        assert_eq!((decoded(words).as_str(), rest), (name, "zoe@example.com>"));
        assert!(words.split(' ').all(|word| word.starts_with(BEFORE) && word.len() <= WORD_LIMIT), "{words}");
        for (name, expected) in [
            ("", "zoe@example.com"),
            (" \r\n ", "zoe@example.com"),
            ("Data, BI (EMEA)", "\"Data, BI (EMEA)\" <zoe@example.com>"),
            ("a\r\nBcc: x@example.org", "\"a Bcc: x@example.org\" <zoe@example.com>"),
            ("=?UTF-8?B?eA==?=", "=?UTF-8?B?PT9VVEYtOD9CP2VBPT0/PQ==?= <zoe@example.com>"),
            ("a \"b\" c", "=?UTF-8?B?YSAiYiIgYw==?= <zoe@example.com>"),
        ] {
            assert_eq!(mailbox(name, &to), expected, "{name:?}");
        }
    }

    // D088
    #[test]
    fn every_mail_of_an_incident_refers_to_the_same_id() {
        let from = address("alerts@exämple.org");
        let id = references("0123456789ab", &from).unwrap();
        assert_eq!(id, "<tableau-0123456789ab@xn--exmple-cua.org>");
        assert_eq!(
            references("0123456789ab\r\n> <x", &from).unwrap(),
            "<tableau-0123456789abx@xn--exmple-cua.org>"
        );
        assert_eq!(references("\r\n", &from), None);
    }

    proptest! {
        // D090, D139
        #[test]
        fn no_text_ends_a_header_and_what_is_shown_is_the_text(text in "\\PC{0,120}|[a-zé🌅\\r\\n\\t \\x00]{0,400}") {
            let header = subject(&text);
            prop_assert!(header.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{}", header);
            prop_assert!(header.len() <= ENCODED_LIMIT);
            let shown = decoded(&header);
            let whole = line(&text);
            prop_assert!(shown == whole || shown.ends_with('…'), "{} {}", shown, whole);
            let from = mailbox(&text, &address("a@example.com"));
            prop_assert!(from.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{}", from);
            prop_assert!(from.ends_with("a@example.com>") || from == "a@example.com");
        }
    }
}
