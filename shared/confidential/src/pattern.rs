//! What is looked for: the pieces of secrets.

use crate::encoding::decoded;
use secrecy::zeroize::Zeroizing;

/// So many characters in a row give away a secret.
pub(crate) const PIECE: usize = 8;
/// So many in a row, or a whole secret, are no coincidence, even among the names in an answer.
const LONG_PIECE: usize = 16;
/// A secret that is shorter is only looked for where it stands alone.
const SHORTEST_INSIDE: usize = 6;
/// How many times a text may be encoded.
pub(crate) const LEVELS: usize = 6;
const FILTER_BITS: u32 = 14;

/// The pieces of all secrets of a request. Wiped when dropped.
pub(crate) struct Patterns {
    /// Each [`PIECE`] of a long secret as a number, in order.
    pieces: Zeroizing<Vec<u64>>,
    /// Which pieces there may be, by a few of their bits: most texts have none.
    filter: Zeroizing<Vec<u64>>,
    short: Zeroizing<Vec<Short>>,
    /// The length of the shortest pattern.
    shortest: usize,
    /// How many characters in a row count.
    least: usize,
}

/// Which pieces of a secret count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pieces {
    /// All of 8 characters or more.
    Short,
    /// Whole secrets, and pieces of 16 characters or more: a password may share a word with a name.
    Long,
}

/// A whole secret that is shorter than a piece.
#[derive(Clone, Copy, Default)]
struct Short {
    value: u64,
    mask: u64,
    length: usize,
    /// Whether the character before, or behind, must not be one of a name or an id.
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

/// Whether what is around is text. Any letters can be read as base64, and of the bytes that come out, a few match by chance.
fn is_text_around(bytes: &[u8], from: usize, end: usize) -> bool {
    let around = &bytes[from.saturating_sub(4)..bytes.len().min(end + 4)];
    around.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace())
}

/// Upper case is lower case, and a blank is `+`: forms are encoded so.
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
            // A secret may look as if it were encoded, and what encloses it is decoded with it.
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

    /// How many bytes a text must have at least to hold a secret or a piece of one.
    pub(crate) fn shortest(&self) -> usize {
        self.shortest.min(self.least)
    }

    /// Calls `found` with the beginning and end of each piece in `bytes`. `is_guess`: whether they may be no text at all.
    pub(crate) fn find(&self, bytes: &[u8], is_guess: bool, mut found: impl FnMut(usize, usize)) {
        let mut last = 0_u64;
        // Pieces that overlap, as far as they have come.
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
                // With the first that is long enough all of the row, then what comes to it.
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
