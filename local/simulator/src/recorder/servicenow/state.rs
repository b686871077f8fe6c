//! The state of the ServiceNow simulator, and its faults.

use super::instance::Instance;
use super::tokens::Tokens;
use crate::fault::FaultPlan;
use crate::recorder::log::Log;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How a call of the ServiceNow simulator fails.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServiceNowFault {
    /// A rate rule refuses the call. `None` leaves out `Retry-After`.
    TooManyRequests {
        /// The `Retry-After` value in seconds.
        retry_after: Option<u64>,
    },
    /// Answers this status with an error object.
    Error(u16),
    /// Answers this status with an HTML page, as an instance that is asleep or a proxy does.
    Html(u16),
    /// Answers status 200 with `error` and a text for `result`, as for a search that took too long. Nothing is carried out.
    Cancelled,
    /// Answers status 200 with a `result` that is a text, or none at all, and no `error`. Nothing is carried out.
    NoResult,
    /// Never answers.
    Hang,
    /// Resets the connection before the first byte of the answer. Nothing is carried out.
    Reset,
    /// Carries the call out, then resets the connection.
    AnswerLost,
    /// Carries the call out, and answers after this many milliseconds.
    Slow(u64),
}

/// A call that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceNowCall {
    /// `token`, `search`, `read`, `create` or `update`; or the method of another call.
    pub kind: String,
    /// HTTP status of the answer.
    pub status: u16,
    /// Path and query.
    pub target: String,
    /// The body that was sent.
    pub body: String,
    /// What a refusal said; empty otherwise.
    pub refused: String,
}

/// The state shared by all handlers.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) calls: Log<ServiceNowCall>,
    pub(super) user: Mutex<(String, String)>,
    faults: Mutex<FaultPlan<ServiceNowFault>>,
    instance: Mutex<Instance>,
    tokens: Mutex<Tokens>,
}

impl Shared {
    pub(super) fn new(user: (&str, &str)) -> Self {
        Self {
            calls: Log::default(),
            user: Mutex::new((user.0.to_owned(), user.1.to_owned())),
            faults: Mutex::default(),
            instance: Mutex::default(),
            tokens: Mutex::default(),
        }
    }

    pub(super) fn faults(&self) -> MutexGuard<'_, FaultPlan<ServiceNowFault>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn instance(&self) -> MutexGuard<'_, Instance> {
        self.instance.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn user(&self) -> MutexGuard<'_, (String, String)> {
        self.user.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
