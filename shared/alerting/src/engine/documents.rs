//! Reads and writes alerting's documents (incidents, groups, digests, …) in transactions.

use super::keys::WINDOW;
use crate::digest::Entry;
use crate::group::{GroupHead, Member, Window};
use crate::incident::Incident;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use store::records::{Change, Commit, Key, Record, Records, Write};
use workflow::{BoxError, Failure};

const KEPT_DAYS: i64 = 30;
/// For how long incidents and groups of incidents are kept: more than a year, because some objects are refreshed once
/// a year.
const LONG_KEPT_DAYS: i64 = 400;
/// How many windows and group heads a process caches.
const SEEN_LIMIT: usize = 256;
/// How often a change is tried again after another worker changed the same document first.
const TRIES: u32 = 30;

/// A type that alerting stores as a document.
pub(crate) trait Document: Clone + Default + PartialEq + Serialize + DeserializeOwned + Send {
    /// How many days after its last change the document may be deleted.
    fn kept_days(&self) -> i64 {
        KEPT_DAYS
    }

    /// Clears values that only a wrong clock or a damaged record can have brought in.
    fn sanitize(&mut self, _now: Timestamp) {}

    /// Copies the record's mark into the document: the time of a success, written beside the document without
    /// rewriting it.
    fn take_mark(&mut self, _mark: i64) {}

    /// Whether a mark must not be written beside this document, because the document itself has to change.
    fn is_active(&self) -> bool {
        false
    }

    /// When the hourly sweep should look at this document; `None` for never.
    fn due(&self) -> Option<Timestamp> {
        None
    }
}

impl Document for Incident {
    fn kept_days(&self) -> i64 {
        LONG_KEPT_DAYS
    }

    fn sanitize(&mut self, now: Timestamp) {
        Self::sanitize(self, now);
    }

    fn take_mark(&mut self, mark: i64) {
        if let Ok(at) = Timestamp::from_millisecond(mark) {
            self.raise_last_success(at);
        }
    }

    fn is_active(&self) -> bool {
        self.open.is_some()
    }

    fn due(&self) -> Option<Timestamp> {
        self.due()
    }
}

impl Document for Window {}

impl Document for GroupHead {
    fn kept_days(&self) -> i64 {
        // A group of incidents stays open until its last incident ends, so it is kept as long as incidents are.
        if self.closed || self.is_of_events { KEPT_DAYS } else { LONG_KEPT_DAYS }
    }

    fn sanitize(&mut self, now: Timestamp) {
        Self::sanitize(self, now);
    }

    fn due(&self) -> Option<Timestamp> {
        self.due()
    }
}

impl Document for Member {
    fn kept_days(&self) -> i64 {
        if self.is_in_group() && !self.is_event { LONG_KEPT_DAYS } else { KEPT_DAYS }
    }

    fn sanitize(&mut self, now: Timestamp) {
        Self::sanitize(self, now);
    }
}

impl Document for Entry {
    fn sanitize(&mut self, now: Timestamp) {
        Self::sanitize(self, now);
    }
}

/// A document and its version in the store.
#[derive(Clone, Debug)]
pub(crate) struct Versioned<D> {
    pub(crate) version: u64,
    pub(crate) document: D,
}

impl<D: Document> Versioned<D> {
    pub(crate) fn absent() -> Self {
        Self { version: 0, document: D::default() }
    }

    /// Reads a document from a record. A record that is damaged, or that another version of this code wrote in
    /// another format, is treated as empty: losing its content is better than failing for ever.
    pub(crate) fn read(key: &Key, record: Option<&Record>, now: Timestamp) -> Self {
        let Some(record) = record else { return Self::absent() };
        let mut document = D::default();
        if !record.text.is_empty() {
            document = serde_json::from_str(&record.text).unwrap_or_else(|error| {
                // Only the kind of the parse error is logged: the error's text would quote the document.
                let kind = error.classify();
                tracing::warn!(
                    key = key.partition,
                    ?kind,
                    "a stored document cannot be read; an empty one replaces it"
                );
                D::default()
            });
        }
        if let Some(mark) = record.mark {
            document.take_mark(mark);
        }
        document.sanitize(now);
        Self { version: record.version, document }
    }
}

/// Serializes a document to JSON and sets when the store may delete it.
pub(crate) fn write<D: Document>(document: &D, now: Timestamp) -> Result<Write, Failure> {
    let text = serde_json::to_string(document).map_err(Failure::permanent)?;
    let kept = SignedDuration::from_hours(24 * document.kept_days());
    let expires_at = now.checked_add(kept).unwrap_or(Timestamp::MAX);
    Ok(Write { text, expires_at, due: document.due(), is_active: document.is_active() })
}

/// A process-wide cache of windows and group heads, so that in a storm each worker reads them once and not for every
/// event. An outdated copy does no harm: the commit checks versions and fails.
#[derive(Default)]
pub(crate) struct Seen(Mutex<HashMap<Key, Record>>);

impl Seen {
    fn remember(&self, key: &Key, record: &Record) {
        // Only heads and windows are cached: members, digest entries and incidents are rarely read twice.
        if key.sort != "head" && !key.partition.starts_with(WINDOW) {
            return;
        }
        let mut seen = self.lock();
        if seen.len() > SEEN_LIMIT {
            seen.clear();
        }
        seen.insert(key.clone(), record.clone());
    }

