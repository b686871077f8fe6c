//! One pattern of a knowledge file, and where it matches in a line.

use super::normal::words;
use std::cell::Cell;
use std::ops::Range;

/// The most characters that `*` stands for.
const GAP: usize = 80;
/// How many steps the search for one pattern in one line may take, and all searches in the notes of one job together, so that
/// hostile notes cost little. Ordinary notes take some ten thousand.
const STEPS_OF_ONE: u32 = 50_000;
const STEPS_OF_ALL: u32 = 20_000_000;

/// What is left of the steps for the notes of one job. Nothing matches after the last.
#[derive(Debug)]
pub(super) struct Steps(Cell<u32>);

impl Steps {
    pub(super) fn new() -> Self {
        Self(Cell::new(STEPS_OF_ALL))
    }

    /// Runs a search with its share of the steps.
    fn spend<T>(&self, search: impl FnOnce(&mut u32) -> T) -> T {
        let share = self.0.get().min(STEPS_OF_ONE);
        let mut left = share;
        let result = search(&mut left);
        self.0.set(self.0.get() - (share - left));
        result
    }
}

/// A text in its normal form, in which `*` stands for at most 80 characters, `#` for digits and `%` for the rest of a word. Every
/// word of it is a whole word of the line, also beside a `*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pattern<'a>(pub(super) &'a str);

impl<'a> Pattern<'a> {
    /// Where the pattern first matches in a line of normal form, from this byte on.
    pub(super) fn find_from(self, line: &str, from: usize, steps: &Steps) -> Option<Range<usize>> {
        let literal = self.0.find(['*', '#', '%']).map_or(self.0, |end| &self.0[..end]);
        steps.spend(|steps| {
            let mut from = from;
            while let Some(found) = line.get(from..).and_then(|rest| rest.find(literal)) {
                let start = from + found;
                if let Some(end) = self.end_of_match(line, start, &|_| true, steps) {
                    return Some(start..end);
                }
                *steps = steps.checked_sub(1)?;
                from = after(line, start);
            }
            None
        })
    }

    /// Where the pattern first matches in a line of normal form.
    pub(super) fn find(self, line: &str, steps: &Steps) -> Option<Range<usize>> {
        self.find_from(line, 0, steps)
    }

    /// Where the pattern last matches: the shortest match, if a gap could take other words too.
    pub(super) fn find_last(self, line: &str, steps: &Steps) -> Option<Range<usize>> {
        let mut last = self.find(line, steps)?;
        while let Some(found) = self.find_from(line, after(line, last.start), steps) {
            last = found;
        }
        Some(last)
    }

    /// Where a match ends that starts at the beginning of the line.
    pub(super) fn matches_start(self, line: &str, steps: &Steps) -> Option<usize> {
        steps.spend(|steps| self.end_of_match(line, 0, &|_| true, steps))
    }

    /// Whether the pattern is the whole line, but for punctuation at its end. A `*` at its end takes the rest of the line, but
    /// not directly after a word: what follows there may be the vendor's words.
    pub(super) fn matches_whole(self, line: &str, steps: &Steps) -> bool {
        let open = self.0.strip_suffix('*');
        let takes_rest = open.is_some_and(|open| !open.ends_with(char::is_alphabetic));
        let is_end = |end: usize| takes_rest || line[end..].chars().all(|c| c.is_ascii_punctuation());
        let pattern = Pattern(open.unwrap_or(self.0));
        steps.spend(|steps| pattern.end_of_match(line, 0, &is_end, steps)).is_some()
    }

    fn end_of_match(
        self,
        line: &str,
        start: usize,
        accepts: &impl Fn(usize) -> bool,
        steps: &mut u32,
    ) -> Option<usize> {
        let pattern = self.0.as_bytes();
        let opens_with_word = pattern.first().is_some_and(|byte| is_of_word(*byte));
        if opens_with_word && is_in_word(line, start) {
            return None;
        }
        let closes_with_word = pattern.last().is_some_and(|byte| is_of_word(*byte));
        let accepts = |end: usize| !(closes_with_word && is_in_word(line, end)) && accepts(end);
        end_of(pattern, line, start, &accepts, steps)
    }

    /// The words that a line must contain, so that the pattern can match in it: those without `#` and `%`.
    pub(super) fn whole_words(self) -> impl Iterator<Item = &'a str> {
        let pattern = self.0;
        words(pattern).filter(move |word| {
            let start = word.as_ptr().addr() - pattern.as_ptr().addr();
            let before = pattern[..start].chars().next_back();
            let after = pattern[start + word.len()..].chars().next();
            let is_open = |c: Option<char>| matches!(c, Some('#' | '%'));
            !is_open(before) && !is_open(after)
        })
    }
}

/// Where the character after this one begins.
fn after(line: &str, at: usize) -> usize {
    at + line[at..].chars().next().map_or(1, char::len_utf8)
}

