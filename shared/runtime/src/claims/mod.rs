//! Claims: who works on an event, and what came of it.
//!
//! A record per workflow and event. It is *claimed* until a deadline, *released* after a failure that may pass,
//! *deferred* when its time has not come, or finished: *done*, *skipped*, or *failed* for good. A claim past its deadline
//! belongs to a process that died and is taken over. A failed event may be claimed again: that is what a replay does once
//! the cause is gone. One whose dead letters a person has *dropped* (`tableau-webhooks events dead-letters drop`, which
//! alone writes that) is for a claim like one that failed: Tableau may deliver it once more.

mod dynamodb;
mod memory;
mod record;

pub use dynamodb::DynamoDbClaims;
pub use memory::MemoryClaims;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::fmt;
use tableau::{EventId, Payload};
use workflow::BoxError;

/// How long a record is kept. Tableau repeats an event within hours; the rest is history for people.
pub const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Which record: a workflow and an event.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClaimKey {
    /// The workflow's name.
    pub workflow: &'static str,
    /// The event.
    pub event: EventId,
}

impl fmt::Display for ClaimKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "delivery#{}#{}", self.workflow, self.event)
    }
}

/// What the record tells people about the event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFacts {
    /// The event's name.
    pub name: String,
    /// The site's LUID.
    pub site: String,
    /// The resource's LUID.
    pub resource: String,
    /// The resource's name.
    pub resource_name: String,
    /// When Tableau says it happened, as it wrote it.
    pub created_at: String,
    /// All that Tableau sent, as JSON in canonical form: for a replay.
    pub payload: String,
}

impl From<&Payload> for EventFacts {
    fn from(payload: &Payload) -> Self {
        let short = |text: &Option<String>| text.as_deref().unwrap_or_default().chars().take(200).collect();
        Self {
            name: short(&payload.event_type),
            site: short(&payload.site_luid),
            resource: short(&payload.resource_luid),
            resource_name: short(&payload.resource_name),
            created_at: short(&payload.created_at),
            payload: payload.canonical_json(),
        }
    }
}

/// The answer to a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The event is ours until the deadline.
    Granted {
        /// Counted from 1. Names this claim in the calls that follow.
        attempt: u32,
        /// The effects that earlier attempts wrote down.
        effects: BTreeSet<String>,
    },
    /// Nothing is left to do.
    Finished,
    /// Someone else is at it.
    Busy {
        /// When that claim runs out.
        until: Timestamp,
    },
}

/// How an attempt at an event ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The effect happened.
    Done,
    /// There was nothing to do, and why.
    Skipped(String),
    /// It failed for good, and why. May be claimed again.
    Failed(String),
    /// It failed for now, and why. The next attempt goes on.
    Released(String),
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
    pub(crate) fn state(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Skipped(_) => "skipped",
            Self::Failed(_) => "failed",
            Self::Released(_) => "released",
            Self::Deferred(_) => "deferred",
        }
    }

    /// Whether nobody begins again.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Done | Self::Skipped(_))
    }

    pub(crate) fn reason(&self) -> Option<&str> {
        match self {
            Self::Done => None,
            Self::Skipped(reason)
            | Self::Failed(reason)
            | Self::Released(reason)
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
    /// The claim ran out, and another attempt has taken over.
    #[error("another attempt has taken the event over")]
    Superseded,
}

/// Where records are kept. Every write that decides something is conditional.
#[async_trait]
pub trait ClaimStore: Send + Sync {
    /// Claims an event until `deadline`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn claim(
        &self,
        key: &ClaimKey,
        facts: &EventFacts,
        now: Timestamp,
        deadline: Timestamp,
    ) -> Result<Claim, StoreError>;

    /// Writes down that an effect of the attempt happened.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn record_effect(&self, key: &ClaimKey, attempt: u32, effect: &str) -> Result<(), StoreError>;

    /// Ends an attempt, and writes down how in the event's history.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn end(&self, key: &ClaimKey, ended: &Ended) -> Result<(), StoreError>;
}
