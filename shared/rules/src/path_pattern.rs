//! Patterns for projects whose names may hold slashes, for permissions. No I/O.

use crate::glob::{Folded, Glob};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A pattern for a project's path, as conditions of rules have it: `Finance/**`. It is compared name by name, so that a project
/// called `Finance/Europe` is not taken for `Europe` in `Finance`. `\/` is a slash within a name, `\\` a backslash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PathPattern(Glob);

/// The error that a pattern has an empty name in it, or nothing at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no pattern of a project's path: write names with `/` between them, as in `Finance/**`; `\\/` is a slash in a name"
)]
pub struct InvalidPattern(String);

impl PathPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`InvalidPattern`] for an empty text or an empty name.
    pub fn parse(text: &str) -> Result<Self, InvalidPattern> {
        let names = names(text).ok_or_else(|| InvalidPattern(text.to_owned()))?;
        Ok(Self(Glob::names(text, &names)))
    }

    /// Whether the project with these names, from the top, is what the pattern says.
    pub fn matches<S: AsRef<str>>(&self, project: &[S]) -> bool {
        !project.is_empty() && self.0.matches(&Folded::names(project))
    }

    /// The pattern as it is written.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }
}

/// The names of a path that is written with `/` between them; `\/` is a slash within a name. `None` if one of them is empty.
fn names(text: &str) -> Option<Vec<String>> {
    let mut names = vec![String::new()];
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let last = names.last_mut()?;
        match c {
            '\\' => last.push(rest.next_if(|next| matches!(next, '/' | '\\')).unwrap_or('\\')),
            '/' => names.push(String::new()),
            c => last.push(c),
        }
    }
    names.iter().all(|name| !name.trim().is_empty()).then_some(names)
}

impl TryFrom<String> for PathPattern {
    type Error = InvalidPattern;

    fn try_from(text: String) -> Result<Self, InvalidPattern> {
        Self::parse(&text)
    }
}

impl From<PathPattern> for String {
    fn from(pattern: PathPattern) -> Self {
        pattern.0.text
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_one_by_one() {
        for (pattern, project, expected) in [
            ("Finance/**", &["Finance"][..], true),
            ("Finance/**", &["finance", "Europe"], true),
            ("Finance/**", &["Finance/Europe"], false),
            ("Finance/*", &["Finance", "Q1/Q2"], true),
            ("Finance/*", &["Finance/Q1"], false),
            (r"Ops/Q1\/Q2", &["Ops", "Q1/Q2"], true),
            (r"Ops/Q1\/Q2", &["Ops", "Q1", "Q2"], false),
            (r"A\\B", &[r"A\B"], true),
            (r"A\B", &[r"A\B"], true),
            ("**", &["Any", "Thing"], true),
            ("**", &[], false),
        ] {
            let pattern = PathPattern::parse(pattern).unwrap();
            assert_eq!(pattern.matches(project), expected, "{pattern} {project:?}");
        }
    }

    #[test]
    fn a_pattern_is_written_as_it_was_read_and_an_empty_name_is_refused() {
        let pattern = PathPattern::parse(r"Ops/Q1\/Q2").unwrap();
        assert_eq!(serde_json::to_string(&pattern).unwrap(), r#""Ops/Q1\\/Q2""#);
        assert_eq!(serde_json::from_str::<PathPattern>(r#""Ops/Q1\\/Q2""#).unwrap(), pattern);
        for text in ["", "/", "Finance/", "/Finance", "A//B", " "] {
            assert!(PathPattern::parse(text).is_err(), "{text:?}");
        }
    }
}
