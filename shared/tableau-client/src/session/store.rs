//! Where a session is kept for all who share it.

use super::Session;
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use workflow::BoxError;

/// What a store holds under one key.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// Counts the sessions published so far; 0 before the first.
    pub version: u64,
    /// The newest session.
    pub session: Option<Session>,
    /// Until when someone has the right to publish the next; `None` when nobody does.
    pub leased_until: Option<Timestamp>,
}

/// Keeps one session per key, with a version and a lease for whoever makes the next.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// What is there now.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn read(&self, key: &str) -> Result<Entry, BoxError>;

    /// Takes the right to publish the session after `version`, until `until`. `false` when the store has gone on
    /// from `version`, or someone else's lease still runs at `now`.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn lease(
        &self,
        key: &str,
        version: u64,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, BoxError>;

    /// Publishes the session after `version` and ends the lease. `false` when the store has gone on.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn publish(&self, key: &str, version: u64, session: &Session) -> Result<bool, BoxError>;

    /// Gives the lease back without a session.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn release(&self, key: &str, version: u64) -> Result<(), BoxError>;
}

/// Keeps sessions in the process.
#[derive(Debug, Default)]
pub struct MemorySessionStore(Mutex<HashMap<String, Entry>>);

impl MemorySessionStore {
    fn with<T>(&self, key: &str, change: impl FnOnce(&mut Entry) -> T) -> T {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(slots.entry(key.to_owned()).or_default())
    }
}

#[async_trait]
impl SessionStore for MemorySessionStore {
    async fn read(&self, key: &str) -> Result<Entry, BoxError> {
        Ok(self.with(key, |entry| entry.clone()))
    }

    async fn lease(
        &self,
        key: &str,
        version: u64,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, BoxError> {
        Ok(self.with(key, |entry| {
            let free = entry.leased_until.is_none_or(|lease| lease <= now);
            let granted = free && entry.version == version;
            if granted {
                entry.leased_until = Some(until);
            }
            granted
        }))
    }

    async fn publish(&self, key: &str, version: u64, session: &Session) -> Result<bool, BoxError> {
        Ok(self.with(key, |entry| {
            let current = entry.version == version;
            if current {
                *entry = Entry { version: version + 1, session: Some(session.clone()), leased_until: None };
            }
            current
        }))
    }

    async fn release(&self, key: &str, version: u64) -> Result<(), BoxError> {
        self.with(key, |entry| {
            if entry.version == version {
                entry.leased_until = None;
            }
        });
        Ok(())
    }
}
