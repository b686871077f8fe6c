//! Checks a value against the JSON schema of a trigger, as far as schemas of triggers go: `type`, `properties`, `required`, `items`,
//! `enum`.

use serde_json::Value;

/// The first difference. A keyword that this check does not know is one too, so that none is passed over.
pub(super) fn difference(schema: &Value, value: &Value, at: &str) -> Option<String> {
    let Some(keywords) = schema.as_object() else { return Some(format!("{at}: the schema is no object")) };
    keywords.iter().find_map(|(keyword, expected)| match keyword.as_str() {
        "$schema" | "$id" | "title" | "description" => None,
        "type" => {
            let name = expected.as_str().unwrap_or_default();
            (!is(name, value)).then(|| format!("{at}: expected {name}, found {}", kind(value)))
        }
        "enum" => {
            let listed = expected.as_array().is_some_and(|listed| listed.contains(value));
            (!listed).then(|| format!("{at}: not one of {expected}"))
        }
        "required" => {
            let names = expected.as_array()?.iter().filter_map(Value::as_str);
            let missing = names.filter(|name| value.get(name).is_none()).collect::<Vec<_>>();
            (!missing.is_empty())
                .then(|| format!("{at}: required properties are missing: {}", missing.join(", ")))
        }
        "properties" => expected
            .as_object()?
            .iter()
            .find_map(|(name, schema)| difference(schema, value.get(name)?, &format!("{at}.{name}"))),
        "items" => value
            .as_array()?
            .iter()
            .enumerate()
            .find_map(|(n, item)| difference(expected, item, &format!("{at}[{n}]"))),
        other => Some(format!("{at}: this check does not know `{other}`")),
    })
}

fn is(name: &str, value: &Value) -> bool {
    match name {
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        other => other == kind(value),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_has_the_types_and_the_properties_of_the_schema() {
        let schema = json!({
            "$schema": "x", "type": "object", "required": ["a"],
            "properties": { "a": { "type": "string" }, "b": { "type": "array", "items": { "type": "integer" } } },
        });
        for (value, expected) in [
            (json!({ "a": "", "b": [1], "c": null }), None),
            (json!({ "a": null }), Some("body.a: expected string, found null")),
            (json!({ "a": 1 }), Some("body.a: expected string, found number")),
            (json!({ "b": [1] }), Some("body: required properties are missing: a")),
            (json!({ "a": "", "b": [1, "2"] }), Some("body.b[1]: expected integer, found string")),
            (json!("text"), Some("body: required properties are missing: a")),
        ] {
            assert_eq!(difference(&schema, &value, "body").as_deref(), expected, "{value}");
        }
        assert!(difference(&json!({ "oneOf": [] }), &json!(1), "body").is_some());
    }
}
