//! Event patterns: which events a rule takes. No I/O.

use serde_json::Value;

/// A checked event pattern.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pattern(Vec<(String, Field)>);

/// What an event pattern requires of one field.
#[derive(Clone, Debug, PartialEq)]
enum Field {
    /// The field is an object that matches this nested pattern.
    Object(Pattern),
    /// The field has one of these values.
    OneOf(Vec<Value>),
}

impl Pattern {
    /// Parses an event pattern.
    ///
    /// # Errors
    /// A sentence that says what EventBridge would refuse, or what this double does not support.
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
                    if let Some(choice) =
                        choices.iter().find(|choice| choice.is_object() || choice.is_array())
                    {
                        return Err(format!("`{at}` asks for {choice}, which is not supported here"));
                    }
                    Field::OneOf(choices.clone())
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
                // A list in an event matches when one of its items does.
                Field::OneOf(choices) => match found {
                    Some(Value::Array(items)) => items.iter().any(|item| choices.contains(item)),
                    Some(value) => choices.contains(value),
                    None => false,
                },
                Field::Object(pattern) => match found {
                    Some(Value::Array(items)) => items.iter().any(|item| pattern.matches(item)),
                    Some(value) => pattern.matches(value),
                    None => pattern.matches(&Value::Null),
                },
            }
        })
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
    fn what_is_not_supported_is_refused_by_name() {
        for (pattern, part) in [
            (json!({ "detail": { "n": [{ "numeric": [">", 1] }] } }), "detail.n"),
            (json!({ "detail": { "name": [{ "prefix": "Sales" }] } }), "detail.name"),
            (json!({ "source": [["a"]] }), "source"),
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
