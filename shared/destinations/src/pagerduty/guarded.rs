//! The circuit breakers of PagerDuty: one for all of it, and one for each service, because a `429` is about one integration.

use super::{Alert, Error, PagerDuty};
use crate::Refusal;
use circuit::{CallResult, Circuits, Guarded};
use std::time::Duration;
use workflow::Invocation;

/// Services behind circuit breakers.
#[derive(Debug)]
pub(super) struct GuardedPagerDuty {
    pagerduty: PagerDuty,
    circuits: Circuits,
}

impl GuardedPagerDuty {
    /// Puts `pagerduty` behind `circuits`.
    pub(super) fn new(pagerduty: PagerDuty, circuits: Circuits) -> Self {
        Self { pagerduty, circuits }
    }

    /// Sends an event.
    ///
    /// # Errors
    /// As for [`PagerDuty::send`], and [`Guarded::CircuitOpen`] while a circuit is open.
    pub(super) async fn send(
        &self,
        service: &str,
        alert: &Alert,
        invocation: &Invocation,
    ) -> Result<(), Guarded<Error>> {
        let call = self.pagerduty.send(service, alert);
        // Boxed, because the nested futures would otherwise be too deep for the compiler.
        Box::pin(self.circuits.call(service, invocation.time(), call, call_result)).await
    }
}

/// Whether PagerDuty may have taken the event although sending it failed.
pub(super) fn may_have_arrived(error: &Guarded<Error>) -> bool {
    let unclear = |error: &Error| match error {
        Error::Unreachable(source) => !source.is_connect(),
        Error::Refused { refusal, .. } => *refusal == Refusal::Unavailable,
        // A proxy that refused or redirected the request did not pass it on.
        Error::Foreign { status, .. } => !(300..500).contains(status),
        _ => false,
    };
    matches!(error, Guarded::Call(error) if unclear(error))
}

/// What a failed call says about the health of PagerDuty, for the circuit breakers.
fn call_result(error: &Error) -> CallResult {
    match error {
        Error::Unreachable(_) => CallResult::Failed,
        Error::Refused { refusal: Refusal::Throttled, retry_after, .. } => {
            CallResult::Throttled(retry_after.unwrap_or(Duration::ZERO))
        }
        Error::Refused { refusal: Refusal::Unavailable, retry_after, .. }
        | Error::Foreign { retry_after, .. } => {
            retry_after.map_or(CallResult::Failed, CallResult::RetryAfter)
        }
        Error::Refused { .. } => CallResult::Answered,
        _ => CallResult::NotCalled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, refusal: Refusal) -> Error {
        let service = "finance".to_owned();
        let reason = "x".to_owned();
        let retry_after = (status == 429).then_some(Duration::from_secs(30));
        Error::Refused { service, status, reason, refusal, advice: "y", retry_after }
    }

    fn foreign(status: u16) -> Error {
        Error::Foreign { service: "finance".to_owned(), status, content: "HTML", retry_after: None }
    }

    #[test]
    fn a_throttle_is_the_services_trouble_is_pagerdutys_and_a_refusal_is_an_answer() {
        let thirty = Duration::from_secs(30);
        for (error, expected) in [
            (refused(429, Refusal::Throttled), CallResult::Throttled(thirty)),
            (refused(500, Refusal::Unavailable), CallResult::Failed),
            (refused(400, Refusal::Content), CallResult::Answered),
            (refused(400, Refusal::Credential), CallResult::Answered),
            (foreign(502), CallResult::Failed),
            (Error::NoRoutingKey("x".to_owned()), CallResult::NotCalled),
        ] {
            assert_eq!(call_result(&error), expected, "{error}");
        }
    }

    #[test]
    fn only_an_unclear_answer_may_hide_an_event() {
        for (error, may) in [
            (refused(500, Refusal::Unavailable), true),
            (refused(429, Refusal::Throttled), false),
            (refused(400, Refusal::Content), false),
            (foreign(302), false),
            (foreign(200), true),
            (foreign(502), true),
        ] {
            assert_eq!(may_have_arrived(&Guarded::Call(error)), may);
        }
    }
}
