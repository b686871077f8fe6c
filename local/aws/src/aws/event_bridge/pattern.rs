//! Event patterns: which events a rule takes. No I/O.

use serde_json::{Map, Value};

/// A checked event pattern.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pattern(Vec<(String, Field)>);

/// What a pattern asks of one field.
#[derive(Clone, Debug, PartialEq)]
enum Field {
    /// An object in which these fields match.
    Object(Pattern),
    /// One of these holds.
    OneOf(Vec<Matcher>),
}

#[derive(Clone, Debug, PartialEq)]
enum Matcher {
    Equals(Value),
    EqualsIgnoreCase(String),
    Prefix(String),
    Suffix(String),
    AnythingBut(Vec<Value>),
    AnythingButPrefix(String),
    Exists(bool),
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// A sentence on what EventBridge would refuse, or what this double does not have.
    pub(crate) fn read(pattern: &Value) -> Result<Self, String> {
        Self::fields(pattern, "")
    }

    fn fields(pattern: &Value, at: &str) -> Result<Self, String> {
        let fields = pattern.as_object().ok_or_else(|| format!("`{at}` must be an object or a list"))?;
        if fields.is_empty() {
            return Err(if at.is_empty() {
                "the pattern is empty".to_owned()
            } else {
                format!("`{at}` is empty")
            });
        }
        let read = fields.iter().map(|(name, value)| {
            let at = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
            if name.starts_with('$') {
                return Err(format!("`{at}` is not supported here"));
            }
            let field = match value {
                Value::Array(choices) if choices.is_empty() => {
                    return Err(format!("`{at}` is an empty list"));
                }
                Value::Array(choices) => {
                    let read = choices.iter().map(|choice| Matcher::read(choice, &at));
                    Field::OneOf(read.collect::<Result<_, _>>()?)
                }
                other => Field::Object(Self::fields(other, &at)?),
            };
            Ok((name.clone(), field))
        });
        read.collect::<Result<_, _>>().map(Self)
    }

    /// Whether the event matches: every field of the pattern must.
    pub(crate) fn matches(&self, event: &Value) -> bool {
        self.0.iter().all(|(name, field)| {
            let found = event.get(name);
            match field {
                Field::OneOf(choices) => choices.iter().any(|choice| choice.matches(found)),
                // Objects in a list match when any of them does.
                Field::Object(pattern) => match found {
                    Some(Value::Array(items)) => items.iter().any(|item| pattern.matches(item)),
                    Some(value) => pattern.matches(value),
                    None => pattern.matches(&Value::Null),
                },
            }
        })
    }
}

impl Matcher {
    fn read(choice: &Value, at: &str) -> Result<Self, String> {
        let Value::Object(object) = choice else {
            return match choice {
                Value::Array(_) => Err(format!("`{at}` has a list in its list")),
                plain => Ok(Self::Equals(plain.clone())),
            };
        };
        Self::content_filter(object)
            .ok_or_else(|| format!("`{at}` asks for {choice}, which is not supported here"))
    }

