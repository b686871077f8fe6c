//! Errors of a text, by what must happen to it. No error has a number, but its last two digits; none has Twilio's own words, which repeat
//! numbers.

use jiff::Timestamp;
use std::time::Duration;
use workflow::{CredentialError, Failure};

/// The destination's name in metrics.
const NAME: &str = "Twilio";
/// How long an account or sender is left alone that takes no more texts for now, if Twilio does not say it.
pub(super) const QUEUE_WAIT: Duration = Duration::from_secs(300);

/// Why Twilio refused a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// Too many requests at the same time: soon again.
    Rate,
    /// The sender's queue is full: later again.
    Queue,
    /// Twilio has a problem of its own.
    Unavailable,
    /// The secret is wrong, or its account may not send: a person has to fix it.
    Credential,
    /// The account has sent all that it may send in a day: not today, unless a person has the limit raised.
    AccountLimit,
    /// The text cannot be sent as it is, or to this number: final.
    Final,
}

/// Why a text was not sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// There was no answer. Whether the text was sent is unknown.
    #[error("no answer from Twilio")]
    Unreachable(#[source] reqwest::Error),
    /// The answer came from something else: a proxy, a firewall or a login page.
    #[error(
        "the answer is not Twilio's: {content} with status {status}; a proxy or a login page may stand between"
    )]
    Foreign {
        /// HTTP status.
        status: u16,
        /// The kind of answer.
        content: &'static str,
        /// How long the answer asked the caller to wait.
        retry_after: Option<Duration>,
    },
    /// Twilio refused the text.
    #[error("Twilio refused the text to {to} with {status} ({code}): {advice}")]
    Refused {
        /// The last two digits of the recipient.
        to: String,
        /// HTTP status.
        status: u16,
        /// Twilio's code; 0 if it named none.
        code: u32,
        /// What it means.
        refusal: Refusal,
        /// What a person has to know or do.
        advice: &'static str,
        /// How long Twilio asked the caller to wait.
        retry_after: Option<Duration>,
    },
    /// The recipient has had all texts of the day.
    #[error(
        "not sent to {to}, who has had {limit} texts until {until:.0}: the last one said that no more come. Raise SmsTextsPerDay, or \
         narrow the rules; a replay after that time sends it"
    )]
    DailyLimit {
        /// The last two digits of the recipient.
        to: String,
        /// How many texts a recipient gets a day.
        limit: u32,
        /// When the day ends.
        until: Timestamp,
    },
    /// The texts of the day could not be counted.
    #[error("the texts of the day cannot be counted")]
    Uncounted(#[source] store::Error),
    /// The credential could not be read.
    #[error(transparent)]
    Credential(#[from] CredentialError),
}

impl TextError {
    /// Whether a person has to fix the secret or the account.
    pub fn is_misconfiguration(&self) -> bool {
        match self {
            Self::Refused { refusal, .. } => matches!(refusal, Refusal::Credential | Refusal::AccountLimit),
            Self::Credential(error) => !error.transient,
            _ => false,
        }
    }

    /// Whether Twilio said that the credential is wrong.
    pub(super) fn is_credential_refused(&self) -> bool {
        matches!(self, Self::Refused { refusal: Refusal::Credential, .. })
    }

    /// Whether the text may have been sent all the same.
    pub fn may_have_arrived(&self) -> bool {
        match self {
            Self::Unreachable(source) => !source.is_connect(),
            Self::Refused { refusal, .. } => *refusal == Refusal::Unavailable,
            // A proxy that refused or redirected the request did not pass it on.
            // Twilio answers 201 only for a text that it has taken.
            Self::Foreign { status, .. } => *status == 201 || *status >= 500,
            _ => false,
        }
    }

    /// Counts a failed call as a metric. The reason is logged where the failure is handled.
    pub(super) fn count(&self) {
        let failure = match self {
            Self::Credential(_) => "credential",
            Self::Refused { refusal: Refusal::Credential | Refusal::AccountLimit, .. } => "credential",
            Self::Refused { refusal: Refusal::Final, .. } | Self::DailyLimit { .. } => "permanent",
            _ => "transient",
        };
        let destination = NAME;
        tracing::debug!(monotonic_counter.destination_failures = 1, destination, failure, "a call failed");
    }
}

impl From<TextError> for Failure {
    fn from(error: TextError) -> Self {
        let retry_after = match &error {
            TextError::Credential(_) => None,
            _ if error.is_misconfiguration() => return Self::misconfigured(error),
            TextError::Refused { refusal: Refusal::Final, .. } | TextError::DailyLimit { .. } => {
                return Self::permanent(error);
            }
            TextError::Refused { refusal: Refusal::Queue, retry_after, .. } => {
                Some(retry_after.unwrap_or(QUEUE_WAIT))
            }
            TextError::Refused { retry_after, .. } | TextError::Foreign { retry_after, .. } => *retry_after,
            TextError::Unreachable(_) | TextError::Uncounted(_) => None,
        };
        match error {
            TextError::Credential(error) => error.into(),
            error => Self::Transient { source: Box::new(error), retry_after },
        }
    }
}
