//! A table that fails, and at which processes die.

use async_trait::async_trait;
use fastrand::Rng;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use store::{Key, MemoryStore, Put, Store, Stored, Version, Write};
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
    /// How often something went wrong after which nobody knows what was said.
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
    table: MemoryStore,
    rng: Mutex<Rng>,
    pub(super) calm: AtomicBool,
    /// How bad the night is: one is as bad as it gets.
    pub(super) mild: u32,
}

impl Troubled {
    pub(super) fn new(rng: Rng, calm: bool, mild: u32) -> Self {
        let (table, rng) = (MemoryStore::default(), Mutex::new(rng));
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

#[async_trait]
impl Store for Troubled {
    async fn get(&self, key: &Key) -> Result<Option<Stored>, BoxError> {
        self.pause().await;
        match self.draw() {
            0..5 => ATTEMPT.get().die().await,
            5..15 => ATTEMPT.get().fail("throttled"),
            _ => self.table.get(key).await,
        }
    }

    async fn put(&self, key: &Key, expected: Version, write: &Write) -> Result<Put, BoxError> {
        self.pause().await;
        let drawn = self.draw();
        match drawn {
            0..20 => ATTEMPT.get().die().await,
            20..40 => return ATTEMPT.get().fail("throttled"),
            _ => {}
        }
        let written = self.table.put(key, expected, write).await;
        match drawn {
            40..60 => ATTEMPT.get().die().await,
            60..80 => ATTEMPT.get().fail("the answer was lost"),
            _ => written,
        }
    }
}
