//! Reads the knowledge files: which words of which source mean which class, and what to do then.
//!
//! `docs/causes.md` describes the format. A malformed line is skipped here and is an error in a test.

use super::CauseClass;
use super::index::Index;
use super::pattern::{Mark, Pattern};
use super::sources::FILES;
use std::sync::LazyLock;

/// A kind of source that errors come from.
pub(super) struct Source {
    pub(super) name: &'static str,
    /// Whether its words are those of many sources: it has no `known by`.
    pub(super) is_general: bool,
}

/// A class with a next step, and the patterns that mean it.
pub(super) struct Block {
    pub(super) source: usize,
    pub(super) class: CauseClass,
    pub(super) next_step: &'static str,
}

/// A pattern that means a block.
pub(super) struct Sign {
    pub(super) block: usize,
    pub(super) mark: Mark,
    /// `@`: also in a line that Tableau prints around a cause.
    pub(super) is_engine: bool,
    pub(super) pattern: Pattern,
}

/// Which pattern of the index was found.
#[derive(Clone, Copy)]
pub(super) enum Found<'a> {
    /// The number of a sign, and the sign.
    Sign(usize, &'a Sign),
    /// The number of a source that the notes name.
    Source(usize),
}

/// A place in a knowledge file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At {
    pub(super) file: &'static str,
    pub(super) line: usize,
}

/// All knowledge files together.
#[derive(Default)]
pub(super) struct Knowledge {
    pub(super) sources: Vec<Source>,
    pub(super) blocks: Vec<Block>,
    pub(super) signs: Vec<Sign>,
    /// Texts by which notes name a source, each with the source's number.
    names: Vec<(usize, Pattern)>,
    index: Option<Index>,
}

/// The knowledge of the embedded files.
pub(super) static KNOWLEDGE: LazyLock<Knowledge> = LazyLock::new(|| read(FILES, |_, _| {}));

impl Knowledge {
    /// Calls `found` for every pattern in a normalised line, with its place.
    pub(super) fn search<'a>(&'a self, line: &str, mut found: impl FnMut(Found<'a>, std::ops::Range<usize>)) {
        let Some(index) = &self.index else { return };
        index.search(
            |n| self.pattern(n),
            line,
            |n, place| {
                let sign = self.signs.get(n).map(|sign| Found::Sign(n, sign));
                found(sign.unwrap_or_else(|| Found::Source(self.names[n - self.signs.len()].0)), place);
            },
        );
    }

    /// Signs come first, then names.
    fn pattern(&self, n: usize) -> &Pattern {
        self.signs.get(n).map_or_else(|| &self.names[n - self.signs.len()].1, |sign| &sign.pattern)
    }

    fn read_line(&mut self, text: &'static str) -> Result<Option<&'static str>, &'static str> {
        if let Some(name) = text.strip_prefix("name:") {
            self.sources.push(Source { name: name.trim(), is_general: true });
            return Ok(None);
        }
        let source = self.sources.len().checked_sub(1).ok_or("a file begins with `name:`")?;
        if let Some(names) = text.strip_prefix("known by:") {
            for name in names.split(" | ").map(str::trim).filter(|name| !name.is_empty()) {
                self.sources[source].is_general = false;
                self.names.push((source, Pattern::parse(name).ok_or("a name without letters")?));
            }
            return Ok(None);
        }
        if text.starts_with('[')
            && let Some((class, next_step)) = text[1..].split_once("] ")
            && let Some(class) = CauseClass::named(class)
        {
            self.blocks.push(Block { source, class, next_step: next_step.trim() });
            return Ok(None);
        }
        let block = self.blocks.len().checked_sub(1).ok_or("a pattern before a `[Class]`")?;
        if self.blocks[block].source != source {
            return Err("a pattern before a `[Class]`");
        }
        let (pattern, example) = text.split_once(" | ").ok_or("a pattern without ` | ` and an example")?;
        let (mark, is_engine, pattern) = match pattern.as_bytes().first() {
            Some(b'=') => (Mark::Code, false, &pattern[1..]),
            Some(b'~') => (Mark::Weak, false, &pattern[1..]),
            Some(b'@') => (Mark::Words, true, &pattern[1..]),
            _ => (Mark::Words, false, pattern),
        };
        let pattern = Pattern::parse(pattern).ok_or("a pattern without text")?;
        self.signs.push(Sign { block, mark, is_engine, pattern });
        Ok(Some(example.trim()))
    }
}

/// Reads files of the given names and texts. Calls `seen` for each line with the number of its sign and its example, or
/// with what is wrong with it.
pub(super) fn read(
    files: &[(&'static str, &'static str)],
    mut seen: impl FnMut(At, Result<(usize, &'static str), &'static str>),
) -> Knowledge {
    let mut knowledge = Knowledge::default();
    for (file, text) in files {
        for (n, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let at = At { file, line: n + 1 };
            match knowledge.read_line(line) {
                Ok(Some(example)) => seen(at, Ok((knowledge.signs.len() - 1, example))),
                Ok(None) => {}
                Err(mistake) => seen(at, Err(mistake)),
            }
        }
    }
    let count = knowledge.signs.len() + knowledge.names.len();
    let index = Index::of((0..count).map(|n| knowledge.pattern(n)));
    knowledge.index = Some(index);
    knowledge
}
