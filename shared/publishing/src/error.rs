//! Why a file was not published, and what must happen then.

use circuit::CallResult;
use std::time::Duration;
use workflow::{CredentialError, Failure};

/// What kind of refusal it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// A person has the file open or checked out, or another upload of it has not ended.
    InUse,
    /// The file is there, and the rule says to keep it.
    Exists,
    /// Too many requests.
    Throttled,
    /// The service has a problem of its own, or what answers is not the service.
    Unavailable,
    /// The credential is refused, or lacks a permission.
    Credential,
    /// There is no such document library or bucket.
    NoPlace,
    /// There is no room left.
    NoRoom,
    /// The name or path cannot be used.
    Name,
    /// Anything else.
    Other,
}

/// The service refused a call. Contains no secret, and no address of an upload session.
#[derive(Debug, thiserror::Error)]
#[error("{service} did not {action}, with status {status} ({reason}): {advice}")]
pub struct Refused {
    /// `SharePoint` or `S3`.
    pub service: &'static str,
    /// What the call was to do, such as `begin an upload`.
    pub action: &'static str,
    /// HTTP status.
    pub status: u16,
    /// The error codes of the answer, and the beginning of its text.
    pub reason: String,
    /// The kind of refusal.
    pub problem: Problem,
    /// What a person has to do, or what happens by itself.
    pub advice: String,
    /// How long the service asked the caller to wait.
    pub retry_after: Option<Duration>,
}

/// Why a file was not published.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There was no answer: no connection, or a timeout.
    #[error("no answer from {service}")]
    Unreachable {
        /// The service's name.
        service: &'static str,
        /// The HTTP client's error, without an address.
        source: reqwest::Error,
    },
    /// The service refused.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The time of this attempt is over. The upload begins anew with the next attempt.
    #[error(
        "{service} took too long: {sent} of {total} bytes were sent when the time of this attempt was over"
    )]
    OutOfTime {
        /// The service's name.
        service: &'static str,
        /// How many bytes have arrived.
        sent: u64,
        /// How many there are.
        total: u64,
    },
    /// The file on the function's disk cannot be read.
    #[error("cannot read the file on the disk of the function")]
    Disk(#[source] std::io::Error),
    /// The secret has no document library, and the rule names none.
    #[error(
        "no document library is named: write its id as `drive` into the SharePoint secret or the rule{0}"
    )]
    NoDrive(String),
    /// The path cannot be made to fit.
    #[error(transparent)]
    Path(#[from] crate::PathTooLong),
    /// The credential cannot be read.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The address of an upload session cannot be kept safe, so no session is used.
    #[error("this machine has no random numbers to seal the address of the upload with")]
    NotSealed,
    /// The table did not answer.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Error {
    /// The kind of refusal, if it is one.
    pub fn problem(&self) -> Option<Problem> {
        match self {
            Self::Refused(refused) => Some(refused.problem),
            _ => None,
        }
    }

    /// Whether the same upload may succeed later without a person.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::OutOfTime { .. }
            | Self::Disk(_)
            | Self::NotSealed
            | Self::Store(_) => true,
            Self::Refused(refused) => {
                matches!(refused.problem, Problem::InUse | Problem::Throttled | Problem::Unavailable)
            }
            Self::Credential(error) => error.transient,
            Self::NoDrive(_) | Self::Path(_) => false,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        if error.is_transient() {
            let retry_after = match &error {
                Error::Refused(refused) => refused.retry_after,
                _ => None,
            };
            return Self::Transient { source: error.into(), retry_after };
        }
        match error {
            Error::Credential(error) => error.into(),
            Error::NoDrive(_) | Error::Path(_) => Self::misconfigured(error),
            Error::Refused(ref refused) => match refused.problem {
                Problem::Credential | Problem::NoPlace | Problem::NoRoom => Self::misconfigured(error),
                _ => Self::permanent(error),
            },
            error => Self::permanent(error),
        }
    }
}

impl Error {
    /// What a failed upload says about the service's health, for the circuit breaker.
    pub fn call_result(&self) -> CallResult {
        match self {
            // Another step of the attempt took the time.
            Self::OutOfTime { sent: 0, .. } => CallResult::NotCalled,
            Self::Unreachable { .. } | Self::OutOfTime { .. } => CallResult::Failed,
            Self::Refused(Refused { problem: Problem::Throttled, retry_after, .. }) => {
                CallResult::RetryAfter(retry_after.unwrap_or(Duration::from_secs(60)))
            }
            Self::Refused(Refused { problem: Problem::Unavailable, retry_after, .. }) => {
                retry_after.map_or(CallResult::Failed, CallResult::RetryAfter)
            }
            Self::Refused(_) => CallResult::Answered,
            Self::Disk(_)
            | Self::NoDrive(_)
            | Self::Path(_)
            | Self::Credential(_)
            | Self::NotSealed
            | Self::Store(_) => CallResult::NotCalled,
        }
    }
}
