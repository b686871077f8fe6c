//! What waits for the end of quiet hours, to be told at once.

use crate::burst::{MANY_WAITING, Member};
use crate::telling::{Holder, Lease, Next, give_back, take};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use store::Document;

/// Room for entries, in bytes as written; more events are only counted, so that the document stays below the 400 KB that
/// DynamoDB takes.
const ROOM: usize = 280_000;
/// What else is written of an entry, in bytes: its event's id, times and names of fields.
const ENTRY: usize = 200;
/// And so many are counted without a name, by their short ids: the same event comes more than once.
const COUNTED: usize = 4_000;

/// What a channel is told at the end of its quiet hours.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Digest {
    /// By event id.
    pub entries: BTreeMap<String, Entry>,
    /// Events that came when there were too many to name.
    unnamed: BTreeSet<String>,
    lease: Option<Lease>,
}

/// An event in a digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What happened, in a few words.
    pub what: String,
    /// The LUID of the object.
    pub object: String,
    /// Its name.
    pub name: String,
    /// When.
    pub at: Timestamp,
    /// Why, if it failed.
    pub cause: Option<String>,
    /// What it means for the object's story.
    pub turn: Turn,
    /// Whether it was told.
    pub told: bool,
}

impl Entry {
    /// About how many bytes it takes.
    fn written(&self) -> usize {
        let cause = self.cause.as_ref().map_or(0, String::len);
        self.what.len() + self.object.len() + self.name.len() + cause + ENTRY
    }
}

/// What an event means for an object's story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Turn {
    /// It failed, and nothing else tells of it.
    Failed,
    /// It failed again, and is told elsewhere.
    FailsOn,
    /// It fails no more.
    Ended,
    /// Nothing.
    None,
}

impl Document for Digest {
    const KIND: &'static str = "digest";
}

impl Digest {
    /// Puts an event in, once; beyond as many as a document holds it is only counted.
    pub fn add(&mut self, event: &str, entry: Entry) {
        if self.entries.contains_key(event) || self.unnamed.contains(event) {
            return;
        }
        let is_full = self.entries.values().map(Entry::written).sum::<usize>() > ROOM;
        // What became of an object last is not left out for what became of it before.
        let earlier = |(id, other): (&String, &Entry)| {
            let is_of_it = other.object == entry.object && entry.turn != Turn::None && other.at <= entry.at;
            (is_of_it && !other.told).then(|| id.clone())
        };
        let gives_way = if is_full { self.entries.iter().find_map(earlier) } else { None };
        match (is_full, gives_way) {
            (true, None) => self.count(event),
            (_, gives_way) => {
                if let Some(id) = gives_way {
                    self.entries.remove(&id);
                    self.count(&id);
                }
                self.entries.insert(event.to_owned(), entry);
            }
        }
    }

    fn count(&mut self, event: &str) {
        if self.unnamed.len() < COUNTED {
            self.unnamed.insert(event.to_owned());
        }
    }

    /// How many events came when there were too many to name.
    pub fn unnamed(&self) -> usize {
        self.unnamed.len()
    }

    /// Whether something of the object waits to be told.
    pub fn has_untold(&self, object: &str) -> bool {
        self.entries.values().any(|entry| entry.object == object && !entry.told)
    }

    /// The objects whose last turn is a failure, by LUID.
    pub fn still_failing(&self) -> BTreeMap<&str, &Entry> {
        let mut last: BTreeMap<&str, &Entry> = BTreeMap::new();
        for entry in self.entries.values().filter(|entry| entry.turn != Turn::None) {
            let newest = last.entry(entry.object.as_str()).or_insert(entry);
            // In the same second an alert too many is better than one too few.
            if (newest.at, newest.turn != Turn::Ended) < (entry.at, entry.turn != Turn::Ended) {
                *newest = entry;
            }
        }
        last.retain(|_, entry| entry.turn != Turn::Ended);
        last
    }

    /// Those that still fail and that nothing else tells of, if they are many: their recoveries are told together.
    pub fn together(&self) -> Vec<(String, Member)> {
        let failing = self.still_failing().into_iter().filter(|(_, entry)| entry.turn == Turn::Failed);
        let member = |(luid, entry): (&str, &Entry)| {
            (luid.to_owned(), Member::new(&entry.name, entry.cause.as_deref(), entry.at))
        };
        let members: Vec<_> = failing.map(member).collect();
        if members.len() < MANY_WAITING { Vec::new() } else { members }
    }

    /// What is to be done so that `event` is told, not before `until`. [`Next::Alone`] when it is not in the digest.
    pub fn next(&mut self, event: &str, holder: Holder, now: Timestamp, until: Timestamp) -> Next {
        match self.entries.get(event) {
            // Beyond as many as are counted, they are not known by name.
            None if self.unnamed.contains(event) || self.unnamed.len() >= COUNTED => Next::Told,
            None => Next::Alone,
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
        let (object, turn) = ("luid".to_owned(), Turn::Failed);
        Entry { what, object, name, at: at(minute), cause: None, turn, told: false }
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
