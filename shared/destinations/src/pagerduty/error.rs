//! Errors of an event for PagerDuty.

use crate::Refusal;
use std::time::Duration;
use workflow::{CredentialError, Failure};

/// The name in metrics.
const NAME: &str = "PagerDuty";

/// Why PagerDuty has accepted nothing. Contains no key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There was no answer: no connection, or a timeout. Whether PagerDuty has taken the event is unknown; the same key makes a
    /// repeat harmless.
    #[error("no answer from PagerDuty")]
    Unreachable(#[source] reqwest::Error),
    /// PagerDuty refused the event.
    #[error("PagerDuty refused with {status} for `{service}` ({reason}): {advice}")]
    Refused {
        /// The service, as the rule names it.
        service: String,
        /// HTTP status.
        status: u16,
        /// PagerDuty's own errors, without secrets.
        reason: String,
        /// The kind of refusal.
        refusal: Refusal,
        /// What a person has to do.
        advice: &'static str,
        /// How long to wait.
        retry_after: Option<Duration>,
    },
    /// The answer did not come from PagerDuty, but from a proxy, a firewall or a login page. The error contains none of its text.
    #[error(
        "the answer is not PagerDuty's: {content} with status {status} for `{service}`; a proxy or a login page may stand between"
    )]
    Foreign {
        /// The service, as the rule names it.
        service: String,
        /// HTTP status.
        status: u16,
        /// The kind of answer: `HTML`, `a redirect`, `an empty body`, `JSON` or `text`.
        content: &'static str,
        /// How long the answer asked the caller to wait.
        retry_after: Option<Duration>,
    },
    /// The PagerDuty secret has no key for this service.
    #[error(
        "the PagerDuty secret has no integration key for the service `{0}`, nor one named `default`: add one to `routing_keys`"
    )]
    NoRoutingKey(String),
    /// The key in the PagerDuty secret can be none of an integration. Nothing was sent.
    #[error("the key of `{service}` in the PagerDuty secret {problem}")]
    BadRoutingKey {
        /// The service, as the rule names it.
        service: String,
        /// What is wrong, and what to do, without the key.
        problem: &'static str,
    },
    /// The credential could not be read.
    #[error(transparent)]
    Credential(#[from] CredentialError),
}

impl Error {
    pub(super) fn unreachable(error: reqwest::Error) -> Self {
        Self::Unreachable(error.without_url())
    }

    /// Whether the same event may be accepted later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Foreign { .. } => true,
            Self::Refused { refusal, .. } => matches!(refusal, Refusal::Throttled | Refusal::Unavailable),
            Self::NoRoutingKey(_) | Self::BadRoutingKey { .. } => false,
            Self::Credential(error) => error.transient,
        }
    }

    /// Whether a person has to fix the secret.
    pub fn is_misconfiguration(&self) -> bool {
        match self {
            Self::NoRoutingKey(_) | Self::BadRoutingKey { .. } => true,
            Self::Refused { refusal, .. } => *refusal == Refusal::Credential,
            Self::Credential(error) => !error.transient,
            Self::Unreachable(_) | Self::Foreign { .. } => false,
        }
    }

    /// Counts a failed call as a metric.
    pub(super) fn count(&self) {
        let failure = match self {
            error if error.is_misconfiguration() || matches!(error, Self::Credential(_)) => "credential",
            error if error.is_transient() => "transient",
            _ => "permanent",
        };
        tracing::debug!(
            monotonic_counter.destination_failures = 1,
            destination = NAME,
            failure,
            "a call failed"
        );
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let transient = error.is_transient();
        match error {
            Error::Credential(error) => error.into(),
            error if error.is_misconfiguration() => Self::misconfigured(error),
            Error::Refused { retry_after, .. } | Error::Foreign { retry_after, .. } if transient => {
                Self::Transient { source: Box::new(error), retry_after }
            }
            error if transient => Self::transient(error),
            error => Self::permanent(error),
        }
    }
}
