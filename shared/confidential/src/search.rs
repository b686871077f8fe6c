//! Finds where a text repeats a secret, in any encoding.

use crate::encoding::{base64_digit, decoded, hex_byte};
use crate::pattern::{LEVELS, Patterns};
use std::ops::Range;

/// How many times base64 or hexadecimal may be nested in another.
const NESTED: u32 = 2;
/// A long text is searched in parts of this size, so that little decoded data is in memory at a time.
const PART_BYTES: usize = 64 * 1024;
/// How far the parts overlap: more than a piece of a secret takes when encoded several times.
const OVERLAP_BYTES: usize = 2 * 1024;

/// The ranges of `bytes` that repeat a piece of a secret, sorted and merged.
pub(crate) fn ranges(bytes: &[u8], patterns: &Patterns) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    if patterns.is_empty() {
        return found;
    }
    let mut start = 0;
    loop {
        let end = bytes.len().min(start + PART_BYTES);
        Search { patterns, nested: NESTED }
            .find(&bytes[start..end], &mut |range| found.push(range.start + start..range.end + start));
        if end == bytes.len() {
            break;
        }
        start = end - OVERLAP_BYTES;
    }
    merged(found)
}

fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut apart: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match apart.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => apart.push(range),
        }
    }
    apart
}

#[derive(Clone, Copy)]
struct Search<'a> {
    patterns: &'a Patterns,
    /// How many further levels of base64 and hexadecimal are decoded.
    nested: u32,
}

impl Search<'_> {
    /// Calls `found` with each range, with some ranges more than once.
    fn find(self, bytes: &[u8], found: &mut dyn FnMut(Range<usize>)) {
        self.find_plain(bytes, &mut |range| found(range));
        let mut level = decoded(bytes, None);
        for _ in 0..LEVELS {
            let Some(text) = level else { break };
            let spans = &text.spans;
            self.find_plain(&text.bytes, &mut |range| {
                let from = spans[range.start].0;
                let to = spans[range.end - 1].1;
                found(from as usize..to as usize);
            });
            level = decoded(&text.bytes, Some(spans));
        }
    }

    fn find_plain(self, bytes: &[u8], found: &mut dyn FnMut(Range<usize>)) {
        self.patterns.find(bytes, self.nested < NESTED, |from, to| found(from..to));
        if self.nested > 0 {
            self.find_in_runs(bytes, found);
        }
    }

    /// Searches every part that can be base64 or hexadecimal.
    fn find_in_runs(self, bytes: &[u8], found: &mut dyn FnMut(Range<usize>)) {
        let shortest = (self.patterns.shortest() * 8).div_ceil(6);
        let mut at = 0;
        let mut places = Vec::new();
        while at < bytes.len() {
            places.clear();
            let mut is_hex = true;
            // Long base64 is split into lines.
            while let Some(byte) = bytes.get(at) {
                match base64_digit(*byte) {
                    Some(_) => {
                        is_hex &= byte.is_ascii_hexdigit();
                        places.push(at);
                    }
                    None if matches!(byte, b'\r' | b'\n') && !places.is_empty() => {}
                    None => break,
                }
                at += 1;
            }
            if places.len() >= shortest {
                self.find_in_base64(bytes, &places, found);
                if is_hex {
                    self.find_in_hex(bytes, &places, found);
                }
            }
            at += 1;
        }
    }

    /// Searches base64 at every possible offset, because the characters before may belong to something else.
    fn find_in_base64(self, bytes: &[u8], places: &[usize], found: &mut dyn FnMut(Range<usize>)) {
        let inner = Self { nested: self.nested - 1, ..self };
        for offset in 0..4.min(places.len()) {
            let places = &places[offset..];
            let text = base64(places.iter().map(|at| bytes[*at]));
            inner.find(&text, &mut |range| {
                let from = range.start / 3 * 4;
                let to = (range.end.div_ceil(3) * 4).min(places.len());
                if from < to {
                    found(places[from]..places[to - 1] + 1);
                }
            });
        }
    }

    fn find_in_hex(self, bytes: &[u8], places: &[usize], found: &mut dyn FnMut(Range<usize>)) {
        let inner = Self { nested: self.nested - 1, ..self };
        for offset in 0..2.min(places.len()) {
            let places = &places[offset..];
            let digits: Vec<u8> = places.iter().map(|at| bytes[*at]).collect();
            let text: Vec<u8> = digits.chunks_exact(2).filter_map(hex_byte).collect();
            inner.find(&text, &mut |range| found(places[range.start * 2]..places[range.end * 2 - 1] + 1));
        }
    }
}

/// Decodes base64 characters; the end may be incomplete.
fn base64(characters: impl Iterator<Item = u8>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut held = 0_u32;
    let mut bits = 0;
    for digit in characters.filter_map(base64_digit) {
        held = (held << 6) | u32::from(digit);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    bytes
}
