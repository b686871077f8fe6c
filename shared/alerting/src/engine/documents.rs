//! Typed documents in a transaction.

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
/// Longer than a year, for what is refreshed once a year.
const LONG_KEPT_DAYS: i64 = 400;
/// How many windows and heads are remembered in the process.
const SEEN_LIMIT: usize = 256;
/// How often a change is made again because another worker was faster.
const TRIES: u32 = 30;

/// What is kept as a document.
pub(crate) trait Document: Clone + Default + PartialEq + Serialize + DeserializeOwned + Send {
    /// How many days it is kept after its last change.
    fn kept_days(&self) -> i64 {
        KEPT_DAYS
    }

    /// Forgets what a wrong clock or a damaged record has brought in.
    fn sanitize(&mut self, _now: Timestamp) {}

    /// Takes in the mark beside it.
    fn take_mark(&mut self, _mark: i64) {}

    /// Whether marks are refused, because the document itself has to change.
    fn is_active(&self) -> bool {
        false
    }

    /// When a sweep is to look at it.
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
        // A group is open as long as its incidents are.
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

/// A document and the version that it has in the store.
#[derive(Clone, Debug)]
pub(crate) struct Versioned<D> {
    pub(crate) version: u64,
    pub(crate) document: D,
}

impl<D: Document> Versioned<D> {
    pub(crate) fn absent() -> Self {
        Self { version: 0, document: D::default() }
    }

    /// Reads a record. One that is damaged, or that another version of this code wrote in another form, begins anew: what
    /// it knew is lost, which is better than to fail for ever.
    pub(crate) fn read(key: &Key, record: Option<&Record>, now: Timestamp) -> Self {
        let Some(record) = record else { return Self::absent() };
        let mut document = D::default();
        if !record.text.is_empty() {
            document = serde_json::from_str(&record.text).unwrap_or_else(|error| {
                // The error's own text would repeat what is in the document.
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

/// The JSON of a document, and when it may be deleted.
pub(crate) fn write<D: Document>(document: &D, now: Timestamp) -> Result<Write, Failure> {
    let text = serde_json::to_string(document).map_err(Failure::permanent)?;
    let kept = SignedDuration::from_hours(24 * document.kept_days());
    let expires_at = now.checked_add(kept).unwrap_or(Timestamp::MAX);
    Ok(Write { text, expires_at, due: document.due(), is_active: document.is_active() })
}

/// Windows and heads of groups as a worker last saw them. A storm reads them once a worker, not once an event. What is
/// outdated is found out by the commit, which checks versions.
#[derive(Default)]
pub(crate) struct Seen(Mutex<HashMap<Key, Record>>);

impl Seen {
    fn remember(&self, key: &Key, record: &Record) {
        // Members, entries and incidents are read once or never.
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

/// What a transaction has read, and what it will write.
pub(crate) struct Transaction<'a> {
    records: &'a dyn Records,
    seen: Option<&'a Seen>,
    now: Timestamp,
    known: BTreeMap<Key, Option<Record>>,
    changes: BTreeMap<Key, Change>,
    tries: u32,
}

impl<'a> Transaction<'a> {
    /// A transaction that reads everything anew.
    pub(crate) fn new(records: &'a dyn Records, now: Timestamp) -> Self {
        Self { records, seen: None, now, known: BTreeMap::new(), changes: BTreeMap::new(), tries: 0 }
    }

    /// The same, in which windows and heads are taken as this worker has seen them, and are seen.
    pub(crate) fn with(self, seen: &'a Seen) -> Self {
        Self { seen: Some(seen), ..self }
    }

    /// Takes a document for absent that is probably new. If it is not, the commit finds out.
    pub(crate) fn assume_absent(&mut self, key: &Key) {
        self.known.insert(key.clone(), None);
    }

    /// Takes a record for known.
    pub(crate) fn assume(&mut self, key: &Key, record: Record) {
        self.known.insert(key.clone(), Some(record));
    }

    /// The same for a document that another transaction has read.
    pub(crate) fn assume_read<D: Document>(&mut self, key: &Key, read: &Versioned<D>) -> Result<(), Failure> {
        let text = serde_json::to_string(&read.document).map_err(Failure::permanent)?;
        self.assume(key, Record { version: read.version, text, mark: None });
        Ok(())
    }

    /// Reads a document, as this transaction has changed it so far.
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

    /// Changes a document if it differs from what was read; otherwise the commit checks that it is still the same.
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

    /// Writes a document, whatever is there.
    pub(crate) fn overwrite<D: Document>(&mut self, key: &Key, document: &D) -> Result<(), Failure> {
        let write = Some(write(document, self.now)?);
        self.changes.insert(key.clone(), Change { key: key.clone(), expected: None, write });
        Ok(())
    }

    /// Writes a document that must not be there yet.
    pub(crate) fn create<D: Document>(&mut self, key: &Key, document: &D) -> Result<(), Failure> {
        self.put(key, &Versioned::absent(), document)
    }

    /// Makes all changes. `None`: another worker was faster; what it wrote is known now, and everything is to be decided
    /// again.
    pub(crate) async fn commit(&mut self) -> Result<Option<BTreeMap<Key, Record>>, Failure> {
        let mut changes: Vec<Change> = std::mem::take(&mut self.changes).into_values().collect();
        // A check alone is of no use, and most decisions that write nothing check nothing else.
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
