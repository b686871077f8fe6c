//! What waits for the end of quiet hours, to be told at once.

use crate::documents::Document;
use crate::telling::{Holder, Lease, Next, give_back, take};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// More events are only counted, so that the document stays below the 400 KB that DynamoDB takes.
const NAMED: usize = 1_000;

/// What a channel is told at the end of its quiet hours.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Digest {
    /// By event id.
    pub entries: BTreeMap<String, Entry>,
    /// Events that came when there were too many to name.
    pub more: u32,
    lease: Option<Lease>,
}

/// An event in a digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What happened, in a few words.
    pub what: String,
    /// The name of the object.
    pub name: String,
    /// When.
    pub at: Timestamp,
    /// Why, if it failed.
    pub cause: Option<String>,
    /// Whether it was told.
    pub told: bool,
}

impl Document for Digest {
    const KIND: &'static str = "digest";
}

impl Digest {
    /// Puts an event in, once; beyond as many as a document holds it is only counted.
    pub fn add(&mut self, event: &str, entry: Entry) {
        if self.entries.len() >= NAMED && !self.entries.contains_key(event) {
            self.more += 1;
            return;
        }
        self.entries.entry(event.to_owned()).or_insert(entry);
    }

    /// What is to be done so that `event` is told, not before `until`.
    pub fn next(&mut self, event: &str, holder: Holder, now: Timestamp, until: Timestamp) -> Next {
        match self.entries.get(event) {
            None => Next::Told,
            Some(entry) if entry.told => Next::Told,
            Some(_) if now < until => Next::Wait(until),
            Some(_) => take(&mut self.lease, holder, now).map_or_else(Next::Wait, |_| Next::Tell),
        }
    }

    /// Those that were not told, oldest first.
    pub fn untold(&self) -> Vec<&Entry> {
        let mut entries: Vec<&Entry> = self.entries.values().filter(|entry| !entry.told).collect();
        entries.sort_by_key(|entry| entry.at);
        entries
    }

    /// Notes that what was untold in `shown` was told.
    pub fn told(&mut self, holder: Holder, shown: &Self) {
        give_back(&mut self.lease, holder);
        for event in shown.entries.keys() {
            if let Some(entry) = self.entries.get_mut(event) {
                entry.told = true;
            }
        }
    }

    /// Gives back the right to tell without having told.
    pub fn not_told(&mut self, holder: Holder) {
        give_back(&mut self.lease, holder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_764_000_000 + minute * 60).unwrap()
    }

    fn by(id: u64, minute: i64) -> Holder {
        Holder::numbered(id, at(minute))
    }

    fn entry(minute: i64) -> Entry {
        let (what, name) = ("Extract refresh failed".to_owned(), "Sales".to_owned());
        Entry { what, name, at: at(minute), cause: None, told: false }
    }

    #[test]
    fn what_happens_in_quiet_hours_is_told_once_and_together_when_they_end() {
        let (mut digest, until) = (Digest::default(), at(60));
        for minute in [20, 10, 30] {
            digest.add(&format!("e{minute}"), entry(minute));
            assert_eq!(
                digest.next(&format!("e{minute}"), by(1, minute), at(minute), until),
                Next::Wait(until)
            );
        }
        assert_eq!(digest.next("e20", by(1, 60), at(60), until), Next::Tell);
        assert!(matches!(digest.next("e10", by(2, 60), at(60), until), Next::Wait(_)), "one tells for all");
        let shown = digest.clone();
        assert_eq!(shown.untold().iter().map(|entry| entry.at).collect::<Vec<_>>(), [at(10), at(20), at(30)]);
        // One more comes while the message is on its way.
        digest.add("late", entry(59));
        digest.told(by(1, 60), &shown);
        assert_eq!(digest.next("e10", by(2, 61), at(61), until), Next::Told);
        assert_eq!(digest.next("late", by(2, 61), at(61), until), Next::Tell);
        assert_eq!(digest.untold().len(), 1);
    }
}
