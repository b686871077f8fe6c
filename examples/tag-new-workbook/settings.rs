//! What rules say to `tag-new-workbook`.

use crate::workflow::WorkflowSettings;
use serde::Deserialize;
use tableau::EventName;

/// `tag-new-workbook: { name_contains: Sales, tag: new }`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct TagNewWorkbook {
    /// Act only on resources with this text in their name. Default: empty, every resource.
    pub name_contains: String,
    /// The tag that a workbook gets. Default: `new`.
    pub tag: Option<String>,
}

impl WorkflowSettings for TagNewWorkbook {
    const WORKFLOW: &'static str = "tag-new-workbook";
    const EVENTS: &'static [EventName] = &[EventName::WorkbookCreated];

    fn repeats(&self, earlier: &Self) -> bool {
        self == earlier
    }
}
