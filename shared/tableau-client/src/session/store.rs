//! Where a session is kept for all clients that share it.

use super::Session;
use crate::BoxError;
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// What a store holds under one key.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// The number of sessions and refusals published so far; 0 before the first, and after the store has dropped the key.
    pub version: u64,
    /// The newest session.
    pub session: Option<Session>,
    /// When the lease to publish the next session ends; `None` when there is no lease.
    pub leased_until: Option<Timestamp>,
    /// What Tableau refused, the newest first. The time of some may be over.
    pub refusals: Vec<Refusal>,
}

/// A credential that Tableau refused. It is shared so that not every client tries it: after some wrong passwords Tableau locks
/// the user out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The credential's fingerprint, of 16 bits: enough to recognise it, too few to guess it.
    pub credential: u16,
    /// When it may be tried again.
    pub until: Timestamp,
    /// What Tableau said.
    pub reason: String,
}

/// The right to publish the session after `version`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The version whose session has ended.
    pub version: u64,
    /// The lease owner: a random number for each lease, so that no two are equal.
    pub owner: u64,
    /// When the lease ends, and another client may take it.
    pub until: Timestamp,
}

/// How much later than our own lease a lease of another client may end and still count: clocks differ, but not by so much.
const FAR_AHEAD: SignedDuration = SignedDuration::from_secs(30);

impl Lease {
    /// The latest end of another lease that keeps this one out. A lease that ends later comes from a wrong clock, and would
    /// keep all clients out for as long as that clock is ahead.
    pub fn latest(&self) -> Timestamp {
        self.until.checked_add(FAR_AHEAD).unwrap_or(Timestamp::MAX)
    }
}

/// Keeps one session per key, with a version, and a lease for the client that opens the next session.
///
/// A read sees every write that was confirmed before it. A write is a compare-and-set. A write may arrive twice, when its
/// answer was lost.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Reads the entry.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn read(&self, key: &str) -> Result<Entry, BoxError>;

    /// Takes a lease. `false` when the store has another version, or the lease of another owner still runs at `now`.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn lease(&self, key: &str, lease: &Lease, now: Timestamp) -> Result<bool, BoxError>;

    /// Publishes the session as the next version, and ends the lease. `false` when the store has another version, or another
    /// owner has taken the lease.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn publish(&self, key: &str, lease: &Lease, session: &Session) -> Result<bool, BoxError>;

    /// Gives the lease back without a session. Changes nothing when another owner has the lease.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn release(&self, key: &str, lease: &Lease) -> Result<(), BoxError>;

    /// Replaces the refusals, as the next version, and ends the lease. The session stays. A later session leaves the refusals in
    /// place: that one credential works says nothing about another. Changes nothing when another owner has the lease.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn refuse(&self, key: &str, lease: &Lease, refusals: &[Refusal]) -> Result<(), BoxError>;
}

/// Keeps sessions in the process.
#[derive(Debug, Default)]
pub struct MemorySessionStore(Mutex<HashMap<String, Slot>>);

#[derive(Debug, Default)]
struct Slot {
    version: u64,
    session: Option<Session>,
    lease: Option<Lease>,
    refusals: Vec<Refusal>,
}

impl Slot {
    /// Whether the lease is still the one that counts.
    fn is_held(&self, lease: &Lease) -> bool {
        self.version == lease.version && self.lease.as_ref().is_some_and(|held| held.owner == lease.owner)
    }
}

impl MemorySessionStore {
    fn with<T>(&self, key: &str, change: impl FnOnce(&mut Slot) -> T) -> T {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(slots.entry(key.to_owned()).or_default())
    }
}

#[async_trait]
impl SessionStore for MemorySessionStore {
    async fn read(&self, key: &str) -> Result<Entry, BoxError> {
        Ok(self.with(key, |slot| Entry {
            version: slot.version,
            session: slot.session.clone(),
            leased_until: slot.lease.as_ref().map(|lease| lease.until),
            refusals: slot.refusals.clone(),
        }))
    }

    async fn lease(&self, key: &str, lease: &Lease, now: Timestamp) -> Result<bool, BoxError> {
        Ok(self.with(key, |slot| {
            let free = slot.lease.as_ref().is_none_or(|held| {
                held.until <= now || held.until > lease.latest() || held.owner == lease.owner
            });
            let granted = free && slot.version == lease.version;
            if granted {
                slot.lease = Some(lease.clone());
            }
            granted
        }))
    }

    async fn publish(&self, key: &str, lease: &Lease, session: &Session) -> Result<bool, BoxError> {
        Ok(self.with(key, |slot| {
            let held = slot.is_held(lease);
            if held {
                slot.version += 1;
                slot.session = Some(session.clone());
                slot.lease = None;
            }
            held
        }))
    }

    async fn release(&self, key: &str, lease: &Lease) -> Result<(), BoxError> {
        self.with(key, |slot| {
            if slot.is_held(lease) {
                slot.lease = None;
            }
        });
        Ok(())
    }

    async fn refuse(&self, key: &str, lease: &Lease, refusals: &[Refusal]) -> Result<(), BoxError> {
        self.with(key, |slot| {
            if slot.is_held(lease) {
                slot.version += 1;
                slot.lease = None;
                slot.refusals = refusals.to_vec();
            }
        });
        Ok(())
    }
}