/// Whether a byte of a pattern stands for a part of a word.
fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'#' | b'%')
}

/// Whether a place is between two characters of one word.
fn is_in_word(line: &str, at: usize) -> bool {
    let is_word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    at > 0 && is_word(line.as_bytes().get(at - 1)) && is_word(line.as_bytes().get(at))
}

fn end_of(
    pattern: &[u8],
    line: &str,
    mut at: usize,
    accepts: &impl Fn(usize) -> bool,
    steps: &mut u32,
) -> Option<usize> {
    let text = line.as_bytes();
    for (index, &byte) in pattern.iter().enumerate() {
        *steps = steps.checked_sub(1)?;
        let rest = &pattern[index + 1..];
        match byte {
            b'*' => {
                let follows_word = index > 0 && is_of_word(pattern[index - 1]);
                if follows_word && is_in_word(line, at) {
                    return None;
                }
                let leads_to_word = rest.first().is_some_and(|byte| is_of_word(*byte));
                let gaps = line.get(at..)?.char_indices().map(|(gap, _)| gap).take(GAP + 1);
                let gaps = gaps.chain((line.len() - at <= GAP).then_some(line.len() - at));
                for gap in gaps.filter(|gap| !(leads_to_word && is_in_word(line, at + gap))) {
                    *steps = steps.checked_sub(1)?;
                    if let Some(end) = end_of(rest, line, at + gap, accepts, steps) {
                        return Some(end);
                    }
                }
                return None;
            }
            b'#' => {
                let digits = text[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                if digits == 0 {
                    return None;
                }
                at += digits;
            }
            b'%' => at += text[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count(),
            literal if text.get(at) == Some(&literal) => at += 1,
            _ => return None,
        }
    }
    accepts(at).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pattern: &str, line: &str) -> bool {
        Pattern(pattern).find(line, &Steps::new()).is_some()
    }

    #[test]
    fn a_pattern_matches_whole_words_anywhere() {
        assert!(found("login failed", "error: login failed for user 'x'"));
        assert!(!found("login failed", "blogin failed") && !found("login failed", "login failedx"));
        assert!(found("role", "the role 'x'") && !found("role", "the roles"));
        assert!(found("role", "roles and a role"));
        assert!(found("für '", "fehler für 'x'"));
    }

    #[test]
    fn a_star_is_a_gap_and_a_hash_is_a_number() {
        assert!(found("monitor '*' has", "monitor 'x' has") && found("a*b", "a b"));
        assert!(!found("a *z", &format!("a {}z", "y".repeat(90))));
        assert!(found("a*b*c", &format!("a b {} b c", "y".repeat(70))));
        assert!(
            found("after # seconds", "after 7200 seconds") && !found("after # seconds", "after x seconds")
        );
        assert!(!found("code #", "code 1a"));
        assert!(found("corrupt% file", "corrupted file") && found("corrupt% file", "corrupt file"));
        assert!(!found("corrupt% file", "corrupted. file") && found("(sql%)", "(sqlfetch)"));
        assert!(found("sap*日本", "sap é日本"));
    }

    #[test]
    fn a_hostile_line_costs_little() {
        let line = "a ".repeat(4_000);
        assert!(!found("a*a*a*a*a*z", &line));
    }

    #[test]
    fn a_word_beside_a_gap_is_whole_too() {
        assert!(found("the drive* does not exist", "the drive 'x' does not exist"));
        assert!(!found("drive* does not exist", "[odbc driver 18] x does not exist"));
        assert!(!found("hyper*out of memory", "hypertable: out of memory"));
        assert!(!found("a*memory", "a outofmemory") && found("a*memory", "a, memory"));
        let words: Vec<_> = Pattern("ora-*: no user# 'x y*' here").whole_words().collect();
        assert_eq!(words, ["ora", "no", "x", "y", "here"]);
    }

    #[test]
    fn a_pattern_is_a_whole_line_or_takes_the_rest_of_it() {
        let whole = |pattern: &str, line: &str| Pattern(pattern).matches_whole(line, &Steps::new());
        assert!(whole("done", "done.") && !whole("done", "done it"));
        assert!(whole("sql = *", "sql = select a from b") && !whole("sql = *", "the sql = select"));
        assert!(whole("at * line #", "at a line 1 line 2"));
        assert!(whole("no extract*", "no extract.") && !whole("no extract*", "no extract: login failed"));
    }

    #[test]
    fn the_steps_of_all_searches_together_are_limited() {
        let steps = Steps::new();
        let line = "a ".repeat(4_000);
        let searches = (0..1_000).take_while(|_| {
            let _ = Pattern("a*a*a*a*a*z").find(&line, &steps);
            steps.0.get() > 0
        });
        assert!(searches.count() < 500);
        assert_eq!(Pattern("a").find("a", &steps), None, "nothing is left");
    }
}
