//! What a template sees of an event. No I/O.

use super::data::Data;
use super::scalar::Scalar;
use minijinja::Value;
use minijinja::value::{Enumerator, Object};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The object that has other names for each event.
const DATA: &str = "data";

/// A part that an object does not have.
#[derive(Clone, Debug)]
pub(super) struct Unknown {
    /// The name of the object.
    pub(super) object: String,
    /// The part. It may be a value of the event, as in `object[object.name]`.
    pub(super) key: String,
}

/// The first part that a template asked for and that there is not.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked(Arc<Mutex<Option<Unknown>>>);

impl Asked {
    fn note(&self, object: &str, key: &Value) {
        let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert_with(|| Unknown { object: object.to_owned(), key: key.to_string() });
    }

    /// The part.
    pub(super) fn unknown(&self) -> Option<Unknown> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// An object of [`Data`]. It notes each name that it does not have: what asks by another way than its own name, such as a variable of
/// `set`, is found where it is asked.
#[derive(Debug)]
struct Fields {
    name: String,
    fields: BTreeMap<String, Value>,
    asked: Asked,
}

impl Object for Fields {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let found = key.as_str().and_then(|key| self.fields.get(key)).cloned();
        if found.is_none() && self.name == DATA {
            return Some(Value::from(()));
        }
        if found.is_none() {
            self.asked.note(&self.name, key);
        }
        found
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.fields.keys().map(|key| Value::from(key.as_str())).collect())
    }
}

/// The variables of a template.
pub(super) fn variables(
    data: &Data,
    values: &BTreeMap<String, Scalar>,
    asked: &Asked,
) -> Result<Value, serde_json::Error> {
    let serde_json::Value::Object(fields) = serde_json::to_value(data)? else { return Ok(Value::from(())) };
    let mut variables: BTreeMap<String, Value> =
        fields.into_iter().map(|(name, json)| (name.clone(), value(&name, json, asked))).collect();
    let given = values.iter().map(|(name, scalar)| {
        let value = match scalar {
            Scalar::Truth(truth) => Value::from(*truth),
            Scalar::Number(number) => Value::from(*number),
            Scalar::Text(text) => Value::from(text.as_str()),
        };
        (name.clone(), value)
    });
    variables.insert("values".to_owned(), Value::from_pairs(given));
    Ok(Value::from_pairs(variables))
}

fn value(name: &str, json: serde_json::Value, asked: &Asked) -> Value {
    match json {
        serde_json::Value::Null => Value::from(()),
        serde_json::Value::Bool(truth) => Value::from(truth),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(number) => Value::from(number),
            None => Value::from(number.as_f64().unwrap_or_default()),
        },
        serde_json::Value::String(text) => Value::from(text),
        serde_json::Value::Array(items) => items.into_iter().map(|item| value(name, item, asked)).collect(),
        serde_json::Value::Object(object) => {
            let inner = object.into_iter().map(|(key, json)| {
                let path = format!("{name}.{key}");
                (key, value(&path, json, asked))
            });
            let (name, fields) = (name.to_owned(), inner.collect());
            Value::from_object(Fields { name, fields, asked: asked.clone() })
        }
    }
}
