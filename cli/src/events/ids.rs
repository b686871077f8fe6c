//! Ids of events and of SQS messages. Their first digits are enough where they are unique. No I/O.

use crate::out::plain;
use std::collections::BTreeMap;

/// The fewest first digits that may be given for an id.
const LEAST_DIGITS: usize = 4;
/// The number of digits of an event id.
const EVENT_DIGITS: usize = 64;
/// The length of an SQS message id, which is a UUID.
const MESSAGE_LENGTH: usize = 36;
/// The number of hexadecimal digits in an SQS message id.
const MESSAGE_DIGITS: usize = 32;
/// How many digits of a candidate an error shows; more if necessary to tell it from the others.
const SHOWN_DIGITS: usize = 12;
/// The most candidates that an error names.
const NAMED: usize = 10;

/// Ids, each with a description of what it identifies.
pub(super) type Candidates = BTreeMap<String, String>;

/// Reads an event id or the first digits of one.
///
/// # Errors
/// What is wrong, and what to write.
pub(super) fn event_id(text: &str) -> Result<String, String> {
    if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) || text.len() > EVENT_DIGITS {
        return Err(
            "an event id has 64 digits, 0 to 9 and a to f; the first 4 are enough where they are unique"
                .to_owned(),
        );
    }
    long_enough(text, text.len())
}

/// Reads an event id or an SQS message id, or the first digits of one.
///
/// # Errors
/// What is wrong, and what to write.
pub(super) fn dead_letter_id(text: &str) -> Result<String, String> {
    let is_message = text.contains('-') && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    let digits = text.bytes().filter(u8::is_ascii_hexdigit).count();
    if is_message && digits <= MESSAGE_DIGITS {
        return long_enough(text, digits);
    }
    event_id(text).map_err(|error| {
        format!("{error}. The id of an SQS message is a UUID, and its first 4 digits are enough too")
    })
}

fn long_enough(text: &str, digits: usize) -> Result<String, String> {
    match digits {
        LEAST_DIGITS.. => Ok(text.to_ascii_lowercase()),
        1 => Err(format!("1 digit is too few: write the first {LEAST_DIGITS} digits of the id, or more")),
        digits => Err(format!(
            "{digits} digits are too few: write the first {LEAST_DIGITS} digits of the id, or more"
        )),
    }
}

/// Whether the text is a complete id and not only its first digits.
pub(super) fn is_whole(id: &str) -> bool {
    id.len() == if id.contains('-') { MESSAGE_LENGTH } else { EVENT_DIGITS }
}

/// The error that several ids begin with the given digits.
pub(super) fn ambiguous(beginning: &str, candidates: &Candidates) -> String {
    let shown = candidates.iter().take(NAMED).map(|(id, what)| {
        // Shows as many digits as are necessary to tell this candidate from the others.
        let others = candidates.keys().filter(|other| *other != id);
        let digits = others.map(|other| alike(id, other) + 1).max().unwrap_or_default().max(SHOWN_DIGITS);
        format!("{} ({})", plain(id.get(..digits).unwrap_or(id)), plain(what))
    });
    let shown: Vec<String> = shown.collect();
    let more = if candidates.len() > NAMED { ", …" } else { "" };
    format!("{} ids begin with {beginning}: {}{more}; write more digits", candidates.len(), shown.join(", "))
}

/// How many first digits two ids have in common.
fn alike(one: &str, other: &str) -> usize {
    one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_digits_are_enough_and_fewer_are_an_error_that_says_so() {
        for id in ["717B", "717bbc05a8f9", &"a".repeat(64)] {
            assert_eq!(event_id(id).unwrap(), id.to_ascii_lowercase());
            assert_eq!(dead_letter_id(id).unwrap(), id.to_ascii_lowercase());
        }
        for (id, expected) in [
            ("717", "3 digits are too few: write the first 4 digits of the id, or more"),
            ("7", "1 digit is too few: write the first 4 digits of the id, or more"),
            ("", "0 digits are too few: write the first 4 digits of the id, or more"),
            (
                "717g",
                "an event id has 64 digits, 0 to 9 and a to f; the first 4 are enough where they are unique",
            ),
        ] {
            assert_eq!(event_id(id).unwrap_err(), expected);
            assert!(dead_letter_id(id).unwrap_err().starts_with(expected), "{id}");
        }
        assert!(event_id(&"a".repeat(65)).is_err() && event_id("717bbc05-a8f9").is_err());
    }

    #[test]
    fn a_dead_letter_is_named_by_its_event_or_by_its_message() {
        for id in ["717bbc05-a8f9-4b1c-9d2e-0123456789AB", "717bbc05-", "717b-"] {
            assert_eq!(dead_letter_id(id).unwrap(), id.to_ascii_lowercase());
        }
        for wrong in ["--------", "717bbc05-x", "717-", &format!("-{}", "a".repeat(33))] {
            assert!(dead_letter_id(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_id_is_whole_when_nothing_is_missing() {
        assert!(is_whole(&"a".repeat(64)) && is_whole("717bbc05-a8f9-4b1c-9d2e-0123456789ab"));
        assert!(!is_whole(&"a".repeat(36)) && !is_whole("717bbc05") && !is_whole("717bbc05-a8f9"));
    }

    #[test]
    fn candidates_are_named_with_as_many_digits_as_tell_them_apart() {
        let id = |end: &str| format!("{}{end}", "a".repeat(14));
        let what = |text: &str| text.to_owned();
        let two = Candidates::from([
            (id("1b"), what("SiteUpdated of x\u{1b}")),
            (id("2b"), what("SiteUpdated of y")),
        ]);
        let expected = "2 ids begin with aaaa: aaaaaaaaaaaaaa1 (SiteUpdated of x), aaaaaaaaaaaaaa2 (SiteUpdated of y); write \
                        more digits";
        assert_eq!(ambiguous("aaaa", &two), expected);
        let many = (10..22).map(|n| (format!("aaaa{n}"), what("x"))).collect();
        assert!(ambiguous("aaaa", &many).ends_with("aaaa19 (x), …; write more digits"));
    }
}
