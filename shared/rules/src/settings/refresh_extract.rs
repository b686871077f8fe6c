//! What rules say to `refresh-extract`.

use crate::workflow::WorkflowSettings;
use serde::Deserialize;
use tableau::EventName;

/// `refresh-extract: { name_contains: Sales }`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct RefreshExtract {
    /// Act only on resources with this text in their name. Default: empty, every resource.
    pub name_contains: String,
}

impl WorkflowSettings for RefreshExtract {
    const WORKFLOW: &'static str = "refresh-extract";
    const EVENTS: &'static [EventName] = &[EventName::WorkbookRefreshSucceeded];

    fn repeats(&self, earlier: &Self) -> bool {
        self == earlier
    }
}
