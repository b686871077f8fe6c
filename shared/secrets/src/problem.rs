//! What is wrong with a secret, in words that repeat nothing of it. No I/O.

use serde::de::DeserializeOwned;
use serde_json::json;
use tableau::nearest;

/// The keys that a type knows, as it lists them when it finds one that it does not know; none where it takes any.
pub(crate) fn known_keys<T: DeserializeOwned>() -> Vec<String> {
    // No type has a key without a name.
    let Err(problem) = T::deserialize(json!({ "": "" })) else { return Vec::new() };
    let problem = problem.to_string();
    let keys = problem.split('`').skip(1).step_by(2).filter(|key| !key.is_empty());
    if problem.contains("not known") || problem.starts_with("unknown field") {
        keys.map(str::to_owned).collect()
    } else {
        Vec::new()
    }
}

/// What to write in place of what is no JSON object.
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

/// Where a text is not JSON, and why, if the character at that place shows it.
pub(crate) fn not_json(text: &str, error: &serde_json::Error) -> String {
    let line = text.split('\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
    // Columns count bytes; that of a character of several is its first or one behind.
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

/// A key that is not known. It is repeated only where it is close to a known one: anything else may be a secret that was
/// pasted in the wrong place.
pub(crate) fn unknown_key(key: &str, keys: &[String]) -> String {
    let is_plain = key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    match nearest(key, keys.iter().map(String::as_str)).filter(|_| is_plain) {
        Some(meant) => format!("there is no key `{key}`; did you mean `{meant}`?"),
        None => format!("a key is not known: there are {}", list(keys)),
    }
}

/// The field that a path begins with, if it is a known one.
pub(crate) fn field(path: &str, keys: &[String]) -> String {
    let first = path.split(['.', '[']).next().unwrap_or_default();
    if keys.iter().any(|key| key == first) { format!("`{first}`") } else { "a value".to_owned() }
}

/// serde's own sentences repeat the value or the key they did not like, so only what they expected is kept of them.
/// Other sentences are those of our credential types, which name fields and never their values.
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
