//! DynamoDB attribute values, converted from and to DynamoDB's JSON. No I/O.

use super::number::{NotANumber, Number};
use crate::aws::Refusal;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};

/// An attribute value. Within one type the order is DynamoDB's; between types the order has no meaning.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Value {
    S(String),
    N(Number),
    B(Vec<u8>),
    Bool(bool),
    Null,
    Ss(BTreeSet<String>),
    Ns(BTreeSet<Number>),
    Bs(BTreeSet<Vec<u8>>),
    L(Vec<Value>),
    M(Item),
}

/// The attributes of an item, by name.
pub(crate) type Item = BTreeMap<String, Value>;

/// The deepest nesting of lists and maps in a value.
const MAX_DEPTH: usize = 32;

fn invalid(reason: &str) -> Refusal {
    Refusal::validation(format!("One or more parameter values were invalid: {reason}"))
}

fn number(text: &Json) -> Result<Number, Refusal> {
    let text = text.as_str().ok_or_else(|| invalid("A number is sent as a text"))?;
    Number::parse(text).map_err(|reason| number_refusal(reason, text))
}

/// DynamoDB's error message for a number that it does not accept.
pub(crate) fn number_refusal(reason: NotANumber, text: &str) -> Refusal {
    Refusal::validation(match reason {
        NotANumber::Text => format!("The parameter cannot be converted to a numeric value: {text}"),
        NotANumber::Digits => "Attempting to store more than 38 significant digits in a Number".to_owned(),
        NotANumber::Magnitude => {
            "Number overflow. Attempting to store a number with magnitude larger than supported range"
                .to_owned()
        }
    })
}

fn binary(text: &Json) -> Result<Vec<u8>, Refusal> {
    let bytes = text.as_str().and_then(|text| STANDARD.decode(text).ok());
    bytes.ok_or_else(|| invalid("A binary value is sent in base64"))
}

fn text(json: &Json) -> Result<String, Refusal> {
    json.as_str().map(str::to_owned).ok_or_else(|| invalid("A string is sent as a text"))
}

fn set<T: Ord>(json: &Json, read: impl Fn(&Json) -> Result<T, Refusal>) -> Result<BTreeSet<T>, Refusal> {
    let values = json.as_array().ok_or_else(|| invalid("A set is sent as a list"))?;
    if values.is_empty() {
        return Err(invalid("A set may not be empty"));
    }
    let set: BTreeSet<T> = values.iter().map(read).collect::<Result<_, _>>()?;
    if set.len() == values.len() { Ok(set) } else { Err(invalid("Input collection contains duplicates.")) }
}

/// Parses a map of attributes from DynamoDB's JSON.
pub(crate) fn read_item(json: &Json) -> Result<Item, Refusal> {
    read_map(json, 0)
}

fn read_map(json: &Json, depth: usize) -> Result<Item, Refusal> {
    let map = json.as_object().ok_or_else(|| invalid("A map is sent as an object"))?;
    map.iter().map(|(name, value)| Ok((name.clone(), Value::read_at(value, depth)?))).collect()
}

/// Writes a map of attributes as DynamoDB's JSON.
pub(crate) fn item_json(item: &Item) -> Json {
    Json::Object(item.iter().map(|(name, value)| (name.clone(), value.json())).collect::<Map<_, _>>())
}

/// The size of an item in bytes, as DynamoDB counts it.
///
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
pub(crate) fn item_size_bytes(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value.size_bytes()).sum()
}

impl Value {
    /// Parses one attribute value, such as `{"S": "a"}`.
    pub(crate) fn read(json: &Json) -> Result<Self, Refusal> {
        Self::read_at(json, 0)
    }

    fn read_at(json: &Json, depth: usize) -> Result<Self, Refusal> {
        if depth > MAX_DEPTH {
            return Err(Refusal::validation("Nesting Levels have exceeded supported limits"));
        }
        let mut entries = json.as_object().into_iter().flatten();
        let (Some((kind, value)), None) = (entries.next(), entries.next()) else {
            return Err(Refusal::validation(
                "Supplied AttributeValue has more than one datatypes set or is empty, must contain exactly \
                 one of the supported datatypes",
            ));
        };
        Ok(match kind.as_str() {
            "S" => Self::S(text(value)?),
            "N" => Self::N(number(value)?),
            "B" => Self::B(binary(value)?),
            "BOOL" => Self::Bool(value.as_bool().ok_or_else(|| invalid("BOOL is true or false"))?),
            "NULL" if *value == Json::Bool(true) => Self::Null,
            "NULL" => return Err(invalid("Null attribute value types must have the value of true")),
            "SS" => Self::Ss(set(value, text)?),
            "NS" => Self::Ns(set(value, number)?),
            "BS" => Self::Bs(set(value, binary)?),
            "L" => {
                let items = value.as_array().ok_or_else(|| invalid("A list is sent as a list"))?;
                Self::L(items.iter().map(|item| Self::read_at(item, depth + 1)).collect::<Result<_, _>>()?)
            }
            "M" => Self::M(read_map(value, depth + 1)?),
            other => return Err(invalid(&format!("There is no attribute type {other}"))),
        })
    }

