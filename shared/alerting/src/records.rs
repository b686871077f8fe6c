//! What the engine asks of a store: versioned records with a partition and a sort key, changed together or not at all.

use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use workflow::BoxError;

/// What names a record. Records of one partition can be listed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The partition.
    pub partition: String,
    /// The place in it.
    pub sort: String,
}

impl Key {
    /// A record that is alone in its partition.
    pub fn single(partition: String) -> Self {
        Self { partition, sort: "-".to_owned() }
    }
}

/// A record as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Counts changes, from 1.
    pub version: u64,
    /// The document, as JSON. Empty when only a mark was written.
    pub text: String,
    /// The mark beside it, see [`Records::raise_mark`].
    pub mark: Option<i64>,
}

/// One part of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Of which record.
    pub key: Key,
    /// The version that it must have, 0 for none. `None`: any.
    pub expected: Option<u64>,
    /// What to write. `None`: nothing, the version only has to hold.
    pub write: Option<Write>,
}

/// What to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The document, as JSON.
    pub text: String,
    /// When the record may be deleted.
    pub expires_at: Timestamp,
    /// When a sweep is to look at it, if at all.
    pub due: Option<Timestamp>,
    /// Whether marks are refused from now on.
    pub is_active: bool,
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Commit {
    /// All of it was written. The versions now, in the order of the changes.
    Done(Vec<u64>),
    /// Nothing was written. The records that were in the way, as they are.
    Conflict(Vec<(Key, Option<Record>)>),
}

/// What became of a mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Marked {
    /// It is raised, or was higher already.
    Done,
    /// The record is active: it has to be read and changed.
    Active(Record),
}

/// A store of records.
#[async_trait]
pub trait Records: Send + Sync {
    /// The records, in the order of the keys, as of all writes that were confirmed before.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Record>>, BoxError>;

    /// All records of a partition, by sort key.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn list(&self, partition: &str) -> Result<Vec<(String, Record)>, BoxError>;

    /// Makes all changes or none.
    ///
    /// # Errors
    /// When the store does not answer. The changes may have been made all the same.
    async fn commit(&self, changes: &[Change]) -> Result<Commit, BoxError>;

    /// Raises the number beside a document with one request, unless the record is active. Counts as a change.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn raise_mark(&self, key: &Key, mark: i64, expires_at: Timestamp) -> Result<Marked, BoxError>;

    /// The keys of records that were due before `before`, the oldest first.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn due(&self, before: Timestamp, limit: usize) -> Result<Vec<Key>, BoxError>;
}

#[derive(Clone, Debug)]
struct Stored {
    record: Record,
    due: Option<Timestamp>,
    is_active: bool,
}

/// Keeps records in the process: for inline mode and tests.
#[derive(Debug, Default)]
pub struct MemoryRecords(Mutex<BTreeMap<Key, Stored>>);

impl MemoryRecords {
    fn locked(&self) -> std::sync::MutexGuard<'_, BTreeMap<Key, Stored>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Records for MemoryRecords {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Record>>, BoxError> {
        let records = self.locked();
        Ok(keys.iter().map(|key| records.get(key).map(|stored| stored.record.clone())).collect())
    }

    async fn list(&self, partition: &str) -> Result<Vec<(String, Record)>, BoxError> {
        let records = self.locked();
        let listed = records.iter().filter(|(key, _)| key.partition == partition);
        Ok(listed.map(|(key, stored)| (key.sort.clone(), stored.record.clone())).collect())
    }

    async fn commit(&self, changes: &[Change]) -> Result<Commit, BoxError> {
        let mut records = self.locked();
        let version = |records: &BTreeMap<Key, Stored>, key: &Key| {
            records.get(key).map_or(0, |stored| stored.record.version)
        };
        let is_in_the_way = |change: &&Change| {
            change.expected.is_some_and(|expected| version(&records, &change.key) != expected)
        };
        let conflicts: Vec<_> = changes.iter().filter(is_in_the_way).collect();
        if !conflicts.is_empty() {
            let current = |change: &&Change| {
                (change.key.clone(), records.get(&change.key).map(|stored| stored.record.clone()))
            };
            return Ok(Commit::Conflict(conflicts.iter().map(current).collect()));
        }
        let mut versions = Vec::new();
        for change in changes {
            let mut version = version(&records, &change.key);
            if let Some(write) = &change.write {
                version += 1;
                let mark = records.get(&change.key).and_then(|stored| stored.record.mark);
                let record = Record { version, text: write.text.clone(), mark };
                let stored = Stored { record, due: write.due, is_active: write.is_active };
                records.insert(change.key.clone(), stored);
            }
            versions.push(version);
        }
        Ok(Commit::Done(versions))
    }

    async fn raise_mark(&self, key: &Key, mark: i64, _: Timestamp) -> Result<Marked, BoxError> {
        let mut records = self.locked();
        let empty = Record { version: 0, text: String::new(), mark: None };
        let stored =
            records.entry(key.clone()).or_insert(Stored { record: empty, due: None, is_active: false });
        if stored.is_active {
            return Ok(Marked::Active(stored.record.clone()));
        }
        stored.record.version += 1;
        stored.record.mark = stored.record.mark.max(Some(mark));
        Ok(Marked::Done)
    }

    async fn due(&self, before: Timestamp, limit: usize) -> Result<Vec<Key>, BoxError> {
        let records = self.locked();
        let mut due: Vec<_> =
            records.iter().filter_map(|(key, stored)| stored.due.map(|due| (due, key.clone()))).collect();
        due.retain(|(due, _)| *due < before);
        due.sort();
        Ok(due.into_iter().take(limit).map(|(_, key)| key).collect())
    }
}
