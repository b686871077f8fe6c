//! Recognises values that follow the name of a secret but are no secrets: a secret's own name, a count, a business
//! code, an Oracle SID.

use super::judge::is_random;
use super::shape::{is_code as is_code_of_error, is_no_word, is_number};
use super::words::{is_one_of, is_one_of_in_any_case};
use std::ops::Range;

/// How many bytes around a value are examined.
const NEAR: usize = 200;
/// The shortest value after `key` that counts as a secret key; a shorter one is a database key. Longer for names such
/// as `region_key`.
const KEY_LENGTH: usize = 6;
const LONG_KEY_LENGTH: usize = 16;
/// The longest Oracle SID that is recognised.
const SID_LENGTH: usize = 12;

/// Words after a secret's name that say that the secret was looked up by this name.
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
/// Words before a secret's name that say that the secret was looked up by this name.
const LOOKS_FOR: &str = "\
    find get fetch read retrieve load resolve describe delete create update such no unknown missing named \
    called referenced specified requested reading fetching retrieving loading resolving accessing getting finding";
/// What a parser's error message says about a token.
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

/// Whether the text at `start` is the part of an ARN after which the secret's name follows.
pub(super) fn is_arn(text: &str, start: usize) -> bool {
    let head = &text[text.ceil_char_boundary(start.saturating_sub(NEAR))..start];
    let word = head.rsplit(|c: char| c.is_whitespace() || matches!(c, '"' | '\'')).next().unwrap_or_default();
    word.ends_with(':') && (word.starts_with("arn:") || word.contains("=arn:") || word.contains(":arn:"))
}

/// Whether the value is the name of a secret in a message such as "The secret 'prod/warehouse' was not found". Only
/// the word "secret" can have a name as its value; after "token", "credential" or "client secret" the value itself
/// follows. A word that mixes letters and digits is not a name.
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

/// Words before "secret" after which the secret's value follows, and not its name.
const OWNERS: &str = "client shared consumer app application api oauth webhook signing access oidc saml totp";

/// Whether a word consists of letters only or of digits only.
fn is_plain_word(word: &str) -> bool {
    !word.is_empty() && (word.chars().all(char::is_alphabetic) || is_number(word))
}

/// Whether a text is a path such as `prod/warehouse`, as secrets are named in AWS and Vault.
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

/// Whether the number is a length or an age: "must be 8 characters", "is 90 days old".
pub(super) fn is_length(text: &str, value: &Range<usize>) -> bool {
    let shown = &text[value.clone()];
    let behind = text[value.end..].strip_prefix(' ').unwrap_or_default();
    shown.len() <= 3 && is_number(shown) && behind.starts_with(|c: char| c.is_ascii_lowercase())
}

/// Whether the number is a count, as in `pass=12 fail=3`; or too short for a PIN, as in `pin=5`.
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

/// Whether the value of a `…key` can be a secret. A database column's value, as in `region_key = 'EMEA'` and
/// `customer_key = 'C1001'`, is none.
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

/// Whether the value is a code that a person types: digits, or a few capitals with a digit.
pub(super) fn is_code(shown: &str) -> bool {
    let code = shown.trim_matches(|c: char| c.is_ascii_punctuation());
    let digits = code.bytes().filter(u8::is_ascii_digit).count();
    (4..=24).contains(&code.len())
        && digits >= 2
        && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// Whether the value of `sid` is a session id, and not an Oracle SID, a Windows SID or a plain number.
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

/// Whether the value is a ticket number: `INC0012345`, `20261128-004`.
pub(super) fn is_ticket(shown: &str) -> bool {
    is_code_of_error(shown) || (shown.len() <= 16 && is_date(shown.trim_start_matches('#')))
}

/// Names of the ids with which a vendor's support finds an event, as several words.
const IDS: &str = "\
    request correlation trace span activity operation transaction query statement job run incident case ticket event \
    message error execution invocation task workflow log batch client application process thread deployment object tenant \
    subscription resource account site workbook datasource flow view user group project version build commit extract \
    amz host conversation diagnostic instance node cluster warehouse database connection step stage parent root";
/// Names of such ids, as one word.
const WHOLE_IDS: &str =
    "traceparent tracestate requestid reqid traceid spanid correlationid activityid x-ray x-amz-id amzid rid";

/// Whether a name (with the word before it) is that of a request id or trace id: `x-ms-request-id`, "trace id",
/// `activityId`.
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
