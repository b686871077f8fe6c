//! What a workspace holds, and what goes wrong with calls to it.

use super::message::{SlackMessage, SlackRefusal};
use super::workspace::Workspace;
use crate::fault::FaultPlan;
use crate::recorder::log::Log;
use std::collections::BTreeSet;
use std::sync::atomic::AtomicUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What goes wrong with a call to Slack.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SlackFault {
    /// `429` with `Retry-After`.
    RateLimited {
        /// The header's value in seconds.
        retry_after: u64,
    },
    /// `500`, `rollup_error`.
    ServerError,
    /// The webhook or token was revoked: `404` and `no_service`, or `token_revoked`.
    Revoked,
    /// The channel was archived: `410` and `channel_is_archived`, or `is_archived`.
    Archived,
    /// Every message with blocks is refused with this word, such as `invalid_blocks`; one without is served.
    Blocks(&'static str),
    /// This status and the HTML page of a proxy, in place of Slack's answer.
    Html(u16),
    /// This status and an empty body, in place of Slack's answer.
    Empty(u16),
    /// No answer, ever.
    Hang,
    /// The connection is reset before a byte of the answer.
    Reset,
    /// The call is served, and the connection reset before a byte of the answer.
    AnswerLost,
}

/// What the parts of a running workspace share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) messages: Log<SlackMessage>,
    pub(super) refusals: Log<SlackRefusal>,
    pub(super) calls: AtomicUsize,
    faults: Mutex<FaultPlan<SlackFault>>,
    workspace: Mutex<Workspace>,
    /// Messages that were deleted: channel and `ts`.
    deleted: Mutex<BTreeSet<(String, String)>>,
}

impl Shared {
    pub(super) fn faults(&self) -> MutexGuard<'_, FaultPlan<SlackFault>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn deleted(&self) -> MutexGuard<'_, BTreeSet<(String, String)>> {
        self.deleted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn workspace(&self) -> MutexGuard<'_, Workspace> {
        self.workspace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
