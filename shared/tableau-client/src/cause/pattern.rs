//! One pattern of a knowledge file, and how it is compared with a line.

use std::ops::Range;

/// How many characters a `*` stands for at most.
const GAP: usize = 80;

/// How sure a pattern is. The order is the order of strength.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    /// `~`: words that many causes have in common.
    Weak,
    /// No mark, or `@`: words that are sure by themselves.
    Words,
    /// `=`: a code of a vendor, or an SQLSTATE.
    Code,
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Text(Box<str>),
    /// `#`: one or more digits.
    Digits,
    /// `*`: anything, also nothing.
    Gap,
}

/// A pattern: literal text with `*` and `#`.
#[derive(Debug)]
pub(super) struct Pattern {
    parts: Vec<Part>,
    /// How long its literal text is, in bytes.
    pub(super) length: usize,
}

impl Pattern {
    /// Reads a pattern. `None` if it has no literal text.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        for character in normalised(text).trim().chars() {
            let special = match character {
                '*' => Part::Gap,
                '#' => Part::Digits,
                other => {
                    literal.push(other);
                    continue;
                }
            };
            if !literal.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut literal).into()));
            }
            if parts.last() != Some(&special) {
                parts.push(special);
            }
        }
        if !literal.is_empty() {
            parts.push(Part::Text(literal.into()));
        }
        let length = parts.iter().map(|part| if let Part::Text(text) = part { text.len() } else { 0 }).sum();
        (length > 0).then_some(Self { parts, length })
    }

    /// The literal texts, each with the number of its part.
    pub(super) fn texts(&self) -> impl Iterator<Item = (usize, &str)> {
        self.parts.iter().enumerate().filter_map(|(n, part)| match part {
            Part::Text(text) => Some((n, &**text)),
            Part::Digits | Part::Gap => None,
        })
    }

    /// The literal text that the pattern begins with. Empty if it begins with `*` or `#`.
    pub(super) fn beginning(&self) -> &str {
        if let Some(Part::Text(text)) = self.parts.first() { text } else { "" }
    }

    /// The place of the pattern in a normalised line, if its part `n`, a literal text, is at byte `at`.
    pub(super) fn around(&self, line: &str, n: usize, at: usize) -> Option<Range<usize>> {
        let Part::Text(text) = &self.parts[n] else { return None };
        if !line.as_bytes()[at..].starts_with(text.as_bytes()) {
            return None;
        }
        let ends = forward(&self.parts[n + 1..], line, at + text.len(), GAP);
        let end = ends.into_iter().find(|end| self.ends_well(line, *end))?;
        let starts = backward(&self.parts[..n], line, at);
        let start = starts.into_iter().find(|start| self.starts_well(line, *start))?;
        Some(start..end)
    }

    /// The end of the pattern in a normalised line that begins with it. A `*` stands for any number of characters.
    pub(super) fn end_from_start(&self, line: &str) -> Option<usize> {
        let ends = forward(&self.parts, line, 0, usize::MAX);
        ends.into_iter().find(|end| self.ends_well(line, *end))
    }

    /// Whether the pattern is the whole line. A `*` stands for any number of characters.
    pub(super) fn is(&self, line: &str) -> bool {
        let ends_open = matches!(self.parts.last(), Some(Part::Gap));
        let ends = forward(&self.parts, line, 0, usize::MAX);
        if ends_open { !ends.is_empty() } else { ends.contains(&line.len()) }
    }

    /// The place of the pattern in a normalised line, from byte `from` on.
    pub(super) fn find(&self, line: &str, from: usize) -> Option<Range<usize>> {
        let (n, text) = self.texts().next()?;
        let mut at = from;
        while let Some(found) = line[at..].find(text) {
            if let Some(place) = self.around(line, n, at + found)
                && place.start >= from
            {
                return Some(place);
            }
            at = next(line, at + found);
        }
        None
    }

    fn starts_well(&self, line: &str, start: usize) -> bool {
        let Some(Part::Text(text)) = self.parts.first() else { return true };
        !text.starts_with(char::is_alphanumeric) || !line[..start].ends_with(char::is_alphanumeric)
    }

    fn ends_well(&self, line: &str, end: usize) -> bool {
        let Some(Part::Text(text)) = self.parts.last() else { return true };
        !text.ends_with(char::is_alphanumeric) || !line[end..].starts_with(char::is_alphanumeric)
    }
}

