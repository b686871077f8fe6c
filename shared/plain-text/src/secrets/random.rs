//! Finds secrets by their form: tokens with a known prefix, and random words.

use super::about;
use super::judge::{is_random, is_uuid};
use super::parts::Parts;
use super::words::is_one_of_in_any_case;
use std::ops::Range;

/// The shortest random word that counts as a secret.
const RANDOM_LENGTH: usize = 20;
/// How many characters must follow a known prefix.
const BEHIND_PREFIX: usize = 8;
/// A base64 line of at least this length is one of several lines.
const BASE64_LINE: usize = 40;

/// The longest request id, and how far its name may be from it, in bytes.
const ID_LENGTH: usize = 128;
const ID_GAP: usize = 4;

/// The prefixes of known tokens: JSON Web Tokens and PASETO, AWS, GitHub, GitLab, Slack, Google, Databricks,
/// Snowflake sessions, Stripe, SendGrid, HashiCorp Vault, PyPI, npm, Atlassian. Letters and digits follow.
const PREFIXES: &str = "\
    eyJ v4.local. v2.local. AKIA ASIA AROA AIDA ABIA ACCA ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ glpat- gldt- \
    xoxb- xoxp- xoxa- xoxe- xoxe. xoxr- xoxs- xoxc- xoxd- xapp- AIza ya29. GOCSPX- 1//0 dapi ver:1-hint: \
    sk_live_ rk_live_ SG. hvs. pypi- npm_ ATATT";
/// Words before a fingerprint. A fingerprint identifies something and is not a secret.
const FINGERPRINTS: &str = "\
    guid uuid luid id hash sha1 sha256 sha-1 sha-256 md5 commit revision digest etag fingerprint thumbprint \
    checksum";

/// The prefixes of names that Tableau generates for data sources, extracts and temporary tables. The random id after
/// the prefix is kept, because an administrator needs it to find the object.
const GENERATED: [&str; 4] = ["federated", "sqlproxy", "hyper", "temp"];
/// Folders, in lower case, in which Tableau and other programs put files whose names are such a generated id.
const TEMPORARY: [&str; 3] = ["tableautemp", "temp", "tmp"];
/// The longest id in a generated name. Those seen so far have 12 to 28 characters.
const GENERATED_ID: usize = 32;

/// Adds tokens and random words.
pub(super) fn find(text: &str, found: &mut Parts) {
    let mut before: Option<Range<usize>> = None;
    let mut second: Option<Range<usize>> = None;
    let mut after_block = false;
    let mut at = 0;
    while let Some(word) = next_word(text, at) {
        at = word.end;
        let is_named =
            before.as_ref().is_some_and(|before| is_one_of_in_any_case(FINGERPRINTS, &text[before.clone()]));
        let is_line = is_line(text, &word);
        let count = found.len();
        let id = id(text, &word, before.as_ref(), second.as_ref());
        if let Some(id) = id {
            // A token with a known prefix is removed even if the text calls it an id.
            with_prefix(text, &id, found);
        } else if !is_fingerprint(&text[word.clone()], is_named) {
            in_word(text, word.clone(), found);
            // The last line of a base64 block is shorter than the others.
            if after_block && is_line && found.len() == count {
                found.push(word.clone());
            }
        }
        after_block = is_line && word.len() >= BASE64_LINE && found.len() > count;
        second = before;
        before = Some(word);
    }
}

/// The part of a word that is a request id or similar, by the words before it or by itself: `trace_id=4bf9…`.
fn id(
    text: &str,
    word: &Range<usize>,
    before: Option<&Range<usize>>,
    second: Option<&Range<usize>>,
) -> Option<Range<usize>> {
    // A shorter word is never removed.
    if word.len() < RANDOM_LENGTH {
        return None;
    }
    let shown = &text[word.clone()];
    let of = |range: Option<&Range<usize>>| range.map_or("", |range| &text[range.clone()]);
    let assigned = shown.find(['=', ':']).filter(|at| about::is_id(&shown[..*at], of(before)));
    let is_beside = || {
        let between = before.map_or("", |before| &text[before.end..word.start]);
        let is_tie = between.len() <= ID_GAP && !between.contains('\n') && !between.contains(['.', ',', ';']);
        is_tie && about::is_id(of(before), of(second))
    };
    let value = match assigned {
        Some(at) => word.start + at + 1..word.end,
        None if is_beside() => word.clone(),
        None => return None,
    };
    (value.len() <= ID_LENGTH && !text[value.clone()].contains(['$', '%', '!', '~', '|', '&']))
        .then_some(value)
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/=_-.~!|$%:".contains(&byte)
}

/// The next word made of token characters, without punctuation at its ends.
fn next_word(text: &str, at: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let start = at + bytes[at..].iter().position(|b| b.is_ascii_alphanumeric())?;
    let length = bytes[start..].iter().position(|b| !is_word_byte(*b)).unwrap_or(bytes.len() - start);
    let word = text[start..start + length].trim_end_matches(['.', ':', '!', '|', '%', '-']);
    Some(start..start + word.len())
}

fn is_line(text: &str, word: &Range<usize>) -> bool {
    let before = text[..word.start].chars().next_back();
    let behind = text[word.end..].chars().next();
    before.is_none_or(|c| c == '\n') && behind.is_none_or(|c| c == '\n')
}

