//! Converts documents and records to and from DynamoDB items.

use crate::records::Record;
use crate::{Stored, Version};
use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::HashMap;

pub(super) const PK: &str = "pk";
pub(super) const SK: &str = "sk";
pub(super) const VERSION: &str = "version";
pub(super) const DOCUMENT: &str = "document";
pub(super) const EXPIRES_AT: &str = "expires_at";
/// The attribute with a random id for each write. It shows that a repeated request was already carried out.
pub(super) const WRITE_ID: &str = "write_id";
pub(super) const DUE_SCOPE: &str = "due_scope";
pub(super) const DUE_AT: &str = "due_at";
/// The attribute with the mark: a number beside the document, which writes of the document do not change.
pub(super) const MARK: &str = "mark";
/// The attribute that is present while the mark must not be raised.
pub(super) const ACTIVE: &str = "active";

pub(super) type Attributes = HashMap<String, AttributeValue>;

pub(super) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// The placeholders of attribute names for an expression: each name as `#name`.
pub(super) fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> HashMap<String, String> {
    names.into_iter().map(|name| (format!("#{name}"), name.to_owned())).collect()
}

/// The placeholders of values for an expression: each value as `:name`.
pub(super) fn values<const N: usize>(values: [(&str, AttributeValue); N]) -> Attributes {
    values.map(|(name, value)| (name.to_owned(), value)).into()
}

/// The partition key and sort key of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place<'a> {
    pub(super) pk: &'a str,
    pub(super) sk: &'a str,
}

impl Place<'_> {
    pub(super) fn key(self) -> Attributes {
        values([(PK, text(self.pk)), (SK, text(self.sk))])
    }
}

/// Creates a random `write_id`.
pub(super) fn write_id() -> String {
    format!("{:016x}", fastrand::u64(..))
}

/// Whether the item was last written by the write with this id.
pub(super) fn was_written_by(item: &Attributes, write_id: &str) -> bool {
    item.get(WRITE_ID).and_then(|value| value.as_s().ok()).is_some_and(|id| id == write_id)
}

/// The version of an item; `ABSENT` if the attribute is missing. A damaged attribute is returned as the error.
pub(super) fn version(item: &Attributes) -> Result<Version, &AttributeValue> {
    let Some(value) = item.get(VERSION) else { return Ok(Version::ABSENT) };
    let number = value.as_n().ok().and_then(|number| number.parse().ok());
    number.and_then(Version::from_number).ok_or(value)
}

fn document(item: &Attributes) -> String {
    item.get(DOCUMENT).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default()
}

/// Reads the document of an item whose version is valid. The next write treats an item without a version like a
/// missing item.
pub(super) fn stored(item: &Attributes) -> Stored {
    Stored { version: version(item).unwrap_or(Version::ABSENT), text: document(item) }
}

/// Reads the record of an item whose version is valid.
pub(super) fn record(item: &Attributes) -> Record {
    let Stored { version, text } = stored(item);
    let mark = item.get(MARK).and_then(|value| value.as_n().ok()).and_then(|number| number.parse().ok());
    Record { version: version.number(), text, mark }
}
