//! What a create or an update changes, and what the instance refuses.

use super::columns::{Column, JOURNAL_LIMIT, is_id};
use super::incident::{JournalEntry, ServiceNowIncident};
use super::instance::Instance;
use serde_json::{Map, Value};

/// Status and text of a refusal.
pub(super) type Refused = (u16, String);

/// Writes the fields of a request into an incident.
///
/// # Errors
/// A refusal; nothing of the request counts then.
pub(super) fn apply(
    instance: &Instance,
    incident: &mut ServiceNowIncident,
    body: &Map<String, Value>,
    by_name: bool,
    by: &str,
) -> Result<(), Refused> {
    for (name, value) in body {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            _ => return Err((400, format!("the value of {name} is no text"))),
        };
        let Some(column) = instance.column(name) else {
            // The platform leaves it out without a word; then a setting would have no effect.
            return Err((400, format!("Invalid field {name}")));
        };
        match column {
            Column::ReadOnly => return Err((403, format!("{name} is written by the instance"))),
            Column::Journal => journal(instance, incident, name, &text, by)?,
            Column::Text(limit) if text.chars().count() > limit => {
                return Err((400, format!("{name} has more than {limit} characters")));
            }
            Column::Text(_) => set(incident, name, text),
            Column::Choice(choices) => {
                let by_label =
                    choices.iter().find(|(_, label)| by_name && *label == text).map(|(value, _)| *value);
                let known =
                    by_label.or_else(|| choices.iter().map(|(value, _)| *value).find(|value| *value == text));
                let known = known.ok_or_else(|| (400, format!("{name} has no choice {text}")))?;
                set(incident, name, known.to_owned());
            }
            Column::Reference if is_id(&text) => set(incident, name, text),
            Column::Reference if by_name => {
                // A name that is not there leaves the field empty.
                let id = instance.id_of(&text).unwrap_or_default().to_owned();
                set(incident, name, id);
            }
            Column::Reference => return Err((400, format!("{name} wants a sys_id"))),
        }
    }
    incident.changes += 1;
    Ok(())
}

fn set(incident: &mut ServiceNowIncident, name: &str, value: String) {
    incident.fields.insert(name.to_owned(), value);
}

fn journal(
    instance: &Instance,
    incident: &mut ServiceNowIncident,
    name: &str,
    text: &str,
    by: &str,
) -> Result<(), Refused> {
    if text.chars().count() > JOURNAL_LIMIT {
        return Err((400, format!("{name} has more than {JOURNAL_LIMIT} characters")));
    }
    // Without the right the answer is the same.
    if instance.takes_journals {
        incident.journal.push(JournalEntry {
            field: name.to_owned(),
            text: text.to_owned(),
            by: by.to_owned(),
        });
    }
    Ok(())
}

/// What data policies say of an incident, as it would be.
///
/// # Errors
/// The refusal.
pub(super) fn check_policies(
    instance: &Instance,
    incident: &ServiceNowIncident,
    is_new: bool,
) -> Result<(), Refused> {
    let mut missing = Vec::new();
    let is_empty = |name: &str| incident.field(name).trim().is_empty();
    if is_new {
        missing.extend(instance.demanded.iter().filter(|name| is_empty(name)).cloned());
        missing.extend(is_empty("short_description").then(|| "Short description".to_owned()));
    }
    if [instance.resolved.as_str(), "7"].contains(&incident.field("state")) {
        missing.extend(is_empty("close_code").then(|| "Resolution code".to_owned()));
        missing.extend(is_empty("close_notes").then(|| "Resolution notes".to_owned()));
    }
    if missing.is_empty() {
        return Ok(());
    }
    let fields = missing.join(", ");
    Err((
        403,
        format!("Operation Failed: Data Policy Exception: The following fields are mandatory: {fields}"),
    ))
}

/// What the instance computes from the other fields.
pub(super) fn derive(incident: &mut ServiceNowIncident) {
    let of = |incident: &ServiceNowIncident, name: &str| incident.field(name).parse::<u32>().unwrap_or(3);
    let priority = (of(incident, "urgency") + of(incident, "impact")).saturating_sub(1).clamp(1, 5);
    set(incident, "priority", priority.to_string());
    let is_active = !["7", "8"].contains(&incident.field("state"));
    set(incident, "active", is_active.to_string());
}
