//! The session store, which all clients with one credential share.

use super::Session;
use crate::BoxError;
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// The content of a session store under one key.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// The number of sessions and refusals published so far; 0 before the first, and after the store has deleted the
    /// key.
    pub version: u64,
    /// The newest session.
    pub session: Option<Session>,
    /// When the lease to sign in ends; `None` if there is no lease.
    pub leased_until: Option<Timestamp>,
    /// The credentials that Tableau refused, newest first. Some of the refusals may have expired.
    pub refusals: Vec<Refusal>,
}

/// A credential that Tableau refused. It is shared so that the other clients do not try it too: after some wrong
/// passwords Tableau locks the user out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The credential's fingerprint of 16 bits: enough to recognise the credential, too little to guess it.
    pub credential: u16,
    /// When the credential may be tried again.
    pub until: Timestamp,
    /// Tableau's reason.
    pub reason: String,
}

/// A lease: the right to publish the session after `version`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The version of the session that has ended.
    pub version: u64,
    /// The lease's owner: a random number that is different for each lease.
    pub owner: u64,
    /// When the lease ends, and another client may take it.
    pub until: Timestamp,
}

/// How much later than this lease another client's lease may end and still count: clocks differ, but not by more.
const FAR_AHEAD: SignedDuration = SignedDuration::from_secs(30);

impl Lease {
    /// The latest end of another lease that can exclude this one. A lease that ends later was written by a wrong
    /// clock, and would exclude all clients for as long as that clock is ahead.
    pub fn latest(&self) -> Timestamp {
        self.until.checked_add(FAR_AHEAD).unwrap_or(Timestamp::MAX)
    }
}

/// Stores one session per key, with a version, and a lease for the client that signs in next.
///
/// A read sees every write that was confirmed before it. A write is a compare-and-set. A write whose answer was lost
/// may arrive twice.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Reads the content under a key.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn read(&self, key: &str) -> Result<Entry, BoxError>;

    /// Takes a lease. `false` if the store has another version, or if another owner's lease is still valid at `now`.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn lease(&self, key: &str, lease: &Lease, now: Timestamp) -> Result<bool, BoxError>;

    /// Publishes the session as the next version and ends the lease. `false` if the store has another version or
    /// another owner has taken the lease.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn publish(&self, key: &str, lease: &Lease, session: &Session) -> Result<bool, BoxError>;

    /// Ends the lease without a session. Changes nothing if another owner has the lease.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn release(&self, key: &str, lease: &Lease) -> Result<(), BoxError>;

    /// Replaces the list of refusals, as the next version, and ends the lease. The session is kept. A later session
    /// does not clear the refusals: that one credential works says nothing about another. Changes nothing if another
    /// owner has the lease.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn refuse(&self, key: &str, lease: &Lease, refusals: &[Refusal]) -> Result<(), BoxError>;
}

/// A session store in memory.
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
    /// Whether the lease is still the valid one.
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
