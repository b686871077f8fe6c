//! DynamoDB tables: key schemas and items by key. No I/O.

use super::super::Refusal;
use super::value::{Item, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The definition of a table to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSpec {
    /// The table's name.
    pub name: String,
    /// The table's primary key.
    pub key: KeySchema,
    /// The table's global secondary indexes, by index name.
    pub indexes: BTreeMap<String, IndexSpec>,
}

/// The definition of a global secondary index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexSpec {
    /// The index's key.
    pub key: KeySchema,
    /// The attributes that the index carries besides the keys; `None` for all attributes.
    pub carries: Option<BTreeSet<String>>,
}

/// The attributes that form a primary key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySchema {
    /// The partition key.
    pub partition: KeyAttribute,
    /// The sort key, if the table has one.
    pub sort: Option<KeyAttribute>,
}

/// A key attribute of a table or an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyAttribute {
    /// The attribute's name.
    pub name: String,
    /// The attribute's type.
    pub kind: KeyKind,
}

impl KeyAttribute {
    /// A key attribute of type string.
    pub fn string(name: impl Into<String>) -> Self {
        Self { name: name.into(), kind: KeyKind::S }
    }
}

/// The types that a key attribute can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// A string key attribute.
    S,
    /// A number key attribute.
    N,
    /// A binary key attribute.
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

    /// Whether the item has all attributes of this key. An index holds only such items.
    pub(crate) fn covers(&self, item: &Item) -> bool {
        self.attributes().all(|key| item.get(&key.name).is_some_and(|value| value.kind() == key.kind.name()))
    }
}

/// The item's key values: the partition key first, then the sort key.
pub(crate) type Key = Vec<Value>;

/// A table and its items.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) spec: TableSpec,
    pub(crate) items: BTreeMap<Key, Item>,
}

impl Table {
    pub(crate) fn new(spec: TableSpec) -> Self {
        Self { spec, items: BTreeMap::new() }
    }

    /// The key in a request's `Key` member. Attributes other than the key's are refused.
    pub(crate) fn key(&self, given: &Item) -> Result<Key, Refusal> {
        let schema = &self.spec.key;
        if given.len() != schema.attributes().count() || !schema.covers(given) {
            return Err(Refusal::validation("The provided key element does not match the schema"));
        }
        self.key_of(given)
    }

    /// The key values of a complete item.
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
        // An attribute that is an index's key must have the key's type whenever it is present.
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

    /// An item with only the attributes of `key`.
    pub(crate) fn key_item(&self, key: &Key) -> Item {
        let names = self.spec.key.attributes().map(|attribute| attribute.name.clone());
        names.zip(key.iter().cloned()).collect()
    }

    /// Whether the attribute with this name is part of the table's key.
    pub(crate) fn is_key(&self, name: &str) -> bool {
        self.spec.key.attributes().any(|key| key.name == name)
    }
}
