//! A store of records that delays, fails and loses answers.

use async_trait::async_trait;
use jiff::Timestamp;
use published_rules::PublishedRules;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use store::records::{Change, Commit, Key, Marked, MemoryRecords, Record, Records};
use tokio::sync::Barrier;
use workflow::BoxError;

/// What happens to the next commit's answer.
#[derive(Clone, Copy, Debug)]
enum Lost {
    AsError,
    AsConflict,
}

/// Records in memory that can be obstinate.
#[derive(Debug, Default)]
pub(crate) struct Obstinate {
    pub(crate) records: MemoryRecords,
    /// The first commits wait for each other.
    together: Mutex<Option<(Arc<Barrier>, usize)>>,
    lost: Mutex<Option<Lost>>,
    fails_load: AtomicBool,
    listed: AtomicUsize,
    expires_at: Mutex<BTreeMap<String, Timestamp>>,
}

impl Obstinate {
    pub(crate) fn start() -> (Arc<Self>, PublishedRules) {
        let records = Arc::<Self>::default();
        (Arc::clone(&records), PublishedRules::new(records))
    }

    /// Lets the next `count` commits begin only when all of them have come.
    pub(crate) fn wait_for(&self, count: usize) {
        *self.together.lock().unwrap() = Some((Arc::new(Barrier::new(count)), count));
    }

    /// Makes the next commit, and answers with an error or a conflict.
    pub(crate) fn lose_answer(&self, as_conflict: bool) {
        *self.lost.lock().unwrap() = Some(if as_conflict { Lost::AsConflict } else { Lost::AsError });
    }

    pub(crate) fn fail_load(&self) {
        self.fails_load.store(true, SeqCst);
    }

    /// How many records were listed so far.
    pub(crate) fn listed(&self) -> usize {
        self.listed.load(SeqCst)
    }

    pub(crate) fn expires_at(&self, sort: &str) -> Timestamp {
        self.expires_at.lock().unwrap()[sort]
    }

    fn barrier(&self) -> Option<Arc<Barrier>> {
        let mut together = self.together.lock().unwrap();
        let (barrier, left) = together.as_mut()?;
        let barrier = Arc::clone(barrier);
        *left -= 1;
        if *left == 0 {
            *together = None;
        }
        Some(barrier)
    }
}

#[async_trait]
impl Records for Obstinate {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Record>>, BoxError> {
        if self.fails_load.swap(false, SeqCst) {
            return Err("the table does not answer".into());
        }
        self.records.load(keys).await
    }

    async fn list(&self, partition: &str) -> Result<Vec<(String, Record)>, BoxError> {
        self.records.list(partition).await
    }

    async fn newest(
        &self,
        partition: &str,
        before: &str,
        limit: usize,
    ) -> Result<Vec<(String, Record)>, BoxError> {
        let page = self.records.newest(partition, before, limit).await?;
        self.listed.fetch_add(page.len(), SeqCst);
        Ok(page)
    }

    async fn commit(&self, changes: &[Change]) -> Result<Commit, BoxError> {
        let barrier = self.barrier();
        if let Some(barrier) = barrier {
            barrier.wait().await;
        }
        let commit = self.records.commit(changes).await?;
        if matches!(commit, Commit::Done(_)) {
            let mut all = self.expires_at.lock().unwrap();
            for Change { key, write, .. } in changes {
                all.extend(write.iter().map(|write| (key.sort.clone(), write.expires_at)));
            }
        }
        match self.lost.lock().unwrap().take() {
            None => Ok(commit),
            Some(Lost::AsConflict) => Ok(Commit::Conflict(Vec::new())),
            Some(Lost::AsError) => Err("the answer was lost".into()),
        }
    }

    async fn raise_mark(&self, key: &Key, mark: i64, expires_at: Timestamp) -> Result<Marked, BoxError> {
        self.records.raise_mark(key, mark, expires_at).await
    }

    async fn due(&self, before: Timestamp, limit: usize) -> Result<Vec<Key>, BoxError> {
        self.records.due(before, limit).await
    }
}
