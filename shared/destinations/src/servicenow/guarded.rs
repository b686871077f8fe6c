//! The table of incidents behind a circuit breaker. Every call goes through this module.

use super::ServiceNow;
use super::call::Call;
use super::unreachable::NAME;
use crate::{Error, Refusal, Refused};
use alerting::notifier::Undelivered;
use circuit::{CallResult, Circuits, Guarded};
use serde_json::Value;
use std::time::Duration;
use workflow::{Failure, Invocation};

/// What a rate rule counts: the calls of this account.
const ACCOUNT: &str = "account";

/// The table of incidents behind a circuit breaker.
#[derive(Debug)]
pub(super) struct Table {
    servicenow: ServiceNow,
    circuits: Circuits,
}

/// Why something was not carried out.
#[derive(Debug)]
pub(super) struct Trouble {
    error: Reason,
    /// Whether it may have been carried out all the same, because the answer was lost.
    maybe_sent: bool,
}

#[derive(Debug)]
enum Reason {
    Call(Guarded<Error>),
    Other(Failure),
}

impl Table {
    pub(super) fn new(servicenow: ServiceNow, circuits: Circuits) -> Self {
        Self { servicenow, circuits }
    }

    /// Makes a call, unless the circuit is open.
    ///
    /// # Errors
    /// [`Trouble`].
    pub(super) async fn call(&self, call: Call<'_>, invocation: &Invocation) -> Result<Value, Trouble> {
        let made = self.servicenow.call(&call);
        // Boxed, because the nested futures would otherwise be too deep for the compiler.
        let answer = Box::pin(self.circuits.call(ACCOUNT, invocation.time(), made, call_result)).await;
        answer.map_err(|error| Trouble {
            maybe_sent: !call.only_reads() && may_have_arrived(&error),
            error: Reason::Call(error),
        })
    }
}

impl Trouble {
    /// The answer of ServiceNow, if it refused the call.
    pub(super) fn refused(&self) -> Option<&Refused> {
        match &self.error {
            Reason::Call(Guarded::Call(Error::ServiceNow(refused))) => Some(refused),
            _ => None,
        }
    }

    /// Trouble after a part was carried out: another attempt goes on where this one stopped.
    pub(super) fn in_between(why: String) -> Self {
        let failure = Failure::Transient { source: why.into(), retry_after: Some(Duration::from_secs(1)) };
        Self { error: Reason::Other(failure), maybe_sent: true }
    }

    /// The same, where something was carried out before.
    #[must_use]
    pub(super) fn after_a_part(self) -> Self {
        Self { maybe_sent: true, ..self }
    }

    /// What an answer lacks without which nothing can be written. It is tried again, and a search shows what was done.
    pub(super) fn unusable(action: &'static str, maybe_sent: bool) -> Self {
        let refused = Refused {
            action,
            status: 200,
            reason: format!("an answer of {NAME} without a usable sys_id"),
            refusal: Refusal::Unavailable,
            advice: "the instance did not answer as usual; it is tried again".to_owned(),
            retry_after: None,
        };
        Self { error: Reason::Call(Guarded::Call(refused.into())), maybe_sent }
    }

    /// The instance does not search by our key.
    pub(super) fn no_key() -> Self {
        let refused = Refused {
            action: "search for an incident",
            status: 200,
            reason: "it found incidents with another correlation_id".to_owned(),
            refusal: Refusal::Credential,
            advice: "the table has no field `correlation_id`, or the account may not read it, and so the instance ignores the condition: \
                     give the account the right to read that field. Until then no incident is created or changed"
                .to_owned(),
            retry_after: None,
        };
        Self { error: Reason::Call(Guarded::Call(refused.into())), maybe_sent: false }
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self { error: Reason::Other(failure), maybe_sent: false }
    }
}

impl From<Trouble> for Undelivered {
    fn from(trouble: Trouble) -> Self {
        let failure = match trouble.error {
            Reason::Call(error) => error.into(),
            Reason::Other(failure) => failure,
        };
        Self { failure, maybe_sent: trouble.maybe_sent }
    }
}

/// Whether a call may have been carried out although it failed.
fn may_have_arrived(error: &Guarded<Error>) -> bool {
    let unclear = |error: &Error| match error {
        Error::Unreachable { source, .. } => !source.is_connect(),
        Error::ServiceNow(refused) => {
            refused.refusal == Refusal::Unavailable && !(300..500).contains(&refused.status)
        }
        _ => false,
    };
    matches!(error, Guarded::Call(error) if unclear(error))
}

/// What a failed call says about the health of the instance, for the circuit breaker.
fn call_result(error: &Error) -> CallResult {
    match error {
        Error::Unreachable { .. } => CallResult::Failed,
        Error::ServiceNow(Refused { refusal: Refusal::Throttled, retry_after, .. }) => {
            CallResult::Throttled(retry_after.unwrap_or(Duration::ZERO))
        }
        Error::ServiceNow(Refused { refusal: Refusal::Unavailable, retry_after, .. }) => {
            retry_after.map_or(CallResult::Failed, CallResult::RetryAfter)
        }
        Error::ServiceNow(_) => CallResult::Answered,
        _ => CallResult::NotCalled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, refusal: Refusal, retry_after: Option<Duration>) -> Error {
        let reason = "x".to_owned();
        let advice = "y".to_owned();
        Refused { action: "create an incident", status, reason, refusal, advice, retry_after }.into()
    }

    #[test]
    fn a_rate_rule_is_the_accounts_trouble_is_the_instances_and_a_refusal_is_an_answer() {
        let wait = Duration::from_secs(3_000);
        assert_eq!(call_result(&refused(429, Refusal::Throttled, Some(wait))), CallResult::Throttled(wait));
        assert_eq!(call_result(&refused(503, Refusal::Unavailable, None)), CallResult::Failed);
        for refusal in [Refusal::Credential, Refusal::Content, Refusal::Gone] {
            assert_eq!(call_result(&refused(403, refusal, None)), CallResult::Answered, "{refusal:?}");
        }
    }

    #[test]
    fn only_an_unclear_answer_may_hide_an_incident() {
        for (status, refusal, may) in [
            (200, Refusal::Unavailable, true),
            (500, Refusal::Unavailable, true),
            (302, Refusal::Unavailable, false),
            (429, Refusal::Throttled, false),
            (403, Refusal::Content, false),
        ] {
            assert_eq!(may_have_arrived(&Guarded::Call(refused(status, refusal, None))), may, "{status}");
        }
    }
}
