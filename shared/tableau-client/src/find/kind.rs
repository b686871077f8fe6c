//! The LUIDs of content that can be refreshed or run.

use serde::{Deserialize, Serialize};
use std::fmt;
use tableau::{DatasourceLuid, FlowLuid, WorkbookLuid};

pub use tableau::ContentKind;

/// The LUID of content, with its kind. As JSON: `{"kind": "workbook", "luid": "…"}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", content = "luid", rename_all = "lowercase")]
pub enum ContentLuid {
    /// A workbook's.
    Workbook(WorkbookLuid),
    /// A published data source's.
    Datasource(DatasourceLuid),
    /// A flow's.
    Flow(FlowLuid),
}

impl ContentLuid {
    /// The kind of content.
    pub fn kind(&self) -> ContentKind {
        match self {
            Self::Workbook(_) => ContentKind::Workbook,
            Self::Datasource(_) => ContentKind::Datasource,
            Self::Flow(_) => ContentKind::Flow,
        }
    }

    /// The LUID as Tableau writes it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Workbook(luid) => luid.as_str(),
            Self::Datasource(luid) => luid.as_str(),
            Self::Flow(luid) => luid.as_str(),
        }
    }

    /// A text as the LUID of this kind of content; `None` if it cannot be one.
    pub fn of(kind: ContentKind, text: &str) -> Option<Self> {
        Some(match kind {
            ContentKind::Workbook => Self::Workbook(text.parse().ok()?),
            ContentKind::Datasource => Self::Datasource(text.parse().ok()?),
            ContentKind::Flow => Self::Flow(text.parse().ok()?),
        })
    }
}

impl fmt::Display for ContentLuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_read_as_people_and_programs_write_it() {
        for (text, kind) in [
            ("workbook", ContentKind::Workbook),
            ("Data Source", ContentKind::Datasource),
            ("data-source", ContentKind::Datasource),
            (" FLOW ", ContentKind::Flow),
        ] {
            assert_eq!(text.parse(), Ok(kind), "{text}");
        }
        assert!("view".parse::<ContentKind>().is_err());
        for kind in ContentKind::ALL {
            let luid = ContentLuid::of(kind, "l-1").unwrap();
            let json = serde_json::to_string(&luid).unwrap();
            assert_eq!(json, format!(r#"{{"kind":"{}","luid":"l-1"}}"#, kind.as_str()));
            assert_eq!(serde_json::from_str::<ContentLuid>(&json).unwrap(), luid);
        }
        assert_eq!(ContentLuid::of(ContentKind::Flow, "../x"), None);
        assert!(serde_json::from_str::<ContentLuid>(r#"{"kind":"flow","luid":"../x"}"#).is_err());
    }
}
