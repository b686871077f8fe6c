//! Writes answers as JSON and parses JSON bodies.

use super::call::malformed;
use super::element::{Child, Element, Scalar};
use super::error::RestError;
use serde_json::{Map, Value};

/// Parses a body, which must be an object.
pub(crate) fn parse(body: &[u8]) -> Result<Value, RestError> {
    let value = serde_json::from_slice(body).ok().filter(Value::is_object);
    value.ok_or_else(|| malformed("The payload is not a JSON object."))
}

/// A whole answer as JSON.
pub(crate) fn render(root: &Element) -> String {
    value(root).to_string()
}

fn value(element: &Element) -> Value {
    let only_text = element.attributes.is_empty() && element.children.is_empty();
    if let Some(text) = element.text.as_deref().filter(|_| only_text) {
        return Value::from(text);
    }
    let mut map = Map::new();
    if let Some(text) = &element.text {
        map.insert("value".to_owned(), Value::from(text.as_str()));
    }
    for (name, scalar) in &element.attributes {
        let value = match scalar {
            Scalar::Text(text) => Value::from(text.as_str()),
            Scalar::Flag(flag) => Value::from(*flag),
        };
        map.insert((*name).to_owned(), value);
    }
    for child in &element.children {
        match child {
            Child::One(child) => {
                map.insert(child.name.to_string(), value(child));
            }
            Child::Many(children) => {
                if let Some(first) = children.first() {
                    map.insert(first.name.to_string(), children.iter().map(value).collect());
                }
            }
        }
    }
    Value::Object(map)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_wrapped_and_an_empty_list_is_an_empty_object() {
        let tag = |label: &str| Element::new("tag").with("label", label);
        let some = Element::root().child(Element::new("tags").many(vec![tag("x")]));
        let none = Element::root().child(Element::new("tags").many(Vec::new()));

        assert_eq!(render(&some), r#"{"tags":{"tag":[{"label":"x"}]}}"#);
        assert_eq!(render(&none), r#"{"tags":{}}"#);
    }

    #[test]
    fn a_text_with_attributes_becomes_a_value_among_them() {
        let version = Element::new("productVersion").with("build", "1").text("2026.2.0");
        let rest = Element::new("restApiVersion").text("3.29");

        let json = render(&Element::root().child(version).child(rest));

        assert_eq!(json, r#"{"productVersion":{"build":"1","value":"2026.2.0"},"restApiVersion":"3.29"}"#);
    }

    #[test]
    fn numbers_are_texts_and_flags_are_not() {
        let element = Element::root().with("priority", 50_u32).with("isEnabled", true);
        assert_eq!(render(&element), r#"{"isEnabled":true,"priority":"50"}"#);
    }
}
