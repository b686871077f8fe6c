//! What types cannot say about the settings.

use super::field::FieldValue;
use super::settings::{OnRecovery, TrackServicenowIncident};
use crate::workflow::Invalid;
use plain_text::{is_blank, is_invisible};

/// The longest name of a group, a caller or a category.
const LONGEST_NAME: usize = 100;
/// The longest text of another field.
const LONGEST_TEXT: usize = 4_000;
/// The longest name of a field in a table.
const LONGEST_FIELD: usize = 80;
/// How many further fields a rule may have.
const MOST_FIELDS: usize = 20;

/// Fields with a key of their own beside `fields`, and that key.
const OWN_KEYS: [(&str, &str); 7] = [
    ("assignment_group", "assignment_group"),
    ("caller_id", "caller"),
    ("category", "category"),
    ("urgency", "urgency"),
    ("impact", "impact"),
    ("close_code", "close_code"),
    ("close_notes", "close_notes"),
];
/// Fields that the workflow writes itself.
const WRITTEN: [&str; 15] = [
    "active",
    "closed_at",
    "comments",
    "correlation_display",
    "correlation_id",
    "description",
    "incident_state",
    "number",
    "opened_at",
    "parent_incident",
    "resolved_at",
    "resolved_by",
    "short_description",
    "state",
    "work_notes",
];

/// Checks everything. No problem repeats a value, which may be a secret in the wrong place.
pub(super) fn all(settings: &TrackServicenowIncident) -> Result<(), Invalid> {
    for (field, value) in [
        ("assignment_group", &settings.assignment_group),
        ("caller", &settings.caller),
        ("category", &settings.category),
        ("close_code", &settings.close_code),
    ] {
        if let Some(problem) = value.as_deref().and_then(problem_of_name) {
            return Err(Invalid { field, problem });
        }
    }
    if settings.assignment_group.as_deref().is_some_and(|group| group.contains('#')) {
        let problem = "it has `#` in it: write the group's sys_id in place of its name".to_owned();
        return Err(Invalid { field: "assignment_group", problem });
    }
    for (field, value) in [("urgency", settings.urgency), ("impact", settings.impact)] {
        if value.is_some_and(|value| !(1..=9).contains(&value)) {
            let problem =
                "it must be a number from 1 to 9; most instances have 1 (high) to 3 (low)".to_owned();
            return Err(Invalid { field, problem });
        }
    }
    fields(settings)?;
    recovery(settings)
}

fn problem_of_name(name: &str) -> Option<String> {
    let is_odd = |c: char| c.is_control() || is_invisible(c) || (c.is_whitespace() && c != ' ');
    if is_blank(name) {
        return Some("it is empty: write a name as the instance shows it, or a sys_id".to_owned());
    }
    if name.contains("://") {
        return Some(
            "a URL is no name: the instance's address belongs into the ServiceNow secret, and a record is named by its name or sys_id"
                .to_owned(),
        );
    }
    if name.chars().any(is_odd) {
        return Some(
            "it has a line break, an invisible character or another space than the usual one: type it anew"
                .to_owned(),
        );
    }
    if name.trim() != name {
        return Some("it has a space at its beginning or end: remove it".to_owned());
    }
    (name.chars().count() > LONGEST_NAME).then(|| format!("it is longer than {LONGEST_NAME} characters"))
}

fn fields(settings: &TrackServicenowIncident) -> Result<(), Invalid> {
    let invalid = |problem: String| Err(Invalid { field: "fields", problem });
    if settings.fields.len() > MOST_FIELDS {
        return invalid(format!("there are more than {MOST_FIELDS}"));
    }
    for (name, value) in &settings.fields {
        let is_of_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if name.len() > LONGEST_FIELD
            || !name.chars().all(is_of_name)
            || !name.starts_with(|c: char| c.is_ascii_lowercase())
        {
            return invalid(
                "a key is no name of a field: write the column name of the table, such as u_service (small letters, digits and `_`)"
                    .to_owned(),
            );
        }
        if let Some((_, key)) = OWN_KEYS.iter().find(|(field, _)| field == name) {
            return invalid(format!("`{name}` has a key of its own: write `{key}` beside `fields`"));
        }
        if name == "priority" {
            return invalid(
                "the instance computes `priority` from urgency and impact: write those beside `fields`"
                    .to_owned(),
            );
        }
        if WRITTEN.contains(&name.as_str()) || name.starts_with("sys_") {
            return invalid(format!("`{name}` is written by this workflow or by the instance: remove it"));
        }
        if let FieldValue::Text(text) = value
            && (is_blank(text) || text.chars().count() > LONGEST_TEXT)
        {
            return invalid(format!("`{name}` is empty, or longer than {LONGEST_TEXT} characters"));
        }
    }
    Ok(())
}

