//! The patterns that the search looks for: pieces of secrets.

use crate::encoding::decoded;
use secrecy::zeroize::Zeroizing;

/// How many consecutive characters of a secret count as a disclosure.
pub(crate) const PIECE: usize = 8;
/// How many consecutive characters cannot be a coincidence, even in an answer that contains many names.
const LONG_PIECE: usize = 16;
/// A secret shorter than this is recognised only as a separate word.
const SHORTEST_INSIDE: usize = 6;
/// How many levels of encoding are decoded.
pub(crate) const LEVELS: usize = 6;
const FILTER_BITS: u32 = 14;

/// The pieces of all secrets of a request. Wiped from memory when dropped.
pub(crate) struct Patterns {
    /// Each [`PIECE`] of a long secret as a number, sorted.
    pieces: Zeroizing<Vec<u64>>,
    /// A filter over some bits of the pieces: most texts are ruled out by it.
    filter: Zeroizing<Vec<u64>>,
    short: Zeroizing<Vec<Short>>,
    /// The length of the shortest pattern.
    shortest: usize,
    /// How many consecutive characters count as a disclosure.
    least: usize,
}

/// Which pieces of a secret count as a disclosure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pieces {
    /// Every piece of 8 characters or more.
    Short,
    /// Only whole secrets, and pieces of 16 characters or more: a password may share a word with a name.
    Long,
}

/// A whole secret that is shorter than a piece.
#[derive(Clone, Copy, Default)]
struct Short {
    value: u64,
    mask: u64,
    length: usize,
    /// Whether the neighbouring character must not be one that names and ids contain.
    alone_before: bool,
    alone_behind: bool,
}

impl secrecy::zeroize::DefaultIsZeroes for Short {}

impl Short {
    fn stands_alone(&self, bytes: &[u8], from: usize) -> bool {
        let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let joins = |byte: Option<&u8>| byte.is_some_and(is_of_name);
        let before = from.checked_sub(1).and_then(|at| bytes.get(at));
        let behind = bytes.get(from + self.length);
        let is_inside = (self.alone_before && joins(before)) || (self.alone_behind && joins(behind));
        !is_inside
    }
}

/// Whether the surrounding bytes are text. Any letters can be decoded as base64, and a few of the resulting bytes
/// match by chance.
fn is_text_around(bytes: &[u8], from: usize, end: usize) -> bool {
    let around = &bytes[from.saturating_sub(4)..bytes.len().min(end + 4)];
    around.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace())
}

/// Maps a byte to the form in which it is compared: upper case to lower case, and a space to `+`, as HTML forms
/// encode it.
pub(crate) fn canonical(byte: u8) -> u8 {
    CANONICAL[usize::from(byte)]
}

const CANONICAL: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let plain = (byte as u8).to_ascii_lowercase();
        table[byte] = if plain == b'+' { b' ' } else { plain };
        byte += 1;
    }
    table
};

const fn slot(piece: u64) -> (usize, u64) {
    let hash = piece.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - FILTER_BITS);
    ((hash >> 6) as usize, 1 << (hash & 63))
}

impl Patterns {
    pub(crate) fn new<'a>(secrets: impl Iterator<Item = &'a str>, pieces: Pieces) -> Self {
        let mut all = Self {
            pieces: Zeroizing::default(),
            filter: Zeroizing::new(vec![0; 1 << (FILTER_BITS - 6)]),
            short: Zeroizing::default(),
            shortest: usize::MAX,
            least: if pieces == Pieces::Short { PIECE } else { LONG_PIECE },
        };
        for secret in secrets {
            all.add(secret.as_bytes());
            // A secret may itself look encoded, and would then be decoded together with the text around it.
            let mut inner = decoded(secret.as_bytes(), None);
            for _ in 0..LEVELS {
                let Some(text) = inner else { break };
                let bytes = Zeroizing::new(text.bytes);
                all.add(&bytes);
                inner = decoded(&bytes, None);
            }
        }
        all.pieces.sort_unstable();
        all.pieces.dedup();
        all
    }

    fn add(&mut self, secret: &[u8]) {
        if secret.is_empty() {
            return;
        }
        self.shortest = self.shortest.min(secret.len());
        let number = |bytes: &[u8]| bytes.iter().fold(0, |n, b| (n << 8) | u64::from(canonical(*b)));
        if secret.len() >= PIECE {
            self.least = self.least.min(secret.len());
            for piece in secret.windows(PIECE).map(number) {
                let (word, bit) = slot(piece);
                self.filter[word] |= bit;
                self.pieces.push(piece);
            }
            return;
        }
        let is_short = secret.len() < SHORTEST_INSIDE;
        let is_of_word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        self.short.push(Short {
            value: number(secret),
            mask: (1 << (8 * secret.len())) - 1,
            length: secret.len(),
            alone_before: is_short && is_of_word(secret.first()),
            alone_behind: is_short && is_of_word(secret.last()),
        });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.shortest == usize::MAX
    }

    /// The length of the shortest text that can contain a secret or a piece of one.
    pub(crate) fn shortest(&self) -> usize {
        self.shortest.min(self.least)
    }

    /// Calls `found` with the start and end of each piece in `bytes`. `is_guess` says that the bytes may not be text
    /// at all.
    pub(crate) fn find(&self, bytes: &[u8], is_guess: bool, mut found: impl FnMut(usize, usize)) {
        let mut last = 0_u64;
        // The range of overlapping pieces found so far.
        let mut row = 0..0;
        for (at, byte) in bytes.iter().enumerate() {
            last = (last << 8) | u64::from(canonical(*byte));
            let end = at + 1;
            let (word, bit) = slot(last);
            if self.filter[word] & bit != 0 && end >= PIECE && self.pieces.binary_search(&last).is_ok() {
                if row.end != at {
                    row.start = end - PIECE;
                }
                row.end = end;
                // Reports the whole range as soon as it is long enough, and after that whatever extends it.
                if row.len() >= self.least {
                    found(row.start, end);
                }
            }
            for short in self.short.iter() {
                if last & short.mask == short.value && end >= short.length {
                    let from = end - short.length;
                    if short.stands_alone(bytes, from) && (!is_guess || is_text_around(bytes, from, end)) {
                        found(from, end);
                    }
                }
            }
        }
    }
}
