//! Comments that a file has where its writer meant a value: `channel: #data-alerts`. No I/O.

use crate::file::Position;
use crate::lines::key_of;

/// A `#` that begins a comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Comment {
    /// Both counted from 1.
    line: u64,
    column: u64,
    /// The key that it stands behind, if it stands where a value belongs.
    key: Option<String>,
    /// What follows it without a space.
    word: String,
    /// Whether it is within brackets, and one that closes them is a part of it.
    hides_a_bracket: bool,
}

impl Comment {
    /// The comment that stands on this line in the place of a value.
    pub(crate) fn in_place_of_value(text: &str, line: u64) -> Option<Self> {
        comments(text).into_iter().find(|comment| comment.line == line && comment.is_meant_as_value())
    }

    /// The first comment that hides a closing bracket: what it is taken for is an error further down.
    pub(crate) fn that_hides_a_bracket(text: &str) -> Option<Self> {
        comments(text).into_iter().find(|comment| comment.hides_a_bracket)
    }

    /// Where its `#` stands.
    pub(crate) fn at(&self) -> Position {
        Position { line: self.line, column: self.column }
    }

    /// What follows its `#`.
    pub(crate) fn word(&self) -> &str {
        &self.word
    }

    fn is_meant_as_value(&self) -> bool {
        self.key.is_some() && !self.word.is_empty()
    }

    /// What to write.
    pub(crate) fn problem(&self) -> String {
        let word = &self.word;
        match self.key.as_deref().filter(|_| self.is_meant_as_value()) {
            Some("") => format!("`#` begins a comment: write {word} or \"#{word}\""),
            Some(key) => format!("{key}: `#` begins a comment: write {word} or \"#{word}\""),
            None => "`#` begins a comment, and the closing bracket after it is a part of it: put the comment on a line \
                     of its own, or the value in quotation marks"
                .to_owned(),
        }
    }
}

/// All comments of a file. Block scalars (`|`, `>`) count as what they look like, so ask only about a file that is wrong.
fn comments(text: &str) -> Vec<Comment> {
    let mut comments = Vec::new();
    let mut depth = 0_usize;
    let mut quote = None;
    for (line, number) in text.lines().zip(1..) {
        let mut before = None;
        for (at, c) in line.char_indices() {
            match (quote, c) {
                (Some(open), c) if c == open => quote = None,
                (Some(_), _) => {}
                // A quotation mark within a word is a letter, as in "it's".
                (None, '"' | '\'')
                    if before.is_none_or(|b: char| b.is_whitespace() || "[{,:".contains(b)) =>
                {
                    quote = Some(c);
                }
                (None, '#') if before.is_none_or(|b: char| b.is_whitespace() || "[{,".contains(b)) => {
                    let (code, comment) = line.split_at(at);
                    comments.push(Comment {
                        line: number,
                        column: line[..at].chars().count() as u64 + 1,
                        key: key(code),
                        word: word(comment),
                        hides_a_bracket: depth > 0 && comment.contains(['}', ']']),
                    });
                    break;
                }
                (None, '[' | '{') => depth += 1,
                (None, ']' | '}') => depth = depth.saturating_sub(1),
                (None, _) => {}
            }
            before = Some(c);
        }
    }
    comments
}

/// The key whose value would follow this code; empty for an entry of a list.
fn key(code: &str) -> Option<String> {
    match code.trim_end().ends_with(['[', ',', '-']) {
        true => Some(String::new()),
        false => key_of(code).map(ToOwned::to_owned),
    }
}

fn word(comment: &str) -> String {
    let text = comment.trim_start_matches('#');
    text.chars().take_while(|c| !c.is_whitespace() && !matches!(c, ',' | '}' | ']')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_in_the_place_of_a_value_is_told_from_one_behind_it() {
        for (line, expected) in [
            (
                "channel: #data-alerts",
                Some("channel: `#` begins a comment: write data-alerts or \"#data-alerts\""),
            ),
            ("- { channel: #a }", Some("channel: `#` begins a comment: write a or \"#a\"")),
            ("{ one: x, \"channel\": #a}, two: y", Some("channel: `#` begins a comment: write a or \"#a\"")),
            ("- #SiteUpdated", Some("`#` begins a comment: write SiteUpdated or \"#SiteUpdated\"")),
            ("on: [#SiteUpdated]", Some("`#` begins a comment: write SiteUpdated or \"#SiteUpdated\"")),
            ("channel: data #alerts", None),
            ("channel: # data-alerts", None),
            ("channel: \"#data-alerts\"", None),
            ("channel: '#data-alerts' # it's", None),
            ("channel: a#b", None),
            ("# channel: #a", None),
        ] {
            let comment = Comment::in_place_of_value(line, 1);
            assert_eq!(comment.map(|comment| comment.problem()).as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn a_comment_that_hides_a_bracket_is_found_wherever_it_is() {
        let text = "# [\nname: a\non: [\n  x, # y\n]\ndo: { channel: \"[\", a: b # c }\n";
        let found = Comment::that_hides_a_bracket(text).unwrap();
        assert_eq!((found.line, found.is_meant_as_value()), (6, false));
        assert_eq!(Comment::that_hides_a_bracket("on: [\n  x, # y\n]\n"), None);
    }
}
