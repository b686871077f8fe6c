//! The circuit breakers of Twilio: one for Twilio, and one for the account and its sender, whose rate and queue all texts share.

use super::error::{QUEUE_WAIT, Refusal, TextError};
use circuit::{CallResult, Circuits, Guarded};
use jiff::Timestamp;
use std::future::Future;
use std::time::Duration;

/// The part of Twilio that a throttle is about.
const ACCOUNT: &str = "account";
/// How long no text is sent after too many requests, if Twilio does not say it.
const RATE_WAIT: Duration = Duration::from_secs(2);

/// Makes a call, unless a circuit is open.
///
/// # Errors
/// The call's own error, and [`Guarded::CircuitOpen`] while a circuit is open.
pub(super) async fn call<T>(
    circuits: &Circuits,
    now: Timestamp,
    call: impl Future<Output = Result<T, TextError>>,
) -> Result<T, Guarded<TextError>> {
    circuits.call(ACCOUNT, now, call, call_result).await
}

/// What a failed call says about the health of Twilio and of the account, for the circuit breakers.
fn call_result(error: &TextError) -> CallResult {
    match error {
        TextError::Unreachable(_) => CallResult::Failed,
        TextError::Foreign { retry_after, .. } => {
            retry_after.map_or(CallResult::Failed, CallResult::RetryAfter)
        }
        TextError::Refused { refusal, retry_after, .. } => match refusal {
            Refusal::Rate => CallResult::Throttled(retry_after.unwrap_or(RATE_WAIT)),
            Refusal::Queue => CallResult::Throttled(retry_after.unwrap_or(QUEUE_WAIT)),
            Refusal::Unavailable => retry_after.map_or(CallResult::Failed, CallResult::RetryAfter),
            // Not a throttle: while a circuit is open, texts wait for eight hours only, and these wait for three days.
            Refusal::AccountLimit | Refusal::Credential | Refusal::Final => CallResult::Answered,
        },
        TextError::DailyLimit { .. } | TextError::Uncounted(_) | TextError::Credential(_) => {
            CallResult::NotCalled
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(refusal: Refusal, retry_after: Option<Duration>) -> CallResult {
        let to = "…78".to_owned();
        call_result(&TextError::Refused { to, status: 429, code: 1, refusal, advice: "x", retry_after })
    }

    #[test]
    fn a_throttle_is_the_accounts_trouble_is_twilios_and_a_refusal_is_an_answer() {
        let seconds = Duration::from_secs;
        assert_eq!(refused(Refusal::Rate, None), CallResult::Throttled(seconds(2)));
        assert_eq!(refused(Refusal::Rate, Some(seconds(9))), CallResult::Throttled(seconds(9)));
        assert_eq!(refused(Refusal::Queue, None), CallResult::Throttled(seconds(300)));
        assert_eq!(refused(Refusal::Unavailable, None), CallResult::Failed);
        assert_eq!(refused(Refusal::Unavailable, Some(seconds(9))), CallResult::RetryAfter(seconds(9)));
        for refusal in [Refusal::AccountLimit, Refusal::Credential, Refusal::Final] {
            assert_eq!(refused(refusal, None), CallResult::Answered, "{refusal:?}");
        }
        let foreign =
            |retry_after| call_result(&TextError::Foreign { status: 502, content: "HTML", retry_after });
        assert_eq!(foreign(None), CallResult::Failed);
        assert_eq!(foreign(Some(seconds(3))), CallResult::RetryAfter(seconds(3)));
        let limit = TextError::DailyLimit { to: "…78".to_owned(), limit: 20, until: Timestamp::UNIX_EPOCH };
        assert_eq!(call_result(&limit), CallResult::NotCalled);
    }
}
