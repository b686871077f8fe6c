//! A list that grows, and that can be waited for.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// What was waited for did not happen in time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("timed out waiting for {0}")]
pub struct TimedOut(pub String);

#[derive(Debug)]
pub(crate) struct Log<T> {
    entries: Mutex<Vec<T>>,
    length: watch::Sender<usize>,
}

impl<T> Default for Log<T> {
    fn default() -> Self {
        Self { entries: Mutex::default(), length: watch::Sender::new(0) }
    }
}

impl<T: Clone> Log<T> {
    fn entries(&self) -> MutexGuard<'_, Vec<T>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn push(&self, entry: T) {
        let mut entries = self.entries();
        entries.push(entry);
        self.length.send_replace(entries.len());
    }

    pub(crate) fn all(&self) -> Vec<T> {
        self.entries().clone()
    }

    /// All entries, as soon as there are at least `n`.
    pub(crate) async fn wait_for(&self, n: usize, timeout: Duration) -> Result<Vec<T>, TimedOut> {
        let mut length = self.length.subscribe();
        let there = tokio::time::timeout(timeout, length.wait_for(|l| *l >= n)).await.is_ok();
        let entries = self.all();
        if there { Ok(entries) } else { Err(TimedOut(format!("{n} entries, found {}", entries.len()))) }
    }
}
