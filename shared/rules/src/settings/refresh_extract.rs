//! What rules say to `refresh-extract`.

use crate::workflow::{Invalid, WorkflowSettings};
use serde::Deserialize;
use tableau::{ContentKind, EventName};

/// The longest time that a refresh is waited for, in minutes.
const LONGEST_MINUTES: u32 = 1_440;

/// `refresh-extract: { kind: datasource, luid: 4cdd2055-930d-4eaf-94f4-733f3e7d1bfb }`, or `refresh-extract: {}` for the event's own
/// workbook or data source, after it was published.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RefreshExtract {
    /// What is refreshed: `workbook`, `datasource` or `flow`. Goes with `luid`.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub kind: Option<ContentKind>,
    /// The LUID of what is refreshed. Default: the event's own object. A refresh that would start itself, also through others, is refused.
    #[serde(default)]
    pub luid: Option<String>,
    /// Refresh incrementally. Default: false.
    #[serde(default)]
    pub incremental: bool,
    /// With `incremental`, refresh fully where an incremental refresh is not possible. Default: false.
    #[serde(default)]
    pub allow_full: bool,
    /// For how many minutes the refresh is waited for: 1 to 1440. Default: 120.
    #[serde(default = "two_hours")]
    pub timeout_minutes: u32,
}

fn two_hours() -> u32 {
    120
}

impl Default for RefreshExtract {
    fn default() -> Self {
        Self { kind: None, luid: None, incremental: false, allow_full: false, timeout_minutes: two_hours() }
    }
}

impl WorkflowSettings for RefreshExtract {
    const WORKFLOW: &'static str = "refresh-extract";
    const EVENTS: &'static [EventName] = &[
        EventName::DatasourceCreated,
        EventName::DatasourceRefreshFailed,
        EventName::DatasourceRefreshSucceeded,
        EventName::DatasourceUpdated,
        EventName::WorkbookCreated,
        EventName::WorkbookRefreshFailed,
        EventName::WorkbookRefreshSucceeded,
        EventName::WorkbookUpdated,
    ];

    fn check(&self) -> Result<(), Invalid> {
        let invalid = |field, problem: &str| Err(Invalid { field, problem: problem.to_owned() });
        if self.kind.is_some() != self.luid.is_some() {
            return invalid(
                "luid",
                "write both `kind` and `luid`, or none of them for the event's own object",
            );
        }
        let is_luid = |luid: &String| luid.parse::<tableau::ResourceLuid>().is_ok();
        if !self.luid.as_ref().is_none_or(is_luid) {
            return invalid("luid", "it is no LUID, such as 4cdd2055-930d-4eaf-94f4-733f3e7d1bfb");
        }
        if self.allow_full && !self.incremental {
            return invalid(
                "allow_full",
                "it has an effect beside `incremental: true` only: write that, or remove this",
            );
        }
        if !(1..=LONGEST_MINUTES).contains(&self.timeout_minutes) {
            return invalid("timeout_minutes", "write a number of minutes from 1 to 1440");
        }
        Ok(())
    }

    fn repeats(&self, earlier: &Self) -> bool {
        self.kind == earlier.kind && self.luid == earlier.luid && self.incremental == earlier.incremental
    }
}
