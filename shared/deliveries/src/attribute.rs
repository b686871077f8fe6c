//! The attributes of a delivery record: their names, and how values are written and read. No I/O.

use crate::key::DeliveryKey;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::str::FromStr;

/// A DynamoDB item.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// How long a delivery record is kept after its last change. Tableau may repeat an event within hours; after that the
/// record is history for people.
pub const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The index that lists records by day.
pub const INDEX: &str = "by_day";

pub(crate) const PK: &str = "pk";
const SK: &str = "sk";
pub(crate) const WORKFLOW: &str = "workflow";
pub(crate) const EVENT_ID: &str = "event_id";
pub(crate) const EVENT_NAME: &str = "event_name";
pub(crate) const SITE: &str = "site";
pub(crate) const RESOURCE: &str = "resource";
pub(crate) const RESOURCE_NAME: &str = "resource_name";
pub(crate) const CREATED_AT: &str = "created_at";
pub(crate) const PAYLOAD: &str = "payload";
pub(crate) const DAY: &str = "day";
pub(crate) const FIRST_SEEN_AT: &str = "first_seen_at";
pub(crate) const UPDATED_AT: &str = "updated_at";
pub(crate) const EXPIRES_AT: &str = "expires_at";
pub(crate) const STATE: &str = "state";
pub(crate) const OWNER: &str = "owner";
pub(crate) const DEADLINE: &str = "deadline_ms";
pub(crate) const ATTEMPTS: &str = "attempts";
pub(crate) const REASON: &str = "reason";
pub(crate) const EFFECTS: &str = "effects";
pub(crate) const FAILURES: &str = "failures";
pub(crate) const DEFERRALS: &str = "deferrals";
pub(crate) const MISCONFIGURED_SINCE: &str = "misconfigured_since";
pub(crate) const CAUSE: &str = "cause";
pub(crate) const HISTORY: &str = "history";

/// The sort key of a record, which is alone in its partition.
const ALONE: &str = "-";

/// The primary key of a delivery record's item.
pub(crate) fn item_key(key: &DeliveryKey) -> Item {
    [(PK, key.to_string()), (SK, ALONE.to_owned())].map(|(name, value)| (name.to_owned(), text(value))).into()
}

/// Every attribute that a delivery record can have, except the sort key, which is the same for all records.
pub const ATTRIBUTES: [&str; 24] = [
    PK,
    WORKFLOW,
    EVENT_ID,
    EVENT_NAME,
    SITE,
    RESOURCE,
    RESOURCE_NAME,
    CREATED_AT,
    PAYLOAD,
    DAY,
    FIRST_SEEN_AT,
    UPDATED_AT,
    EXPIRES_AT,
    STATE,
    OWNER,
    DEADLINE,
    ATTEMPTS,
    REASON,
    EFFECTS,
    FAILURES,
    DEFERRALS,
    MISCONFIGURED_SINCE,
    CAUSE,
    HISTORY,
];

/// The partition key and the sort key of the index by day.
pub const INDEX_KEYS: [&str; 2] = [DAY, FIRST_SEEN_AT];

/// The attributes that the index by day contains, besides its own keys and the table's. DynamoDB cannot change an
/// index's attributes: another set needs an index with another name.
///
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateGlobalSecondaryIndexAction.html>
pub const INDEX_CARRIES: [&str; 12] = [
    WORKFLOW,
    EVENT_ID,
    EVENT_NAME,
    SITE,
    RESOURCE,
    RESOURCE_NAME,
    CREATED_AT,
    STATE,
    DEADLINE,
    REASON,
    ATTEMPTS,
    UPDATED_AT,
];

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A timestamp as text, in the format whose alphabetical order is the order in time.
pub(crate) fn instant(at: Timestamp) -> AttributeValue {
    text(format!("{at:.3}"))
}

/// A timestamp as a number of milliseconds, for conditions in expressions.
pub(crate) fn milliseconds(at: Timestamp) -> AttributeValue {
    number(at.as_millisecond())
}

/// The day of a timestamp, in UTC.
pub(crate) fn day(at: Timestamp) -> AttributeValue {
    text(at.strftime("%Y-%m-%d").to_string())
}

/// When DynamoDB may delete a record that was changed at `now`, in Unix seconds.
pub(crate) fn expires_at(now: Timestamp) -> AttributeValue {
    number(now.checked_add(KEPT).unwrap_or(Timestamp::MAX).as_second())
}

/// Reads the attributes of an item one by one, and remembers which of them are damaged: of a type or format that this
/// code does not write.
#[derive(Debug)]
pub(crate) struct Reader<'i> {
    item: &'i Item,
    damaged: Vec<&'static str>,
}

impl<'i> Reader<'i> {
    pub(crate) fn of(item: &'i Item) -> Self {
        Self { item, damaged: Vec::new() }
    }

    /// Reads an attribute with `read`; `None` if the attribute is missing or damaged.
    pub(crate) fn read<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&'i AttributeValue) -> Option<T>,
    ) -> Option<T> {
        let value = read(self.item.get(name)?);
        if value.is_none() {
            self.damaged(name);
        }
        value
    }

    pub(crate) fn text(&mut self, name: &'static str) -> String {
        self.read(name, |value| value.as_s().ok()).cloned().unwrap_or_default()
    }

    /// Reads an attribute whose text must be parsed, such as a timestamp.
    pub(crate) fn parsed<T: FromStr>(&mut self, name: &'static str) -> Option<T> {
        self.read(name, |value| value.as_s().ok()?.parse().ok())
    }

    pub(crate) fn number<T: FromStr>(&mut self, name: &'static str) -> Option<T> {
        self.read(name, |value| value.as_n().ok()?.parse().ok())
    }

    /// Records that an attribute is damaged.
    pub(crate) fn damaged(&mut self, name: &'static str) {
        if !self.damaged.contains(&name) {
            self.damaged.push(name);
        }
    }

    /// The names of the damaged attributes, in the order in which they were read.
    pub(crate) fn into_damaged(self) -> Vec<&'static str> {
        self.damaged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_front_page_describes_every_attribute() {
        let page = include_str!("../README.md");
        for name in ATTRIBUTES {
            assert!(page.contains(&format!("\n| `{name}` |")), "README.md has no line on `{name}`");
        }
        let lines = page.lines().filter(|line| line.starts_with("| `")).count();
        assert!(lines >= ATTRIBUTES.len());
    }

    #[test]
    fn a_record_expires_30_days_after_its_last_change_and_never_overflows() {
        assert_eq!(expires_at(Timestamp::UNIX_EPOCH), number(30 * 24 * 60 * 60));
        assert_eq!(expires_at(Timestamp::MAX), number(Timestamp::MAX.as_second()));
    }
}