fn recovery(settings: &TrackServicenowIncident) -> Result<(), Invalid> {
    let invalid = |field, problem: &str| Err(Invalid { field, problem: problem.to_owned() });
    if settings.on_recovery == OnRecovery::Resolve {
        if settings.close_code.is_none() {
            return invalid(
                "on_recovery",
                "`resolve` needs `close_code`, because instances refuse to resolve without one: write a resolution code of yours, such \
                 as `close_code: Solution provided`",
            );
        }
        if settings.resolved_state.is_some_and(|state| !(1..=999).contains(&state)) {
            return invalid("resolved_state", "it must be the number of a state, from 1 to 999");
        }
        let notes = settings.close_notes.as_deref();
        if notes.is_some_and(|notes| is_blank(notes) || notes.chars().count() > 1_000) {
            return invalid("close_notes", "it is empty, or longer than 1000 characters");
        }
        return Ok(());
    }
    for (field, is_there) in [
        ("close_code", settings.close_code.is_some()),
        ("close_notes", settings.close_notes.is_some()),
        ("resolved_state", settings.resolved_state.is_some()),
    ] {
        if is_there {
            return invalid(
                field,
                "it has an effect beside `on_recovery: resolve` only: write that too, or remove this",
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn problem(settings: Value) -> String {
        let read: TrackServicenowIncident = match serde_json::from_value(settings) {
            Ok(read) => read,
            Err(error) => return error.to_string(),
        };
        all(&read).err().map(|invalid| format!("{}: {}", invalid.field, invalid.problem)).unwrap_or_default()
    }

    // D064, D124
    #[test]
    fn settings_of_plain_and_of_changed_instances_are_taken() {
        for settings in [
            json!({}),
            json!({ "assignment_group": "BI Platform", "caller": "Tableau Service", "category": "software", "urgency": 2, "impact": 5 }),
            json!({ "assignment_group": "287ebd7da9fe198100f92cc8d1d2154e", "groups": "children" }),
            json!({ "fields": { "u_service": "Reporting", "u_level": 3, "u_planned": false } }),
            json!({ "on_recovery": "resolve", "close_code": "Solved (Permanently)", "close_notes": "By itself", "resolved_state": 16 }),
            json!({ "on_recovery": "nothing" }),
        ] {
            assert_eq!(problem(settings.clone()), "", "{settings}");
        }
    }

    #[test]
    fn what_cannot_work_is_refused_with_what_to_write_and_is_not_repeated() {
        for (settings, expected) in [
            (json!({ "assignment_group": " " }), "assignment_group: it is empty"),
            (
                json!({ "assignment_group": "https://x.service-now.com/hunter2" }),
                "assignment_group: a URL is no name",
            ),
            (json!({ "caller": "hunter2\n" }), "caller: it has a line break"),
            (json!({ "category": " hunter2" }), "category: it has a space at its beginning or end"),
            (json!({ "assignment_group": "hunter2 #1" }), "assignment_group: it has `#` in it"),
            (json!({ "caller": "a".repeat(101) }), "caller: it is longer than 100"),
            (json!({ "urgency": 0 }), "urgency: it must be a number from 1 to 9"),
            (json!({ "impact": 10 }), "impact: it must be a number from 1 to 9"),
            (
                json!({ "fields": { "caller_id": "x" } }),
                "fields: `caller_id` has a key of its own: write `caller`",
            ),
            (json!({ "fields": { "priority": 1 } }), "fields: the instance computes `priority`"),
            (
                json!({ "fields": { "correlation_id": "x" } }),
                "fields: `correlation_id` is written by this workflow",
            ),
            (
                json!({ "fields": { "sys_domain": "x" } }),
                "fields: `sys_domain` is written by this workflow or by the instance",
            ),
            (json!({ "fields": { "Hunter2 x": "x" } }), "fields: a key is no name of a field"),
            (json!({ "fields": { "u_x": "" } }), "fields: `u_x` is empty"),
            (json!({ "fields": { "u_x": ["hunter2"] } }), "it must be a text, a whole number, true or false"),
            (json!({ "on_recovery": "resolve" }), "on_recovery: `resolve` needs `close_code`"),
            (
                json!({ "close_code": "Solution provided" }),
                "close_code: it has an effect beside `on_recovery: resolve` only",
            ),
            (json!({ "resolved_state": 6 }), "resolved_state: it has an effect beside"),
            (
                json!({ "on_recovery": "resolve", "close_code": "x", "resolved_state": 0 }),
                "resolved_state: it must be the number of a state",
            ),
            (
                json!({ "on_recovery": "close" }),
                "unknown variant `close`, expected one of `note`, `resolve`, `nothing`",
            ),
        ] {
            let problem = problem(settings.clone());
            assert!(problem.starts_with(expected), "{settings}: {problem}");
            assert!(!problem.contains("hunter2"), "{problem}");
        }
    }
}
