//! How severe an alert is.

use serde::Deserialize;

/// How severe an alert is, in PagerDuty's words. The greatest is the most severe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the words are PagerDuty's, and documented there")]
pub enum PageSeverity {
    Info,
    Warning,
    Error,
    Critical,
}

impl PageSeverity {
    pub(super) const ALL: [Self; 4] = [Self::Info, Self::Warning, Self::Error, Self::Critical];

    /// The word that PagerDuty knows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }

    /// The severity with this word of PagerDuty's.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.as_str() == word)
    }
}
