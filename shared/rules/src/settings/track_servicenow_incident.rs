//! What rules say to `track-servicenow-incident`.

mod check;
mod field;
mod settings;

pub use field::FieldValue;
pub use settings::{IncidentGroups, OnRecovery, TrackServicenowIncident};

use crate::workflow::{Invalid, TargetSettings, WorkflowSettings};
use tableau::EventName;

/// What the key is of incidents that no assignment group gets by a rule.
const NO_GROUP: &str = "(no assignment group)";

impl WorkflowSettings for TrackServicenowIncident {
    const WORKFLOW: &'static str = "track-servicenow-incident";
    const EVENTS: &'static [EventName] = &EventName::ALL;

    fn check(&self) -> Result<(), Invalid> {
        check::all(self)
    }

    /// One group gets one incident.
    fn repeats(&self, earlier: &Self) -> bool {
        self.key() == earlier.key()
    }
}

impl TargetSettings for TrackServicenowIncident {
    /// The assignment group: rules that name the same group mean the same incident.
    fn key(&self) -> &str {
        self.assignment_group.as_deref().unwrap_or(NO_GROUP)
    }

    /// An incident that no rule names any more gets a note about its end, and is left open.
    fn of_key(key: &str) -> Option<Self> {
        let assignment_group = (key != NO_GROUP).then(|| key.to_owned());
        Some(Self { assignment_group, ..Self::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_incident_that_no_rule_names_any_more_is_found_by_its_group_and_gets_a_note() {
        for settings in [json!({}), json!({ "assignment_group": "BI Platform" })] {
            let settings: TrackServicenowIncident = serde_json::from_value(settings).unwrap();
            assert_eq!(TrackServicenowIncident::of_key(settings.key()), Some(settings));
        }
        assert_eq!(TrackServicenowIncident::default().on_recovery, OnRecovery::Note);
    }

    #[test]
    fn two_entries_for_one_group_are_one_too_many() {
        let of = |group: Option<&str>| TrackServicenowIncident {
            assignment_group: group.map(str::to_owned),
            ..TrackServicenowIncident::default()
        };
        assert!(of(None).repeats(&of(None)) && of(Some("BI")).repeats(&of(Some("BI"))));
        assert!(!of(None).repeats(&of(Some("BI"))));
    }
}
