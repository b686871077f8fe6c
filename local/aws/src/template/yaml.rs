//! Parses YAML with CloudFormation's short tags into the JSON of the long forms.

use crate::Error;
use saphyr::{LoadableYamlNode as _, Scalar, Yaml};
use serde_json::{Map, Number, Value};

fn error(reason: impl Into<String>) -> Error {
    Error::Yaml { reason: reason.into() }
}

/// Parses a template: `!Ref X` becomes `{"Ref": "X"}`, `!GetAtt A.B` becomes `{"Fn::GetAtt": ["A", "B"]}`.
pub(super) fn parse(text: &str) -> Result<Value, Error> {
    let mut documents = Yaml::load_from_str(text).map_err(|scan| error(scan.to_string()))?;
    match (documents.pop(), documents.is_empty()) {
        (Some(document), true) => json(document),
        (None, _) => Err(error("it is empty")),
        (Some(_), false) => Err(error("it has more than one document")),
    }
}

fn json(yaml: Yaml<'_>) -> Result<Value, Error> {
    match yaml {
        Yaml::Value(scalar) => scalar_json(&scalar),
        Yaml::Sequence(items) => items.into_iter().map(json).collect::<Result<_, _>>().map(Value::Array),
        Yaml::Mapping(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                let Yaml::Value(key) = key else { return Err(error("a key is not a plain text")) };
                let key = text(&scalar_json(&key)?);
                let value = json(value)?;
                if map.insert(key.clone(), value).is_some() {
                    return Err(error(format!("the key `{key}` is there twice")));
                }
            }
            Ok(Value::Object(map))
        }
        Yaml::Tagged(tag, node) if tag.handle == "!" => tagged(&tag.suffix, json(*node)?),
        Yaml::Tagged(tag, _) => Err(error(format!("the tag `{}{}` is not known", tag.handle, tag.suffix))),
        Yaml::Representation(text, ..) => Ok(Value::String(text.into_owned())),
        Yaml::Alias(_) | Yaml::BadValue => Err(error("a value cannot be read")),
    }
}

fn scalar_json(scalar: &Scalar<'_>) -> Result<Value, Error> {
    Ok(match scalar {
        Scalar::Null => Value::Null,
        Scalar::Boolean(flag) => Value::Bool(*flag),
        Scalar::Integer(number) => Value::from(*number),
        Scalar::FloatingPoint(number) => Number::from_f64(number.into_inner())
            .map(Value::Number)
            .ok_or_else(|| error("a number is not finite"))?,
        Scalar::String(text) => Value::String(text.to_string()),
    })
}

/// The text of a scalar, as CloudFormation reads it where it expects a string.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn tagged(tag: &str, value: Value) -> Result<Value, Error> {
    let (name, value) = match tag {
        "Ref" | "Condition" => (tag.to_owned(), Value::String(text(&value))),
        "GetAtt" => {
            let parts = match value {
                Value::String(path) => match path.split_once('.') {
                    Some((resource, attribute)) => Value::from(vec![resource, attribute]),
                    None => return Err(error(format!("`!GetAtt {path}` names no attribute"))),
                },
                list => list,
            };
            ("Fn::GetAtt".to_owned(), parts)
        }
        "And" | "Base64" | "Equals" | "FindInMap" | "GetAZs" | "If" | "ImportValue" | "Join" | "Not"
        | "Or" | "Select" | "Split" | "Sub" => (format!("Fn::{tag}"), value),
        other => return Err(error(format!("the tag `!{other}` is not known"))),
    };
    Ok(Value::Object(Map::from_iter([(name, value)])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn short_tags_become_their_long_forms() {
        let yaml = r#"
a: !Ref X
b: { c: !GetAtt Fn.Arn, d: [!Sub "x-${Y}", !Sub ["${z}", { z: !Ref Z }]] }
e: !If [IsProd, !Join ["-", [a, !Ref b]], !Ref AWS::NoValue]
f: { Fn::GetAtt: [Q, Arn] }
g: !Not [!Equals [!Ref P, ""]]
h: !Condition Other
"#;
        let expected = json!({
            "a": { "Ref": "X" },
            "b": { "c": { "Fn::GetAtt": ["Fn", "Arn"] },
                   "d": [{ "Fn::Sub": "x-${Y}" }, { "Fn::Sub": ["${z}", { "z": { "Ref": "Z" } }] }] },
            "e": { "Fn::If": ["IsProd", { "Fn::Join": ["-", ["a", { "Ref": "b" }]] }, { "Ref": "AWS::NoValue" }] },
            "f": { "Fn::GetAtt": ["Q", "Arn"] },
            "g": { "Fn::Not": [{ "Fn::Equals": [{ "Ref": "P" }, ""] }] },
            "h": { "Condition": "Other" }
        });
        assert_eq!(parse(yaml).unwrap(), expected);
    }

    #[test]
    fn scalars_keep_their_types() {
        let yaml = "a: 3\nb: true\nc: '3'\nd: 2010-09-09\ne: ~\nf: 1.5\ng: >-\n  folded\n  text\n";
        let expected = json!({
            "a": 3, "b": true, "c": "3", "d": "2010-09-09", "e": null, "f": 1.5, "g": "folded text"
        });
        assert_eq!(parse(yaml).unwrap(), expected);
    }

    #[test]
    fn what_is_not_a_template_says_why() {
        for (yaml, part) in
            [("a: [", "line"), ("a: !Made up", "!Made"), ("", "empty"), ("a: !GetAtt X", "no attribute")]
        {
            let message = parse(yaml).unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        }
    }
}
