//! A document as an item.

use crate::{Key, Stored, Version, Write};
use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::HashMap;

pub(super) const PK: &str = "pk";
const SK: &str = "sk";
/// The sort key of a document, which is alone in its partition.
const ALONE: &str = "-";
pub(super) const VERSION: &str = "version";
pub(super) const DOCUMENT: &str = "document";
pub(super) const DUE_SCOPE: &str = "due_scope";
pub(super) const DUE_AT: &str = "due_at";
/// Drawn at random for each write, so that one that arrives twice is found to be ours.
const WRITE_ID: &str = "write_id";
const EXPIRES_AT: &str = "expires_at";

pub(super) type Attributes = HashMap<String, AttributeValue>;

/// A version that is none.
#[derive(Debug)]
pub(super) struct Damaged(pub(super) AttributeValue);

pub(super) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// The key of a document's item.
pub(super) fn item_key(key: &Key) -> Attributes {
    [(PK, key.as_str()), (SK, ALONE)]
        .map(|(name, value)| (name.to_owned(), AttributeValue::S(value.to_owned())))
        .into()
}

/// The document of an item. One without a version is as good as absent for the next write.
pub(super) fn stored(item: &Attributes) -> Result<Stored, Damaged> {
    let version = match item.get(VERSION) {
        None => Version::ABSENT,
        Some(value) => version(value).ok_or_else(|| Damaged(value.clone()))?,
    };
    let text = item.get(DOCUMENT).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default();
    Ok(Stored { version, text })
}

fn version(value: &AttributeValue) -> Option<Version> {
    Version::from_number(value.as_n().ok()?.parse().ok()?)
}

/// That the newest version is the expected one. It goes with the value `:version`, unless none is expected.
pub(super) fn condition(expected: Version) -> &'static str {
    if expected == Version::ABSENT { "attribute_not_exists(#version)" } else { "#version = :version" }
}

/// The value of [`condition`].
pub(super) fn condition_value(expected: Version) -> Option<(String, AttributeValue)> {
    (expected != Version::ABSENT).then(|| (":version".to_owned(), number(expected.number())))
}

/// The parts of a request that writes a document.
pub(super) struct Writing {
    id: String,
    next: Version,
    pub(super) expression: &'static str,
    pub(super) values: Attributes,
}

impl Writing {
    pub(super) fn new(expected: Version, write: &Write) -> Self {
        let id = format!("{:016x}", fastrand::u64(..));
        let next = expected.next();
        let mut values = Attributes::from([
            (":next".to_owned(), number(next.number())),
            (":document".to_owned(), AttributeValue::S(write.text.clone())),
            (":expires_at".to_owned(), number(write.expires_at.as_second())),
            (":write_id".to_owned(), AttributeValue::S(id.clone())),
        ]);
        values.extend(condition_value(expected));
        let expression = match &write.due {
            Some(due) => {
                values.insert(":due_scope".to_owned(), AttributeValue::S(due.scope.clone()));
                values.insert(":due_at".to_owned(), number(due.at.as_millisecond()));
                "SET #version = :next, #document = :document, #expires_at = :expires_at, #write_id = :write_id, \
                 #due_scope = :due_scope, #due_at = :due_at"
            }
            None => {
                "SET #version = :next, #document = :document, #expires_at = :expires_at, #write_id = :write_id \
                 REMOVE #due_scope, #due_at"
            }
        };
        Self { id, next, expression, values }
    }

    #[expect(clippy::unused_self, reason = "the names belong to the expression")]
    pub(super) fn names(&self) -> HashMap<String, String> {
        let names = [VERSION, DOCUMENT, EXPIRES_AT, WRITE_ID, DUE_SCOPE, DUE_AT];
        names.map(|name| (format!("#{name}"), name.to_owned())).into()
    }

    /// Whether the item is what this write has left.
    pub(super) fn has_made(&self, item: &Attributes) -> bool {
        let id = item.get(WRITE_ID).and_then(|value| value.as_s().ok());
        id == Some(&self.id) && stored(item).is_ok_and(|stored| stored.version == self.next)
    }
}
