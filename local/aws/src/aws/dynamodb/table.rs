//! Tables: key schemas and the items under their keys. No I/O.

use super::super::Refusal;
use super::value::{Item, Value};
use std::collections::{BTreeMap, BTreeSet};

/// A table to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSpec {
    /// Its name.
    pub name: String,
    /// Its key.
    pub key: KeySchema,
    /// Its global secondary indexes, by name.
    pub indexes: BTreeMap<String, IndexSpec>,
}

/// A global secondary index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexSpec {
    /// Its key.
    pub key: KeySchema,
    /// The attributes that it carries beside the keys; `None`: all there are.
    pub carries: Option<BTreeSet<String>>,
}

/// The attributes that make a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySchema {
    /// The partition key.
    pub partition: KeyAttribute,
    /// The sort key, if there is one.
    pub sort: Option<KeyAttribute>,
}

/// One attribute of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyAttribute {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: KeyKind,
}

impl KeyAttribute {
    /// A key attribute of type string.
    pub fn string(name: impl Into<String>) -> Self {
        Self { name: name.into(), kind: KeyKind::S }
    }
}

/// The types a key can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// String.
    S,
    /// Number.
    N,
    /// Binary.
    B,
}

impl KeyKind {
    fn name(self) -> &'static str {
        match self {
            Self::S => "S",
            Self::N => "N",
            Self::B => "B",
        }
    }
}

impl KeySchema {
    pub(crate) fn attributes(&self) -> impl Iterator<Item = &KeyAttribute> {
        std::iter::once(&self.partition).chain(&self.sort)
    }

    /// Whether the item has this key: an index holds only items that have its key.
    pub(crate) fn covers(&self, item: &Item) -> bool {
        self.attributes().all(|key| item.get(&key.name).is_some_and(|value| value.kind() == key.kind.name()))
    }
}

/// The values of a key, partition key first.
pub(crate) type Key = Vec<Value>;

/// A table with its items.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) spec: TableSpec,
    pub(crate) items: BTreeMap<Key, Item>,
}

impl Table {
    pub(crate) fn new(spec: TableSpec) -> Self {
        Self { spec, items: BTreeMap::new() }
    }

    /// The key in a request's `Key`, which has the key's attributes and no others.
    pub(crate) fn key(&self, given: &Item) -> Result<Key, Refusal> {
        let schema = &self.spec.key;
        if given.len() != schema.attributes().count() || !schema.covers(given) {
            return Err(Refusal::validation("The provided key element does not match the schema"));
        }
        self.key_of(given)
    }

    /// The key of a whole item.
    pub(crate) fn key_of(&self, item: &Item) -> Result<Key, Refusal> {
        let invalid = |reason: String| {
            Refusal::validation(format!("One or more parameter values were invalid: {reason}"))
        };
        let values = self.spec.key.attributes().map(|key| {
            let name = &key.name;
            let expected = key.kind.name();
            match item.get(name) {
                None => Err(invalid(format!("Missing the key {name} in the item"))),
                Some(value) if value.kind() != expected => {
                    let actual = value.kind();
                    Err(invalid(format!("Type mismatch for key {name} expected: {expected} actual: {actual}")))
                }
                Some(value) if value.size() == Some(0) => Err(Refusal::validation(format!(
                    "One or more parameter values are not valid. The AttributeValue for a key attribute cannot \
                     contain an empty string value. Key: {name}"
                ))),
                Some(value) => Ok(value.clone()),
            }
        });
        let key = values.collect::<Result<_, _>>()?;
        // Attributes that are an index's key must have its type when they are there at all.
        let indexed =
            self.spec.indexes.iter().flat_map(|(index, spec)| spec.key.attributes().map(move |k| (index, k)));
        for (index, attribute) in indexed {
            let name = &attribute.name;
            let expected = attribute.kind.name();
            if let Some(value) = item.get(name).filter(|value| value.kind() != expected) {
                let actual = value.kind();
                return Err(invalid(format!(
                    "Type mismatch for Index Key {name} Expected: {expected} Actual: {actual} IndexName: {index}"
                )));
            }
        }
        Ok(key)
    }

    /// The attributes that `key` consists of, as an item of their own.
    pub(crate) fn key_item(&self, key: &Key) -> Item {
        let names = self.spec.key.attributes().map(|attribute| attribute.name.clone());
        names.zip(key.iter().cloned()).collect()
    }

    /// Whether an attribute is part of the key.
    pub(crate) fn is_key(&self, name: &str) -> bool {
        self.spec.key.attributes().any(|key| key.name == name)
    }
}
