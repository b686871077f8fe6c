//! Headers as SES takes them.

use super::super::Refusal;
use super::refused::bad;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const NAME_LIMIT: usize = 126;
const VALUE_LIMIT: usize = 995;
/// Name and value together.
const LINE_LIMIT: usize = 996;
/// The longest encoded word. Source: <https://www.rfc-editor.org/rfc/rfc2047#section-2>
const WORD_LIMIT: usize = 75;
/// What SES writes itself.
const OWN: [&str; 12] = [
    "bcc",
    "cc",
    "content-transfer-encoding",
    "content-type",
    "date",
    "from",
    "message-id",
    "mime-version",
    "reply-to",
    "return-path",
    "subject",
    "to",
];

/// Checks a header of the caller's.
///
/// Source: <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_MessageHeader.html>
pub(super) fn check(name: &str, value: &str) -> Result<(), Refusal> {
    let is_name = |byte: u8| (b'!'..=b'~').contains(&byte) && byte != b':';
    if name.is_empty() || name.len() > NAME_LIMIT || !name.bytes().all(is_name) {
        return Err(bad("The message header name is not valid."));
    }
    if OWN.contains(&name.to_ascii_lowercase().as_str()) {
        return Err(bad(format!("The message header {name} cannot be set.")));
    }
    if value.is_empty() || value.len() > VALUE_LIMIT || name.len() + value.len() > LINE_LIMIT {
        return Err(bad(format!("The value of the message header {name} is not valid.")));
    }
    check_seven_bits(name, value)
}

/// Refuses everything but printable ASCII: also line breaks, with which a value could add a header.
pub(super) fn check_seven_bits(what: &str, value: &str) -> Result<(), Refusal> {
    match value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        true => Ok(()),
        false => Err(bad(format!("{what} contains a character that is not printable 7-bit ASCII"))),
    }
}

/// Checks a subject: printable ASCII, no line over the limit, whole encoded words.
pub(super) fn check_subject(subject: &str) -> Result<(), Refusal> {
    check_seven_bits("Subject", subject)?;
    if subject.len() + "Subject: ".len() > 998 {
        return Err(bad("Subject is too long"));
    }
    check_words(subject)
}

/// Checks that every encoded word can be decoded alone.
pub(super) fn check_words(text: &str) -> Result<(), Refusal> {
    match decoded(text) {
        Some(_) => Ok(()),
        None => Err(bad("An encoded word is too long, or ends within a character")),
    }
}

/// A header value as a reader sees it. `None` with an encoded word that cannot be decoded.
pub(super) fn decoded(text: &str) -> Option<String> {
    let mut shown = String::new();
    let mut after_word = false;
    for (n, part) in text.split(' ').enumerate() {
        let word = part.strip_prefix("=?").and_then(|part| part.strip_suffix("?="));
        let Some(word) = word else {
            if n > 0 {
                shown.push(' ');
            }
            shown.push_str(part);
            after_word = false;
            continue;
        };
        if part.len() > WORD_LIMIT {
            return None;
        }
        let content = word.strip_prefix("UTF-8?B?")?;
        let content = String::from_utf8(STANDARD.decode(content).ok()?).ok()?;
        // White space between two encoded words is not shown.
        if n > 0 && !after_word {
            shown.push(' ');
        }
        shown.push_str(&content);
        after_word = true;
    }
    Some(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_words_are_decoded_and_broken_ones_are_not() {
        for (text, expected) in [
            ("Sales", Some("Sales")),
            ("=?UTF-8?B?w4k=?= =?UTF-8?B?dMOp?=", Some("Été")),
            ("a =?UTF-8?B?w4k=?= b", Some("a É b")),
            ("=?UTF-8?B?ww==?= =?UTF-8?B?iQ==?=", None),
            ("=?UTF-8?Q?x?=", None),
        ] {
            assert_eq!(decoded(text).as_deref(), expected, "{text}");
        }
        let long = format!("=?UTF-8?B?{}?=", "YWFh".repeat(20));
        assert_eq!(decoded(&long), None);
    }

    #[test]
    fn a_header_is_a_line_of_ascii_and_none_of_those_that_ses_writes() {
        assert_eq!(check("References", "<a@example.com>"), Ok(()));
        for (name, value) in [
            ("References", "<a@example.com>\r\nBcc: x@example.org"),
            ("References", "é"),
            ("References", ""),
            ("Re:ferences", "a"),
            ("Message-ID", "<a@example.com>"),
            ("X", &"a".repeat(996)),
        ] {
            assert!(check(name, value).is_err(), "{name}: {value}");
        }
    }
}
