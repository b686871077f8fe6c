//! What rules say to `update-broadcast`.

use crate::workflow::WorkflowSettings;
use serde::Deserialize;
use tableau::EventName;

/// `update-broadcast: { watermark: true, tabs: false, downloads: false }`, which are the defaults.
///
/// A Broadcast has one set of options: of several rules for an event, the first one in the file counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct UpdateBroadcast {
    /// Show a watermark. Default: true.
    pub watermark: bool,
    /// Show the workbook's other sheets as tabs. Default: false.
    pub tabs: bool,
    /// Let people download what the Broadcast shows. Default: false.
    pub downloads: bool,
}

impl Default for UpdateBroadcast {
    fn default() -> Self {
        Self { watermark: true, tabs: false, downloads: false }
    }
}

impl WorkflowSettings for UpdateBroadcast {
    const WORKFLOW: &'static str = "update-broadcast";
    const EVENTS: &'static [EventName] = &[EventName::WorkbookRefreshSucceeded, EventName::WorkbookUpdated];

    fn repeats(&self, _: &Self) -> bool {
        true
    }
}
