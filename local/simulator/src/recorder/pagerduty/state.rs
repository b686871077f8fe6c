//! The state of the PagerDuty simulator, and its faults.

use super::event::{PagerDutyEvent, PagerDutyRefusal};
use super::service::Service;
use crate::fault::FaultPlan;
use crate::recorder::log::Log;
use std::sync::atomic::AtomicUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How a request to the PagerDuty simulator fails.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PagerDutyFault {
    /// Answers `429`, without `Retry-After`, as PagerDuty does.
    TooManyRequests,
    /// Answers `500`.
    ServerError,
    /// Answers `400` with this error.
    Invalid(&'static str),
    /// Answers this status with the HTML page of a proxy. A redirect leads to a sign-in page.
    Html(u16),
    /// Carries the request out, and answers as if it were another alert's.
    OtherKey,
    /// Never answers.
    Hang,
    /// Carries the request out, and never answers.
    AcceptThenHang,
    /// Resets the connection before the first byte of the answer. Nothing is carried out.
    Reset,
    /// Carries the request out, then resets the connection.
    AnswerLost,
}

/// The state shared by all handlers.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) events: Log<PagerDutyEvent>,
    pub(super) refusals: Log<PagerDutyRefusal>,
    pub(super) calls: AtomicUsize,
    faults: Mutex<FaultPlan<PagerDutyFault>>,
    services: Mutex<Vec<Service>>,
}

impl Shared {
    pub(super) fn faults(&self) -> MutexGuard<'_, FaultPlan<PagerDutyFault>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn services(&self) -> MutexGuard<'_, Vec<Service>> {
        self.services.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
