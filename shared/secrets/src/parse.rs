//! Reads a secret's text as a typed value. No I/O.
//!
//! Cleans what people paste; only this module does so. An error names the field and never shows a value.

use crate::clean::{self, trimmed};
use crate::problem;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// How many times JSON may be wrapped in a JSON string: `jq tostring` and a shell add one layer each.
const WRAPPINGS: u32 = 3;

/// Why a secret's text is malformed. Names the expected keys and shows no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(String);

/// Reads a secret that is a JSON object. Removes a byte order mark, white space around the text and around each
/// value, and JSON strings around JSON. A null counts as not filled in.
///
/// # Errors
/// [`Malformed`] when the text is not a JSON object, has an unknown key, or has a value that cannot be right, such as
/// one with a line break.
pub fn parse<T: DeserializeOwned>(text: &SecretString) -> Result<T, Malformed> {
    let keys = problem::known_keys::<T>();
    let object = object(text.expose_secret(), WRAPPINGS)
        .map_err(|what| Malformed(format!("{what}: {}", problem::what_to_write(&keys))))?;
    let first = typed(object.clone(), &keys);
    match (first, clean::unwrapped(&Value::Object(object))) {
        (Err(_), Some(Value::Object(unwrapped))) => typed(unwrapped, &keys).map_err(Malformed),
        (first, _) => first.map_err(Malformed),
    }
}

/// The JSON object, also if it is wrapped in JSON strings.
fn object(text: &str, wrappings: u32) -> Result<Map<String, Value>, String> {
    let text = trimmed(text);
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    let parsed = serde_json::from_str(text);
    let parsed = parsed.or_else(|error: serde_json::Error| {
        serde_json::from_str(&clean::with_escaped_controls(text)).map_err(|_| error)
    });
    match parsed {
        Ok(Value::Object(object)) => Ok(object),
        // A value without an object, in quotation marks.
        Ok(Value::String(inner)) if wrappings > 0 => {
            object(&inner, wrappings - 1).map_err(|_| "it is a text".to_owned())
        }
        Ok(Value::Null) => Err("it is null".to_owned()),
        Ok(_) => Err("it is no JSON object".to_owned()),
        Err(error) => Err(problem::not_json(text, &error)),
    }
}

