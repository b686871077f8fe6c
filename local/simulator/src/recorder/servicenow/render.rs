//! Renders an incident as plain text for terminals and tests.

use super::incident::ServiceNowIncident;

/// The fields of an incident that say something, and its journal.
pub fn render_incident(incident: &ServiceNowIncident) -> String {
    let mut lines = vec![format!("{} {}", incident.number(), incident.field("short_description"))];
    let state = match (incident.field("state"), incident.is_active()) {
        ("1", _) => "new".to_owned(),
        ("6", _) => "resolved".to_owned(),
        (other, true) => format!("state {other}"),
        (other, false) => format!("closed, state {other}"),
    };
    let mut facts = vec![state, format!("priority {}", incident.field("priority"))];
    let close_code = incident.field("close_code");
    facts.extend((!close_code.is_empty()).then(|| format!("resolution code {close_code}")));
    facts.push(incident.field("correlation_id").to_owned());
    lines.push(facts.join(" · "));
    lines.push(incident.field("description").to_owned());
    lines.extend(incident.journal.iter().map(|entry| format!("--- {}: {}", entry.field, entry.text)));
    let close_notes = incident.field("close_notes");
    lines.extend((!close_notes.is_empty()).then(|| format!("--- close_notes: {close_notes}")));
    lines.join("\n")
}
