//! Finds credentials after the name of an HTTP authorization scheme, also outside an `Authorization` header: `Bearer
//! eyJ…`.

use super::ordinary::is_ordinary;
use super::parts::Parts;
use super::value::word_end;
use super::words::is_one_of_in_any_case;

/// All known authorization schemes, in lower case.
///
/// Source: <https://www.iana.org/assignments/http-authschemes/http-authschemes.xhtml>, and what vendors add
const SCHEMES: &str = "\
    apikey api-key aws4-hmac-sha256 aws basic bearer digest dpop genie hawk hoba kerberos key mac negotiate ntlm \
    oauth privatetoken sharedaccesssignature sharedkey sharedkeylite snowflake splunk token";
/// A length in bytes that is longer than every name in [`SCHEMES`].
pub(super) const NAME_LIMIT: usize = 32;
/// Words after "bearer" that make it part of a sentence: "bearer token", "Bearer realm".
const BEHIND_BEARER: &str = "tokens realm scheme auth header of credentials authenticated";
/// The shortest credential after a scheme other than `Bearer`: those names are also ordinary words.
const CREDENTIAL_LENGTH: usize = 8;

/// Whether a word is the name of an authorization scheme.
pub(super) fn is_scheme(word: &str) -> bool {
    is_one_of_in_any_case(SCHEMES, word)
}

/// Adds the word after an authorization scheme.
pub(super) fn find(text: &str, found: &mut Parts) {
    for scheme in ["bearer", "basic", "negotiate", "ntlm", "kerberos", "splunk", "dpop"] {
        for at in find_word(text, scheme) {
            let start = at + scheme.len() + 1;
            let end = word_end(text, start);
            let word = &text[start..end];
            let is_secret = match scheme {
                "bearer" => {
                    let is_said = is_one_of_in_any_case(BEHIND_BEARER, word) || word.starts_with("realm=");
                    word.len() > 2 && !is_ordinary(word) && !is_said
                }
                _ => is_credential(word),
            };
            if is_secret {
                found.push(start..end);
            }
        }
    }
}

/// The positions where a word stands, in upper or lower case, followed by a space.
fn find_word<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let first = word.as_bytes()[0];
    let starts = text.bytes().enumerate().filter(move |(_, byte)| byte.eq_ignore_ascii_case(&first));
    starts.map(|(at, _)| at).filter(move |at| {
        let is_word = text.get(*at..at + word.len()).is_some_and(|found| found.eq_ignore_ascii_case(word));
        let is_alone = !text[..*at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-'));
        is_word && is_alone && text[at + word.len()..].starts_with(' ')
    })
}

/// Whether a word can be base64 of a name and a password, or of a ticket: not a single lower-case word.
fn is_credential(word: &str) -> bool {
    let is_base64 = |b: u8| b.is_ascii_alphanumeric() || b"+/=-_~.".contains(&b);
    let has = |is: fn(&u8) -> bool| word.as_bytes().iter().skip(1).any(is);
    let is_mixed = has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase);
    word.len() >= CREDENTIAL_LENGTH
        && word.bytes().all(is_base64)
        && (is_mixed || word.ends_with('=') || (has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic)))
}