fn typed<T: DeserializeOwned>(object: Map<String, Value>, keys: &[String]) -> Result<T, String> {
    let unknown = object.keys().map(|key| trimmed(key)).find(|key| !keys.iter().any(|known| known == key));
    if let Some(unknown) = unknown.filter(|_| !keys.is_empty()) {
        return Err(problem::unknown_key(unknown, keys));
    }
    let value =
        clean::object(object).map_err(|(key, what)| format!("{} {what}", problem::field(&key, keys)))?;
    serde_path_to_error::deserialize(&value).map_err(|error| {
        let path = error.path().to_string();
        problem::of_type(&path, &error.into_inner().to_string(), keys)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::collections::BTreeMap;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Token {
        token: String,
        #[serde(default)]
        urls: BTreeMap<String, String>,
    }

    fn read(text: &str) -> Result<Token, String> {
        parse(&SecretString::from(text)).map_err(|problem| problem.to_string())
    }

    #[test]
    fn what_pasting_leaves_is_taken_off() {
        let token = r#"{"token":"one"}"#;
        for text in [
            format!("\u{feff}{token}"),
            format!("\u{ef}\u{bb}\u{bf}{token}"),
            format!(" \r\n{token}\r\n"),
            "{\r\n  \"token\": \"one\"\r\n}\r\n".to_owned(),
            r#"{"token":" one\n"}"#.to_owned(),
            r#"{"token":"one\r\n"}"#.to_owned(),
            "{\"token\":\"one\n\"}".to_owned(),
            "{\"token\":\"\tone\"}".to_owned(),
            "{\"token\":\"\u{feff}one\u{200b}\"}".to_owned(),
            "{\"\u{feff}token \":\"one\"}".to_owned(),
            r#"{"token":"one","urls":null}"#.to_owned(),
            r#"{"token":"one","urls":"{}"}"#.to_owned(),
            "{\"token\":\"one\",\"urls\":\"{\n}\n\"}".to_owned(),
            Value::from(token).to_string(),
            Value::from(format!("\u{feff}{token}\n")).to_string(),
            Value::from(Value::from(token).to_string()).to_string(),
        ] {
            assert_eq!(read(&text).unwrap().token, "one", "{text:?}");
        }
    }

    #[test]
    fn a_value_that_looks_like_json_is_taken_as_it_is_where_a_text_is_expected() {
        for text in ["{}", "[1]", "\"a\"", "{\"a\":1}"] {
            let json = serde_json::json!({ "token": text }).to_string();
            assert_eq!(read(&json).unwrap().token, text);
        }
    }

    #[test]
    fn what_is_wrong_names_the_field_and_never_a_value() {
        let write = ": write a JSON object with `token` and `urls`";
        for (text, expected) in [
            ("hunter2", format!("not JSON, at line 1, column 1{write}")),
            ("\"hunter2\"", format!("it is a text{write}")),
            ("[\"hunter2\"]", format!("it is no JSON object{write}")),
            ("4711", format!("it is no JSON object{write}")),
            ("null", format!("it is null{write}")),
            ("\"null\"", format!("it is a text{write}")),
            (" \u{feff}\n", format!("it is empty{write}")),
            ("\"\"", format!("it is a text{write}")),
            (
                "{\n  \u{201c}token\u{201d}: \"hunter2\"}",
                format!("not JSON, at line 2, column 3, a typographic quotation mark in place of \"{write}"),
            ),
            (
                "{\"token\": \u{201e}hunter2\u{201c}}",
                format!("not JSON, at line 1, column 11, a typographic quotation mark in place of \"{write}"),
            ),
            ("{'token':'hunter2'}", format!("not JSON, at line 1, column 2, a ' in place of \"{write}")),
            ("{\"token\":\"hunter2\"", format!("not JSON, at line 1, column 18{write}")),
            ("{\"token\":\"hun\nter2\"}", "`token` has a line break in it: write it on one line".to_owned()),
            (r#"{"token":"hun\r\nter2"}"#, "`token` has a line break in it: write it on one line".to_owned()),
            (
                "{\"token\":\"hun\u{200b}ter2\"}",
                "`token` has an invisible character in it: paste it again".to_owned(),
            ),
            (r#"{"token":["hunter2"]}"#, "`token` must be a text, in quotation marks".to_owned()),
            (r#"{"token":4711}"#, "`token` must be a text, in quotation marks".to_owned()),
            (r#"{"token":null}"#, "missing field `token`".to_owned()),
            ("{}", "missing field `token`".to_owned()),
            (
                r#"{"token":"null"}"#,
                "`token` is a placeholder, not a value: fill it in, or leave it out".to_owned(),
            ),
            (r#"{"token":"a","urls":"hunter2"}"#, "`urls` must be an object, in braces".to_owned()),
            (
                r#"{"token":"a","urls":{"hunter2":1}}"#,
                "`urls` must have texts in it, in quotation marks".to_owned(),
            ),
            (
                "{\"token\":\"a\",\"urls\":{\"hunter2\":\"a\nb\"}}",
                "`urls` has a line break in it: write it on one line".to_owned(),
            ),
            (r#"{"tokn":"hunter2"}"#, "there is no key `tokn`; did you mean `token`?".to_owned()),
            (r#"{"Token":"hunter2"}"#, "there is no key `Token`; did you mean `token`?".to_owned()),
            (r#"{"hunter2":"token"}"#, "a key is not known: there are `token` and `urls`".to_owned()),
            ("{\"hun\nter2\":\"token\"}", "a key is not known: there are `token` and `urls`".to_owned()),
        ] {
            let problem = read(text).unwrap_err();
            assert_eq!(problem, expected, "{text}");
            assert!(!problem.contains("hunter2") && !problem.contains("4711"), "{problem}");
        }
    }
}