/// The places where `parts` may end, in order, if they begin at `from`. Every `*` stands for at most `gap` characters.
fn forward(parts: &[Part], line: &str, from: usize, gap: usize) -> Vec<usize> {
    let mut places = vec![from];
    let mut parts = parts.iter();
    while let Some(part) = parts.next().filter(|_| !places.is_empty()) {
        places = match part {
            Part::Text(text) => {
                let fits = places.into_iter().filter(|at| line[*at..].starts_with(&**text));
                fits.map(|at| at + text.len()).collect()
            }
            Part::Digits => {
                let fits = places.into_iter().map(|at| (at, digits_after(line, at)));
                fits.filter(|(_, digits)| *digits > 0).map(|(at, digits)| at + digits).collect()
            }
            Part::Gap => match parts.next() {
                None => places,
                Some(part) => after_gaps(part, line, &places, gap),
            },
        };
    }
    places
}

/// The places after `part`, which comes after at most `gap` characters.
fn after_gaps(part: &Part, line: &str, places: &[usize], gap: usize) -> Vec<usize> {
    let mut found = Vec::new();
    let mut from = 0;
    for place in places {
        from = from.max(*place);
        // Only as far as the gap: a line may be very long.
        let last = match gap {
            usize::MAX => line.len(),
            gap => line[*place..].char_indices().nth(gap).map_or(line.len(), |(at, _)| place + at),
        };
        while from <= last {
            let length = if let Part::Text(text) = part { text.len() } else { 1 };
            let window = &line[from..line.ceil_char_boundary(last.saturating_add(length))];
            let at = match part {
                Part::Text(text) => window.find(&**text),
                Part::Digits | Part::Gap => window.find(|c: char| c.is_ascii_digit()),
            };
            let Some(at) = at.map(|at| from + at).filter(|at| *at <= last) else {
                // What was searched for one place need not be searched for the next.
                from = next(line, last);
                break;
            };
            found.push(at + if let Part::Text(text) = part { text.len() } else { digits_after(line, at) });
            from = next(line, at);
        }
    }
    found
}

/// The places where `parts` may begin, the last first, if they end at `to`.
fn backward(parts: &[Part], line: &str, to: usize) -> Vec<usize> {
    let mut places = vec![to];
    let mut parts = parts.iter().rev();
    while let Some(part) = parts.next().filter(|_| !places.is_empty()) {
        places = match part {
            Part::Text(text) => {
                let fits = places.into_iter().filter(|at| line[..*at].ends_with(&**text));
                fits.map(|at| at - text.len()).collect()
            }
            Part::Digits => {
                let fits = places.into_iter().map(|at| (at, digits_before(line, at)));
                fits.filter(|(_, digits)| *digits > 0).map(|(at, digits)| at - digits).collect()
            }
            Part::Gap => match parts.next() {
                None => places,
                Some(part) => before_gaps(part, line, &places),
            },
        };
    }
    places
}

/// The places before `part`, which comes before at most [`GAP`] characters.
fn before_gaps(part: &Part, line: &str, places: &[usize]) -> Vec<usize> {
    let mut found = Vec::new();
    let mut to = line.len();
    for place in places {
        to = to.min(*place);
        let first = line[..*place].char_indices().rev().nth(GAP - 1).map_or(0, |(at, _)| at);
        while to >= first {
            let length = if let Part::Text(text) = part { text.len() } else { 1 };
            let from = line.floor_char_boundary(first.saturating_sub(length));
            let at = match part {
                Part::Text(text) => line[from..to].rfind(&**text),
                Part::Digits | Part::Gap => line[from..to].rfind(|c: char| c.is_ascii_digit()),
            };
            let end = at.map(|at| from + at + length).filter(|end| *end >= first);
            if let Some(end) = end {
                found.push(
                    end - if let Part::Text(text) = part { text.len() } else { digits_before(line, end) },
                );
            }
            let Some((before, _)) = line[..end.unwrap_or(first)].char_indices().next_back() else {
                return found;
            };
            to = before;
        }
    }
    found
}

fn digits_after(line: &str, at: usize) -> usize {
    line[at..].bytes().take_while(u8::is_ascii_digit).count()
}

fn digits_before(line: &str, at: usize) -> usize {
    line[..at].bytes().rev().take_while(u8::is_ascii_digit).count()
}

