//! Claims: who works on an event, and what came of it.
//!
//! A record per workflow and event. It is *claimed* until a deadline, *released* after a failure that may pass,
//! *deferred* when its time has not come, or finished: *done*, *skipped*, *ignored*, or *failed* for good. An ignored event
//! may be claimed again: sent once more from the archive, it is acted on after `sites` has been corrected. A claim past its deadline
//! belongs to a process that died and is taken over. A failed event may be claimed again: that is what a replay does once
//! the cause is gone. One whose dead letters a person has *dropped* (`tableau-webhooks events dead-letters drop`, which
//! alone writes that) is for a claim like one that failed: Tableau may deliver it once more.

use crate::facts::EventFacts;
use crate::key::DeliveryKey;
use crate::state::State;
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::BTreeSet;
use workflow::{BoxError, Effect};

/// So many characters of a reason are kept: SQS and people need no more.
pub(crate) const REASON_LIMIT: usize = 1_000;

/// Who claims an event, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimant {
    /// Names one invocation's work on one message. A claim whose answer was lost is recognised by it when the call is
    /// repeated.
    pub owner: String,
    /// The claimant's time.
    pub now: Timestamp,
    /// When the claim runs out: when Lambda ends the invocation.
    pub deadline: Timestamp,
    /// Of a message that a deferred attempt sent: which attempt.
    pub copy_of: Option<u32>,
}

/// What earlier attempts at an event have left behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The effects that they wrote down.
    pub effects: BTreeSet<Effect>,
    /// Temporary failures in a row, up to now.
    pub failures: u32,
    /// How often the event was deferred.
    pub deferrals: u32,
    /// Since when the event waits for a person to fix a secret, a setting or the rules.
    pub misconfigured_since: Option<Timestamp>,
    /// The reason of the last attempt whose end was recorded.
    pub last_reason: Option<String>,
}

/// The answer to a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The event is ours until the deadline.
    Granted {
        /// Counted from 1. Names this claim in the calls that follow.
        attempt: u32,
        /// What earlier attempts have left behind.
        progress: Progress,
    },
    /// Nothing is left to do.
    Finished,
    /// Another worker handles the event.
    Busy {
        /// When that claim runs out.
        until: Timestamp,
    },
    /// A later attempt has deferred the event and sent a message of its own: this one is not needed.
    ExtraCopy,
    /// The record has a state that this version does not know: a newer version may have written it.
    Unknown {
        /// The state.
        state: String,
    },
}

/// How an attempt at an event ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The effect happened.
    Done,
    /// There was nothing to do, and why.
    Skipped(String),
    /// The event cannot be acted on, and why: an unreadable body, or a site that `sites` does not list.
    Ignored(String),
    /// It failed for good, or was given up, and why. May be claimed again.
    Failed(String),
    /// It failed for now, and why. The next attempt goes on.
    Released(String),
    /// A person has to fix something first, and what. The next attempt goes on.
    Misconfigured(String),
    /// Its time has not come, and why. The next attempt goes on.
    Deferred(String),
}

/// An attempt that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Which: as the claim numbered it.
    pub attempt: u32,
    /// When it began.
    pub began: Timestamp,
    /// When it ended.
    pub at: Timestamp,
    /// How.
    pub end: End,
    /// When the next attempt is due, where there is one and that is known. For people: it decides nothing.
    pub next_at: Option<Timestamp>,
}

impl End {
    /// The state in which it leaves the event.
    pub fn state(&self) -> State {
        match self {
            Self::Done => State::Done,
            Self::Skipped(_) => State::Skipped,
            Self::Ignored(_) => State::Ignored,
            Self::Failed(_) => State::Failed,
            Self::Released(_) => State::Released,
            Self::Misconfigured(_) => State::Misconfigured,
            Self::Deferred(_) => State::Deferred,
        }
    }

    /// The reason as it is kept: cut, and nothing instead of an empty one.
    pub fn kept_reason(&self) -> Option<String> {
        let reason: String = self.reason()?.chars().take(REASON_LIMIT).collect();
        (!reason.is_empty()).then_some(reason)
    }

    fn reason(&self) -> Option<&str> {
        match self {
            Self::Done => None,
            Self::Skipped(reason)
            | Self::Ignored(reason)
            | Self::Failed(reason)
            | Self::Released(reason)
            | Self::Misconfigured(reason)
            | Self::Deferred(reason) => Some(reason),
        }
    }
}

/// Why a record was not written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store does not answer, or refused.
    #[error("the delivery table did not answer")]
    Unavailable(#[source] BoxError),
    /// The store does not take the write beside what the record holds.
    #[error("the delivery record is damaged")]
    Damaged(#[source] BoxError),
    /// The claim ran out, and another attempt has taken over.
    #[error("another attempt took over the event")]
    Superseded,
}

/// Where records are kept. Every write that decides something is conditional.
#[async_trait]
pub trait ClaimStore: Send + Sync {
    /// Claims an event until the claimant's deadline.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn claim(
        &self,
        key: &DeliveryKey,
        facts: &EventFacts,
        claimant: &Claimant,
    ) -> Result<Claim, StoreError>;

    /// Writes down that an effect of the attempt happened.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn record_effect(&self, key: &DeliveryKey, attempt: u32, effect: &Effect)
    -> Result<(), StoreError>;

    /// Ends an attempt, and writes down how in the event's history.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn end(&self, key: &DeliveryKey, ended: &Ended) -> Result<(), StoreError>;
}
