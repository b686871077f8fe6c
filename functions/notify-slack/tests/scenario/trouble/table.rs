//! A table that fails, and whose calls kill processes.

use async_trait::async_trait;
use fastrand::Rng;
use jiff::Timestamp;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use store::records::{Change, Commit, Key, Marked, MemoryRecords, Record, Records};
use tokio::sync::Notify;
use workflow::BoxError;

tokio::task_local! {
    /// The attempt that is running.
    pub(super) static ATTEMPT: Arc<Fate>;
}

/// The fate of an attempt.
#[derive(Debug, Default)]
pub(super) struct Fate {
    pub(super) died: Notify,
    /// How many faults happened after which no document knows what was sent.
    pub(super) wrong: AtomicUsize,
}

impl Fate {
    fn fail<T>(&self, why: &str) -> Result<T, BoxError> {
        self.wrong.fetch_add(1, Ordering::SeqCst);
        Err(why.into())
    }

    /// The process ends at this call.
    async fn die(&self) -> ! {
        self.wrong.fetch_add(1, Ordering::SeqCst);
        self.died.notify_one();
        std::future::pending().await
    }
}

/// A table that fails, and whose calls kill processes.
pub(super) struct Troubled {
    table: MemoryRecords,
    rng: Mutex<Rng>,
    pub(super) calm: AtomicBool,
    /// The intensity of the faults; 1 is the highest.
    pub(super) mild: u32,
}

impl Troubled {
    pub(super) fn new(rng: Rng, calm: bool, mild: u32) -> Self {
        let table = MemoryRecords::default();
        let rng = Mutex::new(rng);
        Self { table, rng, calm: AtomicBool::new(calm), mild }
    }

    /// The chance in thousandths at the highest intensity.
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
    /// Makes one read call.
    async fn read<T>(&self, call: impl Future<Output = Result<T, BoxError>> + Send) -> Result<T, BoxError> {
        self.pause().await;
        match self.draw() {
            0..5 => ATTEMPT.get().die().await,
            5..15 => ATTEMPT.get().fail("throttled"),
            _ => call.await,
        }
    }

    /// Makes one write call. The write may be carried out although the answer gets lost.
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
