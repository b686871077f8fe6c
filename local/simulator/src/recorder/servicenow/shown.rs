//! Records as answers show them: the fields that were asked for, as stored values, as display values, or both.

use super::columns::{COLUMNS, Column};
use super::incident::ServiceNowIncident;
use super::instance::Instance;
use serde_json::{Map, Value, json};

/// Which values an answer shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Values {
    Stored,
    Display,
    Both,
}

/// One record. Journal fields are shown empty, as to an account that may not read them.
pub(super) fn record(
    instance: &Instance,
    incident: &ServiceNowIncident,
    fields: Option<&str>,
    values: Values,
) -> Value {
    let wanted: Option<Vec<&str>> = fields.map(|fields| fields.split(',').map(str::trim).collect());
    let names = COLUMNS.iter().map(|(name, _)| *name).chain(instance.added.iter().map(String::as_str));
    let is_shown = |name: &&str| {
        !instance.hidden.contains(*name) && wanted.as_ref().is_none_or(|wanted| wanted.contains(name))
    };
    let mut shown = Map::new();
    for name in names.filter(is_shown) {
        let stored = incident.field(name);
        let display = display(instance, name, stored);
        let value = match values {
            Values::Stored => json!(stored),
            Values::Display => json!(display),
            Values::Both => json!({ "display_value": display, "value": stored }),
        };
        shown.insert(name.to_owned(), value);
    }
    Value::Object(shown)
}

fn display(instance: &Instance, name: &str, stored: &str) -> String {
    let label = match instance.column(name) {
        Some(Column::Choice(choices)) => {
            choices.iter().find(|(value, _)| *value == stored).map(|(_, label)| (*label).to_owned())
        }
        Some(Column::Reference) if name == "parent_incident" => {
            let parent = instance.incidents.iter().find(|incident| incident.field("sys_id") == stored);
            parent.map(|parent| parent.number().to_owned())
        }
        Some(Column::Reference) => instance.name_of(stored).map(str::to_owned),
        _ => None,
    };
    label.unwrap_or_else(|| stored.to_owned())
}
