//! Who gets a mail: addresses, and people whom Tableau names.

use crate::address::Address;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use sha2::{Digest, Sha256};
use std::fmt;

/// How long a key may be: it is part of a key in the table.
const LONGEST_KEY: usize = 240;
const OWNER: &str = "owner";
const PROJECT_LEADER: &str = "project-leader";

/// One recipient as a rule names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// This address.
    Address(Address),
    /// The owner of the content.
    Owner,
    /// The owner of the project that the content is in.
    ProjectLeader,
}

impl Recipient {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let plain = text.trim_start_matches('@').to_ascii_lowercase().replace([' ', '_'], "-");
        match (text, plain.as_str()) {
            (OWNER, _) => Ok(Self::Owner),
            (PROJECT_LEADER, _) => Ok(Self::ProjectLeader),
            (text, OWNER) if text.starts_with('@') => Err("write owner, without `@`"),
            (_, OWNER) => Err("write owner, in small letters"),
            (_, PROJECT_LEADER) => Err("write project-leader, with a hyphen and in small letters"),
            _ => Address::parse(text).map(Self::Address),
        }
    }

    /// The recipient as it stands in a key: case makes no other one.
    fn key(&self) -> String {
        match self {
            Self::Address(address) => address.as_str().to_ascii_lowercase(),
            Self::Owner => OWNER.to_owned(),
            Self::ProjectLeader => PROJECT_LEADER.to_owned(),
        }
    }
}

/// Recipients, in the rule's order, and what names them together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recipients {
    list: Vec<Recipient>,
    key: String,
}

impl Recipients {
    /// These recipients.
    pub fn new(list: Vec<Recipient>) -> Self {
        let mut keys: Vec<String> = list.iter().map(Recipient::key).collect();
        keys.sort_by_key(|key| (!key.contains('@'), key.clone()));
        keys.dedup();
        let whole = keys.join(",");
        let key = if whole.len() <= LONGEST_KEY { whole } else { shortened(&keys, &whole) };
        Self { list, key }
    }

    /// The recipients, in the rule's order.
    pub fn list(&self) -> &[Recipient] {
        &self.list
    }

    /// What names these recipients, in whatever order they stand: `a@example.com,owner`. Of a long list the first ones, their
    /// number, and a part of the list's SHA-256.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What stands in the list more than once: `owner`, or an address' place in the list, since no mistake repeats an address.
    pub(super) fn twice(&self) -> Option<String> {
        let keys: Vec<String> = self.list.iter().map(Recipient::key).collect();
        let at = (0..keys.len()).find(|at| keys[..*at].contains(&keys[*at]))?;
        Some(match &self.list[at] {
            Recipient::Address(_) => format!("entry {}", at + 1),
            Recipient::Owner | Recipient::ProjectLeader => keys[at].clone(),
        })
    }
}

fn shortened(keys: &[String], whole: &str) -> String {
    let digest = Sha256::digest(whole.as_bytes());
    let digest: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let first = keys.first().map(String::as_str).unwrap_or_default();
    let first: String = first.chars().take(LONGEST_KEY / 2).collect();
    format!("{first},and {} more,{digest}", keys.len().saturating_sub(1))
}

struct OneOrMany;

impl<'de> Visitor<'de> for OneOrMany {
    type Value = Recipients;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an address, owner or project-leader, or a list of these")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Recipients, E> {
        Ok(Recipients::new(vec![Recipient::parse(text).map_err(E::custom)?]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Recipients, A::Error> {
        let mut list = Vec::new();
        while let Some(one) = seq.next_element::<Recipient>()? {
            list.push(one);
        }
        Ok(Recipients::new(list))
    }
}

impl<'de> Deserialize<'de> for Recipients {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        value.deserialize_any(OneOrMany)
    }
}

impl<'de> Deserialize<'de> for Recipient {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        let text = String::deserialize(value)?;
        Self::parse(&text).map_err(D::Error::custom)
    }
}

#[cfg(feature = "schema")]
mod schema {
    use super::{Recipient, Recipients};
    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
    use std::borrow::Cow;

    impl JsonSchema for Recipient {
        fn schema_name() -> Cow<'static, str> {
            "Recipient".into()
        }

        fn inline_schema() -> bool {
            true
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            json_schema!({ "type": "string", "pattern": r"^(owner|project-leader|[^\s@<>,;]+@[^\s@<>,;]+)$" })
        }
    }

    impl JsonSchema for Recipients {
        fn schema_name() -> Cow<'static, str> {
            "Recipients".into()
        }

        fn inline_schema() -> bool {
            true
        }

        fn json_schema(generator: &mut SchemaGenerator) -> Schema {
            let one = Recipient::json_schema(generator);
            json_schema!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1, "uniqueItems": true }] })
        }
    }
}
