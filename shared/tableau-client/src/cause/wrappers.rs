//! Removes what Tableau, a driver or a language prints around a cause: closing sentences, stack traces, ids.

use super::index::Index;
use super::pattern::{Pattern, normalised, origins};
use super::sources::{CLOSING, WRAPPERS};
use std::collections::HashMap;
use std::sync::LazyLock;

/// How many beginnings are removed from one line.
const BEGINNINGS: usize = 8;

/// Texts around a cause.
#[derive(Default)]
struct Wrappers {
    /// Whole lines, by the first byte; those that begin with `*` are under 0.
    lines: HashMap<u8, Vec<Pattern>>,
    /// Beginnings of lines, likewise.
    beginnings: HashMap<u8, Vec<Pattern>>,
    /// Sentences that are removed wherever they are in a line.
    sentences: Vec<Pattern>,
    index: Option<Index>,
}

static ALL: LazyLock<Wrappers> = LazyLock::new(|| {
    let mut all = Wrappers::default();
    for (pattern, _) in entries(WRAPPERS) {
        let (of_lines, pattern) = match pattern.strip_suffix('…') {
            Some(beginning) => (&mut all.beginnings, beginning),
            None => (&mut all.lines, pattern),
        };
        if let Some(pattern) = Pattern::parse(pattern) {
            let first = pattern.beginning().bytes().next().unwrap_or(0);
            of_lines.entry(first).or_default().push(pattern);
        }
    }
    all.sentences = entries(CLOSING).filter_map(|(pattern, _)| Pattern::parse(pattern)).collect();
    all.index = Some(Index::of(all.sentences.iter()));
    all
});

/// The patterns of a file of wrappers, each with its example.
pub(super) fn entries(file: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = file.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once(" | "))
        .map(|(pattern, example)| (pattern.trim_end(), example.trim()))
}

/// The patterns that a normalised line may begin with.
fn of<'a>(patterns: &'a HashMap<u8, Vec<Pattern>>, line: &'a str) -> impl Iterator<Item = &'a Pattern> {
    let first = line.bytes().next().unwrap_or(0);
    let patterns = [first, 0].into_iter().filter_map(|key| patterns.get(&key)).flatten();
    patterns.filter(|pattern| line.starts_with(pattern.beginning()))
}

/// Whether the whole line is a wrapper.
pub(super) fn is_wrapper(line: &str) -> bool {
    let line = normalised(line.trim());
    of(&ALL.lines, &line).any(|pattern| pattern.is(&line))
}

/// The line without wrappers at its beginning.
pub(super) fn without_beginning(line: &str) -> &str {
    let mut rest = line.trim();
    for _ in 0..BEGINNINGS {
        let line = normalised(rest);
        let Some(end) = of(&ALL.beginnings, &line).find_map(|pattern| pattern.end_from_start(&line)) else {
            break;
        };
        let after = rest[origins(rest)[end]..].trim_start();
        if !after.contains(char::is_alphanumeric) {
            break;
        }
        rest = after;
    }
    rest
}

/// The parts of a line between the closing sentences in it.
pub(super) fn without_sentences(line: &str) -> Vec<&str> {
    let text = normalised(line);
    let mut places = Vec::new();
    if let Some(index) = &ALL.index {
        index.search(|n| &ALL.sentences[n], &text, |_, place| places.push(place));
    }
    if places.is_empty() {
        return vec![line];
    }
    places.sort_by_key(|place| place.start);
    let origins = origins(line);
    let mut rest = Vec::new();
    let mut from = 0;
    for place in places {
        if place.start > from {
            rest.push(line[origins[from]..origins[place.start]].trim());
        }
        from = from.max(place.end);
    }
    rest.push(line[origins[from]..].trim());
    rest.retain(|part| part.contains(char::is_alphanumeric));
    rest
}
