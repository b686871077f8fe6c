//! What stands behind the name of a secret and is none: the secret's own name, a count, a code of a business, a SID of Oracle.

use super::judge::is_random;
use super::shape::{is_code as is_code_of_error, is_no_word, is_number};
use super::words::{is_one_of, is_one_of_in_any_case};
use std::ops::Range;

/// How far around a value is looked, in bytes.
const NEAR: usize = 200;
/// The shortest value behind `key` that is none of a table, and the shortest behind the key of something, as `region_key`.
const KEY_LENGTH: usize = 6;
const LONG_KEY_LENGTH: usize = 16;
/// The longest SID of Oracle that is seen in notes.
const SID_LENGTH: usize = 12;

/// Behind something, they say that it was looked for by its name.
const LOOKED_FOR: [&str; 31] = [
    "was not found",
    "is not found",
    "not found",
    "could not be found",
    "cannot be found",
    "can't be found",
    "does not exist",
    "doesn't exist",
    "did not exist",
    "was deleted",
    "has been deleted",
    "is marked for deletion",
    "is scheduled for deletion",
    "was scheduled for deletion",
    "is missing",
    "was missing",
    "is disabled",
    "is not enabled",
    "is unavailable",
    "could not be read",
    "could not be retrieved",
    "cannot be read",
    "cannot be accessed",
    "is not accessible",
    "already exists",
    "not exist",
    "in key vault",
    "in vault",
    "in region",
    "in namespace",
    "in secrets manager",
];
/// Before it, they say the same.
const LOOKS_FOR: &str = "\
    find get fetch read retrieve load resolve describe delete create update such no unknown missing named \
    called referenced specified requested reading fetching retrieving loading resolving accessing getting finding";
/// What a parser says of a token.
const PARSED: [&str; 8] = [
    "was unexpected",
    "unexpected",
    "is unexpected",
    "at ",
    "near ",
    "on line",
    "is not expected",
    "was not expected",
];

/// Whether the name at `start` is a part of an ARN, in which the name of the secret follows.
pub(super) fn is_arn(text: &str, start: usize) -> bool {
    let head = &text[text.ceil_char_boundary(start.saturating_sub(NEAR))..start];
    let word = head.rsplit(|c: char| c.is_whitespace() || matches!(c, '"' | '\'')).next().unwrap_or_default();
    word.ends_with(':') && (word.starts_with("arn:") || word.contains("=arn:") || word.contains(":arn:"))
}

/// Whether the value is the name of a secret, which says to a person where it is: "The secret 'prod/warehouse' was not found".
/// Only a secret has a name; what is given for a token, a credential or a client's secret is its value. A value with letters
/// and digits in one word is none.
pub(super) fn is_name_of_secret(text: &str, name: &str, before: [&str; 2], value: &Range<usize>) -> bool {
    let shown = text[value.clone()].trim_matches(['[', ']']);
    let behind = text[value.end..].trim_start_matches(['"', '\'', '`', '”', '’', ')', ']', ':', ',']);
    let behind = behind.trim_start_matches(' ');
    let follows = |phrases: &[&str]| {
        phrases
            .iter()
            .any(|phrase| behind.get(..phrase.len()).is_some_and(|next| next.eq_ignore_ascii_case(phrase)))
    };
    if shown.starts_with("arn:") {
        return true;
    }
    if name.eq_ignore_ascii_case("token") || name.eq_ignore_ascii_case("tokens") {
        let is_sign = !shown.is_empty() && shown.bytes().all(|b| b.is_ascii_punctuation());
        let is_keyword = !shown.is_empty()
            && shown.len() <= SID_LENGTH
            && shown.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_');
        let is_unexpected = before.iter().any(|word| is_one_of("unexpected invalid", word));
        return is_sign || (is_keyword && (follows(&PARSED) || is_unexpected));
    }
    let is_secret = name.eq_ignore_ascii_case("secret") || name.eq_ignore_ascii_case("secrets");
    if !is_secret || is_one_of(OWNERS, before[0]) {
        return false;
    }
    let is_looked_for = follows(&LOOKED_FOR) || before.iter().any(|word| is_one_of(LOOKS_FOR, word));
    let is_name = is_path_of_words(shown) || shown.split(['-', '_', '.', ' ']).all(is_plain_word);
    is_looked_for && is_name && !(shown.len() >= LONG_KEY_LENGTH && is_random(shown))
}

/// Before "secret", they say that the value follows.
const OWNERS: &str = "client shared consumer app application api oauth webhook signing access oidc saml totp";

/// A word of letters, or a number.
fn is_plain_word(word: &str) -> bool {
    !word.is_empty() && (word.chars().all(char::is_alphabetic) || is_number(word))
}

/// `prod/warehouse`: how secrets are named in AWS and Vault.
fn is_path_of_words(shown: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty()
            && word.split(['-', '_', '.']).all(|part| {
                let letters = part.trim_end_matches(|c: char| c.is_ascii_digit());
                part.len() - letters.len() <= 2 && letters.bytes().all(|b| b.is_ascii_lowercase())
            })
    };
    shown.contains('/') && shown.split('/').all(is_word)
}

fn has_both(word: &str) -> bool {
    word.bytes().any(|b| b.is_ascii_digit()) && word.bytes().any(|b| b.is_ascii_alphabetic())
}

/// "must be 8 characters", "is 90 days old".
pub(super) fn is_length(text: &str, value: &Range<usize>) -> bool {
    let shown = &text[value.clone()];
    let behind = text[value.end..].strip_prefix(' ').unwrap_or_default();
    shown.len() <= 3 && is_number(shown) && behind.starts_with(|c: char| c.is_ascii_lowercase())
}

