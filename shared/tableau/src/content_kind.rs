//! The kinds of content that Tableau can refresh or run on demand.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A kind of content that Tableau can refresh or run on demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ContentKind {
    /// A workbook, whose extracts are refreshed.
    Workbook,
    /// A published data source, whose extract is refreshed.
    Datasource,
    /// A flow, which is run.
    Flow,
}

/// The error that a text names no kind of content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is none of: workbook, datasource, flow")]
pub struct UnknownKind(String);

impl ContentKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Workbook, Self::Datasource, Self::Flow];

    /// The kind in one word: `workbook`, `datasource` or `flow`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Workbook => "workbook",
            Self::Datasource => "datasource",
            Self::Flow => "flow",
        }
    }

    /// The kind as people read it: "data source" is two words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Workbook => "workbook",
            Self::Datasource => "data source",
            Self::Flow => "flow",
        }
    }
}

impl fmt::Display for ContentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ContentKind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| UnknownKind(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_read_as_it_is_written_and_nothing_else_is() {
        for kind in ContentKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        for text in ["", "Workbook", "data source", "view"] {
            assert_eq!(text.parse::<ContentKind>(), Err(UnknownKind(text.to_owned())));
        }
    }
}