/// The byte after the character at `at`.
fn next(line: &str, at: usize) -> usize {
    at + line.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8)
}

/// The text as patterns and lines are compared: in lower case, `_`, tabs and runs of spaces as one space, and
/// typographic quotes as plain ones.
pub(super) fn normalised(text: &str) -> String {
    let mut normalised = String::with_capacity(text.len());
    normalise(text, |_, character| normalised.push(character));
    normalised
}

/// For each byte of the normalised text the byte of the text that it comes from, and the text's length.
pub(super) fn origins(text: &str) -> Vec<usize> {
    let mut origins = Vec::with_capacity(text.len() + 1);
    normalise(text, |at, character| origins.extend(std::iter::repeat_n(at, character.len_utf8())));
    origins.push(text.len());
    origins
}

fn normalise(text: &str, mut take: impl FnMut(usize, char)) {
    let mut after_space = false;
    for (at, character) in text.char_indices() {
        let is_space = character == '_' || character.is_whitespace();
        match character {
            _ if is_space && after_space => {}
            _ if is_space => take(at, ' '),
            '‘' | '’' | '‚' | '´' => take(at, '\''),
            '“' | '”' | '„' | '«' | '»' => take(at, '"'),
            _ if character.is_ascii() => take(at, character.to_ascii_lowercase()),
            _ => character.to_lowercase().for_each(|lower| take(at, lower)),
        }
        after_space = is_space;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place<'a>(pattern: &str, line: &'a str) -> Option<&'a str> {
        let line_normalised = normalised(line);
        let found = Pattern::parse(pattern).unwrap().find(&line_normalised, 0)?;
        let origins = origins(line);
        Some(&line[origins[found.start]..origins[found.end]])
    }

    #[test]
    fn a_pattern_matches_whole_words_anywhere_in_a_line() {
        for (pattern, line, found) in [
            ("role", "the ROLE x", Some("ROLE")),
            ("role", "the roles", None),
            ("role", "parole", None),
            ("invalid_grant", "error: Invalid   grant.", Some("Invalid   grant")),
            ("=a", "x=a", Some("=a")),
            ("can't reach", "It can’t reach", Some("can’t reach")),
            ("error #: no", "error 1234: no", Some("error 1234: no")),
            ("error #: no", "error : no", None),
            ("table * not found", "Table 'x.y' not found", Some("Table 'x.y' not found")),
            ("table* not found", "Tables not found", Some("Tables not found")),
            ("a * b * c", "a b b b c c", Some("a b b b c")),
            ("=sqlstate*42p01", "SQLSTATE: 42P01", None),
            ("sqlstate*42p01", "SQLSTATE: 42P01", Some("SQLSTATE: 42P01")),
            ("*サーバー*できません", "このサーバーに接続できません。", Some("サーバーに接続できません")),
        ] {
            assert_eq!(place(pattern, line), found, "{pattern} in {line}");
        }
    }

    #[test]
    fn a_gap_stands_for_at_most_eighty_characters() {
        let of = |n: usize| format!("table {} not found", "é".repeat(n));
        let pattern = Pattern::parse("table * not found").unwrap();
        assert!(pattern.find(&of(80), 0).is_some());
        assert!(pattern.find(&of(81), 0).is_none());
        let last = pattern.texts().last().unwrap().0;
        for (n, is_found) in [(80, true), (81, false)] {
            let line = of(n);
            let at = line.find(" not").unwrap();
            assert_eq!(pattern.around(&line, last, at).is_some(), is_found, "{n}");
        }
    }

    #[test]
    fn a_pattern_is_found_from_each_of_its_texts() {
        let line = "error 12 in table orders: column amount not found.";
        let pattern = Pattern::parse("error # in * column * not found").unwrap();
        for (n, text) in pattern.texts() {
            let at = line.find(text).unwrap();
            assert_eq!(pattern.around(line, n, at), Some(0..line.len() - 1), "{text}");
        }
    }

    #[test]
    fn a_whole_line_may_have_gaps_of_any_length() {
        let at = Pattern::parse("at *.*(*.java:#)").unwrap();
        assert!(at.is(&format!("at {}.open(connection.java:12)", "a.".repeat(200))));
        assert!(!at.is("at a.b(c.java:12) failed"));
        assert_eq!(Pattern::parse("caused by:").unwrap().end_from_start("caused by: x"), Some(10));
    }
}
