//! Tableau's JSON is a mechanical rendering of its XML: numbers and booleans may be strings, a list may be missing,
//! empty, a single object, or flattened. These readers take every shape that was seen.

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _};
use serde_json::Value;
use std::fmt::Display;
use std::str::FromStr;

/// A number, or a string that holds one; missing, `null` and `""` are `None`.
pub(crate) fn number<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: FromStr,
    T::Err: Display,
    D: Deserializer<'de>,
{
    let text = match Option::<Value>::deserialize(deserializer)? {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::String(text)) if text.trim().is_empty() => return Ok(None),
        Some(Value::String(text)) => text,
        Some(_) => return Err(D::Error::custom("expected a number")),
    };
    text.trim().parse().map(Some).map_err(D::Error::custom)
}

/// `true`, `"true"`, or their opposites; missing and `null` are `false`.
pub(crate) fn boolean<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match Option::<Value>::deserialize(deserializer)? {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(value)) => Ok(value),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(true),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("false") || text.is_empty() => Ok(false),
        Some(_) => Err(D::Error::custom("expected true or false")),
    }
}

/// A time; missing, `null`, `""` and unreadable are `None`.
pub(crate) fn timestamp<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<jiff::Timestamp>, D::Error> {
    let text = Option::<Value>::deserialize(deserializer)?;
    Ok(text.as_ref().and_then(Value::as_str).and_then(|text| text.parse().ok()))
}

/// Tags: `{"tag": [{"label": "x"}]}`, `{}`, or a single tag.
pub(crate) fn tags<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    struct Tag {
        #[serde(deserialize_with = "name")]
        label: String,
    }
    let value = Option::<Value>::deserialize(deserializer)?.unwrap_or(Value::Null);
    Ok(list::<Tag>(&value, "tag").into_iter().map(|tag| tag.label).collect())
}

/// A text; a number or flag is taken as one, and missing and `null` are `None`.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Option::<Value>::deserialize(deserializer)? {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => Ok(Some(value.to_string())),
        Some(_) => Err(D::Error::custom("expected a text")),
    }
}

/// A text that must be there, even if it is empty.
pub(crate) fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    text(deserializer)?.ok_or_else(|| D::Error::custom("expected a text"))
}

/// A part that one can do without: missing, `null`, `{}` and unreadable are `None`.
pub(crate) fn part<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: DeserializeOwned,
    D: Deserializer<'de>,
{
    let value = Option::<Value>::deserialize(deserializer)?;
    Ok(value.and_then(|value| T::deserialize(value).ok()))
}

/// The elements of a list that is wrapped as `{"job": […]}`: missing, `null`, `{}`, one object and a flattened
/// array are taken as well. An element that cannot be read is left out, so that it does not take its page along.
pub(crate) fn list<T: DeserializeOwned>(wrapper: &Value, element: &str) -> Vec<T> {
    let read = |item: &Value| match serde_path_to_error::deserialize::<_, T>(item) {
        Ok(item) => Some(item),
        Err(error) => {
            // Not the error's own words: they repeat what is in the answer.
            let path = error.path().to_string();
            tracing::warn!(
                element,
                path,
                "Tableau's answer has an element that cannot be read; it is left out"
            );
            None
        }
    };
    elements(wrapper, element).iter().filter_map(read).collect()
}

/// The same elements, unread.
pub(crate) fn elements<'a>(wrapper: &'a Value, element: &str) -> &'a [Value] {
    match wrapper {
        Value::Array(items) => items.as_slice(),
        Value::Object(map) => match map.get(element) {
            Some(Value::Array(items)) => items.as_slice(),
            Some(single @ Value::Object(_)) => std::slice::from_ref(single),
            _ => &[],
        },
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Shapes {
        #[serde(default, deserialize_with = "number")]
        finish_code: Option<u8>,
        #[serde(default, deserialize_with = "boolean")]
        show_tabs: bool,
        #[serde(default, deserialize_with = "tags")]
        tags: Vec<String>,
    }

    fn read(value: Value) -> Shapes {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn numbers_and_booleans_come_as_strings_too() {
        for value in
            [json!({"finish_code": 1, "show_tabs": true}), json!({"finish_code": "1", "show_tabs": "true"})]
        {
            assert_eq!(read(value), Shapes { finish_code: Some(1), show_tabs: true, tags: vec![] });
        }
        assert!(!read(json!({"show_tabs": "false"})).show_tabs);
    }

    #[test]
    fn a_list_comes_in_five_shapes() {
        for tags in [json!(null), json!({}), json!({"tag": []}), json!({"tag": null}), json!([])] {
            assert!(read(json!({ "tags": tags })).tags.is_empty());
        }
        for tags in
            [json!({"tag": [{"label": "a"}]}), json!({"tag": {"label": "a"}}), json!([{"label": "a"}])]
        {
            assert_eq!(read(json!({ "tags": tags })).tags, ["a"]);
        }
    }

    #[test]
    fn one_bad_element_does_not_take_its_page_along() {
        let page = json!({"tag": [{"label": "a"}, {"name": "?"}, 5, {"label": "b"}]});
        assert_eq!(read(json!({ "tags": page })).tags, ["a", "b"]);
    }
}
