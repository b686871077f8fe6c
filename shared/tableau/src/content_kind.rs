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

impl ContentKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Workbook, Self::Datasource, Self::Flow];

    /// The kind as one word: `workbook`, `datasource` or `flow`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Workbook => "workbook",
            Self::Datasource => "datasource",
            Self::Flow => "flow",
        }
    }
}

/// The kind in prose: `workbook`, `data source` or `flow`.
impl fmt::Display for ContentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Datasource => "data source",
            other => other.as_str(),
        })
    }
}

impl FromStr for ContentKind {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wanted = text.trim().to_ascii_lowercase().replace([' ', '-', '_'], "");
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == wanted)
            .ok_or("a kind is `workbook`, `datasource` or `flow`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_read_as_people_write_it_and_stored_as_one_word() {
        for kind in ContentKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(kind.to_string().parse(), Ok(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        assert_eq!("Data Source".parse(), Ok(ContentKind::Datasource));
        assert!("view".parse::<ContentKind>().is_err() && "".parse::<ContentKind>().is_err());
        assert!(serde_json::from_str::<ContentKind>("\"Data Source\"").is_err());
    }
}
