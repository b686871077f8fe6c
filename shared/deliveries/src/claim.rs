//! Claims: which worker handles an event, and the outcome.
//!
//! There is one delivery record for each workflow and event. The record is *claimed* until a deadline, *released*
//! after a temporary failure, *deferred* when the event must be handled later, or finished: *done*, *skipped*,
//! *ignored*, or *failed* for good. A claim past its deadline belongs to a worker that died, and another worker may
//! take the event over. A failed event may be claimed again: a replay does so after the cause was fixed. An ignored
//! event may be claimed again: it can be sent again from the archive after `sites` was corrected. A *dropped* event
//! (a person deleted its dead letters with `tableau-webhooks events dead-letters drop`) may be claimed again, like a
//! failed one: Tableau may deliver it once more.

use crate::facts::EventFacts;
use crate::key::DeliveryKey;
use crate::state::State;
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::BTreeSet;
use workflow::{BoxError, Effect};

/// How many characters of a reason are stored.
pub(crate) const REASON_LIMIT: usize = 1_000;

/// The worker that asks for a claim, and until when it needs the claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimant {
    /// Identifies the invocation and the message that the claim is for. If the answer to a claim was lost and the
    /// request is repeated, the store recognises its owner.
    pub owner: String,
    /// The time, by the claimant's clock.
    pub now: Timestamp,
    /// When the claim expires: the moment Lambda ends the invocation.
    pub deadline: Timestamp,
    /// Set for a message that a deferred attempt sent: the number of that attempt.
    pub copy_of: Option<u32>,
}

/// What earlier attempts at an event have recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The effects that earlier attempts recorded.
    pub effects: BTreeSet<Effect>,
    /// How many attempts in a row have failed temporarily.
    pub failures: u32,
    /// How often the event was deferred.
    pub deferrals: u32,
    /// Since when the event has been waiting for a person to fix a secret, a setting or the rules.
    pub misconfigured_since: Option<Timestamp>,
    /// The reason of the last attempt whose outcome was recorded.
    pub last_reason: Option<String>,
    /// The cause of the failure, if an earlier attempt recorded one.
    pub cause: Option<String>,
}

/// The answer to a request for a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Granted: this worker handles the event until the deadline.
    Granted {
        /// The number of this attempt, from 1. Later calls use it to identify the claim.
        attempt: u32,
        /// What earlier attempts have recorded.
        progress: Progress,
    },
    /// Refused: the event is finished.
    Finished,
    /// Refused: another worker is handling the event.
    Busy {
        /// When the other worker's claim expires.
        until: Timestamp,
    },
    /// Refused: a later attempt has deferred the event and sent a newer message, so this message is not needed.
    ExtraCopy,
    /// Refused: this version does not know the record's state; a newer version may have written it.
    Unknown {
        /// The unknown state.
        state: String,
    },
}

/// The outcome of an attempt at an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The effect happened.
    Done,
    /// Nothing had to be done; the text says why.
    Skipped(String),
    /// The event cannot be acted on (an unreadable body, or a site that `sites` does not list); the text says why.
    Ignored(String),
    /// The event failed for good or was given up; the text says why. It may be claimed again.
    Failed(String),
    /// The attempt failed temporarily; the text says why. Another attempt follows.
    Released(String),
    /// A person has to fix something first; the text says what. Another attempt follows.
    Misconfigured(String),
    /// The event must be handled later; the text says why. Another attempt follows.
    Deferred(String),
}

/// An attempt that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The attempt's number.
    pub attempt: u32,
    /// When the attempt began.
    pub began: Timestamp,
    /// When the attempt ended.
    pub at: Timestamp,
    /// The attempt's outcome.
    pub end: End,
    /// When the next attempt is due, if there is one and the time is known. Information for people; nothing depends
    /// on it.
    pub next_at: Option<Timestamp>,
    /// What the attempt found out about why the event's refresh failed: the name of a class. `None` changes nothing in
    /// the record.
    pub cause: Option<String>,
}

impl End {
    /// The state of the delivery record after this outcome.
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

    /// The reason as stored: shortened, and `None` if empty.
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

/// The error that a delivery record was not written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// DynamoDB did not answer, or refused the request.
    #[error("the delivery table did not answer")]
    Unavailable(#[source] BoxError),
    /// DynamoDB refused the write because the record's attributes are damaged.
    #[error("the delivery record is damaged")]
    Damaged(#[source] BoxError),
    /// The claim expired, and another attempt has taken the event over.
    #[error("another attempt took over the event")]
    Superseded,
}

/// The store of delivery records. Every write that decides something is conditional.
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

    /// Records an effect of this attempt.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn record_effect(&self, key: &DeliveryKey, attempt: u32, effect: &Effect)
    -> Result<(), StoreError>;

    /// Ends an attempt and adds its outcome to the event's history.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn end(&self, key: &DeliveryKey, ended: &Ended) -> Result<(), StoreError>;
}