    fn content_filter(object: &Map<String, Value>) -> Option<Self> {
        let mut entries = object.iter();
        let (Some((kind, value)), None) = (entries.next(), entries.next()) else { return None };
        let text = value.as_str().map(str::to_owned);
        match kind.as_str() {
            "prefix" => text.map(Self::Prefix),
            "suffix" => text.map(Self::Suffix),
            "equals-ignore-case" => text.map(Self::EqualsIgnoreCase),
            "exists" => value.as_bool().map(Self::Exists),
            "anything-but" => match value {
                Value::Array(values) if values.iter().all(|v| v.is_string() || v.is_number()) => {
                    Some(Self::AnythingBut(values.clone()))
                }
                Value::String(_) | Value::Number(_) => Some(Self::AnythingBut(vec![value.clone()])),
                Value::Object(inner) if inner.len() == 1 => {
                    inner.get("prefix")?.as_str().map(|prefix| Self::AnythingButPrefix(prefix.to_owned()))
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn matches(&self, found: Option<&Value>) -> bool {
        match (self, found) {
            (Self::Exists(wanted), found) => *wanted == found.is_some_and(|value| !value.is_object()),
            (_, None) => false,
            // A list matches when any of its items does; only `anything-but` is about all of them.
            (Self::AnythingBut(_) | Self::AnythingButPrefix(_), Some(Value::Array(items))) => {
                items.iter().all(|item| self.matches_one(item))
            }
            (_, Some(Value::Array(items))) => items.iter().any(|item| self.matches_one(item)),
            (_, Some(value)) => self.matches_one(value),
        }
    }

    fn matches_one(&self, value: &Value) -> bool {
        let text = value.as_str();
        match self {
            Self::Equals(wanted) => wanted == value,
            Self::EqualsIgnoreCase(wanted) => text.is_some_and(|t| t.to_lowercase() == wanted.to_lowercase()),
            Self::Prefix(prefix) => text.is_some_and(|text| text.starts_with(prefix)),
            Self::Suffix(suffix) => text.is_some_and(|text| text.ends_with(suffix)),
            Self::AnythingBut(values) => !values.contains(value),
            Self::AnythingButPrefix(prefix) => !text.is_some_and(|text| text.starts_with(prefix)),
            Self::Exists(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn matches(pattern: Value, event: &Value) -> bool {
        Pattern::read(&pattern).unwrap().matches(event)
    }

    #[test]
    fn every_field_must_match_one_of_its_choices() {
        let event = json!({
            "source": "tableau", "detail-type": "WorkbookUpdated",
            "detail": { "site": { "luid": "s-1" }, "tags": ["a", "b"] }
        });
        assert!(matches(json!({ "source": ["tableau"] }), &event));
        assert!(matches(json!({ "source": ["x", "tableau"], "detail-type": ["WorkbookUpdated"] }), &event));
        assert!(!matches(json!({ "source": ["tableau"], "detail-type": ["WorkbookDeleted"] }), &event));
        assert!(matches(json!({ "detail": { "site": { "luid": ["s-1"] } } }), &event));
        assert!(!matches(json!({ "detail": { "site": { "name": ["s-1"] } } }), &event));
        assert!(matches(json!({ "detail": { "tags": ["b"] } }), &event));
    }

    #[test]
    fn content_filters_match_as_documented() {
        let event = json!({ "source": "tableau.cloud", "detail": { "kind": "Workbook", "n": 3 } });
        assert!(matches(json!({ "source": [{ "prefix": "tableau." }] }), &event));
        assert!(matches(json!({ "source": [{ "suffix": ".cloud" }] }), &event));
        assert!(matches(json!({ "detail": { "kind": [{ "equals-ignore-case": "workBOOK" }] } }), &event));
        assert!(matches(json!({ "detail": { "kind": [{ "anything-but": ["View", "Site"] }] } }), &event));
        assert!(!matches(json!({ "detail": { "n": [{ "anything-but": 3 }] } }), &event));
        assert!(!matches(
            json!({ "detail": { "kind": [{ "anything-but": { "prefix": "Work" } }] } }),
            &event
        ));
        assert!(matches(json!({ "detail": { "gone": [{ "exists": false }] } }), &event));
        assert!(!matches(json!({ "detail": { "gone": [{ "anything-but": "x" }] } }), &event));
        assert!(matches(json!({ "detail": { "kind": [{ "exists": true }] } }), &event));
    }

    #[test]
    fn what_is_not_supported_is_refused_by_name() {
        for (pattern, part) in [
            (json!({ "detail": { "n": [{ "numeric": [">", 1] }] } }), "detail.n"),
            (json!({ "$or": [{ "source": ["a"] }] }), "$or"),
            (json!({ "source": "tableau" }), "source"),
            (json!({ "source": [] }), "source"),
            (json!({}), "empty"),
        ] {
            let reason = Pattern::read(&pattern).unwrap_err();
            assert!(reason.contains(part), "{reason}");
        }
    }
}
