//! What is known about the errors of each source: the knowledge files of `sources/`, read once.
//!
//! `sources/README.md` explains their form. A line that cannot be read is left out here; a test reports it.

use super::class::CauseClass;
use super::names::Names;
use super::normal::{Normal, words};
use super::pattern::{Pattern, Steps};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

/// The knowledge files without comments and examples, which `build.rs` joins.
const SOURCES: &str = include_str!(concat!(env!("OUT_DIR"), "/sources.txt"));
const WRAPPERS: &str = include_str!(concat!(env!("OUT_DIR"), "/wrappers.txt"));
/// How much of the notes is read for the names of sources, in bytes.
const NAMES_READ: usize = 16 * 1024;
/// Words that many vendors print before a number.
const COMMON_WORDS: [&str; 8] = ["code", "errcode", "errno", "error", "no", "sql", "state", "status"];
/// How many characters an SQLSTATE has.
const SQLSTATE: usize = 5;
/// A wrapper that ends with this is removed from the beginning of a line; the rest of the line stays.
const OPEN_END: char = '…';

/// How sure a pattern is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Weak words of a source that the notes do not name.
    Foreign,
    /// Words that count only if nothing else is found, unless the notes name their source.
    Weak,
    /// Words that are sure by themselves.
    Words,
    /// A vendor's code, or an SQLSTATE.
    Code,
}

/// A number without words, which other sources may print for something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    /// It has words, or is no number.
    None,
    /// It means nothing unless the notes name the source.
    Short,
    /// It may be an SQLSTATE. In a file about one source it means nothing unless the notes name the source.
    Long,
}

/// One pattern, and what it means.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) source: usize,
    pub(super) class: CauseClass,
    pub(super) next_step: &'static str,
    pub(super) level: Level,
    /// Whether only Tableau's own engine says it, so that the source is known without its name.
    pub(super) is_engine: bool,
    pub(super) number: Number,
    /// Whether it has a digit, as codes have.
    pub(super) has_digit: bool,
    pub(super) pattern: Pattern<'static>,
}

/// A kind of source, such as PostgreSQL.
#[derive(Debug, Default)]
struct Source {
    /// The texts by which notes show that they are about it.
    known_by: Vec<Pattern<'static>>,
}

/// Everything that is known.
#[derive(Debug, Default)]
pub(super) struct Knowledge {
    sources: Vec<Source>,
    entries: Vec<Entry>,
    /// For each pattern, the word of it that fewest patterns have.
    by_word: HashMap<&'static str, Vec<usize>>,
    /// Patterns without a whole word.
    without_word: Vec<usize>,
    sentences: Vec<Pattern<'static>>,
    beginnings: Vec<Pattern<'static>>,
}

