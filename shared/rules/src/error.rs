//! What is wrong with a rules file.

use crate::file::Position;
use crate::secret::masked;
use plain_text::is_invisible;
use std::fmt;
use std::path::PathBuf;

/// How many problems an error's text has. A log line or a delivery record has no room for a long list.
const SHOWN: usize = 3;

/// Why there are no rules.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read the rules file {}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What happened.
        source: std::io::Error,
    },
    /// The file has mistakes: at least one, in the order of their lines.
    #[error("{}", shown(.0))]
    Wrong(Vec<Problem>),
}

/// One mistake in a rules file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it is. Line 0: the rules come without the text of their file.
    pub at: Position,
    /// The name of the rule whose settings for a workflow are wrong; `None` for any other mistake.
    pub rule: Option<String>,
    /// What is wrong there, and what to write, on one line. Without tokens and URLs, which a file may have in the wrong place.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.at.line, &self.rule) {
            (0, None) => f.write_str(&self.text),
            (0, Some(rule)) => write!(f, "rule `{rule}`: {}", self.text),
            (line, None) => write!(f, "line {line}: {}", self.text),
            (line, Some(rule)) => write!(f, "line {line}, rule `{rule}`: {}", self.text),
        }
    }
}

impl Problem {
    pub(crate) fn at(at: Position, text: impl Into<String>) -> Self {
        Self { at, rule: None, text: on_one_line(&text.into()) }
    }

    pub(crate) fn of_rule(at: Position, rule: &str, text: impl Into<String>) -> Self {
        let rule = Some(on_one_line(rule)).filter(|rule| !rule.is_empty());
        Self { at, rule, text: on_one_line(&text.into()) }
    }
}

/// The text without secrets and on one line. It may repeat a value of the file that has line breaks, and a log line and the title
/// above an excerpt have room for one line. Nothing is removed: the reader sees that there is a character.
fn on_one_line(text: &str) -> String {
    masked(text).chars().map(visible).collect()
}

/// The character; `·` in the place of a control character or an invisible one.
pub(crate) fn visible(c: char) -> char {
    if c.is_control() || is_invisible(c) { '·' } else { c }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Wrong(vec![problem])
    }
}

impl Error {
    /// The error with these problems; none without any.
    pub(crate) fn of(mut problems: Vec<Problem>) -> Result<(), Self> {
        problems.sort_by_key(|problem| problem.at);
        // A default is wrong for every rule that takes it.
        problems.dedup_by(|later, earlier| {
            later.at != Position::default() && later.at == earlier.at && later.text == earlier.text
        });
        if problems.is_empty() { Ok(()) } else { Err(Self::Wrong(problems)) }
    }
}

fn shown(problems: &[Problem]) -> String {
    let first: Vec<String> = problems.iter().take(SHOWN).map(Problem::to_string).collect();
    let first = first.join("; ");
    match problems.len().saturating_sub(SHOWN) {
        0 => first,
        more => format!("{first}; and {more} more"),
    }
}
