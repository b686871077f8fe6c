//! Why a mail was not sent.

use rules::Address;
use std::time::Duration;
use workflow::Failure;

/// Why Amazon SES did not take a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// More recipients a second than the account may have.
    Rate,
    /// The account has sent to as many recipients within 24 hours as it may.
    DailyQuota,
    /// Amazon SES has a problem of its own.
    Unavailable,
    /// The sender is not verified.
    Sender {
        /// The sender.
        from: Address,
    },
    /// The account is in the sandbox, and these recipients are not verified.
    Sandbox {
        /// The recipients.
        recipients: Vec<Address>,
    },
    /// Amazon SES says that an address is not verified, and does not say which one in a form that is understood.
    NotVerified,
    /// Amazon SES cannot use an address.
    Address {
        /// The recipients that it named. None: it did not say which.
        recipients: Vec<Address>,
    },
    /// There is no such configuration set in the region.
    ConfigurationSet {
        /// The set's name; `None`: the default set of the identity.
        name: Option<String>,
    },
    /// The function's role has no permission.
    Permission {
        /// What it has no permission for: `identity/example.com`, `configuration-set/alerts`.
        resource: Option<String>,
    },
    /// Sending is paused for the account, or for the configuration set.
    Paused,
    /// The account may not send any more.
    Suspended,
    /// The answer is not of Amazon SES, but of a proxy, a firewall or a login page.
    Foreign,
    /// Anything else that a repetition does not change.
    Content,
}

/// Why a mail was not sent, or may not have been.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There was no answer, or none that can be read. Whether Amazon SES has taken the mail is unknown.
    #[error("Amazon SES gave no answer in {region}, and may have taken the mail: {reason}")]
    Unclear {
        /// The region.
        region: String,
        /// What happened.
        reason: String,
    },
    /// Amazon SES was not reached.
    #[error("Amazon SES was not reached in {region}: {reason}")]
    Unreachable {
        /// The region.
        region: String,
        /// What happened.
        reason: String,
    },
    /// Amazon SES did not take the mail.
    #[error("Amazon SES refused with {status} `{code}` in {region}: {}", words(.refusal, region))]
    Refused {
        /// HTTP status.
        status: u16,
        /// The error code, such as `MessageRejected`.
        code: String,
        /// The region.
        region: String,
        /// Why.
        refusal: Refusal,
    },
    /// Mails to earlier recipients leave first.
    #[error("the account's rate is {rate} recipients a second: the mail has to wait for those before it")]
    Paced {
        /// The rate, as the setting has it.
        rate: String,
        /// How long.
        wait: Duration,
    },
    /// There are more recipients than one mail may have, or none.
    #[error("a mail has 1 to 50 recipients, and this one would have {0}")]
    Recipients(usize),
}

/// How long nothing is sent after the rate was too high.
pub(crate) const RATE_WAIT: Duration = Duration::from_secs(10);
/// How long nothing is sent after the daily quota was reached: the quota is a rolling one, so some of it is free again soon.
pub(crate) const QUOTA_WAIT: Duration = Duration::from_secs(60 * 60);

