//! Decides whether a word looks like a secret value (`hunter2`), or like an ordinary word, a number or an error code.

/// The shortest value that is recognised after a separator that ordinary sentences contain too.
const VALUE_LENGTH: usize = 5;

/// Whether a word contains digits next to letters, or special signs, which ordinary words do not.
pub(super) fn is_no_word(word: &str) -> bool {
    let has = |is: fn(char) -> bool| word.chars().any(is);
    let is_version = word.chars().all(|c| c.is_ascii_digit() || c == '.');
    let mixed = has(|c| c.is_ascii_digit()) && has(char::is_alphabetic);
    let signs = has(|c| "!@#$%^&*+=~".contains(c));
    word.len() >= 4 && !is_version && !is_assignment(word) && (mixed || signs)
}

/// Whether the word is a name with its own value: `rate=95`.
fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, value)| {
        let is_name = |b: u8| b.is_ascii_lowercase() || matches!(b, b'_' | b'.' | b'-');
        !name.is_empty() && name.bytes().all(is_name) && !value.is_empty() && !value.starts_with('=')
    })
}

/// Whether a word looks like a secret value: no ordinary word, and not an error code (`ORA-01017`, `28P01`), a
/// quantity (`30s`), a date, a host, an address, a path or a call. Any of these may follow `-`, `/` or `,` in a
/// sentence.
pub(super) fn looks_like_value(word: &str) -> bool {
    let has = |is: fn(char) -> bool| word.chars().any(is);
    word.len() >= VALUE_LENGTH
        && is_no_word(word)
        && has(char::is_alphabetic)
        && !is_code(word)
        && !is_quantity(word)
        && !is_host(word)
        && !word.contains(['(', '/', '\\', '<'])
}

/// Whether a word is an error code or a ticket: `ORA-01017`, `SQL0204N`, `HTTP401`, `28P01`, `INC0012345`.
pub(super) fn is_code(word: &str) -> bool {
    let word = word.trim_matches(|c: char| matches!(c, '[' | ']' | '#' | ':' | '.'));
    let letters = word.bytes().take_while(u8::is_ascii_uppercase).count();
    let digits = word[letters..].trim_start_matches(['-', '_', ' ']);
    let digits = digits.strip_suffix(|c: char| c.is_ascii_uppercase()).unwrap_or(digits);
    let is_numbered =
        (2..=10).contains(&letters) && digits.len() >= 2 && digits.bytes().all(|b| b.is_ascii_digit());
    let is_state = word.len() <= 5 && word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    let is_hexadecimal =
        word.strip_prefix("0x").is_some_and(|code| code.bytes().all(|b| b.is_ascii_hexdigit()));
    is_numbered || is_state || is_hexadecimal
}

/// Whether a word is a quantity, a date or a version: `30s`, `2nd`, `100%`, `2026-11-28T10:00:00Z`, `v2.1`.
fn is_quantity(word: &str) -> bool {
    let is_of_time = |b: u8| b.is_ascii_digit() || b"-:.,/+TZ%".contains(&b);
    let number = word.strip_prefix(['v', 'V', '#', '+', '~']).unwrap_or(word);
    let rest = number.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let is_counted =
        rest.len() < number.len() && rest.len() <= 4 && rest.bytes().all(|b| b.is_ascii_lowercase());
    word.bytes().all(is_of_time) || is_counted
}

/// Whether a word is a host or an e-mail address: parts of letters, digits and hyphens, of which the last has only
/// letters.
pub(super) fn is_host(word: &str) -> bool {
    let host = word.rsplit('@').next().unwrap_or(word);
    let host = host.split_once(':').filter(|(_, port)| is_number(port)).map_or(host, |(host, _)| host);
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    let top = host.rsplit('.').next().unwrap_or_default();
    host.contains('.')
        && host.split('.').all(is_label)
        && top.len() >= 2
        && top.bytes().all(|b| b.is_ascii_alphabetic())
}

/// Whether a word consists of digits only, and is not empty.
pub(super) fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a word is a participle, as in "is locked", "is used", "is expiring": lower case with such an ending, also
/// a French one.
pub(super) fn is_participle(word: &str) -> bool {
    let word = word.trim_matches(|c: char| c.is_ascii_punctuation());
    let ends = ["ed", "ing", "able", "ible", "é", "ée", "és"].iter().any(|end| word.ends_with(end));
    ends && word.len() > 4 && word.chars().all(char::is_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_letters_and_digits_or_signs_and_is_no_code_quantity_or_host() {
        for value in ["hunter2", "tiger2026", "Tr0ub4dor&3", "HUNTER2X", "correct!", "a1b2c3"] {
            assert!(looks_like_value(value), "{value}");
        }
        for word in [
            "hunter",
            "28P01",
            "ORA-01017",
            "INC0012345",
            "SQL0204N",
            "0x80004005",
            "90days",
            "2nd",
            "v2.1.0",
            "2026-11-28",
            "db1.example.com",
            "ana@example.com",
            "f1(x)",
            "prod/wh2",
            "rate=95",
            "18456",
            "100%",
        ] {
            assert!(!looks_like_value(word), "{word}");
        }
    }
}
