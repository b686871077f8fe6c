//! Reads a stack's delivery records. Its errors say what to do.

use crate::aws::Account;
use crate::stack::Stack;
use deliveries::{DeliveryKey, Record};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use workflow::BoxError;

/// How far back records can exist, by when their events were first seen: an event may have waited as a dead letter
/// for 14 days before the last change of its record. An event that was replayed more often than that is not found.
pub(super) const FURTHEST: SignedDuration = SignedDuration::from_hours(60 * 24);
/// How far AWS's clocks may be ahead of this machine's.
pub(super) const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(15);

/// How often in a row a busy table may leave out every record that was asked for, and the wait after each time.
const BUSY_TRIES: u32 = 8;
const BUSY_WAIT: Duration = Duration::from_millis(500);

/// The delivery records of a stack.
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

    /// The complete record of an event in a workflow.
    pub(in crate::events) async fn get(&self, key: &DeliveryKey) -> Result<Option<Record>, BoxError> {
        let got = self.records.get(key).await;
        got.map_err(|error| self.account.explain("dynamodb:GetItem", *error))
    }

    /// The causes of the records with these keys, of those that have one.
    pub(super) async fn causes(
        &self,
        mut keys: BTreeSet<DeliveryKey>,
    ) -> Result<BTreeMap<DeliveryKey, String>, BoxError> {
        let mut found = BTreeMap::new();
        let mut tries = 0;
        while !keys.is_empty() {
            let read = self.records.causes(&keys).await;
            let read = read.map_err(|error| self.account.explain("dynamodb:BatchGetItem", *error))?;
            found.extend(read.found);
            if read.left_out.len() == keys.len() {
                tries += 1;
                if tries == BUSY_TRIES {
                    return Err(
                        "the table is busy: dynamodb:BatchGetItem left records out again and again; try again".into()
                    );
                }
                tokio::time::sleep(BUSY_WAIT).await;
            } else {
                tries = 0;
            }
            keys = read.left_out;
        }
        Ok(found)
    }

    /// Marks a failed event as dropped, unless a worker has claimed it since.
    pub(in crate::events) async fn mark_dropped(
        &self,
        key: &DeliveryKey,
        attempts: u64,
        now: Timestamp,
    ) -> Result<(), BoxError> {
        let marked = self.records.mark_dropped(key, attempts, now).await;
        marked.map(|_| ()).map_err(|error| self.account.explain("dynamodb:UpdateItem", *error))
    }

    /// Lists records backwards from `until` to `since`; none if `since` is after `until`.
    pub(super) fn back(&'a self, since: Timestamp, until: Timestamp) -> Walk<'a> {
        Walk { account: self.account, walk: self.records.back(since, until) }
    }
}

/// Walks through the index by day, newest records first.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    account: &'a Account,
    walk: deliveries::Walk<'a>,
}

impl Walk<'_> {
    /// Limits the walk to events whose ids begin with these digits.
    pub(super) fn beginning_with(self, beginning: &str) -> Self {
        Self { walk: self.walk.beginning_with(beginning), ..self }
    }

    /// Reads the next records; possibly none for a day without records, and `None` at the end.
    pub(super) async fn next(&mut self, limit: Option<i32>) -> Result<Option<Vec<Record>>, BoxError> {
        let account = self.account;
        self.walk.next(limit).await.map_err(|error| account.explain("dynamodb:Query", *error))
    }
}
