//! Reads Tableau's JSON, which is generated from XML: numbers and booleans may be strings, and a list may be empty, a
//! single object, or flattened. These functions accept every form that was seen. An optional part that cannot be read
//! counts as missing; a required part that is missing is an error.

use crate::BoxError;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _};
use serde_json::{Map, Value};
use std::str::FromStr;

/// A number, or a string that contains one; `None` if missing or unreadable.
pub(crate) fn number<'de, T: FromStr, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Number(number) => number.to_string().parse().ok(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    })
}

/// `true` or `"true"`; anything else, or a missing value, is `false`.
pub(crate) fn boolean<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Bool(value) => value,
        Value::String(text) => text.trim().eq_ignore_ascii_case("true"),
        _ => false,
    })
}

/// `true` or `false`, also as a text; `None` for anything else.
pub(crate) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Bool(value) => Some(value),
        Value::String(text) => text.trim().to_ascii_lowercase().parse().ok(),
        _ => None,
    })
}

/// A time; `None` if missing or unreadable.
pub(crate) fn timestamp<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    Ok(time(&Value::deserialize(deserializer)?))
}

fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.trim().parse().ok()
}

/// Tags: `{"tag": [{"label": "x"}]}`, `{}`, or a single tag.
pub(crate) fn tags<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    struct Tag {
        #[serde(deserialize_with = "name")]
        label: String,
    }
    let value = Option::<Value>::deserialize(deserializer)?.unwrap_or(Value::Null);
    Ok(list_or_none::<Tag>(&value, "tag").into_iter().map(|tag| tag.label).collect())
}

/// A text; a number or boolean is converted. `None` if missing or of another type.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(words(Value::deserialize(deserializer)?))
}

/// A text, empty if missing.
pub(crate) fn text_or_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(text(deserializer)?.unwrap_or_default())
}

/// A required text, which may be empty.
pub(crate) fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    text(deserializer)?.ok_or_else(|| D::Error::custom("expected a text"))
}

fn words(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        value @ (Value::Number(_) | Value::Bool(_)) => Some(value.to_string()),
        _ => None,
    }
}

/// Texts in any wrapping: one text, a list, `{"text": "…"}`, or elements of these. Values without text are skipped;
/// earlier values of the field are replaced.
pub(crate) fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Box<[String]>, D::Error> {
    let mut texts = Vec::new();
    collect(&Value::deserialize(deserializer)?, &mut texts);
    Ok(texts.into())
}

fn collect(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) if !text.trim().is_empty() && !texts.contains(text) => texts.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Value::Object(map) => ["text", "note", "notes", "statusNote"]
            .iter()
            .filter_map(|key| map.get(*key))
            .for_each(|value| collect(value, texts)),
        _ => {}
    }
}

/// The address of an object's page, for `flatten`: Tableau spells the key in two ways, and an answer may have both.
pub(crate) fn webpage_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let mut rest = Map::deserialize(deserializer)?;
    Ok(["webpageUrl", "webPageUrl"].into_iter().find_map(|key| words(rest.remove(key)?)))
}

/// The end time of a job, for `flatten`: lists and single answers use different keys.
pub(crate) fn ended_at<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let rest = Map::deserialize(deserializer)?;
    Ok(["endedAt", "completedAt"].into_iter().find_map(|key| time(rest.get(key)?)))
}

/// An optional part: missing, `null`, `{}` and unreadable values are `None`.
pub(crate) fn part<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: DeserializeOwned,
    D: Deserializer<'de>,
{
    let value = Option::<Value>::deserialize(deserializer)?;
    Ok(value.and_then(|value| T::deserialize(value).ok()))
}

/// An optional part; its default value if missing or unreadable.
pub(crate) fn part_or_default<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Default + DeserializeOwned,
    D: Deserializer<'de>,
{
    Ok(part(deserializer)?.unwrap_or_default())
}

/// A required list, wrapped as in `{"jobs": {"job": […]}}`. `names` are the possible names of the wrapper.
///
/// # Errors
/// What was expected and where, if the list is missing or none of its elements can be read.
pub(crate) fn list<T: DeserializeOwned>(
    answer: &Map<String, Value>,
    names: &[&str],
    element: &str,
) -> Result<Vec<T>, BoxError> {
    let items = elements(answer, names, element)?;
    read_some(items, element)
}

/// The elements of a list, not parsed yet.
pub(crate) fn elements<'a>(
    answer: &'a Map<String, Value>,
    names: &[&str],
    element: &str,
) -> Result<&'a [Value], BoxError> {
    let name = names.first().copied().unwrap_or_default();
    let wrapper = names.iter().find_map(|name| answer.get(*name));
    match wrapper {
        None => Err(expected(&format!("`{name}` with a list of `{element}`"), "it is missing")),
        Some(Value::Array(items)) => Ok(items.as_slice()),
        Some(Value::Object(map)) => match map.get(element) {
            Some(Value::Array(items)) => Ok(items.as_slice()),
            Some(single @ Value::Object(_)) => Ok(std::slice::from_ref(single)),
            Some(other) => Err(expected(&format!("a list at `{name}.{element}`"), shape(other))),
            None if map.is_empty() => Ok(&[]),
            None => Err(expected(&format!("a list at `{name}.{element}`"), "it is missing")),
        },
        Some(other) => Err(expected(&format!("an object at `{name}`"), shape(other))),
    }
}

/// Parses elements. An element that cannot be parsed is skipped, so that the rest of the page can be used.
///
/// # Errors
/// If there are elements and none of them can be parsed.
pub(crate) fn read_some<T: DeserializeOwned>(items: &[Value], element: &str) -> Result<Vec<T>, BoxError> {
    let read: Vec<T> = read_each(items, element);
    if read.is_empty() && !items.is_empty() {
        return Err(expected(&format!("elements `{element}`"), "none of them can be read"));
    }
    Ok(read)
}

/// An error that says what was expected and what kind of value was found. It repeats nothing of the answer.
pub(crate) fn expected(what: &str, found: &str) -> BoxError {
    format!("expected {what}: {found}").into()
}

/// The kind of a JSON value, in words.
pub(crate) fn shape(value: &Value) -> &'static str {
    match value {
        Value::Null => "it is null",
        Value::Bool(_) => "it is a flag",
        Value::Number(_) => "it is a number",
        Value::String(_) => "it is a text",
        Value::Array(_) => "it is an array",
        Value::Object(_) => "it is an object",
    }
}

/// An optional list inside an element: whatever cannot be parsed is skipped.
pub(crate) fn list_or_none<T: DeserializeOwned>(wrapper: &Value, element: &str) -> Vec<T> {
    let items = match wrapper {
        Value::Array(items) => items.as_slice(),
        Value::Object(map) => match map.get(element) {
            Some(Value::Array(items)) => items.as_slice(),
            Some(single @ Value::Object(_)) => std::slice::from_ref(single),
            _ => &[],
        },
        _ => &[],
    };
    read_each(items, element)
}

fn read_each<T: DeserializeOwned>(items: &[Value], element: &str) -> Vec<T> {
    let read = |item: &Value| match serde_path_to_error::deserialize::<_, T>(item) {
        Ok(item) => Some(item),
        Err(error) => {
            // serde's error text is left out, because it repeats the answer.
            let path = error.path().to_string();
            tracing::warn!(
                element,
                path,
                "Tableau's answer has an element that cannot be read; it is left out"
            );
            None
        }
    };
    items.iter().filter_map(read).collect()
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
