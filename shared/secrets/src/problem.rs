//! Describes what is wrong with a secret without repeating any of it. No I/O.

use serde::de::DeserializeOwned;
use serde_json::json;
use tableau::nearest;

/// The keys that a type knows, taken from its own error about an unknown key. Empty if the type accepts any key.
pub(crate) fn known_keys<T: DeserializeOwned>() -> Vec<String> {
    // An empty key is unknown to every type.
    let Err(problem) = T::deserialize(json!({ "": "" })) else { return Vec::new() };
    let problem = problem.to_string();
    let keys = problem.split('`').skip(1).step_by(2).filter(|key| !key.is_empty());
    if problem.contains("not known") || problem.starts_with("unknown field") {
        keys.map(str::to_owned).collect()
    } else {
        Vec::new()
    }
}

/// Says what to write in place of a text that is not a JSON object.
pub(crate) fn what_to_write(keys: &[String]) -> String {
    if keys.is_empty() {
        "write a JSON object".to_owned()
    } else {
        format!("write a JSON object with {}", list(keys))
    }
}

fn list(keys: &[String]) -> String {
    let quoted: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    match quoted.split_last() {
        Some((last, first)) if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => quoted.join(", "),
    }
}

/// The position at which a text is not JSON, and the reason if the character there shows it.
pub(crate) fn not_json(text: &str, error: &serde_json::Error) -> String {
    let line = text.split('\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
    // Columns count bytes; for a character of several bytes, the column is that of the first byte or one after it.
    let bytes = line.char_indices().take_while(|(at, _)| *at < error.column());
    let hint = match bytes.last().map(|(_, c)| c) {
        Some('\u{2018}'..='\u{201f}' | '\u{ab}' | '\u{bb}') => {
            ", a typographic quotation mark in place of \""
        }
        Some('\'') => ", a ' in place of \"",
        _ => "",
    };
    format!("not JSON, at line {}, column {}{hint}", error.line(), error.column())
}

/// The error about an unknown key. The key is shown only if it resembles a known key: otherwise it may be a secret
/// pasted in the wrong place.
pub(crate) fn unknown_key(key: &str, keys: &[String]) -> String {
    let is_plain = key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    match nearest(key, keys.iter().map(String::as_str)).filter(|_| is_plain) {
        Some(meant) => format!("there is no key `{key}`; did you mean `{meant}`?"),
        None => format!("a key is not known: there are {}", list(keys)),
    }
}

/// The first field of a path, if it is a known field.
pub(crate) fn field(path: &str, keys: &[String]) -> String {
    let first = path.split(['.', '[']).next().unwrap_or_default();
    if keys.iter().any(|key| key == first) { format!("`{first}`") } else { "a value".to_owned() }
}

/// The error about a wrong type. serde's messages may repeat a key or value, so only what they expected is kept.
/// Other messages come from the credential types, which name fields and never values.
pub(crate) fn of_type(path: &str, problem: &str, keys: &[String]) -> String {
    const REPEATING: [&str; 6] = [
        "invalid type",
        "invalid value",
        "invalid length",
        "unknown field",
        "unknown variant",
        "duplicate field",
    ];
    let Some(start) = REPEATING.iter().find(|start| problem.starts_with(**start)) else {
        return problem.to_owned();
    };
    let field = field(path, keys);
    let is_whole = keys.iter().any(|key| key == path);
    match problem.rsplit_once(", expected ").map(|(_, expected)| expected) {
        Some("a string") if is_whole => format!("{field} must be a text, in quotation marks"),
        Some("a string") => format!("{field} must have texts in it, in quotation marks"),
        Some("a map") => format!("{field} must be an object, in braces"),
        Some(expected) => format!("{field}: {start}, expected {expected}"),
        None => format!("{field}: {start}"),
    }
}
