//! The form of a target in the forward secret. What is wrong is said with names of known keys, and never with a value.

use serde_json::{Map, Value};
use tableau::nearest;

const KEYS: [&str; 5] = ["url", "secrets", "headers", "basic", "oauth"];
const BASIC: [&str; 2] = ["user", "password"];
const OAUTH: [&str; 5] = ["token_url", "client_id", "client_secret", "scope", "audience"];

/// Checks the form of a target.
///
/// # Errors
/// What has another form, and which there is.
pub(super) fn check(value: &Value) -> Result<(), String> {
    let Value::Object(map) = value else {
        return Err("write an object in braces, with its `url`".to_owned());
    };
    known(map, &KEYS, "")?;
    for (key, value) in map {
        match (key.as_str(), value) {
            ("url", Value::String(_)) | ("basic" | "oauth", Value::Null) => {}
            ("url", _) => return Err("its `url` has to be a text, in quotation marks".to_owned()),
            ("secrets", Value::Array(items)) if items.iter().all(Value::is_string) => {}
            ("secrets", _) => {
                return Err(
                    "its `secrets` have to be a list of texts, in brackets and quotation marks".to_owned()
                );
            }
            ("headers", Value::Object(headers)) if headers.values().all(Value::is_string) => {}
            ("headers", _) => return Err(texts("headers")),
            ("basic", Value::Object(inner)) => of_texts(inner, "basic", &BASIC, &BASIC)?,
            ("oauth", Value::Object(inner)) => of_texts(inner, "oauth", &OAUTH, &OAUTH[..3])?,
            (key, _) => return Err(texts(key)),
        }
    }
    Ok(())
}

fn texts(key: &str) -> String {
    format!("its `{key}` has to be an object of texts, as in {{\"name\": \"value\"}}")
}

fn of_texts(map: &Map<String, Value>, of: &str, keys: &[&str], required: &[&str]) -> Result<(), String> {
    known(map, keys, of)?;
    let is_optional = |key: &str| !required.contains(&key);
    if !map.iter().all(|(key, value)| value.is_string() || (value.is_null() && is_optional(key))) {
        return Err(texts(of));
    }
    match required.iter().find(|key| !map.contains_key(**key)) {
        Some(missing) => Err(format!("its `{of}` has no `{missing}`")),
        None => Ok(()),
    }
}

/// An unknown key is shown only if it resembles a known one: otherwise it may be a secret pasted in the wrong place. The rule is that of
/// the crate `secrets`, which reads what is around the targets.
fn known(map: &Map<String, Value>, keys: &[&str], within: &str) -> Result<(), String> {
    let Some(unknown) = map.keys().find(|key| !keys.contains(&key.as_str())) else { return Ok(()) };
    let of = if within.is_empty() { String::new() } else { format!(" in `{within}`") };
    let is_plain = unknown.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if let Some(near) = nearest(unknown, keys.iter().copied()).filter(|_| is_plain) {
        return Err(format!("there is no key `{unknown}`{of}; did you mean `{near}`?"));
    }
    if unknown.contains("://") || unknown.starts_with("whsec_") {
        return Err(format!(
            "a URL or a secret stands{of} where a key belongs; the keys are: {}",
            keys.join(", ")
        ));
    }
    Err(format!("a key{of} is not known; there are: {}", keys.join(", ")))
}
