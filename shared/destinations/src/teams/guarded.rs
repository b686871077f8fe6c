//! The circuit breakers of flows: one for each, because each flow has its own author, host and limits.

use super::{HostKind, Teams};
use crate::{Error, Refusal};
use circuit::{CallResult, Circuits, Guarded};
use std::time::Duration;
use workflow::{Failure, Invocation};

/// At which attempt a call that is forbidden is given up; some of these pass. Attempts that failed for another reason count
/// too: a delivery record does not say why an attempt failed in a form that code reads.
const TRIES: u32 = 4;
/// The wait after the first call that is forbidden; it doubles with each.
const WAIT: Duration = Duration::from_secs(60);

/// Flows behind circuit breakers.
#[derive(Debug)]
pub(super) struct GuardedTeams {
    teams: Teams,
    circuits: Circuits,
}

impl GuardedTeams {
    /// Puts `teams` behind `circuits`.
    pub(super) fn new(teams: Teams, circuits: Circuits) -> Self {
        Self { teams, circuits }
    }

    /// At which kind of host the flow of a channel is.
    ///
    /// # Errors
    /// As for [`Teams::host_kind`].
    pub(super) async fn host_kind(&self, channel: &str) -> Result<HostKind, Error> {
        self.teams.host_kind(channel).await
    }

    /// Posts a body.
    ///
    /// # Errors
    /// As for [`Teams::post`], and [`Guarded::CircuitOpen`] while a circuit is open.
    pub(super) async fn post(
        &self,
        channel: &str,
        body: &str,
        invocation: &Invocation,
    ) -> Result<(), Guarded<Error>> {
        let call = self.teams.post(channel, body);
        // Boxed, because the nested futures would otherwise be too deep for the compiler.
        Box::pin(self.circuits.call(channel, invocation.time(), call, call_result)).await
    }
}

/// What becomes of the event after a failed call.
pub(super) fn failure(error: Guarded<Error>, attempt: u32) -> Failure {
    match error {
        Guarded::Call(error @ Error::Flow { refusal: Refusal::Forbidden, .. }) if attempt < TRIES => {
            let retry_after = WAIT * 2_u32.saturating_pow(attempt.saturating_sub(1));
            Failure::Transient { source: Box::new(error), retry_after: Some(retry_after) }
        }
        other => other.into(),
    }
}

/// Whether a message may have arrived although posting it failed.
pub(super) fn may_have_arrived(error: &Guarded<Error>) -> bool {
    let unclear = |error: &Error| match error {
        Error::Unreachable { source, .. } => !source.is_connect(),
        Error::Flow { refusal, .. } => *refusal == Refusal::Unavailable,
        // A proxy that refused or redirected the request did not pass it on.
        Error::Foreign { status, .. } => *status >= 500,
        _ => false,
    };
    matches!(error, Guarded::Call(error) if unclear(error))
}

/// Whether the flow found the message too large.
pub(super) fn is_too_large(error: &Guarded<Error>) -> bool {
    matches!(error, Guarded::Call(Error::Flow { status: 413, .. }))
}

/// What a failed call says about the health of its flow, for the circuit breaker.
fn call_result(error: &Error) -> CallResult {
    match error {
        Error::Unreachable { .. } => CallResult::Failed,
        Error::Flow { refusal: Refusal::Throttled, retry_after, .. } => {
            CallResult::Throttled(retry_after.unwrap_or(Duration::ZERO))
        }
        // The author of the flow may have made it answer so.
        Error::Foreign { status: 400..=499, content, .. } if *content != "HTML" => CallResult::Answered,
        Error::Flow { refusal: Refusal::Unavailable, retry_after, .. }
        | Error::Foreign { retry_after, .. } => {
            retry_after.map_or(CallResult::Failed, CallResult::RetryAfter)
        }
        Error::Flow { .. } => CallResult::Answered,
        _ => CallResult::NotCalled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(status: u16, refusal: Refusal) -> Error {
        let (target, reason, advice) = ("finance".to_owned(), "x".to_owned(), "y".to_owned());
        Error::Flow { target, status, reason, refusal, advice, retry_after: None }
    }

    // D049
    #[test]
    fn a_forbidden_call_is_tried_four_times_and_then_goes_to_the_dead_letters() {
        let of = |attempt| failure(Guarded::Call(flow(403, Refusal::Forbidden)), attempt);
        for (attempt, seconds) in [(1, 60), (2, 120), (3, 240)] {
            let Failure::Transient { retry_after, .. } = of(attempt) else { panic!("{attempt}") };
            assert_eq!(retry_after, Some(Duration::from_secs(seconds)));
        }
        assert!(matches!(of(4), Failure::Permanent { .. }));
    }

    #[test]
    fn a_throttle_opens_at_once_trouble_is_counted_and_a_refusal_is_an_answer() {
        assert_eq!(call_result(&flow(429, Refusal::Throttled)), CallResult::Throttled(Duration::ZERO));
        assert_eq!(call_result(&flow(500, Refusal::Unavailable)), CallResult::Failed);
        for refusal in [Refusal::Credential, Refusal::Content, Refusal::Forbidden] {
            assert_eq!(call_result(&flow(400, refusal)), CallResult::Answered, "{refusal:?}");
        }
        assert_eq!(call_result(&Error::NoSuchFlow("x".to_owned())), CallResult::NotCalled);
        let foreign = |status, content| {
            let (destination, target) = ("Teams", "finance".to_owned());
            call_result(&Error::Foreign { destination, target, status, content, retry_after: None })
        };
        assert_eq!(foreign(400, "JSON"), CallResult::Answered, "the answer of a flow's author");
        assert_eq!(foreign(403, "HTML"), CallResult::Failed);
        assert_eq!(foreign(502, "JSON"), CallResult::Failed);
    }

    #[test]
    fn only_an_unclear_answer_may_hide_a_message() {
        for (error, may) in [
            (flow(502, Refusal::Unavailable), true),
            (flow(429, Refusal::Throttled), false),
            (flow(400, Refusal::Content), false),
        ] {
            assert_eq!(may_have_arrived(&Guarded::Call(error)), may);
        }
    }
}