impl Knowledge {
    pub(super) fn get() -> &'static Self {
        static KNOWLEDGE: LazyLock<Knowledge> = LazyLock::new(|| Knowledge::read(SOURCES, WRAPPERS));
        &KNOWLEDGE
    }

    fn read(sources: &'static str, wrappers: &'static str) -> Self {
        let mut knowledge = Self::default();
        let mut block = None;
        for line in sources.lines() {
            if line.starts_with("name:") {
                knowledge.sources.push(Source::default());
                block = None;
            } else if let Some(known_by) = line.strip_prefix("known by:") {
                let texts = known_by.split('|').map(str::trim).filter(|text| !text.is_empty());
                if let Some(source) = knowledge.sources.last_mut() {
                    source.known_by = texts.map(Pattern).collect();
                }
            } else if let Some(head) = line.strip_prefix('[')
                && let Some((class, next_step)) = head.split_once(']')
                && let Some(class) = CauseClass::named(class)
            {
                block = Some((class, next_step.trim()));
            } else if let Some((class, next_step)) = block {
                let source = knowledge.sources.len().saturating_sub(1);
                knowledge.entries.push(Entry { source, class, next_step, ..marked(line) });
            }
        }
        for line in wrappers.lines() {
            match line.strip_suffix(OPEN_END) {
                Some(beginning) => knowledge.beginnings.push(Pattern(beginning.trim_end())),
                None => knowledge.sentences.push(Pattern(line)),
            }
        }
        knowledge.index();
        knowledge
    }

    fn index(&mut self) {
        let mut uses: HashMap<&str, usize> = HashMap::new();
        for word in self.entries.iter().flat_map(|entry| entry.pattern.whole_words()) {
            *uses.entry(word).or_default() += 1;
        }
        for (at, entry) in self.entries.iter().enumerate() {
            let rarest = entry.pattern.whole_words().min_by_key(|word| uses.get(word).copied());
            match rarest {
                Some(word) => self.by_word.entry(word).or_default().push(at),
                None => self.without_word.push(at),
            }
        }
    }

    /// The entries that may match in a line of normal form, each once.
    pub(super) fn candidates(&'static self, line: &str) -> Vec<&'static Entry> {
        let with_word = words(line).filter_map(|word| self.by_word.get(word)).flatten();
        let mut found: Vec<usize> = with_word.chain(&self.without_word).copied().collect();
        found.sort_unstable();
        found.dedup();
        found.into_iter().filter_map(|at| self.entries.get(at)).collect()
    }

    /// Whether knowledge is about all sources, and not one that notes can name.
    pub(super) fn is_general(&self, source: usize) -> bool {
        self.sources.get(source).is_none_or(|source| source.known_by.is_empty())
    }

    /// Which sources the notes name. A table or a file that is called like a source names none.
    pub(super) fn named(&self, notes: &str, steps: &Steps) -> Vec<bool> {
        let notes = &notes[..notes.floor_char_boundary(NAMES_READ)];
        let lines = notes.lines().map(|line| {
            let normal = Normal::of(line);
            let names = Names::of(&normal, line);
            (line, normal, names)
        });
        let lines: Vec<_> = lines.collect();
        let is_named = |source: &Source| {
            source.known_by.iter().any(|known| {
                lines.iter().any(|(line, normal, names)| {
                    let mut from = 0;
                    while let Some(found) = known.find_from(&normal.text, from, steps) {
                        if !names.hold(&found) && !is_in_identifier(line, &normal.origin(&found)) {
                            return true;
                        }
                        from = found.end;
                    }
                    false
                })
            })
        };
        self.sources.iter().map(is_named).collect()
    }

    /// Sentences around a vendor's words that never tell the cause.
    pub(super) fn sentences(&self) -> &[Pattern<'static>] {
        &self.sentences
    }

    /// Beginnings of lines that never tell the cause.
    pub(super) fn beginnings(&self) -> &[Pattern<'static>] {
        &self.beginnings
    }
}

/// Whether a part of a line is only a part of an identifier: `raw_mysql_orders`, `RAW.SALESFORCE.ACCOUNT`.
fn is_in_identifier(line: &str, part: &Range<usize>) -> bool {
    let (before, after) = (&line[..part.start], &line[part.end..]);
    let has_capitals = !line[part.clone()].contains(char::is_lowercase);
    before.ends_with('_')
        || after.starts_with('_')
        || (has_capitals
            && (before.ends_with('.')
                || (after.starts_with('.') && after.len() > 1 && !after.starts_with(". "))))
}

/// An entry with the level of a pattern by the mark before it.
fn marked(line: &'static str) -> Entry {
    let marks = [('=', Level::Code), ('~', Level::Weak), ('@', Level::Words)];
    let marked = marks.into_iter().find_map(|(mark, level)| Some((level, line.strip_prefix(mark)?)));
    let (level, pattern) = marked.unwrap_or((Level::Words, line));
    Entry {
        source: 0,
        class: CauseClass::Unknown,
        next_step: "",
        level,
        is_engine: line.starts_with('@'),
        number: if level == Level::Code { bare_number(pattern) } else { Number::None },
        has_digit: pattern.contains(|c: char| c.is_ascii_digit()),
        pattern: Pattern(pattern.trim()),
    }
}

/// Which number a pattern is, if it has no word by which only one vendor is known.
fn bare_number(pattern: &str) -> Number {
    let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    let is_bare = words(pattern).all(|word| is_number(word) || COMMON_WORDS.contains(&word));
    match words(pattern).filter(|word| is_number(word)).map(str::len).max() {
        Some(digits) if is_bare && digits < SQLSTATE => Number::Short,
        Some(_) if is_bare => Number::Long,
        _ => Number::None,
    }
}