    pub(crate) fn forget(&self, key: &Key) {
        self.lock().remove(key);
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn get(&self, key: &Key) -> Option<Record> {
        self.lock().get(key).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Record>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A transaction: the documents read so far and the changes to write.
pub(crate) struct Transaction<'a> {
    records: &'a dyn Records,
    seen: Option<&'a Seen>,
    now: Timestamp,
    known: BTreeMap<Key, Option<Record>>,
    changes: BTreeMap<Key, Change>,
    tries: u32,
}

impl<'a> Transaction<'a> {
    /// A transaction that reads every document from the store and not from the cache.
    pub(crate) fn new(records: &'a dyn Records, now: Timestamp) -> Self {
        Self { records, seen: None, now, known: BTreeMap::new(), changes: BTreeMap::new(), tries: 0 }
    }

    /// Makes the transaction read windows and heads from this worker's cache, and update the cache.
    pub(crate) fn with(self, seen: &'a Seen) -> Self {
        Self { seen: Some(seen), ..self }
    }

    /// Assumes without reading that a document does not exist. If the document exists, the commit fails and reads it.
    pub(crate) fn assume_absent(&mut self, key: &Key) {
        self.known.insert(key.clone(), None);
    }

    /// Uses a record that is already known in place of reading it.
    pub(crate) fn assume(&mut self, key: &Key, record: Record) {
        self.known.insert(key.clone(), Some(record));
    }

    /// Uses a document that another transaction has read in place of reading it.
    pub(crate) fn assume_read<D: Document>(&mut self, key: &Key, read: &Versioned<D>) -> Result<(), Failure> {
        let text = serde_json::to_string(&read.document).map_err(Failure::permanent)?;
        self.assume(key, Record { version: read.version, text, mark: None });
        Ok(())
    }

    /// Returns a document, including changes already made in this transaction.
    pub(crate) async fn get<D: Document>(&mut self, key: &Key) -> Result<Versioned<D>, Failure> {
        if let Some(Change { expected, write: Some(write), .. }) = self.changes.get(key) {
            let document = serde_json::from_str(&write.text).map_err(Failure::permanent)?;
            return Ok(Versioned { version: expected.unwrap_or_default(), document });
        }
        if !self.known.contains_key(key) {
            let seen = self.seen.and_then(|seen| seen.get(key));
            let record = match seen {
                Some(record) => Some(record),
                None => {
                    let loaded = self.records.load(std::slice::from_ref(key)).await.map_err(unavailable)?;
                    loaded.into_iter().next().flatten()
                }
            };
            self.know(key.clone(), record);
        }
        Ok(Versioned::read(key, self.known.get(key).and_then(Option::as_ref), self.now))
    }

    fn know(&mut self, key: Key, record: Option<Record>) {
        if let (Some(seen), Some(record)) = (self.seen, &record) {
            seen.remember(&key, record);
        }
        self.known.insert(key, record);
    }

    /// Writes a document if it differs from what was read. If it does not differ, the commit still checks that no
    /// other worker changed it.
    pub(crate) fn put<D: Document>(
        &mut self,
        key: &Key,
        read: &Versioned<D>,
        document: &D,
    ) -> Result<(), Failure> {
        let is_changed =
            *document != read.document || self.changes.get(key).is_some_and(|c| c.write.is_some());
        let write = if is_changed { Some(write(document, self.now)?) } else { None };
        let change = Change { key: key.clone(), expected: Some(read.version), write };
        self.changes.insert(key.clone(), change);
        Ok(())
    }

    /// Writes a document without checking the version in the store.
    pub(crate) fn overwrite<D: Document>(&mut self, key: &Key, document: &D) -> Result<(), Failure> {
        let write = Some(write(document, self.now)?);
        self.changes.insert(key.clone(), Change { key: key.clone(), expected: None, write });
        Ok(())
    }

    /// Writes a document that must not exist yet.
    pub(crate) fn create<D: Document>(&mut self, key: &Key, document: &D) -> Result<(), Failure> {
        self.put(key, &Versioned::absent(), document)
    }

    /// Commits all changes. `None` when another worker changed one of the documents first: the transaction has then
    /// read the new versions, and the caller decides again.
    pub(crate) async fn commit(&mut self) -> Result<Option<BTreeMap<Key, Record>>, Failure> {
        let mut changes: Vec<Change> = std::mem::take(&mut self.changes).into_values().collect();
        // A transaction that writes nothing needs no commit: a version check alone changes nothing.
        if changes.iter().all(|change| change.write.is_none()) {
            return Ok(Some(BTreeMap::new()));
        }
        changes.sort_by(|one, other| one.key.cmp(&other.key));
        match self.records.commit(&changes).await.map_err(unavailable)? {
            Commit::Done(versions) => {
                let written = changes.into_iter().zip(versions).filter_map(|(change, version)| {
                    let text = change.write?.text;
                    let version = version?;
                    let mark = self.known.get(&change.key).and_then(Option::as_ref).and_then(|r| r.mark);
                    Some((change.key, Record { version, text, mark }))
                });
                let written: BTreeMap<Key, Record> = written.collect();
                for (key, record) in &written {
                    self.seen.inspect(|seen| seen.remember(key, record));
                }
                Ok(Some(written))
            }
            Commit::Conflict(current) => {
                self.tries += 1;
                if self.tries >= TRIES {
                    return Err(Failure::transient("too many workers change the same alerting documents"));
                }
                for (key, record) in current {
                    if record.is_none() {
                        self.seen.inspect(|seen| seen.forget(&key));
                    }
                    self.know(key, record);
                }
                let most = Duration::from_millis(20 * u64::from(self.tries.min(10)));
                tokio::time::sleep(most.mul_f64(fastrand::f64())).await;
                Ok(None)
            }
        }
    }
}

pub(crate) fn unavailable(error: BoxError) -> Failure {
    Failure::transient(error)
}
