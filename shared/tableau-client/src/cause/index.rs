//! Finds which of thousands of patterns are in a line, in one pass over the line.
//!
//! For each pattern, the index has the rarest three bytes in a row of its literal texts. Only where a line has these
//! three bytes, the pattern is compared.

use super::pattern::Pattern;
use std::collections::HashMap;
use std::ops::Range;

/// How many bytes in a row are looked up.
const GRAM: usize = 3;
/// The number of bits of the filter before the map.
const FILTER_BITS: usize = 1 << 16;

type Gram = [u8; GRAM];

/// Where three bytes are in a pattern.
#[derive(Clone, Copy)]
struct Place {
    pattern: usize,
    part: usize,
    offset: usize,
}

pub(super) struct Index {
    /// Whether any key of the map has this hash. Most places of a line have none.
    filter: Vec<u64>,
    places: HashMap<Gram, Vec<Place>>,
    /// Patterns whose texts are all shorter than a gram.
    short: Vec<usize>,
}

impl Index {
    pub(super) fn of<'a>(patterns: impl Iterator<Item = &'a Pattern> + Clone) -> Self {
        let mut counts: HashMap<Gram, usize> = HashMap::new();
        for pattern in patterns.clone() {
            grams(pattern).for_each(|(gram, _, _)| *counts.entry(gram).or_default() += 1);
        }
        let mut index = Self { filter: vec![0; FILTER_BITS / 64], places: HashMap::new(), short: Vec::new() };
        for (n, pattern) in patterns.enumerate() {
            let Some((gram, part, offset)) = grams(pattern).min_by_key(|(gram, _, _)| counts[gram]) else {
                index.short.push(n);
                continue;
            };
            index.places.entry(gram).or_default().push(Place { pattern: n, part, offset });
            let bit = hash(gram);
            index.filter[bit / 64] |= 1 << (bit % 64);
        }
        index
    }

    /// Calls `found` for every place of every pattern in a normalised line. `pattern` returns the pattern of a number.
    pub(super) fn search<'a>(
        &self,
        pattern: impl Fn(usize) -> &'a Pattern,
        line: &str,
        mut found: impl FnMut(usize, Range<usize>),
    ) {
        for (at, window) in line.as_bytes().windows(GRAM).enumerate() {
            let gram = [window[0], window[1], window[2]];
            let bit = hash(gram);
            if self.filter[bit / 64] & (1 << (bit % 64)) == 0 {
                continue;
            }
            for place in self.places.get(&gram).map_or(&[][..], Vec::as_slice) {
                let Some(start) = at.checked_sub(place.offset) else { continue };
                if let Some(range) = pattern(place.pattern).around(line, place.part, start) {
                    found(place.pattern, range);
                }
            }
        }
        for n in &self.short {
            if let Some(range) = pattern(*n).find(line, 0) {
                found(*n, range);
            }
        }
    }
}

/// All grams of a pattern, with the number of the part and the offset in it.
fn grams(pattern: &Pattern) -> impl Iterator<Item = (Gram, usize, usize)> {
    pattern.texts().flat_map(|(part, text)| {
        let windows = text.as_bytes().windows(GRAM).enumerate();
        windows.map(move |(offset, window)| ([window[0], window[1], window[2]], part, offset))
    })
}

fn hash([a, b, c]: Gram) -> usize {
    let bits = u32::from_le_bytes([a, b, c, 0]);
    (bits.wrapping_mul(0x9E37_79B1) >> 16) as usize % FILTER_BITS
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(texts: &[&str], line: &str) -> Vec<usize> {
        let patterns: Vec<Pattern> = texts.iter().map(|text| Pattern::parse(text).unwrap()).collect();
        let mut found = Vec::new();
        Index::of(patterns.iter()).search(|n| &patterns[n], line, |n, _| found.push(n));
        found.sort_unstable();
        found.dedup();
        found
    }

    #[test]
    fn patterns_of_any_length_are_found() {
        let texts = ["table * not found", "s3", "é", "ora-#", "not found", "unknown"];
        assert_eq!(found(&texts, "ora-123: s3 table é not found"), [0, 1, 2, 3, 4]);
        assert_eq!(found(&texts, ""), [0; 0]);
        assert_eq!(found(&texts, "xs3"), [0; 0]);
    }

    proptest! {
        #[test]
        fn the_index_finds_what_each_pattern_finds(
            texts in prop::collection::vec("[ab é]{0,4}[*#]?[abé]{1,4}[*]?[ab1]{0,3}", 1..12),
            line in "[ab1é ]{0,60}",
        ) {
            let patterns: Vec<Pattern> = texts.iter().map(|text| Pattern::parse(text).unwrap()).collect();
            let line = crate::cause::pattern::normalised(&line);
            let one_by_one: Vec<usize> =
                (0..patterns.len()).filter(|n| patterns[*n].find(&line, 0).is_some()).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            prop_assert_eq!(found(&texts, &line), one_by_one);
        }
    }
}
