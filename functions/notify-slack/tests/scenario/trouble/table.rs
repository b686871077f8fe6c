//! A table that fails, and at which processes die.

use async_trait::async_trait;
use fastrand::Rng;
use jiff::Timestamp;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use store::records::{Change, Commit, Key, Marked, MemoryRecords, Record, Records};
use tokio::sync::Notify;
use workflow::BoxError;

tokio::task_local! {
    /// The attempt under way.
    pub(super) static ATTEMPT: Arc<Fate>;
}

/// What becomes of an attempt.
#[derive(Debug, Default)]
pub(super) struct Fate {
    pub(super) died: Notify,
    /// How often something went wrong after which no document knows what was sent.
    pub(super) wrong: AtomicUsize,
}

impl Fate {
    fn fail<T>(&self, why: &str) -> Result<T, BoxError> {
        self.wrong.fetch_add(1, Ordering::SeqCst);
        Err(why.into())
    }

    /// The process ends here.
    async fn die(&self) -> ! {
        self.wrong.fetch_add(1, Ordering::SeqCst);
        self.died.notify_one();
        std::future::pending().await
    }
}

/// A table that fails, and at which processes die.
pub(super) struct Troubled {
    table: MemoryRecords,
    rng: Mutex<Rng>,
    pub(super) calm: AtomicBool,
    /// How bad the night is: one is as bad as it gets.
    pub(super) mild: u32,
}

impl Troubled {
    pub(super) fn new(rng: Rng, calm: bool, mild: u32) -> Self {
        let table = MemoryRecords::default();
        let rng = Mutex::new(rng);
        Self { table, rng, calm: AtomicBool::new(calm), mild }
    }

    /// One of a thousand, in the worst of nights.
    fn draw(&self) -> u32 {
        let drawn = self.rng.lock().unwrap().u32(..1_000 * self.mild);
        if self.calm.load(Ordering::SeqCst) { 1_000 } else { drawn }
    }

    async fn pause(&self) {
        let others = self.rng.lock().unwrap().u32(..8);
        for _ in 0..others {
            tokio::task::yield_now().await;
        }
    }
}

impl Troubled {
    /// One call that reads.
    async fn read<T>(&self, call: impl Future<Output = Result<T, BoxError>> + Send) -> Result<T, BoxError> {
        self.pause().await;
        match self.draw() {
            0..5 => ATTEMPT.get().die().await,
            5..15 => ATTEMPT.get().fail("throttled"),
            _ => call.await,
        }
    }

    /// One call that writes. It may be carried out although no answer comes.
    async fn write<T>(&self, call: impl Future<Output = Result<T, BoxError>> + Send) -> Result<T, BoxError> {
        self.pause().await;
        let drawn = self.draw();
        match drawn {
            0..20 => ATTEMPT.get().die().await,
            20..40 => return ATTEMPT.get().fail("throttled"),
            _ => {}
        }
        let written = call.await;
        match drawn {
            40..60 => ATTEMPT.get().die().await,
            60..80 => ATTEMPT.get().fail("the answer was lost"),
            _ => written,
        }
    }
}

#[async_trait]
impl Records for Troubled {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Record>>, BoxError> {
        self.read(self.table.load(keys)).await
    }

    async fn list(&self, partition: &str) -> Result<Vec<(String, Record)>, BoxError> {
        self.read(self.table.list(partition)).await
    }

    async fn commit(&self, changes: &[Change]) -> Result<Commit, BoxError> {
        self.write(self.table.commit(changes)).await
    }

    async fn raise_mark(&self, key: &Key, mark: i64, expires_at: Timestamp) -> Result<Marked, BoxError> {
        self.write(self.table.raise_mark(key, mark, expires_at)).await
    }

    async fn due(&self, before: Timestamp, limit: usize) -> Result<Vec<Key>, BoxError> {
        self.read(self.table.due(before, limit)).await
    }
}
