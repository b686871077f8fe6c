//! Errors of a delivery to a destination.

use confidential::InvalidUrl;
use std::time::Duration;
use workflow::{CredentialError, Failure};

/// Why a destination refused a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The destination takes no more requests for a while.
    Throttled,
    /// The destination has a problem of its own.
    Unavailable,
    /// The credential is wrong, expired or revoked, or lacks a permission.
    Credential,
    /// The channel (or other target) does not exist, or this app may not write to it.
    Target,
    /// The message to edit was deleted, or can no longer be edited.
    Gone,
    /// The destination forbids the call, which may pass: a few more tries, then a person has to look.
    Forbidden,
    /// The destination did not accept the content. Slack may accept the same text without a layout.
    Content,
}

impl Refusal {
    pub(crate) fn is_transient(self) -> bool {
        matches!(self, Self::Throttled | Self::Unavailable)
    }
}

/// Why nothing was delivered. Contains no URL, since webhook URLs are secrets.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There was no answer: no connection, or a timeout. Whether the destination acted is unknown.
    #[error("no answer from {destination}")]
    Unreachable {
        /// The destination's name.
        destination: &'static str,
        /// The HTTP client's error.
        source: reqwest::Error,
    },
    /// The destination refused the message.
    #[error("{destination} refused with {status} `{code}` for `{target}`{}", hint(destination, *.refusal, code))]
    Refused {
        /// The destination's name.
        destination: &'static str,
        /// The target in the destination: the channel.
        target: String,
        /// HTTP status.
        status: u16,
        /// The destination's error code, cut to 80 characters.
        code: String,
        /// The kind of refusal.
        refusal: Refusal,
        /// How long the destination asked the caller to wait.
        retry_after: Option<Duration>,
    },
    /// The answer did not come from the destination, but from a proxy, a firewall or a login page. The error contains
    /// none of its text. Whether the destination acted is unknown.
    #[error(
        "the answer is not {destination}'s: {content} with status {status} for `{target}`; a proxy or a login page may stand \
         between"
    )]
    Foreign {
        /// The destination's name.
        destination: &'static str,
        /// The target in the destination: the channel.
        target: String,
        /// HTTP status.
        status: u16,
        /// The kind of answer: `HTML`, `a redirect`, `an empty body`, `JSON` or `text`.
        content: &'static str,
        /// How long the answer asked the caller to wait.
        retry_after: Option<Duration>,
    },
    /// The Slack secret has no webhook URL for this channel.
    #[error(
        "the Slack secret has no webhook URL for the channel `{0}`, nor one named `default`: add one to `webhook_urls`"
    )]
    NoSuchChannel(String),
    /// The message was posted with a bot token, and the secret no longer has a bot token.
    #[error("a message in `{0}` cannot be changed with a webhook URL")]
    NotChangeable(String),
    /// The bot token contains a character that no HTTP header can carry. Nothing was sent.
    #[error(
        "the bot token in the Slack secret has a space, a quotation mark or another character that no token has: paste it \
         again"
    )]
    BadToken,
    /// The webhook URL is not an address that may receive a secret (https, or http on this machine). Nothing was
    /// sent.
    #[error("the webhook URL in the Slack secret {0}")]
    BadWebhookUrl(InvalidUrl),
    /// The trigger of a flow of Power Automate refused the message.
    #[error("the flow of `{target}` refused with {status} ({reason}): {advice}")]
    Flow {
        /// The channel, as the rule names it.
        target: String,
        /// HTTP status.
        status: u16,
        /// The trigger's code and the beginning of its message, without secrets.
        reason: String,
        /// The kind of refusal.
        refusal: Refusal,
        /// What a person has to do.
        advice: String,
        /// How long the trigger asked the caller to wait.
        retry_after: Option<Duration>,
    },
    /// The Teams secret has no URL for this channel.
    #[error(
        "the Teams secret has no URL for the channel `{0}`, nor one named `default`: add one to `webhooks`"
    )]
    NoSuchFlow(String),
    /// The URL in the Teams secret cannot be the one of a flow's trigger. Nothing was sent.
    #[error("the URL of `{target}` in the Teams secret {problem}")]
    BadFlowUrl {
        /// The channel, as the rule names it.
        target: String,
        /// What is wrong, and what to do, without the URL.
        problem: String,
    },
    /// ServiceNow refused a call, or its answer cannot be used.
    #[error(transparent)]
    ServiceNow(#[from] Refused),
    /// The credential could not be read.
    #[error(transparent)]
    Credential(#[from] CredentialError),
}

/// ServiceNow refused a call, or its answer cannot be used. Contains no secret.
#[derive(Debug, thiserror::Error)]
#[error("ServiceNow did not {action}, with status {status} ({reason}): {advice}")]
pub struct Refused {
    /// What the call was to do, such as `create an incident`.
    pub action: &'static str,
    /// HTTP status.
    pub status: u16,
    /// The beginning of what the answer says.
    pub reason: String,
    /// The kind of refusal.
    pub refusal: Refusal,
    /// What a person has to do, or what happens by itself.
    pub advice: String,
    /// How long ServiceNow asked the caller to wait.
    pub retry_after: Option<Duration>,
}

impl Refused {
    /// The record does not exist, or the account may not see it.
    pub(crate) fn is_gone(&self) -> bool {
        self.refusal == Refusal::Gone
    }

    /// The instance refuses to change a record, for a reason that another try does not change.
    pub(crate) fn is_forbidden(&self) -> bool {
        self.status == 403
    }
}

fn hint(destination: &str, refusal: Refusal, code: &str) -> String {
    if let Some(advice) = crate::slack::advice(code).filter(|_| destination == "Slack") {
        return format!(": {advice}");
    }
    if refusal == Refusal::Credential {
        return format!(": put a valid credential into the {destination} secret");
    }
    let hint = match refusal {
        Refusal::Throttled => ": too many messages",
        Refusal::Unavailable => ": it has an internal problem",
        Refusal::Credential => "",
        Refusal::Target => ": check the channel, and that the app may post to it",
        Refusal::Gone => ": the message cannot be changed any more",
        Refusal::Forbidden => ": it forbids the call",
        Refusal::Content => ": it does not accept this message",
    };
    hint.to_owned()
}

impl Error {
    /// Whether the same delivery may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Foreign { .. } => true,
            Self::Refused { refusal, .. } | Self::Flow { refusal, .. } => refusal.is_transient(),
            Self::ServiceNow(refused) => refused.refusal.is_transient(),
            Self::NoSuchChannel(_)
            | Self::NotChangeable(_)
            | Self::BadToken
            | Self::BadWebhookUrl(_)
            | Self::NoSuchFlow(_)
            | Self::BadFlowUrl { .. } => false,
            Self::Credential(error) => error.transient,
        }
    }

    /// Whether a person has to fix the secret: its credential was refused, or it has none for the channel.
    pub fn is_misconfiguration(&self) -> bool {
        match self {
            Self::Credential(error) => !error.transient,
            Self::NoSuchChannel(_)
            | Self::BadToken
            | Self::BadWebhookUrl(_)
            | Self::NoSuchFlow(_)
            | Self::BadFlowUrl { .. } => true,
            _ => self.is_credential_refused(),
        }
    }

    /// Counts a failed delivery as a metric. The log line is only shown at debug level: the reason is logged where
    /// the failure is handled.
    pub(crate) fn count(&self, destination: &'static str) {
        let failure = match self {
            Self::Credential(_) => "credential",
            error if error.is_misconfiguration() => "credential",
            error if error.is_transient() => "transient",
            _ => "permanent",
        };
        tracing::debug!(monotonic_counter.destination_failures = 1, destination, failure, "a call failed");
    }

    /// Whether a message could not be edited because it was deleted or is no longer this app's: a new message must be
    /// sent.
    pub fn is_gone(&self) -> bool {
        matches!(self, Self::NotChangeable(_) | Self::Refused { refusal: Refusal::Gone, .. })
    }

    /// Whether Slack said that the app has no scope for a method.
    pub(crate) fn is_missing_scope(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if code == "missing_scope")
    }

    /// Whether the destination said that the credential is wrong.
    pub(crate) fn is_credential_refused(&self) -> bool {
        matches!(
            self,
            Self::Refused { refusal: Refusal::Credential, .. }
                | Self::Flow { refusal: Refusal::Credential, .. }
        ) || matches!(self, Self::ServiceNow(refused) if refused.refusal == Refusal::Credential)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let transient = error.is_transient();
        match error {
            Error::Credential(error) => error.into(),
            error if error.is_misconfiguration() => Self::misconfigured(error),
            Error::Refused { retry_after, .. }
            | Error::Flow { retry_after, .. }
            | Error::Foreign { retry_after, .. }
                if transient =>
            {
                Self::Transient { source: Box::new(error), retry_after }
            }
            Error::ServiceNow(refused) if transient => {
                let retry_after = refused.retry_after;
                Self::Transient { source: Box::new(Error::ServiceNow(refused)), retry_after }
            }
            error if transient => Self::transient(error),
            error => Self::permanent(error),
        }
    }
}
