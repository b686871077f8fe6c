//! How a delivery fails.

use confidential::InvalidUrl;
use std::time::Duration;
use workflow::{CredentialError, Failure};

/// Why a destination refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// Too many requests.
    Throttled,
    /// The destination is in trouble itself.
    Unavailable,
    /// The credential is wrong, expired or revoked, or lacks a permission.
    Credential,
    /// The channel, or whatever is written to, is gone or closed to us.
    Target,
    /// The message to be changed is gone, or may not be changed any more.
    Gone,
    /// It did not like what we sent; of a message with a layout, the same words as plain text may do.
    Content,
}

impl Refusal {
    fn is_transient(self) -> bool {
        matches!(self, Self::Throttled | Self::Unavailable)
    }
}

/// Why nothing was delivered. Holds no URL, since webhook URLs are secrets.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No answer: no connection, or none in time. Whether the destination acted is unknown.
    #[error("no answer from {destination}")]
    Unreachable {
        /// Which destination.
        destination: &'static str,
        /// What happened.
        source: reqwest::Error,
    },
    /// An answer, and it was no.
    #[error("{destination} refused with {status} `{code}` for `{target}`{}", hint(destination, *.refusal))]
    Refused {
        /// Which destination.
        destination: &'static str,
        /// Where in it: the channel.
        target: String,
        /// HTTP status.
        status: u16,
        /// The destination's own word for the reason, cut to 80 characters.
        code: String,
        /// What kind of refusal that is.
        refusal: Refusal,
        /// How long it asked the caller to wait.
        retry_after: Option<Duration>,
    },
    /// An answer that is not the destination's own: of a proxy, a firewall or a login page on the way. Holds nothing of
    /// what it said. Whether the destination acted is unknown.
    #[error(
        "the answer is not {destination}'s: {content} with status {status} for `{target}`; a proxy or a login page may stand \
         between"
    )]
    Foreign {
        /// Which destination was asked.
        destination: &'static str,
        /// Where in it: the channel.
        target: String,
        /// HTTP status.
        status: u16,
        /// What kind of answer it is: `HTML`, `a redirect`, `an empty body`, `JSON` or `text`.
        content: &'static str,
        /// How long it asked the caller to wait.
        retry_after: Option<Duration>,
    },
    /// The credential has nothing for this channel.
    #[error(
        "the Slack secret has no webhook URL for the channel `{0}`, nor one named `default`: add one to `webhook_urls`"
    )]
    NoSuchChannel(String),
    /// The message was posted with a bot token, and the secret has none any more.
    #[error("a message in `{0}` cannot be changed with a webhook URL")]
    NotChangeable(String),
    /// The bot token has a character that no header can carry. Nothing was sent.
    #[error(
        "the bot token in the Slack secret has a space, a quotation mark or another character that no token has: paste it \
         again"
    )]
    BadToken,
    /// The webhook URL is no address that may receive a secret. Nothing was sent.
    #[error("the webhook URL in the Slack secret {0}")]
    BadWebhookUrl(InvalidUrl),
    /// The credential cannot be had.
    #[error(transparent)]
    Credential(#[from] CredentialError),
}

fn hint(destination: &str, refusal: Refusal) -> String {
    if refusal == Refusal::Credential {
        return format!(": put a valid credential into the {destination} secret");
    }
    let hint = match refusal {
        Refusal::Throttled => ": too many messages",
        Refusal::Unavailable => ": it has an internal problem",
        Refusal::Credential => "",
        Refusal::Target => ": check the channel, and that the app may post to it",
        Refusal::Gone => ": the message cannot be changed any more",
        Refusal::Content => ": it does not accept this message",
    };
    hint.to_owned()
}

impl Error {
    /// Whether the same delivery may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Foreign { .. } => true,
            Self::Refused { refusal, .. } => refusal.is_transient(),
            Self::NoSuchChannel(_) | Self::NotChangeable(_) | Self::BadToken | Self::BadWebhookUrl(_) => {
                false
            }
            Self::Credential(error) => error.transient,
        }
    }

    /// Whether a person has to fix the secret: its credential is refused, or it has none for the channel.
    pub fn is_misconfiguration(&self) -> bool {
        match self {
            Self::Credential(error) => !error.transient,
            Self::NoSuchChannel(_) | Self::BadToken | Self::BadWebhookUrl(_) => true,
            _ => self.is_credential_refused(),
        }
    }

    /// Counts a delivery that failed, with a line that only shows when details are logged: the reason is logged where the
    /// failure is handled.
    pub(crate) fn count(&self, destination: &'static str) {
        let failure = match self {
            Self::Credential(_) => "credential",
            error if error.is_misconfiguration() => "credential",
            error if error.is_transient() => "transient",
            _ => "permanent",
        };
        tracing::debug!(monotonic_counter.destination_failures = 1, destination, failure, "a call failed");
    }

    /// Whether a message could not be changed because it is not there, or not ours any more: a new one has to do.
    pub fn is_gone(&self) -> bool {
        matches!(self, Self::NotChangeable(_) | Self::Refused { refusal: Refusal::Gone, .. })
    }

    /// Whether the destination said that the credential is wrong.
    pub(crate) fn is_credential_refused(&self) -> bool {
        matches!(self, Self::Refused { refusal: Refusal::Credential, .. })
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
