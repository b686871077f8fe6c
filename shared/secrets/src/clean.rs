//! Removes what pasting leaves around a secret. No I/O.

use plain_text::is_invisible;
use serde_json::Value;
use std::borrow::Cow;

/// The text without a byte order mark (also one that was read as Latin-1) and without white space around it.
pub(crate) fn trimmed(text: &str) -> &str {
    let text = text.trim_matches(is_blank);
    text.strip_prefix("\u{ef}\u{bb}\u{bf}").unwrap_or(text).trim_matches(is_blank)
}

/// Whether a character is white space or invisible, such as a byte order mark or a zero-width space.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || is_invisible(c)
}

/// Escapes unescaped control characters inside JSON strings, which JSON forbids. A line break in a token is then
/// reported for the field that contains it.
pub(crate) fn with_escaped_controls(json: &str) -> Cow<'_, str> {
    if !json.contains(char::is_control) {
        return Cow::Borrowed(json);
    }
    let mut escaped = String::with_capacity(json.len() + 16);
    let mut in_text = false;
    let mut after_backslash = false;
    for c in json.chars() {
        match c {
            '"' if !after_backslash => in_text = !in_text,
            c if in_text && c.is_control() && c.is_ascii() => {
                escaped.push_str(&format!("\\u{:04x}", u32::from(c)));
                after_backslash = false;
                continue;
            }
            _ => {}
        }
        after_backslash = in_text && c == '\\' && !after_backslash;
        escaped.push(c);
    }
    Cow::Owned(escaped)
}

/// Trims the texts and keys of an object. A null counts as not filled in.
///
/// # Errors
/// The key of a text that cannot be right, and what is wrong with the text.
pub(crate) fn object(object: serde_json::Map<String, Value>) -> Result<Value, (String, &'static str)> {
    let filled = object.into_iter().filter(|(_, value)| !value.is_null());
    let cleaned = filled.map(|(key, value)| {
        let key = trimmed(&key).to_owned();
        match self::value(value) {
            Ok(value) => Ok((key, value)),
            Err(problem) => Err((key, problem)),
        }
    });
    cleaned.collect::<Result<_, _>>().map(Value::Object)
}

fn value(value: Value) -> Result<Value, &'static str> {
    match value {
        Value::String(text) => self::text(&text).map(|text| Value::String(text.to_owned())),
        Value::Array(values) => {
            values.into_iter().map(self::value).collect::<Result<_, _>>().map(Value::Array)
        }
        Value::Object(object) => {
            let cleaned =
                object.into_iter().map(|(key, value)| Ok((trimmed(&key).to_owned(), self::value(value)?)));
            cleaned.collect::<Result<_, _>>().map(Value::Object)
        }
        other => Ok(other),
    }
}

/// Trims a text.
fn text(text: &str) -> Result<&str, &'static str> {
    let text = trimmed(text);
    // What `jq -r` and templates write for a missing value.
    if matches!(text, "null" | "undefined" | "None") {
        return Err("is a placeholder, not a value: fill it in, or leave it out");
    }
    match text.chars().find(|c| c.is_control() || is_invisible(*c) || matches!(c, '\u{2028}' | '\u{2029}')) {
        None => Ok(text),
        Some('\n' | '\r' | '\u{2028}' | '\u{2029}') => Err("has a line break in it: write it on one line"),
        Some(_) => Err("has an invisible character in it: paste it again"),
    }
}

/// Replaces every text that is itself JSON by its value: a console for keys and values stores numbers and objects as
/// text. `None` if there is no such text.
pub(crate) fn unwrapped(value: &Value) -> Option<Value> {
    match value {
        Value::Object(object) => {
            let mut changed = false;
            let mut one = |value: &Value| {
                let inner = value.as_str().and_then(|text| inner(trimmed(text)));
                changed |= inner.is_some();
                inner.unwrap_or_else(|| value.clone())
            };
            let object = object.iter().map(|(key, value)| (key.clone(), one(value))).collect();
            changed.then_some(Value::Object(object))
        }
        _ => None,
    }
}

fn inner(text: &str) -> Option<Value> {
    if !text.starts_with(['{', '[', '"']) {
        return None;
    }
    serde_json::from_str(text).or_else(|_| serde_json::from_str(&with_escaped_controls(text))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_control_characters_in_texts_are_escaped() {
        for (json, expected) in [
            ("{\n\"a\": \"b\"\r\n}", "{\n\"a\": \"b\"\r\n}"),
            ("{\"a\": \"b\nc\"}", "{\"a\": \"b\\u000ac\"}"),
            ("{\"a\": \"b\\\"\tc\\\\\"\t}", "{\"a\": \"b\\\"\\u0009c\\\\\"\t}"),
        ] {
            assert_eq!(with_escaped_controls(json), expected);
        }
    }

    #[test]
    fn blanks_around_a_text_are_taken_off() {
        for text in
            ["\u{feff}a b", "a b\r\n", " \u{a0}a b\u{200b}\t", "\u{ef}\u{bb}\u{bf}a b", "\u{2060} a b"]
        {
            assert_eq!(trimmed(text), "a b", "{text:?}");
        }
    }
}