/// `pass=12 fail=3`: how many tests passed; and `pin=5`, which is no PIN.
pub(super) fn is_count(text: &str, name: &str, value: &Range<usize>) -> bool {
    let shown = text[value.clone()].trim_end_matches('%');
    let lower = name.to_ascii_lowercase();
    let is_pass = lower.rsplit(['_', '-', '.']).next() == Some("pass");
    if !is_number(shown) || !(is_pass || lower.ends_with("pin")) {
        return false;
    }
    let from = text.ceil_char_boundary(value.start.saturating_sub(NEAR / 2));
    let to = text.floor_char_boundary(value.end + NEAR / 2);
    let near = &text.as_bytes()[from..to];
    let fails = || {
        near.windows(4).any(|word| word.eq_ignore_ascii_case(b"fail") || word.eq_ignore_ascii_case(b"skip"))
    };
    shown.len() <= 3 || (is_pass && fails())
}

/// Whether the value of a key opens something. Of a column, as `region_key = 'EMEA'` and `customer_key = 'C1001'`, it does not.
pub(super) fn opens(name: &str, shown: &str) -> bool {
    let is_uuid = shown.len() == 36 && shown.split('-').count() == 5;
    let is_alone = name.eq_ignore_ascii_case("key") || name.eq_ignore_ascii_case("keys");
    let is_lower = shown.bytes().any(|b| b.is_ascii_lowercase());
    let is_whole = !shown.contains(['_', '-', '.', '/', ' ']);
    let length = if is_alone || (is_lower && is_whole) { KEY_LENGTH } else { LONG_KEY_LENGTH };
    let has_signs = shown.contains(['+', '=', '!', '$', '^', '*', '~', '&', '#', '@']);
    let is_identifier = !is_whole && shown.split(['_', '-', '.', '/']).all(|part| !has_both(part));
    let is_code = is_code_of_error(shown) || is_date(shown);
    is_no_word(shown)
        && has_both(shown)
        && !is_code
        && (is_uuid || has_signs || (shown.len() >= length && !is_identifier))
}

fn is_date(shown: &str) -> bool {
    shown.bytes().all(|b| b.is_ascii_digit() || b"-:.TZ+ /".contains(&b))
}

/// Whether it is a code that a person types in: of digits, or a few capitals with a digit.
pub(super) fn is_code(shown: &str) -> bool {
    let code = shown.trim_matches(|c: char| c.is_ascii_punctuation());
    let digits = code.bytes().filter(u8::is_ascii_digit).count();
    (4..=24).contains(&code.len())
        && digits >= 2
        && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// Whether the value of `sid` is a session's: neither a SID of Oracle nor one of Windows, nor a number.
pub(super) fn is_session(text: &str, name: &str, value: &Range<usize>) -> bool {
    // `(SID=ORCL)(SERVER=DEDICATED)`
    let shown = text[value.clone()].split(')').next().unwrap_or_default();
    let head = &text[..value.start];
    let is_in_descriptor = || {
        let head = head[head.ceil_char_boundary(head.len().saturating_sub(8))..].trim_end_matches(['=', ' ']);
        head.len() > 4 && head[..head.len() - 3].ends_with('(')
    };
    let is_short =
        shown.len() <= SID_LENGTH && shown.bytes().all(|b| b.is_ascii_alphanumeric() || b"_$#".contains(&b));
    let is_of_oracle = is_short
        && (is_in_descriptor() || !shown.bytes().any(|b| b.is_ascii_lowercase()) || !has_both(shown));
    // `connect.sid` is a cookie.
    let is_cookie = name.len() > 3;
    let is_of_windows = shown.starts_with("S-1-");
    (is_cookie || !is_of_oracle) && !is_of_windows && !is_number(shown) && has_both(shown)
}

/// Whether it is the number of a ticket: `INC0012345`, `20261128-004`.
pub(super) fn is_ticket(shown: &str) -> bool {
    is_code_of_error(shown) || (shown.len() <= 16 && is_date(shown.trim_start_matches('#')))
}

/// The ids by which a vendor's support finds what happened.
const IDS: &str = "\
    request correlation trace span activity operation transaction query statement job run incident case ticket event \
    message error execution invocation task workflow log batch client application process thread deployment object tenant \
    subscription resource account site workbook datasource flow view user group project version build commit extract \
    amz host conversation diagnostic instance node cluster warehouse database connection step stage parent root";
/// The same in one word.
const WHOLE_IDS: &str =
    "traceparent tracestate requestid reqid traceid spanid correlationid activityid x-ray x-amz-id amzid rid";

/// Whether a name, with the word before it, is one of an id that names an event: `x-ms-request-id`, "trace id", `activityId`.
pub(super) fn is_id(name: &str, before: &str) -> bool {
    if name.len() > NEAR {
        return false;
    }
    let name = name.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '-' | '_' | '.' | '#'));
    let is_plain_id = is_one_of_in_any_case("id ids number no", name);
    let last = name.rsplit(['-', '_', '.', ' ']).next().unwrap_or_default();
    if is_one_of_in_any_case(WHOLE_IDS, name) || is_one_of_in_any_case(WHOLE_IDS, last) {
        return true;
    }
    let rest = match is_plain_id {
        true => before,
        false => {
            let Some(end) = name.len().checked_sub(2) else { return false };
            match name.get(end..).filter(|id| id.eq_ignore_ascii_case("id")) {
                Some(_) => name[..end].trim_end_matches(['-', '_', '.']),
                None => return false,
            }
        }
    };
    let rest = rest.to_ascii_lowercase();
    IDS.split_ascii_whitespace().any(|id| rest.ends_with(id))
}
