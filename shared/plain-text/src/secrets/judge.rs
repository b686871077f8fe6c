//! Decides whether a word is random, like a key, or made of words, like a name.

/// For each letter, the letters that often follow it in names and prose: the 200 most frequent pairs in the
/// identifiers and comments of 3,000 source files, and a few more for rare letters.
const FOLLOWERS: [&str; 26] = [
    "bcdgilmnprstuvy",
    "aeilorsuy",
    "acehiklorstu",
    "adeilorsuvy",
    "abcdefglmnoprstvxy",
    "aefilorstu",
    "aehilnorsu",
    "aehiorty",
    "abcdefglmnoprstvxz",
    "aeos",
    "aeinosy",
    "adeiklostuvy",
    "abeimnopsuy",
    "acdefgikostvy",
    "abcdefgklmnoprstuvwx",
    "aehiloprstuy",
    "lu",
    "acdegikmnorstuvy",
    "acehikloprstuwy",
    "aceghilorstuwy",
    "abcdegilmnprst",
    "aeioy",
    "aehinors",
    "cepty",
    "aelmnopst",
    "aeioz",
];
/// A word with at least this share of unusual letter pairs is random: names have less than a third, keys about two
/// thirds. With this limit, none of 32,000 names in source text is removed that a person would call a name.
const WORD_SHARE: f64 = 0.34;
/// The limit for a word made of several parts, by their total length: abbreviations make names look random.
const PARTS_SHARE: f64 = 0.42;
const PART_LENGTH: usize = 6;
const SHORT_PARTS_SHARE: f64 = 0.52;
const SHORT_PART: usize = 3;
/// A hexadecimal word is random if it changes between letters and digits at least this often per character.
const HEX_SHARE: f64 = 0.08;
/// The longest part of an id such as `job_5ffa1b8c_18c0f4d3b2a`.
const ID_PART: usize = 12;

/// Whether a word looks random. Give only words of at least 16 characters: shorter ones cannot be judged.
pub(super) fn is_random(word: &str) -> bool {
    let bytes = word.as_bytes();
    let is_part = |b: u8| b.is_ascii_alphanumeric();
    let parts = bytes.split(|b| !is_part(*b)).filter(|part| !part.is_empty()).count().max(1);
    let letters = bytes.iter().filter(|b| is_part(**b)).count();
    if letters < 12 || is_uuid(bytes) {
        return false;
    }
    if parts == 1 && bytes.iter().all(u8::is_ascii_hexdigit) {
        // The lengths of MD5 and SHA hashes, and of keys of 128 and 256 bits.
        let is_whole = matches!(bytes.len(), 32 | 40 | 64) && changes(bytes) > 0;
        return is_whole || changes(bytes) as f64 >= HEX_SHARE * bytes.len() as f64;
    }
    let share = unusual_share(bytes);
    match parts {
        1 => share >= WORD_SHARE,
        _ if is_id(bytes) => false,
        _ => {
            let length = letters / parts;
            (share >= PARTS_SHARE && length >= PART_LENGTH)
                || (share >= SHORT_PARTS_SHARE && length >= SHORT_PART)
        }
    }
}

/// Whether the word is an id: words and short hexadecimal numbers, separated by `_` or `-`.
fn is_id(bytes: &[u8]) -> bool {
    let is_number = |part: &[u8]| part.len() <= ID_PART && part.iter().all(u8::is_ascii_hexdigit);
    let is_word = |part: &[u8]| part.len() <= ID_PART && part.iter().all(u8::is_ascii_lowercase);
    bytes.split(|b| matches!(b, b'_' | b'-')).all(|part| is_number(part) || is_word(part))
}

/// The share of neighbouring letter pairs that are rare in names and prose.
fn unusual_share(bytes: &[u8]) -> f64 {
    let mut pairs = 0_u32;
    // Counted in halves: a capital inside a word begins a new word, as in `tableName`, and counts half.
    let mut unusual = 0_u32;
    for pair in bytes.windows(2) {
        let &[a, b] = pair else { continue };
        if !a.is_ascii_alphanumeric() || !b.is_ascii_alphanumeric() {
            continue;
        }
        pairs += 1;
        unusual += match (a.is_ascii_digit(), b.is_ascii_digit()) {
            (true, true) => 0,
            (false, false) if a.is_ascii_lowercase() && b.is_ascii_uppercase() => 1,
            (false, false) if follows(a, b) => 0,
            _ => 2,
        };
    }
    f64::from(unusual) / f64::from(2 * pairs.max(1))
}

fn follows(a: u8, b: u8) -> bool {
    let place = usize::from(a.to_ascii_lowercase() - b'a');
    FOLLOWERS.get(place).is_some_and(|followers| followers.as_bytes().contains(&b.to_ascii_lowercase()))
}

/// How often a letter and a digit are neighbours.
fn changes(bytes: &[u8]) -> usize {
    bytes.windows(2).filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit()).count()
}

/// Whether the word is a UUID: Tableau's LUIDs and query ids are.
pub(super) fn is_uuid(bytes: &[u8]) -> bool {
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