/// Whether the word is a fingerprint, by the word before it or by itself: `sha256:9f86…`.
fn is_fingerprint(word: &str, is_named: bool) -> bool {
    let named = word.split_once([':', '=']).filter(|(name, _)| is_one_of_in_any_case(FINGERPRINTS, name));
    let value = match named {
        Some((_, value)) => value,
        None if is_named => word,
        None => return false,
    };
    matches!(value.len(), 32 | 40 | 64) && value.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The generated id at the beginning of a file name in a folder for temporary files. The path separator `\\` ends the
/// word before it.
fn temporary_file(text: &str, word: &Range<usize>) -> Option<Range<usize>> {
    let folder = text[..word.start].strip_suffix('\\')?;
    let is_temporary = |name: &&str| {
        let start = folder.len().checked_sub(name.len());
        start.and_then(|start| folder.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(name))
    };
    let name = TEMPORARY.into_iter().find(is_temporary)?;
    let before = folder[..folder.len() - name.len()].chars().next_back();
    let id = generated_id(text, word.start, word.end)?;
    before.is_none_or(|before| !before.is_alphanumeric()).then_some(word.start..id)
}

/// The end of an id generated by Tableau that begins at `start`, if there is one.
fn generated_id(text: &str, start: usize, end: usize) -> Option<usize> {
    let id = &text.as_bytes()[start..end];
    let length = id.iter().take_while(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()).count();
    let ends = id.get(length).is_none_or(|byte| !byte.is_ascii_alphanumeric());
    ((12..=GENERATED_ID).contains(&length) && ends).then_some(start + length)
}

/// The first name generated by Tableau in a word: `federated.0hgpf0j1fdpvv316shikk0mmdlec`,
/// `TableauTemp/1p4q8ff0vfrh8x15m4o8i0v3n6dj`.
fn generated_name(text: &str, word: &Range<usize>) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric();
    for start in word.clone().filter(|at| *at == word.start || !is_part(&bytes[at - 1])) {
        let length = bytes[start..word.end].iter().take_while(|byte| is_part(byte)).count();
        let end = start + length;
        let is_one_of = |names: &[&str]| names.iter().any(|name| text[start..end].eq_ignore_ascii_case(name));
        let is_beginning = match bytes[..word.end].get(end) {
            Some(b'.' | b'_') => is_one_of(&GENERATED),
            Some(b'/') => is_one_of(&TEMPORARY),
            _ => false,
        };
        if is_beginning && let Some(id) = generated_id(text, end + 1, word.end) {
            return Some(start..id);
        }
    }
    None
}

/// Adds the word if it is random as a whole, otherwise those of its parts that are random.
fn in_word(text: &str, word: Range<usize>, found: &mut Parts) {
    if let Some(name) = temporary_file(text, &word).or_else(|| generated_name(text, &word)) {
        in_word(text, word.start..name.start, found);
        // Continues after the separator that follows the generated name.
        in_word(text, (name.end + 1).min(word.end)..word.end, found);
        return;
    }
    with_prefix(text, &word, found);
    // A word with `:` consists of different things, as an address does, so only its parts are judged.
    if !text[word.clone()].contains(':') && is_secret(&text[word.clone()], RANDOM_LENGTH) {
        found.push(word);
        return;
    }
    for separators in [":|$%!".as_bytes(), b":|$%!/.", b":|$%!/.=", b":|$%!/.=_-~"] {
        for part in parts(text, &word, separators) {
            if is_secret(&text[part.clone()], RANDOM_LENGTH) {
                found.push(part);
            }
        }
    }
}

fn is_secret(word: &str, length: usize) -> bool {
    word.len() >= length && !has_uuid(word) && is_random(word)
}

/// Whether the word contains a UUID with something around it, as the ids of sessions and queries do.
fn has_uuid(word: &str) -> bool {
    let bytes = word.as_bytes();
    bytes.len() < 2 * RANDOM_LENGTH + 36
        && (bytes.get(..36).is_some_and(is_uuid)
            || bytes.len().checked_sub(36).is_some_and(|at| is_uuid(&bytes[at..])))
}

fn parts<'a>(
    text: &'a str,
    word: &Range<usize>,
    separators: &'a [u8],
) -> impl Iterator<Item = Range<usize>> + 'a {
    let start = word.start;
    let mut at = start;
    text.as_bytes()[word.clone()].split(|byte| separators.contains(byte)).map(move |part| {
        let range = at..at + part.len();
        at += part.len() + 1;
        range
    })
}

/// Adds tokens with a known prefix, also in the middle of a word.
fn with_prefix(text: &str, word: &Range<usize>, found: &mut Parts) {
    let mut at = word.start;
    while at + BEHIND_PREFIX < word.end {
        let rest = &text[at..word.end];
        let begins = at == word.start || !text.as_bytes()[at - 1].is_ascii_alphanumeric();
        let prefix = if begins { PREFIXES.split(' ').find(|prefix| rest.starts_with(prefix)) } else { None };
        let Some(length) = prefix.map(|prefix| token_length(rest, prefix.len())) else {
            at += 1;
            continue;
        };
        let is_long = prefix.is_some_and(|prefix| length >= prefix.len() + BEHIND_PREFIX);
        // `dapi` and `npm_` are also the beginnings of ordinary words.
        let is_word =
            rest.bytes().take(length).skip(1).all(|b| !b.is_ascii_digit() && !b.is_ascii_uppercase());
        if is_long && !is_word {
            found.push(at..at + length);
        }
        // A prefix inside this part cannot begin a token either.
        at += length;
    }
}

fn token_length(rest: &str, from: usize) -> usize {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.~+/=:".contains(&byte);
    rest.as_bytes()[from..].iter().position(|byte| !is_part(*byte)).map_or(rest.len(), |length| from + length)
}
