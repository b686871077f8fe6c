//! How an attempt at an event ended. No I/O.

use crate::retry::Next;
use jiff::Timestamp;
use workflow::Failure;

/// How an attempt ended.
#[derive(Debug)]
pub(crate) enum Attempted {
    Done,
    Skipped(String),
    /// The event cannot be acted on: its body is unreadable, or its site is not listed. The text says why.
    Ignored(String),
    /// The event must be handled later; a copy of its queue message arrives then.
    Deferred {
        until: Timestamp,
        reason: String,
    },
    /// Nothing to do: the event has already been handled, or a later copy of its message will be.
    Duplicate,
    /// Another worker is handling the event until this time.
    Busy {
        until: Timestamp,
    },
    Failed {
        failure: Failure,
        next: Next,
    },
}

impl Attempted {
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Skipped(_) => "skipped",
            Self::Ignored(_) => "ignored",
            Self::Deferred { .. } => "deferred",
            Self::Duplicate => "duplicate",
            Self::Busy { .. } => "busy",
            Self::Failed { failure: Failure::Permanent { .. }, .. } => "permanent",
            Self::Failed { next: Next::GiveUp, .. } => "exhausted",
            Self::Failed { failure, next: Next::RetryAfter(_) } => failure.kind(),
        }
    }
    /// Whether the event is over: no further attempt follows.
    pub(crate) fn is_over(&self) -> bool {
        match self {
            Self::Done | Self::Skipped(_) | Self::Ignored(_) => true,
            Self::Failed { next, .. } => *next == Next::GiveUp,
            Self::Deferred { .. } | Self::Duplicate | Self::Busy { .. } => false,
        }
    }
}
