//! Records in memory.

use super::{Change, Commit, Key, Marked, Record, Records, check_changes, check_key, check_partition};
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use workflow::BoxError;

#[derive(Debug)]
struct Slot {
    record: Record,
    /// When the record is due, in milliseconds, as in the table's index.
    due: Option<i64>,
    is_active: bool,
}

type Slots = BTreeMap<Key, Slot>;

/// Records in memory, for inline mode and tests. They do not expire and are lost when the process ends.
#[derive(Debug, Default)]
pub struct MemoryRecords(Mutex<Slots>);

impl MemoryRecords {
    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn current(slots: &Slots, key: &Key) -> Option<Record> {
    slots.get(key).map(|slot| slot.record.clone())
}

fn version(slots: &Slots, key: &Key) -> u64 {
    slots.get(key).map_or(0, |slot| slot.record.version)
}

#[async_trait]
impl Records for MemoryRecords {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Record>>, BoxError> {
        keys.iter().try_for_each(check_key)?;
        let slots = self.slots();
        Ok(keys.iter().map(|key| current(&slots, key)).collect())
    }

    async fn list(&self, partition: &str) -> Result<Vec<(String, Record)>, BoxError> {
        check_partition(partition)?;
        let slots = self.slots();
        let listed = slots.iter().filter(|(key, _)| key.partition == partition);
        Ok(listed.map(|(key, slot)| (key.sort.clone(), slot.record.clone())).collect())
    }

    async fn commit(&self, changes: &[Change]) -> Result<Commit, BoxError> {
        check_changes(changes)?;
        let mut slots = self.slots();
        let is_in_the_way = |change: &&Change| {
            change.expected.is_some_and(|expected| version(&slots, &change.key) != expected)
        };
        let in_the_way = changes.iter().filter(is_in_the_way);
        let conflicts: Vec<_> =
            in_the_way.map(|change| (change.key.clone(), current(&slots, &change.key))).collect();
        if !conflicts.is_empty() {
            return Ok(Commit::Conflict(conflicts));
        }
        for change in changes {
            let Some(write) = &change.write else { continue };
            let version = version(&slots, &change.key).saturating_add(1);
            let mark = slots.get(&change.key).and_then(|slot| slot.record.mark);
            let record = Record { version, text: write.text.clone(), mark };
            let due = write.due.map(Timestamp::as_millisecond);
            slots.insert(change.key.clone(), Slot { record, due, is_active: write.is_active });
        }
        Ok(Commit::Done(changes.iter().map(Change::version_after).collect()))
    }

    async fn raise_mark(&self, key: &Key, mark: i64, _: Timestamp) -> Result<Marked, BoxError> {
        check_key(key)?;
        let mut slots = self.slots();
        let empty = || Slot {
            record: Record { version: 0, text: String::new(), mark: None },
            due: None,
            is_active: false,
        };
        let slot = slots.entry(key.clone()).or_insert_with(empty);
        if slot.is_active {
            return Ok(Marked::Active(slot.record.clone()));
        }
        if slot.record.mark < Some(mark) {
            slot.record.version = slot.record.version.saturating_add(1);
            slot.record.mark = Some(mark);
        }
        Ok(Marked::Done)
    }

    async fn due(&self, before: Timestamp, limit: usize) -> Result<Vec<Key>, BoxError> {
        let slots = self.slots();
        let dues = slots.iter().filter_map(|(key, slot)| Some((slot.due?, key)));
        let mut due: Vec<_> = dues.filter(|(due, _)| *due < before.as_millisecond()).collect();
        due.sort();
        Ok(due.into_iter().take(limit).map(|(_, key)| key.clone()).collect())
    }
}
