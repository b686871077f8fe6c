//! What rules say to `update-broadcast`.

use crate::workflow::WorkflowSettings;
use serde::{Deserialize, Deserializer};
use tableau::EventName;

/// `update-broadcast: {}`, which keeps the settings of each Broadcast, or `update-broadcast: { watermark: true }`, which changes one.
///
/// A Broadcast has one set of options: of several rules for an event, the first one in the file counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct UpdateBroadcast {
    /// Show a watermark. Default: as before; true where Tableau does not say how it was.
    #[serde(deserialize_with = "given")]
    pub watermark: Option<bool>,
    /// Show the workbook's other sheets as tabs. Default: as before; false where Tableau does not say how it was.
    #[serde(deserialize_with = "given")]
    pub tabs: Option<bool>,
    /// Let people download what the Broadcast shows. Default: as before; false where Tableau does not say how it was.
    #[serde(deserialize_with = "given")]
    pub downloads: Option<bool>,
}

/// A value that is there: a key without a value is a mistake.
fn given<'de, D: Deserializer<'de>>(value: D) -> Result<Option<bool>, D::Error> {
    bool::deserialize(value).map(Some)
}

impl WorkflowSettings for UpdateBroadcast {
    const WORKFLOW: &'static str = "update-broadcast";
    const EVENTS: &'static [EventName] = &[EventName::WorkbookRefreshSucceeded, EventName::WorkbookUpdated];

    fn repeats(&self, _: &Self) -> bool {
        true
    }
}
