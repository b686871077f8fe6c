//! Builds the expressions of a request that writes a document or a record.

use super::item::{
    ACTIVE, Attributes, DOCUMENT, DUE_AT, DUE_SCOPE, EXPIRES_AT, VERSION, WRITE_ID, names, number, text,
};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use std::collections::HashMap;

/// A condition on an item's version, and the attributes to set and remove if it holds.
pub(super) struct Writing {
    condition: &'static str,
    set: Vec<String>,
    remove: Vec<&'static str>,
    used: Vec<&'static str>,
    values: Attributes,
}

impl Writing {
    /// Writes the version after `expected`. With `None` the write is made at any version, unless the same write was
    /// already made and only its answer was lost.
    pub(super) fn new(expected: Option<u64>, id: &str) -> Self {
        let mut writing = Self::check(expected);
        writing.set_to(WRITE_ID, text(id));
        match expected {
            Some(expected) => writing.set_to(VERSION, number(expected.saturating_add(1))),
            None => writing.count_up(),
        }
        writing
    }

    /// Only checks that the newest version is `expected`; writes nothing.
    pub(super) fn check(expected: Option<u64>) -> Self {
        let condition = match expected {
            Some(0) => "attribute_not_exists(#version)",
            Some(_) => "#version = :expected",
            None => "attribute_not_exists(#write_id) OR #write_id <> :write_id",
        };
        let mut values = Attributes::new();
        if let Some(expected @ 1..) = expected {
            values.insert(":expected".to_owned(), number(expected));
        }
        let used = vec![if expected.is_some() { VERSION } else { WRITE_ID }];
        Self { condition, set: Vec::new(), remove: Vec::new(), used, values }
    }

    /// Increments the version without knowing it. The attribute can only be a number or missing.
    fn count_up(&mut self) {
        self.use_name(VERSION);
        self.set.push("#version = if_not_exists(#version, :zero) + :one".to_owned());
        self.values.insert(":zero".to_owned(), number(0));
        self.values.insert(":one".to_owned(), number(1));
    }

    fn use_name(&mut self, name: &'static str) {
        if !self.used.contains(&name) {
            self.used.push(name);
        }
    }

    fn set_to(&mut self, name: &'static str, value: AttributeValue) {
        self.use_name(name);
        self.set.push(format!("#{name} = :{name}"));
        self.values.insert(format!(":{name}"), value);
    }

    fn removed(&mut self, name: &'static str) {
        self.use_name(name);
        self.remove.push(name);
    }

    pub(super) fn document(mut self, document: &str, expires_at: Timestamp) -> Self {
        self.set_to(DOCUMENT, text(document));
        self.set_to(EXPIRES_AT, number(expires_at.as_second()));
        self
    }

    /// Puts the record into the `by_due` index while it is due, and removes it otherwise.
    pub(super) fn due(mut self, scope: &str, due: Option<Timestamp>) -> Self {
        match due {
            Some(at) => {
                self.set_to(DUE_SCOPE, text(scope));
                self.set_to(DUE_AT, number(at.as_millisecond()));
            }
            None => {
                self.removed(DUE_SCOPE);
                self.removed(DUE_AT);
            }
        }
        self
    }

    pub(super) fn active(mut self, is_active: bool) -> Self {
        match is_active {
            true => self.set_to(ACTIVE, AttributeValue::Bool(true)),
            false => self.removed(ACTIVE),
        }
        self
    }

    pub(super) fn condition(&self) -> &'static str {
        self.condition
    }

    pub(super) fn update(&self) -> String {
        let mut update = format!("SET {}", self.set.join(", "));
        if !self.remove.is_empty() {
            let removed: Vec<String> = self.remove.iter().map(|name| format!("#{name}")).collect();
            update.push_str(&format!(" REMOVE {}", removed.join(", ")));
        }
        update
    }

    pub(super) fn names(&self) -> HashMap<String, String> {
        names(self.used.iter().copied())
    }

    /// The placeholder values; `None` if there are none, since DynamoDB refuses an empty set.
    pub(super) fn values(&self) -> Option<Attributes> {
        (!self.values.is_empty()).then(|| self.values.clone())
    }
}
