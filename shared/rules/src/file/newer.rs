//! The JSON form of a file that is newer than this version: conditions that it does not know. No I/O.

use super::keys::{CONDITIONS, TAGS, TIME};
use serde_json::Value;

/// Takes out what would suppress an alert if a condition in it were left out. An unknown condition of `where` counts as matched;
/// an entry of `unless` with one, and a maintenance window that is for less than this version can say, do not apply.
pub(super) fn prepare(file: &mut Value) {
    if let Some(Value::Array(windows)) = file.get_mut("maintenance") {
        windows.retain(|window| window.get("where").is_none_or(is_known));
    }
    let Some(Value::Array(rules)) = file.get_mut("rules") else { return };
    for rule in rules {
        match rule.get_mut("unless") {
            Some(Value::Array(entries)) => entries.retain(is_known),
            Some(entry) if !is_known(entry) => *entry = Value::Array(Vec::new()),
            _ => {}
        }
    }
}

/// Whether this version knows every condition.
fn is_known(conditions: &Value) -> bool {
    let has = |value: &Value, keys: &[(&str, super::keys::Shape)]| {
        let map = value.as_object();
        map.is_none_or(|map| map.keys().all(|key| keys.iter().any(|(known, _)| known == key)))
    };
    let within = |key: &str, keys| conditions.get(key).is_none_or(|value| has(value, keys));
    has(conditions, CONDITIONS) && within("tags", TAGS) && within("time", TIME)
}
