//! Slack behind circuit breakers. Every message goes through this module.

use super::{Message, Posted, Sent, Slack};
use crate::{Error, Refusal};
use circuit::{CallResult, Circuits, Guarded};
use std::future::Future;
use std::time::Duration;
use workflow::Invocation;

/// A Slack workspace behind circuit breakers: one for the workspace, and one for each channel, because a `429` of
/// Slack's is about one channel.
#[derive(Debug)]
pub(super) struct GuardedSlack {
    slack: Slack,
    circuits: Circuits,
}

/// The attempt that sends a message, and the channel it sends to.
#[derive(Clone, Copy, Debug)]
pub(super) struct To<'a> {
    /// The attempt that sends.
    pub(super) invocation: &'a Invocation,
    /// The channel as the rule names it, even if Slack uses an id for it.
    pub(super) channel: &'a str,
}

impl GuardedSlack {
    /// Puts `slack` behind `circuits`.
    pub(super) fn new(slack: Slack, circuits: Circuits) -> Self {
        Self { slack, circuits }
    }

    /// Slack without circuit breakers, for lookups: a lookup that fails says nothing about messages.
    pub(super) fn inner(&self) -> &Slack {
        &self.slack
    }

    /// Whether messages can be edited and replied to.
    ///
    /// # Errors
    /// As for [`Slack::changes_messages`].
    pub(super) async fn changes_messages(&self) -> Result<bool, Error> {
        self.slack.changes_messages().await
    }

    /// Posts a message.
    ///
    /// # Errors
    /// As for [`Slack::post`], and [`Guarded::CircuitOpen`] while a circuit is open.
    pub(super) async fn post(&self, to: To<'_>, message: &Message) -> Result<Posted, Guarded<Error>> {
        self.call(to, self.slack.post(to.channel, message)).await
    }

    /// Replies to a message.
    ///
    /// # Errors
    /// As for [`Slack::reply`], and [`Guarded::CircuitOpen`] while a circuit is open.
    pub(super) async fn reply(
        &self,
        to: To<'_>,
        sent: &Sent,
        is_broadcast: bool,
        message: &Message,
    ) -> Result<Posted, Guarded<Error>> {
        self.call(to, self.slack.reply(sent, is_broadcast, message)).await
    }

    /// Replaces the text of a message.
    ///
    /// # Errors
    /// As for [`Slack::update`], and [`Guarded::CircuitOpen`] while a circuit is open.
    pub(super) async fn update(
        &self,
        to: To<'_>,
        sent: &Sent,
        message: &Message,
    ) -> Result<Posted, Guarded<Error>> {
        self.call(to, self.slack.update(sent, message)).await
    }

    async fn call(
        &self,
        to: To<'_>,
        call: impl Future<Output = Result<Posted, Error>> + Send,
    ) -> Result<Posted, Guarded<Error>> {
        // Boxed, because the nested futures would otherwise be too deep for the compiler.
        Box::pin(self.circuits.call(to.channel, to.invocation.time(), call, call_result)).await
    }
}

/// Whether a message could not be edited because the message or its channel does not exist for this app any more. The
/// caller then sends a new message, which shows whether the rule's channel exists.
pub(super) fn is_gone(error: &Guarded<Error>) -> bool {
    let has_no_channel = |error: &Error| matches!(error, Error::Refused { refusal: Refusal::Target, .. });
    matches!(error, Guarded::Call(error) if error.is_gone() || has_no_channel(error))
}

/// Whether a message may have arrived although posting it failed.
pub(super) fn may_have_arrived(error: &Guarded<Error>) -> bool {
    let unclear = |error: &Error| match error {
        Error::Unreachable { source, .. } => !source.is_connect(),
        Error::Refused { refusal, .. } => *refusal == Refusal::Unavailable,
        // A proxy that refused or redirected the request did not pass the message on; after any other answer the
        // message may have arrived.
        Error::Foreign { status, .. } => !(300..500).contains(status),
        _ => false,
    };
    matches!(error, Guarded::Call(error) if unclear(error))
}

/// The message that a stored document names, by channel id and `ts`. `None` if these do not have the form of Slack's
/// ids.
///
/// Slack lets a bot edit only its own messages, so a forged document can at most name another message of this app.
pub(super) fn sent(channel: &str, ts: &str) -> Option<Sent> {
    let is_id = |text: &str, fits: fn(&u8) -> bool| {
        (1..=32).contains(&text.len()) && text.as_bytes().iter().all(fits)
    };
    let is_slacks =
        is_id(channel, u8::is_ascii_alphanumeric) && is_id(ts, |byte| byte.is_ascii_digit() || *byte == b'.');
    is_slacks.then(|| Sent { channel: channel.to_owned(), ts: ts.to_owned() })
}

/// What a failed call says about Slack's health, for the circuit breakers.
fn call_result(error: &Error) -> CallResult {
    match error {
        Error::Unreachable { .. } => CallResult::Failed,
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

    fn refused(refusal: Refusal, seconds: Option<u64>) -> CallResult {
        let target = "data".to_owned();
        let code = "word".to_owned();
        let retry_after = seconds.map(Duration::from_secs);
        call_result(&Error::Refused { destination: "Slack", target, status: 200, code, refusal, retry_after })
    }

    #[test]
    fn a_throttle_is_the_channels_trouble_is_slacks_and_a_refusal_is_an_answer() {
        let wait = Duration::from_secs(30);
        assert_eq!(refused(Refusal::Throttled, Some(30)), CallResult::Throttled(wait));
        assert_eq!(refused(Refusal::Unavailable, Some(30)), CallResult::RetryAfter(wait));
        assert_eq!(refused(Refusal::Unavailable, None), CallResult::Failed);
        for refusal in [Refusal::Credential, Refusal::Target, Refusal::Gone, Refusal::Content] {
            assert_eq!(refused(refusal, None), CallResult::Answered, "{refusal:?}");
        }
        assert_eq!(call_result(&Error::NoSuchChannel("data".to_owned())), CallResult::NotCalled);
    }

    #[test]
    fn answers_that_are_not_slacks_count_as_failures_and_may_hide_that_a_message_arrived() {
        for (status, may) in [(200, true), (204, true), (302, false), (403, false), (503, true)] {
            let target = "data".to_owned();
            let foreign =
                Error::Foreign { destination: "Slack", target, status, content: "HTML", retry_after: None };
            assert_eq!(call_result(&foreign), CallResult::Failed);
            assert_eq!(may_have_arrived(&Guarded::Call(foreign)), may, "{status}");
        }
    }

    #[test]
    fn only_the_form_of_slacks_ids_names_a_message() {
        assert!(sent("C0123456789", "1764000000.000100").is_some());
        let long = "1".repeat(33);
        for (channel, ts) in [
            ("", "1.2"),
            ("C1", ""),
            ("C1/../x", "1.2"),
            ("#data", "1.2"),
            ("C1", "1.2\n"),
            ("C1", "abc"),
            ("C1", long.as_str()),
            (long.as_str(), "1.2"),
        ] {
            assert_eq!(sent(channel, ts), None, "{channel} {ts}");
        }
    }
}