    /// The attribute value as DynamoDB's JSON.
    pub(crate) fn json(&self) -> Json {
        let encoded = |bytes: &Vec<u8>| STANDARD.encode(bytes);
        match self {
            Self::S(text) => json!({ "S": text }),
            Self::N(number) => json!({ "N": number.to_string() }),
            Self::B(bytes) => json!({ "B": encoded(bytes) }),
            Self::Bool(flag) => json!({ "BOOL": flag }),
            Self::Null => json!({ "NULL": true }),
            Self::Ss(set) => json!({ "SS": set }),
            Self::Ns(set) => json!({ "NS": set.iter().map(Number::to_string).collect::<Vec<_>>() }),
            Self::Bs(set) => json!({ "BS": set.iter().map(encoded).collect::<Vec<_>>() }),
            Self::L(items) => json!({ "L": items.iter().map(Self::json).collect::<Vec<_>>() }),
            Self::M(map) => json!({ "M": item_json(map) }),
        }
    }

    /// The type's name in DynamoDB's JSON, such as `S` or `N`.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::S(_) => "S",
            Self::N(_) => "N",
            Self::B(_) => "B",
            Self::Bool(_) => "BOOL",
            Self::Null => "NULL",
            Self::Ss(_) => "SS",
            Self::Ns(_) => "NS",
            Self::Bs(_) => "BS",
            Self::L(_) => "L",
            Self::M(_) => "M",
        }
    }

    /// The result of the `size()` function; `None` for types without a size.
    pub(crate) fn size(&self) -> Option<usize> {
        match self {
            Self::S(text) => Some(text.chars().count()),
            Self::B(bytes) => Some(bytes.len()),
            Self::Ss(set) => Some(set.len()),
            Self::Ns(set) => Some(set.len()),
            Self::Bs(set) => Some(set.len()),
            Self::L(items) => Some(items.len()),
            Self::M(map) => Some(map.len()),
            Self::N(_) | Self::Bool(_) | Self::Null => None,
        }
    }

    fn size_bytes(&self) -> usize {
        let number = |number: &Number| number.to_string().len().div_ceil(2) + 1;
        match self {
            Self::S(text) => text.len(),
            Self::N(n) => number(n),
            Self::B(bytes) => bytes.len(),
            Self::Bool(_) | Self::Null => 1,
            Self::Ss(set) => set.iter().map(String::len).sum(),
            Self::Ns(set) => set.iter().map(number).sum(),
            Self::Bs(set) => set.iter().map(Vec::len).sum(),
            Self::L(items) => 3 + items.iter().map(|item| 1 + item.size_bytes()).sum::<usize>(),
            Self::M(map) => 3 + map.len() + item_size_bytes(map),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_comes_back_as_it_went() {
        let json = json!({
            "s": { "S": "x" }, "n": { "N": "1.5" }, "b": { "B": "AQI=" }, "t": { "BOOL": true },
            "z": { "NULL": true }, "ss": { "SS": ["a", "b"] }, "ns": { "NS": ["1", "2"] },
            "bs": { "BS": ["AQ=="] }, "l": { "L": [{ "S": "x" }] }, "m": { "M": { "k": { "N": "1" } } }
        });
        assert_eq!(item_json(&read_item(&json).unwrap()), json);
    }

    #[test]
    fn values_dynamodb_refuses_are_refused() {
        for bad in [
            json!({}),
            json!({ "S": "x", "N": "1" }),
            json!({ "N": 1 }),
            json!({ "N": "one" }),
            json!({ "SS": [] }),
            json!({ "SS": ["a", "a"] }),
            json!({ "NULL": false }),
            json!({ "X": "y" }),
            json!("plain"),
        ] {
            assert!(Value::read(&bad).is_err(), "{bad}");
        }
        let deep = (0..40).fold(json!({ "NULL": true }), |inner, _| json!({ "L": [inner] }));
        assert!(Value::read(&deep).unwrap_err().message().contains("Nesting"));
    }
}
