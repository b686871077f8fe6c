//! Whether a word is random, as a key is, or made of words, as names are.

/// For each letter, those that often follow it in names and prose. Counted in the identifiers and comments of 3,000
/// files of source text: the 200 most frequent pairs, and a few more for rare letters.
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
/// From this share of unusual pairs on, a word is random: names have less than a third, keys about two thirds. Chosen so that
/// of 32,000 names in source text none is removed that a person would call a name.
const WORD_SHARE: f64 = 0.34;
/// The same for a word that is put together of parts, by their length: abbreviations make names look random.
const PARTS_SHARE: f64 = 0.42;
const PART_LENGTH: usize = 6;
const SHORT_PARTS_SHARE: f64 = 0.52;
const SHORT_PART: usize = 3;
/// So many changes between letters and digits, per character, show that a word in hexadecimal is random.
const HEX_SHARE: f64 = 0.08;
/// The longest part of an id such as `job_5ffa1b8c_18c0f4d3b2a`.
const ID_PART: usize = 12;

/// Whether a word looks random. The word must have at least 16 characters: shorter ones cannot be judged.
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

/// Whether it is an id: words and short numbers in hexadecimal, parted by `_` or `-`.
fn is_id(bytes: &[u8]) -> bool {
    let is_number = |part: &[u8]| part.len() <= ID_PART && part.iter().all(u8::is_ascii_hexdigit);
    let is_word = |part: &[u8]| part.len() <= ID_PART && part.iter().all(u8::is_ascii_lowercase);
    bytes.split(|b| matches!(b, b'_' | b'-')).all(|part| is_number(part) || is_word(part))
}

/// The share of pairs of neighbours that names and prose seldom have.
fn unusual_share(bytes: &[u8]) -> f64 {
    let mut pairs = 0_u32;
    // In halves: a capital within a word begins the next one, as in `tableName`.
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

/// How often a letter and a digit stand side by side.
fn changes(bytes: &[u8]) -> usize {
    bytes.windows(2).filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit()).count()
}

/// Whether it is a UUID, as LUIDs and the ids of queries are.
pub(super) fn is_uuid(bytes: &[u8]) -> bool {
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
