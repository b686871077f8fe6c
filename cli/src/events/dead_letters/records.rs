//! What `drop` writes into the records of events.
//!
//! Dropping is about letters; a record that cannot be read or written is a remark, and no reason to stop.

use crate::events::history::Records;
use crate::stack::Stack;
use deliveries::DeliveryKey;
use jiff::Timestamp;
use std::collections::BTreeMap;
use tableau::EventId;
use workflow::BoxError;

/// The records of events whose letters may be dropped.
#[derive(Debug)]
pub(super) struct Marks<'a> {
    records: Option<Records<'a>>,
    /// How many attempts there were when the letter was found. With one more since, the event may
    /// have a new letter, and is not the one that was dropped.
    attempts: BTreeMap<DeliveryKey, u64>,
    trouble: Option<BoxError>,
}

impl<'a> Marks<'a> {
    pub(super) fn of(stack: &'a Stack) -> Self {
        Self { records: Records::of(stack).ok(), attempts: BTreeMap::new(), trouble: None }
    }

    /// Looks at the record of an event whose letter was found.
    pub(super) async fn look(&mut self, workflow: &str, event: &EventId) {
        let Some(records) = self.records.as_ref().filter(|_| self.trouble.is_none()) else { return };
        let key = DeliveryKey::new(workflow.to_owned(), event.clone());
        match records.get(&key).await {
            Ok(Some(record)) => {
                self.attempts.entry(key).or_insert(record.attempts);
            }
            Ok(None) => {}
            Err(error) => self.trouble = Some(error),
        }
    }

    /// Writes down that all letters of an event were dropped.
    pub(super) async fn dropped(&mut self, workflow: &str, event: &EventId) {
        let key = DeliveryKey::new(workflow.to_owned(), event.clone());
        let attempts = self.attempts.get(&key);
        let (Some(records), Some(attempts)) = (&self.records, attempts) else { return };
        let marked = records.mark_dropped(&key, *attempts, Timestamp::now()).await;
        if let Err(error) = marked {
            self.trouble.get_or_insert(error);
        }
    }

    /// What is to say when something went wrong.
    pub(super) fn trouble(self) -> Option<String> {
        self.trouble
            .map(|error| format!("some delivery records do not show that their events were dropped: {error}"))
    }
}
