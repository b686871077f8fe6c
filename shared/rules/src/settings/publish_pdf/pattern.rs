//! Names of folders and files with placeholders: `Reports/{yyyy}/{MM}`.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::fmt;

/// What stands in braces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placeholder {
    /// `{yyyy}`: the year of the refresh, by the time zone of the site.
    Year,
    /// `{MM}`: the month.
    Month,
    /// `{dd}`: the day.
    Day,
    /// `{HH}`: the hour.
    Hour,
    /// `{mm}`: the minute.
    Minute,
    /// `{workbook}`: the name of the workbook.
    Workbook,
    /// `{view}`: the name of the view; empty for a file of the whole workbook.
    View,
    /// `{project}`: the path of the project; in a folder each part is a folder.
    Project,
    /// `{luid}`: the first eight characters of the LUID of the workbook or view.
    Luid,
}

const ALL: [(&str, Placeholder); 9] = [
    ("yyyy", Placeholder::Year),
    ("MM", Placeholder::Month),
    ("dd", Placeholder::Day),
    ("HH", Placeholder::Hour),
    ("mm", Placeholder::Minute),
    ("workbook", Placeholder::Workbook),
    ("view", Placeholder::View),
    ("project", Placeholder::Project),
    ("luid", Placeholder::Luid),
];

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublishPiece {
    /// This text.
    Text(String),
    /// What the placeholder stands for.
    Placeholder(Placeholder),
}

/// The name of a folder or a file, with placeholders.
#[derive(Clone, PartialEq, Eq)]
pub struct PublishPattern {
    text: String,
    pieces: Vec<PublishPiece>,
}

impl PublishPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong, and what to write.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.chars().any(char::is_control) {
            return Err("a name has a line break or another control character".to_owned());
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            if before.contains('}') {
                return Err("a `}` without its `{`".to_owned());
            }
            let Some((name, after)) = after.split_once('}') else {
                return Err("a `{` without its `}`".to_owned());
            };
            let Some((_, placeholder)) = ALL.iter().find(|(known, _)| *known == name) else {
                return Err(unknown(name));
            };
            if !before.is_empty() {
                pieces.push(PublishPiece::Text(before.to_owned()));
            }
            pieces.push(PublishPiece::Placeholder(*placeholder));
            rest = after;
        }
        if rest.contains('}') {
            return Err("a `}` without its `{`".to_owned());
        }
        if !rest.is_empty() {
            pieces.push(PublishPiece::Text(rest.to_owned()));
        }
        let pattern = Self { text: text.to_owned(), pieces };
        if pattern.has(Placeholder::Minute) && !pattern.has(Placeholder::Hour) {
            return Err(
                "`{mm}` is the minute, and `{HH}` is missing before it; the month is `{MM}`".to_owned()
            );
        }
        Ok(pattern)
    }

    /// The parts, in order.
    pub fn pieces(&self) -> &[PublishPiece] {
        &self.pieces
    }

    /// Whether a placeholder is in it.
    pub fn has(&self, placeholder: Placeholder) -> bool {
        self.pieces.contains(&PublishPiece::Placeholder(placeholder))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }

    pub(super) fn has_slash(&self) -> bool {
        self.text.contains('/')
    }

    /// Whether a folder in the path has no name. The library itself is the empty path.
    pub(super) fn has_empty_part(&self) -> bool {
        !self.text.is_empty() && self.text.split('/').any(|part| part.trim().is_empty())
    }

    pub(super) fn ends_with_pdf(&self) -> bool {
        self.text.to_ascii_lowercase().ends_with(".pdf")
    }
}

fn unknown(name: &str) -> String {
    let names = ALL.iter().map(|(known, _)| *known);
    match tableau::nearest(name, names.clone()) {
        Some(near) => format!("there is no `{{{name}}}`; did you mean `{{{near}}}`?"),
        None => {
            let all: Vec<String> = names.map(|known| format!("{{{known}}}")).collect();
            format!("there is no `{{{name}}}`; there are: {}", all.join(", "))
        }
    }
}

impl<'de> Deserialize<'de> for PublishPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for PublishPattern {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PublishPattern".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string" })
    }
}

impl fmt::Debug for PublishPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}
