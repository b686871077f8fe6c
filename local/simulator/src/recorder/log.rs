//! An append-only list that tasks can wait on.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// The awaited entries did not arrive in time.
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

    pub(crate) fn len(&self) -> usize {
        self.entries().len()
    }

    pub(crate) fn all(&self) -> Vec<T> {
        self.entries().clone()
    }

    /// The entries after the first `n`. Other entries are not copied.
    pub(crate) fn since(&self, n: usize) -> Vec<T> {
        self.entries().get(n..).map(<[T]>::to_vec).unwrap_or_default()
    }

    /// The oldest entry that satisfies a condition. Other entries are not copied.
    pub(crate) fn find(&self, fits: impl Fn(&T) -> bool) -> Option<T> {
        self.entries().iter().find(|entry| fits(entry)).cloned()
    }

    /// Waits until there are at least `n` entries, and returns all of them.
    pub(crate) async fn wait_for(&self, n: usize, timeout: Duration) -> Result<Vec<T>, TimedOut> {
        let mut length = self.length.subscribe();
        let there = tokio::time::timeout(timeout, length.wait_for(|l| *l >= n)).await.is_ok();
        let entries = self.all();
        if there { Ok(entries) } else { Err(TimedOut(format!("{n} entries, found {}", entries.len()))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// An entry that counts how often it is cloned.
    #[derive(Debug, Default)]
    struct Entry(Arc<AtomicUsize>);

    impl Clone for Entry {
        fn clone(&self) -> Self {
            self.0.fetch_add(1, Ordering::SeqCst);
            Self(Arc::clone(&self.0))
        }
    }

    #[test]
    fn who_asks_for_what_is_new_after_each_entry_copies_each_once() {
        let copies = Arc::new(AtomicUsize::new(0));
        let log = Log::default();
        for n in 0..2_000 {
            log.push(Entry(Arc::clone(&copies)));
            assert_eq!(log.since(n).len(), 1);
        }
        assert_eq!(copies.load(Ordering::SeqCst), 2_000);
        assert!(log.since(2_000).is_empty() && log.since(3_000).is_empty());
        assert!(log.find(|_| true).is_some() && log.find(|_| false).is_none());
        assert_eq!(copies.load(Ordering::SeqCst), 2_001);
    }
}
