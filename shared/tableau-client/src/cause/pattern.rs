//! One pattern of a knowledge file, and where it matches in a line.

use super::normal::words;
use std::ops::Range;

/// The most characters that `*` stands for.
const GAP: usize = 80;
/// How many steps a search in one line may take, so that a hostile line costs little.
const STEPS: u32 = 50_000;

/// A text in its normal form, in which `*` stands for at most 80 characters and `#` for digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pattern<'a>(pub(super) &'a str);

impl<'a> Pattern<'a> {
    /// Where the pattern first matches in a line of normal form. Its ends match only whole words.
    pub(super) fn find(self, line: &str) -> Option<Range<usize>> {
        let literal = self.0.find(['*', '#']).map_or(self.0, |end| &self.0[..end]);
        let mut from = 0;
        let mut steps = STEPS;
        while let Some(found) = line.get(from..).and_then(|rest| rest.find(literal)) {
            let start = from + found;
            if let Some(end) = self.end_of_match(line, start, &mut steps) {
                return Some(start..end);
            }
            from = start + line[start..].chars().next().map_or(1, char::len_utf8);
        }
        None
    }

    /// Where the pattern last matches: the shortest match, if a gap could take other words too.
    pub(super) fn find_last(self, line: &str) -> Option<Range<usize>> {
        let mut last = self.find(line)?;
        loop {
            let from = last.start + line[last.start..].chars().next().map_or(1, char::len_utf8);
            match line.get(from..).and_then(|rest| self.find(rest)) {
                Some(found) => last = from + found.start..from + found.end,
                None => return Some(last),
            }
        }
    }

    /// Where a match ends that starts here.
    pub(super) fn matches_at(self, line: &str, start: usize) -> Option<usize> {
        self.end_of_match(line, start, &mut { STEPS })
    }

    fn end_of_match(self, line: &str, start: usize, steps: &mut u32) -> Option<usize> {
        let is_cut = |at: usize| {
            let bytes = line.as_bytes();
            let is_word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
            at > 0 && is_word(bytes.get(at - 1)) && is_word(bytes.get(at))
        };
        let opens_with_word = self.0.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '#');
        if opens_with_word && is_cut(start) {
            return None;
        }
        let closes_with_word = self.0.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '#');
        let accepts = |end: usize| !(closes_with_word && is_cut(end));
        end_of(self.0.as_bytes(), line, start, &accepts, steps)
    }

    /// The words that a line must contain, so that the pattern can match in it: those that stand alone in the pattern.
    pub(super) fn whole_words(self) -> impl Iterator<Item = &'a str> {
        let pattern = self.0;
        words(pattern).filter(move |word| {
            let start = word.as_ptr().addr() - pattern.as_ptr().addr();
            let before = pattern[..start].chars().next_back();
            let after = pattern[start + word.len()..].chars().next();
            let is_open = |c: Option<char>| matches!(c, Some('*' | '#'));
            !is_open(before) && !is_open(after)
        })
    }
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
                let gaps = line.get(at..)?.char_indices().map(|(gap, _)| gap).take(GAP + 1);
                let gaps = gaps.chain((line.len() - at <= GAP).then_some(line.len() - at));
                for gap in gaps {
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
        Pattern(pattern).find(line).is_some()
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
        assert!(found("monitor '*' has", "monitor 'x' has") && found("a*b", "ab"));
        assert!(!found("a *z", &format!("a {}z", "y".repeat(90))));
        assert!(found("a*b*c", &format!("a b {} b c", "y".repeat(70))));
        assert!(
            found("after # seconds", "after 7200 seconds") && !found("after # seconds", "after x seconds")
        );
        assert!(!found("code #", "code 1a"));
        assert!(found("sap*日本", "sap é日本"));
    }

    #[test]
    fn a_hostile_line_costs_little() {
        let line = "a ".repeat(4_000);
        assert!(!found("a*a*a*a*a*z", &line));
    }

    #[test]
    fn a_word_beside_a_gap_need_not_be_whole() {
        let words: Vec<_> = Pattern("ora-*: no user# 'x y*' here").whole_words().collect();
        assert_eq!(words, ["ora", "no", "x", "here"]);
    }
}