fn words(refusal: &Refusal, region: &str) -> String {
    match refusal {
        Refusal::Rate => "more recipients a second than the account may have; EmailRecipientsPerSecond of the stack should be its \
                          rate at most"
            .to_owned(),
        Refusal::DailyQuota => {
            "the account has reached its quota of recipients within 24 hours; request a higher one in Service Quotas".to_owned()
        }
        Refusal::Unavailable => "it has an internal problem".to_owned(),
        Refusal::Sender { from } => format!(
            "the sender {from} is not verified in {region}: verify it or its domain there, or put a verified address into EmailFrom of \
             the stack. The recipients are not the problem"
        ),
        Refusal::Sandbox { recipients } => format!(
            "the account is in the sandbox of SES in {region}, where mail goes to verified addresses only, and {} is not one: request \
             production access, or verify the recipient's domain. The sender is not the problem",
            masked(recipients)
        ),
        Refusal::NotVerified => format!(
            "an address is not verified in {region}: look at EmailFrom of the stack first; in the sandbox of SES recipients have to be \
             verified too"
        ),
        Refusal::Address { recipients } if recipients.is_empty() => "it cannot use one of the addresses".to_owned(),
        Refusal::Address { recipients } => format!("it cannot use {}", masked(recipients)),
        Refusal::ConfigurationSet { name: Some(name) } => format!(
            "there is no configuration set `{name}` in {region}: create it there, or change EmailConfigurationSet of the stack"
        ),
        Refusal::ConfigurationSet { name: None } => format!(
            "the default configuration set of the sender's identity does not exist in {region}: choose another one for the identity, or \
             name one in EmailConfigurationSet of the stack"
        ),
        Refusal::Permission { resource: Some(resource) } => match resource.split_once('/') {
            Some(("configuration-set", name)) => format!(
                "the function's role may not use the {resource}: put {name} into EmailConfigurationSet of the stack"
            ),
            _ => format!(
                "the function's role may not send for {resource}: EmailIdentity of the stack has to be the verified identity of EmailFrom. \
                 If this is a recipient's identity, the account is in the sandbox of SES"
            ),
        },
        Refusal::Permission { resource: None } => "the function's role may not send".to_owned(),
        Refusal::Paused => format!(
            "sending is paused in {region}, for the account or for the configuration set: find out why in the console of SES, and resume it"
        ),
        Refusal::Suspended => {
            format!("the account may not send any more in {region}: answer the case that AWS has opened about it")
        }
        Refusal::Foreign => "the answer has no error code, so a proxy or a login page may stand between".to_owned(),
        Refusal::Content => "it does not accept this mail".to_owned(),
    }
}

/// Addresses for logs, which show of a person what is enough to find the address in the rules or in Tableau.
pub fn masked(addresses: &[Address]) -> String {
    let one = |address: &Address| {
        let first = address.as_str().chars().next().unwrap_or_default();
        format!("{first}…@{}", address.domain())
    };
    let shown: Vec<String> = addresses.iter().take(3).map(one).collect();
    match addresses.len().saturating_sub(3) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

impl Error {
    /// Whether the mail may have been taken all the same.
    pub fn may_have_arrived(&self) -> bool {
        matches!(self, Self::Unclear { .. } | Self::Refused { refusal: Refusal::Unavailable, .. })
    }

    /// The recipients because of whom the mail was refused, so that the others can get it.
    pub(crate) fn unusable(&self) -> &[Address] {
        match self {
            Self::Refused {
                refusal: Refusal::Address { recipients } | Refusal::Sandbox { recipients },
                ..
            } => recipients,
            _ => &[],
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Unclear { .. } | Self::Unreachable { .. } => Kind::Transient(None),
            Self::Paced { wait, .. } => Kind::Transient(Some(*wait)),
            Self::Recipients(_) => Kind::Permanent,
            Self::Refused { refusal, .. } => match refusal {
                Refusal::Rate => Kind::Transient(Some(RATE_WAIT)),
                Refusal::DailyQuota => Kind::Transient(Some(QUOTA_WAIT)),
                Refusal::Unavailable | Refusal::Foreign => Kind::Transient(None),
                // A person repairs the account or the role, and every mail waits for that.
                Refusal::Permission { .. }
                | Refusal::Paused
                | Refusal::Suspended
                | Refusal::Sender { .. } => Kind::Misconfigured,
                Refusal::Sandbox { .. }
                | Refusal::NotVerified
                | Refusal::Address { .. }
                | Refusal::ConfigurationSet { .. }
                | Refusal::Content => Kind::Permanent,
            },
        }
    }

    /// Counts a mail that was not sent as a metric. The log line is shown at debug level only: the reason is logged where the failure is
    /// handled.
    pub(crate) fn count(&self) {
        let failure = match self.kind() {
            Kind::Transient(_) => "transient",
            Kind::Misconfigured => "credential",
            Kind::Permanent => "permanent",
        };
        tracing::debug!(
            monotonic_counter.destination_failures = 1,
            destination = "SES",
            failure,
            "a mail was not sent"
        );
    }
}

enum Kind {
    Transient(Option<Duration>),
    Misconfigured,
    Permanent,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error.kind() {
            Kind::Transient(retry_after) => Self::Transient { source: Box::new(error), retry_after },
            Kind::Misconfigured => Self::misconfigured(error),
            Kind::Permanent => Self::permanent(error),
        }
    }
}
