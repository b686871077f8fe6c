//! Finds one-time codes that stand before the word that names them: "482913 is your verification code".

use super::parts::Parts;

/// How many bytes after a code are searched for the word that names it.
const SENTENCE: usize = 80;
/// The words that name a one-time code.
const CODES: [&str; 6] = ["code", "pin", "otp", "passcode", "password", "token"];

/// Adds codes that stand before "is your … code".
pub(super) fn find(text: &str, found: &mut Parts) {
    for (at, _) in text.match_indices(" is ").chain(text.match_indices(" as ")) {
        let rest = &text[at + 4..text.floor_char_boundary(at + 4 + SENTENCE)];
        let is_yours = ["your ", "the "].iter().any(|your| rest.starts_with(your));
        let sentence = rest.split(['.', '\n', ',']).next().unwrap_or_default();
        let mut words = sentence.split(' ').take(6);
        let is_code = words.any(|word| CODES.iter().any(|code| word.eq_ignore_ascii_case(code)));
        let is_error = sentence.contains("error") || sentence.contains("status") || sentence.contains("exit");
        if !is_yours || !is_code || is_error {
            continue;
        }
        let head = &text[..at];
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let word = &head[head.trim_end_matches(is_part).len()..];
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        if (4..=12).contains(&word.len()) && digits >= 4 {
            found.push(at - word.len()..at);
        }
    }
}
