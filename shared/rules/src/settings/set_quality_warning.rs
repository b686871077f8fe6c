//! What rules say to `set-quality-warning`.

use crate::workflow::{Invalid, TargetSettings, WorkflowSettings};
use serde::Deserialize;
use tableau::EventName;

/// A data source has one warning of ours, so all rules mean the same target.
const KEY: &str = "warning";

/// `set-quality-warning: { type: stale, severe: false, details: false }`, which are the defaults.
///
/// A data source gets one warning: of several rules for an event, the first one in the file counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct SetQualityWarning {
    /// The type of the warning: `stale`, `warning`, `maintenance` or `deprecated`. Default: stale.
    #[serde(rename = "type")]
    pub kind: QualityWarningType,
    /// Show the warning prominently, in every view that uses the data source. Default: false.
    pub severe: bool,
    /// Show the line of Tableau's notes that says why the refresh failed. Everyone who may see the data source reads it. Default:
    /// false, only the kind of cause.
    pub details: bool,
    /// Words of your own in front, such as whom to ask: one line, 300 characters at most. Default: none. The words of `message` are not
    /// used: they may be meant for a few people, and everyone who may see the data source reads a warning.
    pub note: Option<String>,
}

/// The most characters of a note.
const LONGEST_NOTE: usize = 300;

/// The type of a warning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum QualityWarningType {
    /// The data is old.
    #[default]
    Stale,
    /// A general warning.
    Warning,
    /// The data source is under maintenance.
    Maintenance,
    /// The data source should no longer be used.
    Deprecated,
}

impl WorkflowSettings for SetQualityWarning {
    const WORKFLOW: &'static str = "set-quality-warning";
    const EVENTS: &'static [EventName] = &[EventName::DatasourceRefreshFailed];
    const ENDS: &'static [EventName] = &[EventName::DatasourceRefreshSucceeded, EventName::DatasourceDeleted];
    /// Readers should know at once that data is old, also at night.
    const CALLS_PEOPLE: bool = false;

    fn check(&self) -> Result<(), Invalid> {
        let problem = match self.note.as_deref() {
            Some(note) if note.trim().is_empty() => "it is empty: write a sentence, or leave it out",
            Some(note) if note.chars().any(char::is_control) => "it is one line, without line breaks",
            Some(note) if note.chars().count() > LONGEST_NOTE => "it is too long: 300 characters at most",
            _ => return Ok(()),
        };
        Err(Invalid { field: "note", problem: problem.to_owned() })
    }

    fn repeats(&self, _: &Self) -> bool {
        true
    }
}

impl TargetSettings for SetQualityWarning {
    fn key(&self) -> &str {
        KEY
    }

    fn of_key(_: &str) -> Option<Self> {
        Some(Self::default())
    }
}
