//! The path of a project: the names from the top down. No I/O.

use crate::ProjectTree;
use serde::Deserialize;
use std::fmt;
use std::str::FromStr;
use tableau::ProjectLuid;

/// Whether two names are the same to Tableau, which ignores upper and lower case in the names of content and projects.
///
/// Source: `tableau/server-client-python#600`
pub(super) fn same_name(one: &str, other: &str) -> bool {
    one == other || one.to_lowercase() == other.to_lowercase()
}

/// The path of a project. As a text, names have slashes between them, and `\/` is a slash within a name:
/// `Finance/Q1\/Q2`. As JSON: such a text, or a list of names.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Form")]
pub struct ProjectPath {
    names: Vec<String>,
    /// Whether the path was one text, in which slashes may belong to names.
    is_text: bool,
}

/// How a path is written in JSON.
#[derive(Deserialize)]
#[serde(untagged)]
enum Form {
    Text(String),
    Names(Vec<String>),
}

impl TryFrom<Form> for ProjectPath {
    type Error = InvalidProjectPath;

    fn try_from(form: Form) -> Result<Self, InvalidProjectPath> {
        match form {
            Form::Text(text) => text.parse(),
            Form::Names(names) => Self::of(names),
        }
    }
}

/// The error that a text or list is no path of a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a path of projects is one name or several, none of them empty, such as Finance/Europe")]
pub struct InvalidProjectPath;

impl ProjectPath {
    /// The path with these names, from the top down. A slash in a name is a slash.
    ///
    /// # Errors
    /// When there is no name, or an empty one.
    pub fn of(names: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, InvalidProjectPath> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        Self { names, is_text: false }.checked()
    }

    /// The names, from the top down.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    fn checked(self) -> Result<Self, InvalidProjectPath> {
        let is_whole = !self.names.is_empty() && self.names.iter().all(|name| !name.trim().is_empty());
        if is_whole { Ok(self) } else { Err(InvalidProjectPath) }
    }

    /// The projects at this path. Those whose names are spelt exactly so come alone, if there are any.
    pub(super) fn projects(&self, tree: &ProjectTree) -> Vec<ProjectLuid> {
        let exact = select(tree, |names| names == self.names.as_slice());
        if !exact.is_empty() {
            return exact;
        }
        select(tree, |names| {
            names.len() == self.names.len() && names.iter().zip(&self.names).all(|(a, b)| same_name(a, b))
        })
    }

    /// The projects whose path reads like this text, wherever their names begin and end: a slash may belong to a name.
    pub(super) fn projects_by_text(&self, tree: &ProjectTree) -> Vec<ProjectLuid> {
        let text = self.names.join("/");
        if !self.is_text {
            return Vec::new();
        }
        select(tree, |names| same_name(&names.join("/"), &text))
    }
}

fn select(tree: &ProjectTree, is: impl Fn(&[String]) -> bool) -> Vec<ProjectLuid> {
    tree.projects().filter(|luid| tree.names(luid).is_some_and(|names| is(&names))).cloned().collect()
}

/// The names as one text, in which a slash within a name is `\/`.
pub(super) fn joined(names: &[String]) -> String {
    names.iter().map(|name| name.replace('/', "\\/")).collect::<Vec<_>>().join("/")
}

impl FromStr for ProjectPath {
    type Err = InvalidProjectPath;

    fn from_str(text: &str) -> Result<Self, InvalidProjectPath> {
        let mut names = vec![String::new()];
        let mut rest = text.strip_prefix('/').unwrap_or(text).chars().peekable();
        while let Some(c) = rest.next() {
            match c {
                '/' if rest.peek().is_none() => {}
                '/' => names.push(String::new()),
                c => {
                    let c = if c == '\\' { rest.next_if_eq(&'/').unwrap_or(c) } else { c };
                    if let Some(name) = names.last_mut() {
                        name.push(c);
                    }
                }
            }
        }
        Self { names, is_text: true }.checked()
    }
}

impl fmt::Display for ProjectPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&joined(&self.names))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_path_is_split_at_slashes_that_are_not_escaped() {
        for (text, names) in [
            ("Finance", &["Finance"][..]),
            ("Finance/Europe", &["Finance", "Europe"]),
            ("/Finance/Europe/", &["Finance", "Europe"]),
            (r"Ops/Q1\/Q2", &["Ops", "Q1/Q2"]),
            (r"Ops\Q1", &[r"Ops\Q1"]),
            ("R&D, \"new\": 'a'/営業", &["R&D, \"new\": 'a'", "営業"]),
        ] {
            assert_eq!(text.parse::<ProjectPath>().unwrap().names(), names, "{text}");
        }
        for text in ["", "/", "a//b", "a/ /b", " "] {
            assert_eq!(text.parse::<ProjectPath>(), Err(InvalidProjectPath), "{text:?}");
        }
        assert_eq!(ProjectPath::of(["Ops", "Q1/Q2"]).unwrap().to_string(), r"Ops/Q1\/Q2");
        assert_eq!(ProjectPath::of(Vec::<String>::new()), Err(InvalidProjectPath));
        let json = |text: &str| serde_json::from_str::<ProjectPath>(text).ok();
        assert_eq!(json(r#""Ops/Q1\\/Q2""#), Some(r"Ops/Q1\/Q2".parse().unwrap()));
        assert_eq!(json(r#"["Ops","Q1/Q2"]"#), ProjectPath::of(["Ops", "Q1/Q2"]).ok());
        for wrong in ["\"\"", "[]", "[\"\"]", "7", "null", "[7]"] {
            assert_eq!(json(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(names in prop::collection::vec("[a-zA-Z/ &,]{0,5}[a-z]", 1..4)) {
            let path = ProjectPath::of(names.clone()).unwrap();
            let text = path.to_string();
            // A slash at the very beginning is escaped too, so that it stays part of the name.
            prop_assert_eq!(text.parse::<ProjectPath>().unwrap().names().to_vec(), names);
        }
    }
}
