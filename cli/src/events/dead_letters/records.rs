//! Updates the delivery records of events whose dead letters were dropped.
//!
//! The command is about dead letters: a record that cannot be read or written is mentioned, and does not stop the
//! command.

use crate::events::history::Records;
use crate::stack::Stack;
use deliveries::DeliveryKey;
use jiff::Timestamp;
use std::collections::BTreeMap;
use tableau::EventId;
use workflow::BoxError;

/// The delivery records of events whose dead letters may be dropped.
#[derive(Debug)]
pub(super) struct Marks<'a> {
    records: Option<Records<'a>>,
    /// The number of attempts when the dead letter was found. If there is a further attempt by now, the event may
    /// have a new dead letter.
    attempts: BTreeMap<DeliveryKey, u64>,
    trouble: Option<BoxError>,
}

impl<'a> Marks<'a> {
    pub(super) fn of(stack: &'a Stack) -> Self {
        Self { records: Records::of(stack).ok(), attempts: BTreeMap::new(), trouble: None }
    }

    /// Reads the record of an event whose dead letter was found.
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

    /// Records that all dead letters of an event were dropped.
    pub(super) async fn dropped(&mut self, workflow: &str, event: &EventId) {
        let key = DeliveryKey::new(workflow.to_owned(), event.clone());
        let attempts = self.attempts.get(&key);
        let (Some(records), Some(attempts)) = (&self.records, attempts) else { return };
        let marked = records.mark_dropped(&key, *attempts, Timestamp::now()).await;
        if let Err(error) = marked {
            self.trouble.get_or_insert(error);
        }
    }

    /// What went wrong with the records, if anything.
    pub(super) fn trouble(self) -> Option<String> {
        self.trouble
            .map(|error| format!("some delivery records do not show that their events were dropped: {error}"))
    }
}
