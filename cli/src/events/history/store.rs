//! The delivery records of a stack, and errors that say what to do.

use crate::aws::Account;
use crate::stack::Stack;
use deliveries::{DeliveryKey, Record};
use jiff::{SignedDuration, Timestamp};
use workflow::BoxError;

/// How far back there is anything, by when an event was first seen: it may have waited among the dead letters for 14 days
/// before the last change of its record. What was replayed more often than that is not looked for.
pub(super) const FURTHEST: SignedDuration = SignedDuration::from_hours(60 * 24);
/// How far ahead of ours the clocks of AWS may be.
pub(super) const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(15);

/// The records of a stack.
#[derive(Debug)]
pub(in crate::events) struct Records<'a> {
    account: &'a Account,
    records: deliveries::Records,
}

impl<'a> Records<'a> {
    pub(in crate::events) fn of(stack: &'a Stack) -> Result<Self, BoxError> {
        let account = &stack.account;
        let table = stack.table()?;
        let client = aws_sdk_dynamodb::Client::new(&account.config);
        Ok(Self { account, records: deliveries::Records::new(client, table) })
    }

    /// The whole record of an event at a workflow.
    pub(in crate::events) async fn get(&self, key: &DeliveryKey) -> Result<Option<Record>, BoxError> {
        let got = self.records.get(key).await;
        got.map_err(|error| self.account.explain("dynamodb:GetItem", *error))
    }

    /// Writes down that a person has dropped an event that failed, unless it has been claimed since.
    pub(in crate::events) async fn mark_dropped(
        &self,
        key: &DeliveryKey,
        attempts: u64,
        now: Timestamp,
    ) -> Result<(), BoxError> {
        let marked = self.records.mark_dropped(key, attempts, now).await;
        marked.map(|_| ()).map_err(|error| self.account.explain("dynamodb:UpdateItem", *error))
    }

    /// Goes back from `until` to `since`; nowhere when that is after it.
    pub(super) fn back(&'a self, since: Timestamp, until: Timestamp) -> Walk<'a> {
        Walk { account: self.account, walk: self.records.back(since, until) }
    }
}

/// A walk through what the index has of records, the newest first.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    account: &'a Account,
    walk: deliveries::Walk<'a>,
}

impl Walk<'_> {
    /// Only records of events whose ids begin like this.
    pub(super) fn beginning_with(self, beginning: &str) -> Self {
        Self { walk: self.walk.beginning_with(beginning), ..self }
    }

    /// Some more records, perhaps none of a day; `None` when it is over.
    pub(super) async fn next(&mut self, limit: Option<i32>) -> Result<Option<Vec<Record>>, BoxError> {
        let account = self.account;
        self.walk.next(limit).await.map_err(|error| account.explain("dynamodb:Query", *error))
    }
}
