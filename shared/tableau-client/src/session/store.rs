//! Where a session is kept for all who share it.

use super::Session;
use crate::BoxError;
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// What a store holds under one key.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// Counts the sessions and refusals published so far; 0 before the first, and again once the store has forgotten the
    /// key.
    pub version: u64,
    /// The newest session.
    pub session: Option<Session>,
    /// Until when someone has the right to publish the next; `None` when nobody does.
    pub leased_until: Option<Timestamp>,
    /// What Tableau refused, the newest first. Some of it may be over.
    pub refusals: Vec<Refusal>,
}

/// A credential that Tableau refused, so that not everybody finds out by a try of his own: after some wrong passwords
/// Tableau locks the user out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The credential's fingerprint, of 16 bits: enough to know it again, too little to find it out.
    pub credential: u16,
    /// Until when nobody tries it again.
    pub until: Timestamp,
    /// What Tableau said.
    pub reason: String,
}

/// The right to publish the session after `version`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The version that is over.
    pub version: u64,
    /// Whose the right is: drawn at random for each lease, so that no two are one.
    pub holder: u64,
    /// Until when nobody else gets it.
    pub until: Timestamp,
}

/// How much later than one's own a lease may end that counts: clocks differ, but not by so much.
const FAR_AHEAD: SignedDuration = SignedDuration::from_secs(30);

impl Lease {
    /// Until when a lease of somebody else may last that keeps this one out. What lasts longer comes from a clock that is
    /// wrong, and would keep everybody out for as long as that clock is ahead.
    pub fn latest(&self) -> Timestamp {
        self.until.checked_add(FAR_AHEAD).unwrap_or(Timestamp::MAX)
    }
}

/// Keeps one session per key, with a version and a lease for whoever makes the next.
///
/// Reads see every write that was confirmed before them, and each write decides by what is there at that moment. A
/// write may arrive twice, when its answer was lost on the way.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// What is there now.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn read(&self, key: &str) -> Result<Entry, BoxError>;

    /// Takes a lease. `false` when the store has gone on from its version, or the lease of another holder still runs
    /// at `now`.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn lease(&self, key: &str, lease: &Lease, now: Timestamp) -> Result<bool, BoxError>;

    /// Publishes the session after the lease's version and ends the lease. `false` when the store has gone on, or
    /// another holder has taken over since.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn publish(&self, key: &str, lease: &Lease, session: &Session) -> Result<bool, BoxError>;

    /// Gives the lease back without a session. Changes nothing when somebody else has it by now.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn release(&self, key: &str, lease: &Lease) -> Result<(), BoxError>;

    /// Leaves word of what Tableau refused, in place of what was there, as the lease's next version, and ends the lease.
    /// The session stays, and the next one leaves the word: that one credential works says nothing of another. Changes
    /// nothing when somebody else has the lease by now.
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
        self.version == lease.version && self.lease.as_ref().is_some_and(|held| held.holder == lease.holder)
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
                held.until <= now || held.until > lease.latest() || held.holder == lease.holder
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
                (slot.session, slot.lease) = (Some(session.clone()), None);
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
                (slot.lease, slot.refusals) = (None, refusals.to_vec());
            }
        });
        Ok(())
    }
}
