//! The settings as a rule writes them.

use super::field::FieldValue;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

/// The state of a resolved incident, unless a rule says another.
const RESOLVED: u32 = 6;

/// `track-servicenow-incident: { assignment_group: BI Platform, urgency: 2, impact: 2 }`.
///
/// Names (of a group, a caller, a category, in `fields`) are given as the instance shows them, or as a `sys_id`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TrackServicenowIncident {
    /// The group that gets the incident: its name, or its sys_id. Default: what the instance assigns by itself.
    #[serde(default)]
    pub assignment_group: Option<String>,
    /// Who reports the incident (`caller_id`): a name, or a sys_id. Default: no one.
    #[serde(default)]
    pub caller: Option<String>,
    /// The category: as the instance shows it, or its value. Default: that of the instance.
    #[serde(default)]
    pub category: Option<String>,
    /// The urgency: usually 1 (high) to 3 (low); 9 at most. Default: that of the instance.
    #[serde(default, deserialize_with = "number")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 9)))]
    pub urgency: Option<u32>,
    /// The impact: usually 1 (high) to 3 (low); 9 at most. Default: that of the instance.
    #[serde(default, deserialize_with = "number")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 9)))]
    pub impact: Option<u32>,
    /// Further fields of a new incident by their names in the table, such as those that a data policy of the instance demands:
    /// texts, numbers, true or false. 20 at most. Default: none.
    #[serde(default)]
    pub fields: BTreeMap<String, FieldValue>,
    /// What many failures together become: `one` incident for all of them, or one with `children`, an incident for each of them
    /// below one for all. Default: one.
    #[serde(default)]
    pub groups: IncidentGroups,
    /// What happens to the incident when the refresh has recovered: a work `note`, `resolve` (needs `close_code`), or `nothing`.
    /// Default: note.
    #[serde(default)]
    pub on_recovery: OnRecovery,
    /// Beside `on_recovery: resolve`: the resolution code, as the instance has it, such as Solution provided.
    #[serde(default)]
    pub close_code: Option<String>,
    /// Beside `on_recovery: resolve`: the first line of the resolution notes. Default: only what has recovered, and when.
    #[serde(default)]
    pub close_notes: Option<String>,
    /// Beside `on_recovery: resolve`: the number of the state Resolved, where an instance has changed it. Default: 6.
    #[serde(default, deserialize_with = "number")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 999)))]
    pub resolved_state: Option<u32>,
}

/// A whole number. A word in its place, such as High, is a label of the instance.
fn number<'de, D: Deserializer<'de>>(value: D) -> Result<Option<u32>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "it must be a number, such as 2")]
    enum Whole {
        Number(u32),
    }
    let Whole::Number(number) = Whole::deserialize(value)?;
    Ok(Some(number))
}

/// What many failures together become.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename_all = "lowercase")]
pub enum IncidentGroups {
    /// One incident for all of them.
    #[default]
    One,
    /// One incident for all of them, and below it one for each.
    Children,
}

/// What happens to an incident when the refresh has recovered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename_all = "lowercase")]
pub enum OnRecovery {
    /// It gets a work note; a person closes it.
    #[default]
    Note,
    /// It is resolved, with the code and notes that an instance demands.
    Resolve,
    /// Nothing is written.
    Nothing,
}

impl TrackServicenowIncident {
    /// The number of the state Resolved.
    pub fn resolved_state(&self) -> u32 {
        self.resolved_state.unwrap_or(RESOLVED)
    }
}
