//! The state of the Teams simulator, and its faults.

use super::flow::Flow;
use super::post::{TeamsPost, TeamsRefusal, TeamsRunFailure};
use crate::fault::FaultPlan;
use crate::recorder::log::Log;
use std::sync::atomic::AtomicUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How a request to the Teams simulator fails.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TeamsFault {
    /// Answers `429`; `None` leaves out `Retry-After`.
    TooManyRequests {
        /// The `Retry-After` value in seconds.
        retry_after: Option<u64>,
    },
    /// Answers `403` with `Forbidden`, as happens now and then.
    Forbidden,
    /// Answers `413`.
    TooLarge,
    /// Answers `502` with `NoResponse`, as the trigger does when the platform has a problem.
    ServerError,
    /// Answers this status with the HTML page of a proxy. A redirect leads to a sign-in page.
    Html(u16),
    /// Carries the request out, and answers this status with a body of the flow's author.
    Answers(u16, &'static str),
    /// Never answers.
    Hang,
    /// Resets the connection before the first byte of the answer. Nothing is carried out.
    Reset,
    /// Carries the request out, then resets the connection.
    AnswerLost,
}

/// The state shared by all handlers.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) posts: Log<TeamsPost>,
    pub(super) run_failures: Log<TeamsRunFailure>,
    pub(super) refusals: Log<TeamsRefusal>,
    pub(super) calls: AtomicUsize,
    faults: Mutex<FaultPlan<TeamsFault>>,
    flows: Mutex<Vec<Flow>>,
}

impl Shared {
    pub(super) fn faults(&self) -> MutexGuard<'_, FaultPlan<TeamsFault>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn flows(&self) -> MutexGuard<'_, Vec<Flow>> {
        self.flows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
