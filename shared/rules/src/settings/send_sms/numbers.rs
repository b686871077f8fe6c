//! Who gets a text: the numbers of a rule.

use crate::phone::PhoneNumber;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use sha2::{Digest, Sha256};
use std::fmt;

/// How long a key may be: it is part of a key in the table.
const LONGEST_KEY: usize = 240;
/// What is wrong with a number that YAML has read as one: it has lost its plus.
const UNQUOTED: &str = "put the number in quotation marks, with the plus: \"+4915112345678\"";

/// Numbers, in the rule's order, and what names them together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    list: Vec<PhoneNumber>,
    key: String,
}

impl Numbers {
    /// These numbers.
    pub fn new(list: Vec<PhoneNumber>) -> Self {
        let mut keys: Vec<String> = list.iter().map(PhoneNumber::key).collect();
        keys.sort_unstable();
        keys.dedup();
        let whole = keys.join(",");
        let key = if whole.len() <= LONGEST_KEY { whole } else { shortened(&keys, &whole) };
        Self { list, key }
    }

    /// The numbers, in the rule's order.
    pub fn list(&self) -> &[PhoneNumber] {
        &self.list
    }

    /// What names these numbers, in whatever order they stand, and shows two digits of each.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The place of a number, from 1, that stands in the list before too, or that has the key of one.
    pub(super) fn twice(&self) -> Option<usize> {
        let key = |at: usize| self.list[at].key();
        let at = (0..self.list.len()).find(|at| (0..*at).any(|earlier| key(earlier) == key(*at)))?;
        Some(at + 1)
    }
}

fn shortened(keys: &[String], whole: &str) -> String {
    let digest = Sha256::digest(whole.as_bytes());
    let digest: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let first = keys.first().map(String::as_str).unwrap_or_default();
    format!("{first},and {} more,{digest}", keys.len().saturating_sub(1))
}

struct OneOrMany;

impl<'de> Visitor<'de> for OneOrMany {
    type Value = Numbers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the number of a phone, or a list of these")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Numbers, E> {
        Ok(Numbers::new(vec![PhoneNumber::parse(text).map_err(E::custom)?]))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Numbers, E> {
        Err(E::custom(UNQUOTED))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Numbers, E> {
        Err(E::custom(UNQUOTED))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Numbers, E> {
        Err(E::custom(UNQUOTED))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Numbers, A::Error> {
        let mut list = Vec::new();
        while let Some(One(number)) = seq.next_element()? {
            list.push(number);
        }
        Ok(Numbers::new(list))
    }
}

/// One entry of a list.
struct One(PhoneNumber);

impl<'de> Deserialize<'de> for One {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        struct OneNumber;

        impl Visitor<'_> for OneNumber {
            type Value = One;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the number of a phone")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<One, E> {
                PhoneNumber::parse(text).map(One).map_err(E::custom)
            }

            fn visit_u64<E: Error>(self, _: u64) -> Result<One, E> {
                Err(E::custom(UNQUOTED))
            }

            fn visit_i64<E: Error>(self, _: i64) -> Result<One, E> {
                Err(E::custom(UNQUOTED))
            }

            fn visit_f64<E: Error>(self, _: f64) -> Result<One, E> {
                Err(E::custom(UNQUOTED))
            }
        }

        value.deserialize_any(OneNumber)
    }
}

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        value.deserialize_any(OneOrMany)
    }
}

#[cfg(feature = "schema")]
mod schema {
    use super::Numbers;
    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
    use std::borrow::Cow;

    impl JsonSchema for Numbers {
        fn schema_name() -> Cow<'static, str> {
            "Numbers".into()
        }

        fn inline_schema() -> bool {
            true
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            let one = json_schema!({ "type": "string", "pattern": r"^\+[1-9][0-9]{6,14}$" });
            json_schema!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1, "uniqueItems": true }] })
        }
    }
}
