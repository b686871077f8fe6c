//! What the Events API refuses, and what it would take but a message of ours must not have.
//!
//! Source: <https://developer.pagerduty.com/docs/send-alert-event>

use jiff::Timestamp;
use serde_json::Value;

/// The longest summary, in characters.
const SUMMARY: usize = 1_024;
/// The longest key, in characters.
const KEY: usize = 255;
/// The most bytes of an event.
pub(super) const EVENT: usize = 512_000;

const TOP: [&str; 8] =
    ["routing_key", "event_action", "dedup_key", "payload", "images", "links", "client", "client_url"];
const PAYLOAD: [&str; 8] =
    ["summary", "source", "severity", "timestamp", "component", "group", "class", "custom_details"];

/// What is wrong with the routing key itself, in PagerDuty's words.
pub(super) fn key_errors(key: &Value) -> Vec<String> {
    let Some(key) = key.as_str() else { return vec!["'routing_key' is missing or blank".to_owned()] };
    let mut errors = Vec::new();
    if key.chars().count() != 32 {
        errors.push("Length of 'routing_key' is incorrect (should be 32 characters)".to_owned());
    }
    if !key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        errors.push("'routing_key' cannot contain non-alphanumeric characters.".to_owned());
    }
    errors
}

/// What is wrong with an event.
pub(super) fn errors(event: &Value) -> Vec<String> {
    let mut errors = Vec::new();
    unknown(event, &TOP, "", &mut errors);
    let action = event["event_action"].as_str().unwrap_or_default();
    if !["trigger", "acknowledge", "resolve"].contains(&action) {
        errors.push("'event_action' must be one of trigger, acknowledge, resolve".to_owned());
    }
    match &event["dedup_key"] {
        Value::String(key) if key.trim().is_empty() => errors.push("'dedup_key' is blank".to_owned()),
        Value::String(key) if key.chars().count() > KEY => {
            errors.push(format!("'dedup_key' is too long (max {KEY} characters)"));
        }
        Value::String(_) => {}
        Value::Null if action == "trigger" => {}
        _ => errors.push("'dedup_key' is missing or no string".to_owned()),
    }
    match &event["payload"] {
        Value::Object(_) => payload(&event["payload"], &mut errors),
        Value::Null if action != "trigger" => {}
        _ => errors.push("'payload' is missing or no object".to_owned()),
    }
    references(&event["links"], "links", "href", &mut errors);
    references(&event["images"], "images", "src", &mut errors);
    for name in ["client", "client_url"] {
        optional_text(&event[name], name, &mut errors);
    }
    control_characters(event, "event", &mut errors);
    errors
}

fn payload(payload: &Value, errors: &mut Vec<String>) {
    unknown(payload, &PAYLOAD, "payload.", errors);
    for name in ["summary", "source"] {
        if payload[name].as_str().is_none_or(|text| text.trim().is_empty()) {
            errors.push(format!("'payload.{name}' is missing or blank"));
        }
    }
    if payload["summary"].as_str().is_some_and(|text| text.chars().count() > SUMMARY) {
        errors.push(format!("'payload.summary' is too long (max {SUMMARY} characters)"));
    }
    let severity = payload["severity"].as_str().unwrap_or_default();
    if !["critical", "error", "warning", "info"].contains(&severity) {
        errors
            .push("'payload.severity' is invalid (must be one of critical, error, warning, info)".to_owned());
    }
    match &payload["timestamp"] {
        Value::Null => {}
        Value::String(at) if at.parse::<Timestamp>().is_ok() => {}
        _ => errors.push("'payload.timestamp' is no time of ISO 8601".to_owned()),
    }
    for name in ["component", "group", "class"] {
        optional_text(&payload[name], &format!("payload.{name}"), errors);
    }
    if !(payload["custom_details"].is_null() || payload["custom_details"].is_object()) {
        errors.push("'payload.custom_details' is no object".to_owned());
    }
}

fn unknown(object: &Value, known: &[&str], prefix: &str, errors: &mut Vec<String>) {
    let keys = object.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
    errors.extend(
        keys.filter(|key| !known.contains(key)).map(|key| format!("'{prefix}{key}' is no known field")),
    );
}

fn optional_text(value: &Value, name: &str, errors: &mut Vec<String>) {
    if !(value.is_null() || value.is_string()) {
        errors.push(format!("'{name}' is no string"));
    }
}

/// Links and images are objects with an address.
fn references(value: &Value, name: &str, address: &str, errors: &mut Vec<String>) {
    let Some(items) = value.as_array() else {
        if !value.is_null() {
            errors.push(format!("'{name}' is no list"));
        }
        return;
    };
    for item in items {
        let url = item[address].as_str().unwrap_or_default();
        let is_url = url.starts_with("https://") || url.starts_with("http://");
        if !is_url || url.contains(char::is_whitespace) {
            errors.push(format!("'{name}' has an item without a URL in '{address}'"));
        }
    }
}

/// PagerDuty would take these. A page that has them does not show a name as it is in Tableau.
fn control_characters(value: &Value, at: &str, errors: &mut Vec<String>) {
    match value {
        Value::String(text) if text.chars().any(|c| c.is_control() && c != '\n') => {
            errors.push(format!("'{at}' has control characters"));
        }
        Value::Array(items) => items.iter().for_each(|item| control_characters(item, at, errors)),
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| control_characters(value, name, errors))
        }
        _ => {}
    }
}
