//! A quick check whether a text may contain a piece of a secret.
//!
//! Answers to successful requests are long and contain no secrets. This check is fifty times as fast as the search.

use crate::encoding::decoded_places;
use crate::pattern::{LEVELS, PIECE};
use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use secrecy::zeroize::Zeroizing;

/// The number of 64-bit words of the filter: 2^16 bits.
const WORDS: usize = 1024;

/// The pieces of all secrets as a Bloom filter: it answers `true` for each of them, and rarely for another text.
/// Wiped from memory when dropped.
pub(crate) struct Hints {
    filter: Box<Zeroizing<[u64; WORDS]>>,
    /// Set if a secret is shorter than a piece: then only the search can decide.
    has_short: bool,
}

/// Maps bytes to a common form: upper case to lower case, and characters that the two base64 alphabets and HTML forms
/// write differently to one.
const CANONICAL: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let plain = (byte as u8).to_ascii_lowercase();
        table[byte] = match plain {
            b'+' | b'-' => b' ',
            b'_' => b'/',
            plain => plain,
        };
        byte += 1;
    }
    table
};

/// The hash of a piece: four parts, each of which selects a bit of the filter.
fn hash(piece: u64) -> u64 {
    let hash = piece.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^ (hash >> 29)
}

/// The word and the bit in the filter for one of the four parts of a hash.
fn place(hash: u64, part: u32) -> (usize, u64) {
    let at = (hash >> (16 * part)) as usize;
    ((at >> 6) % WORDS, 1 << (at & 63))
}

impl Hints {
    pub(crate) fn of<'a>(secrets: impl Iterator<Item = &'a str>) -> Self {
        let mut hints = Self { filter: Box::new(Zeroizing::new([0; WORDS])), has_short: false };
        for secret in secrets.filter(|secret| !secret.is_empty()) {
            hints.has_short |= secret.len() < PIECE;
            hints.add(secret.as_bytes());
            let digits =
                |byte: u8| [byte >> 4, byte & 15].map(|digit| b"0123456789abcdef"[usize::from(digit)]);
            let hex: Zeroizing<Vec<u8>> = Zeroizing::new(secret.bytes().flat_map(digits).collect());
            hints.add(&hex);
            hints.add_base64(secret.as_bytes());
            // Base64 may contain the secret in the escaped form that it has in the request's JSON.
            let json = Zeroizing::new(serde_json::Value::from(secret).to_string());
            if json.len() > secret.len() + 2 {
                hints.add_base64(json.as_bytes());
            }
        }
        hints
    }

    /// Adds the secret's base64 at each of its three possible offsets: the bytes before the secret shift it by up to
    /// two bytes.
    fn add_base64(&mut self, secret: &[u8]) {
        for before in 0..3 {
            let bytes = Zeroizing::new([&vec![0; before], secret].concat());
            let text = Zeroizing::new(BASE64_STANDARD_NO_PAD.encode(&bytes));
            self.add(text.as_bytes().get((before * 8).div_ceil(6)..).unwrap_or_default());
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        let mut piece = 0_u64;
        for (at, byte) in bytes.iter().enumerate() {
            piece = (piece << 8) | u64::from(CANONICAL[usize::from(*byte)]);
            let hash = hash(piece);
            for part in 0..if at + 1 < PIECE { 0 } else { 4 } {
                let (word, bit) = place(hash, part);
                self.filter[word] |= bit;
            }
        }
    }

    fn is_in(&self, bytes: &[u8]) -> bool {
        let has = |hash: u64, part: u32| {
            let (word, bit) = place(hash, part);
            self.filter[word] & bit != 0
        };
        let mut piece = 0_u64;
        bytes.iter().enumerate().any(|(at, byte)| {
            piece = (piece << 8) | u64::from(CANONICAL[usize::from(*byte)]);
            let hash = hash(piece);
            // The first part already rules out most texts.
            has(hash, 0) && at + 1 >= PIECE && (1..4).all(|part| has(hash, part))
        })
    }

    /// Whether the search may find something in these bytes.
    pub(crate) fn may_be_in(&self, bytes: &[u8]) -> bool {
        if self.has_short || self.is_in(bytes) {
            return true;
        }
        let mut level = decoded_places(bytes, PIECE - 1);
        for _ in 0..LEVELS {
            let Some((text, places)) = level else { return false };
            if places.into_iter().any(|place| self.is_in(&text[place])) {
                return true;
            }
            level = decoded_places(&text, PIECE - 1);
        }
        false
    }
}
