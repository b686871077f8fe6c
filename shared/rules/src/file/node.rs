//! A YAML document with the line and column of each value. No I/O.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::Spanned;
use std::fmt;

/// A place in a file, both counted from 1. Zero: not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: u64,
    /// The column, in characters.
    pub column: u64,
}

/// A value, and where it begins.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) at: Position,
    /// The last line on which a part of it begins, also one that was taken out.
    pub(crate) last_line: u64,
    /// Whether a part of it had another shape and was taken out.
    pub(crate) was_pruned: bool,
    /// Where the first line of a text behind `|` stands, if it is a setting of a workflow.
    pub(crate) block: Option<Position>,
    pub(crate) kind: Kind,
}

/// A value.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Null,
    Flag(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    /// In the order of the file.
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_at: Position,
    pub(crate) value: Node,
}

impl Node {
    /// The value as JSON, for the types of the file.
    pub(crate) fn to_json(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Flag(flag) => Value::Bool(*flag),
            Kind::Number(number) => Value::Number(number.clone()),
            Kind::Text(text) => Value::String(text.clone()),
            Kind::List(items) => items.iter().map(Self::to_json).collect(),
            Kind::Map(entries) => {
                let entries = entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json()));
                Value::Object(entries.collect::<Map<_, _>>())
            }
        }
    }

    /// The value of a key of this map.
    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        match &self.kind {
            Kind::Map(entries) => entries.iter().find(|entry| entry.key == key),
            _ => None,
        }
    }
}

/// Where a value of the types of the file stands. Without the text of the file, as in a function, nothing is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At<'n> {
    node: Option<&'n Node>,
    key_at: Position,
}

impl<'n> At<'n> {
    pub(crate) fn new(root: Option<&'n Node>) -> Self {
        Self { node: root, key_at: Position::default() }
    }

    /// Where the value begins.
    pub(crate) fn position(&self) -> Position {
        self.node.map_or(self.key_at, |node| node.at)
    }

    /// Where the first line of a text behind `|` stands.
    pub(crate) fn block(&self) -> Option<Position> {
        self.node.and_then(|node| node.block)
    }

    /// Where the value's key begins; the value's place without one.
    pub(crate) fn key_position(&self) -> Position {
        if self.key_at == Position::default() { self.position() } else { self.key_at }
    }

    /// Whether a place is within this value, as far as lines say.
    pub(crate) fn contains(&self, place: Position) -> bool {
        self.node.is_some_and(|node| node.at <= place && place.line <= node.last_line)
    }

    /// Whether the value is a list that its author left empty.
    pub(crate) fn is_empty_list(&self) -> bool {
        let is_empty =
            |node: &Node| matches!(&node.kind, Kind::List(items) if items.is_empty()) && !node.was_pruned;
        self.node.is_some_and(is_empty)
    }

    /// The value of a key. The place of the map if the key is not there.
    pub(crate) fn key(&self, key: &str) -> Self {
        match self.node.and_then(|node| node.get(key)) {
            Some(entry) => Self { node: Some(&entry.value), key_at: entry.key_at },
            None => Self { node: None, key_at: self.position() },
        }
    }

    /// An item of a list; the value itself if it is not a list, as where one text stands for a list of one.
    pub(crate) fn item(&self, index: usize) -> Self {
        match self.node {
            Some(Node { kind: Kind::List(items), .. }) => {
                let item = items.get(index);
                Self { node: item, key_at: item.map_or_else(|| self.position(), |item| item.at) }
            }
            _ => *self,
        }
    }
}

/// A value without its own place.
struct Bare(Kind);

impl From<Spanned<Bare>> for Node {
    fn from(spanned: Spanned<Bare>) -> Self {
        let at = Position { line: spanned.referenced.line(), column: spanned.referenced.column() };
        let kind = spanned.value.0;
        let within = match &kind {
            Kind::List(items) => items.iter().map(|item| item.last_line).max(),
            Kind::Map(entries) => entries.iter().map(|e| e.value.last_line.max(e.key_at.line)).max(),
            _ => None,
        };
        Self { at, last_line: within.unwrap_or_default().max(at.line), was_pruned: false, block: None, kind }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Spanned::<Bare>::deserialize(deserializer).map(Self::from)
    }
}

impl<'de> Deserialize<'de> for Bare {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Bare;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Bare, E> {
        Ok(Bare(Kind::Null))
    }

    fn visit_none<E>(self) -> Result<Bare, E> {
        Ok(Bare(Kind::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Bare, D::Error> {
        Bare::deserialize(deserializer)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Bare, E> {
        Ok(Bare(Kind::Flag(flag)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Bare, E> {
        Ok(Bare(Kind::Number(number.into())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Bare, E> {
        Ok(Bare(Kind::Number(number.into())))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Bare, E> {
        let kind = Number::from_f64(number).map_or_else(|| Kind::Text(number.to_string()), Kind::Number);
        Ok(Bare(kind))
    }

    fn visit_str<E>(self, text: &str) -> Result<Bare, E> {
        Ok(Bare(Kind::Text(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Bare, E> {
        Ok(Bare(Kind::Text(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Bare, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element::<Node>()? {
            list.push(item);
        }
        Ok(Bare(Kind::List(list)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Bare, A::Error> {
        let mut map = Vec::new();
        while let Some(key) = entries.next_key::<Spanned<String>>()? {
            let value = entries.next_value::<Node>()?;
            let key_at = Position { line: key.referenced.line(), column: key.referenced.column() };
            map.push(Entry { key: key.value, key_at, value });
        }
        Ok(Bare(Kind::Map(map)))
    }
}
