#![doc = include_str!("../README.md")]

mod document;

use async_trait::async_trait;
use document::SharedSession;
use jiff::Timestamp;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::{Documents, Error, Expect, Versioned};
use tableau_client::{BoxError, Entry, Lease, Refusal, Session, SessionStore};

/// The session store of a function: in the table that all functions share, or in memory if the function has no table.
pub fn sessions(table: Option<(aws_sdk_dynamodb::Client, String)>) -> Arc<dyn SessionStore> {
    Arc::new(DocumentSessionStore::new(store::documents(table)))
}

/// Stores each session as a document under its key.
pub struct DocumentSessionStore {
    documents: Documents,
    /// The documents that this process read or wrote last, so that a write needs no read first. The conditional write
    /// shows whether they are still current.
    seen: Mutex<HashMap<String, Versioned<SharedSession>>>,
}

impl fmt::Debug for DocumentSessionStore {
    /// Shows no sessions.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DocumentSessionStore").finish_non_exhaustive()
    }
}

impl DocumentSessionStore {
    /// Stores sessions in `documents`.
    pub fn new(documents: Documents) -> Self {
        Self { documents, seen: Mutex::default() }
    }

    fn seen(&self) -> MutexGuard<'_, HashMap<String, Versioned<SharedSession>>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn change<T: Send>(
        &self,
        key: &str,
        lease: &Lease,
        change: impl FnMut(&mut SharedSession) -> T + Send,
    ) -> Result<T, BoxError> {
        let expect = self.seen().get(key).cloned().map_or(Expect::Unknown, Expect::Seen);
        let changed = self.documents.change_from(key, lease.until, expect, change).await;
        let (newest, result) = changed.map_err(reason)?;
        self.seen().insert(key.to_owned(), newest);
        Ok(result)
    }
}

/// The store's error without a prefix: the client already says what it asked for.
fn reason(error: Error) -> BoxError {
    match error {
        Error::Store(source) => source,
        other => other.into(),
    }
}

#[async_trait]
impl SessionStore for DocumentSessionStore {
    async fn read(&self, key: &str) -> Result<Entry, BoxError> {
        let newest = self.documents.read_versioned::<SharedSession>(key).await.map_err(reason)?;
        let entry = newest.document.entry();
        self.seen().insert(key.to_owned(), newest);
        Ok(entry)
    }

    async fn lease(&self, key: &str, lease: &Lease, now: Timestamp) -> Result<bool, BoxError> {
        self.change(key, lease, |shared| shared.take(lease, now)).await
    }

    async fn publish(&self, key: &str, lease: &Lease, session: &Session) -> Result<bool, BoxError> {
        self.change(key, lease, |shared| shared.publish(lease, session)).await
    }

    async fn release(&self, key: &str, lease: &Lease) -> Result<(), BoxError> {
        self.change(key, lease, |shared| shared.release(lease)).await
    }

    async fn refuse(&self, key: &str, lease: &Lease, refusals: &[Refusal]) -> Result<(), BoxError> {
        self.change(key, lease, |shared| shared.refuse(lease, refusals)).await
    }
}
