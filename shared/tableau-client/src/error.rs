//! How a call fails.

use crate::{BoxError, CredentialError, MetadataError};
use std::time::Duration;
use url::Url;

/// Tableau's code for a sign-in with a wrong credential.
const CREDENTIAL_REFUSED: &str = "401001";

/// Why a call failed. It names the operation. It holds no token, and of an address only the host.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No answer: no connection, or no answer in time.
    #[error("{operation}: no answer from {host}")]
    Unreachable {
        /// What was asked.
        operation: &'static str,
        /// The server: its host, and the port if it is not the usual one.
        host: String,
        /// What happened.
        source: reqwest::Error,
    },
    /// Tableau answered with an error.
    #[error("{operation}: {}", refusal(*.status, .code, .summary, .detail, .retry_after))]
    Refused {
        /// What was asked.
        operation: &'static str,
        /// HTTP status.
        status: u16,
        /// Tableau's error code, such as `404006`.
        code: String,
        /// Tableau's short text.
        summary: String,
        /// Tableau's longer text. Not stable; follows the language of the server.
        detail: String,
        /// How long Tableau asked the client to wait.
        retry_after: Option<Duration>,
    },
    /// The answer is not Tableau's: a proxy, a firewall or a login page sent it. The error holds nothing of the answer's text.
    #[error("{operation}: {}{}", foreign(*.status, .content), wait(.retry_after))]
    Foreign {
        /// What was asked.
        operation: &'static str,
        /// HTTP status.
        status: u16,
        /// What kind of answer it is: `HTML`, `an empty body`, `JSON`, `XML` or `text`.
        content: &'static str,
        /// How long the answer asked the client to wait.
        retry_after: Option<Duration>,
    },
    /// The answer redirects: a proxy or a login page is in between, or the server's address is not the site's own.
    #[error(
        "{operation}: the answer redirects elsewhere{}; check whether a proxy or a login page is in between, and whether the \
         server's address is the one that your browser shows after you sign in",
        .to.as_ref().map(|host| format!(", to {host}")).unwrap_or_default()
    )]
    Redirected {
        /// What was asked.
        operation: &'static str,
        /// The host that the answer names, if any. Untrusted text.
        to: Option<String>,
    },
    /// The answer is Tableau's, but does not have the documented shape.
    #[error("{operation}: cannot read Tableau's answer")]
    Unreadable {
        /// What was asked.
        operation: &'static str,
        /// Where the answer differs.
        source: BoxError,
    },
    /// The answer is longer than the client accepts.
    #[error("{operation}: the answer is over {limit_bytes} bytes")]
    TooLarge {
        /// What was asked.
        operation: &'static str,
        /// The limit.
        limit_bytes: usize,
    },
    /// The call cannot be made with these arguments. Nothing was sent.
    #[error("{operation}: {reason}")]
    Invalid {
        /// What was asked.
        operation: &'static str,
        /// What is wrong with the arguments.
        reason: &'static str,
    },
    /// The time that the caller gave is over.
    #[error("{operation}: Tableau did not answer in time")]
    OutOfTime {
        /// What was asked.
        operation: &'static str,
        /// How the last try that ended failed, if any.
        source: Option<Box<Error>>,
    },
    /// The Metadata API answered without data.
    #[error("{operation}: the Metadata API answered with errors only: {}", first(.errors))]
    Metadata {
        /// What was asked.
        operation: &'static str,
        /// The errors of the answer.
        errors: Vec<MetadataError>,
    },
    /// Tableau refused a session that was just opened for the call.
    #[error("{operation}: Tableau refuses a session that was just opened: {}", refused_because(*.stolen))]
    SessionRefused {
        /// What was asked.
        operation: &'static str,
        /// Whether another program may have signed in with the same personal access token, which ends the session.
        stolen: bool,
        /// Tableau's answer.
        source: Box<Error>,
    },
    /// Tableau has just refused this credential in another sign-in, so the client does not try it again before `until`: Tableau
    /// locks users out after some wrong passwords. Nothing was sent. The caller whose sign-in was refused gets
    /// [`Error::Refused`] with code 401001, which is permanent.
    #[error("Tableau refused this credential, which is not tried again before {until:.0}: {reason}")]
    CredentialRefused {
        /// When the credential may be tried again.
        until: jiff::Timestamp,
        /// The time from now until then.
        retry_after: Duration,
        /// Why Tableau refused the sign-in.
        reason: String,
    },
    /// The credential cannot be read.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The session store does not answer.
    #[error("cannot share the Tableau session")]
    SessionStore(#[source] BoxError),
    /// Another process is signing in, and did not finish in time.
    #[error("another process is signing in to Tableau and has not finished; try again later")]
    SignInPending,
}

fn refused_because(stolen: bool) -> &'static str {
    if stolen {
        "another program probably signs in with the same personal access token, and each sign-in ends the session before: \
         create a token that only this program uses"
    } else {
        "give the user the right, or the connected app the scope, that this call needs"
    }
}

fn refusal(status: u16, code: &str, summary: &str, detail: &str, retry_after: &Option<Duration>) -> String {
    let detail = if detail.is_empty() { String::new() } else { format!(": {detail}") };
    let advice = advice(code).map(|advice| format!("; {advice}")).unwrap_or_default();
    format!("Tableau refused with {status} ({code}, {summary}{detail}){advice}{}", wait(retry_after))
}

fn foreign(status: u16, content: &str) -> String {
    format!(
        "the answer is not Tableau's: {content} with status {status}; check whether a proxy or a login page is in between"
    )
}

fn wait(retry_after: &Option<Duration>) -> String {
    retry_after.map(|wait| format!("; wait {} s", wait.as_secs())).unwrap_or_default()
}

/// What to check, where Tableau does not say it.
fn advice(code: &str) -> Option<&'static str> {
    match code {
        CREDENTIAL_REFUSED => Some(
            "check the name and the secret, whether a token has expired (it does after 15 days without use), and the \
             site: what follows /site/ in the browser's address",
        ),
        "404001" => Some(
            "leave the version empty: the client then uses the newest version that Tableau also supports",
        ),
        _ => None,
    }
}

/// A host, and its port if it is not the usual one. Nothing else of an address is fit to be shown.
pub(crate) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn first(errors: &[MetadataError]) -> &str {
    errors.first().map_or("no error is named", |error| error.message.as_str())
}

impl Error {
    /// The server of `url` did not answer.
    pub(crate) fn unreachable(operation: &'static str, url: &Url, source: reqwest::Error) -> Self {
        Self::Unreachable { operation, host: host(url), source: source.without_url() }
    }

    /// Tableau's error code, if the answer had one. For [`Error::CredentialRefused`], the code that the refused sign-in got.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            Self::CredentialRefused { .. } => Some(CREDENTIAL_REFUSED),
            _ => None,
        }
    }

    /// What a person should check, where the client knows more than Tableau says. Without a full stop.
    pub fn advice(&self) -> Option<&'static str> {
        self.code().and_then(advice)
    }

    /// Whether a person has to fix the credential: its secret cannot be read or is malformed, Tableau refuses it, or it lacks a
    /// right that the call needs.
    pub fn is_misconfiguration(&self) -> bool {
        match self {
            Self::Credential(error) => !error.transient,
            Self::CredentialRefused { .. } | Self::SessionRefused { stolen: false, .. } => true,
            Self::Refused { status: 401, .. } => !self.is_session_over(),
            _ => false,
        }
    }

    /// Whether a server that no longer exists would fail like this.
    pub(crate) fn is_server_gone(&self) -> bool {
        match self {
            Self::Unreachable { source, .. } => source.is_connect(),
            Self::Foreign { status, .. } => matches!(status, 401 | 404 | 410 | 421),
            _ => false,
        }
    }

    /// Whether the resource does not exist, or the user may not see it: Tableau gives both the same code.
    pub fn is_not_found(&self) -> bool {
        // 404001 and 404003 are about the path itself: a version or resource that this server does not know.
        self.code().is_some_and(|code| code.starts_with("404") && code != "404001" && code != "404003")
    }

    /// Whether the session has ended: it expired, another sign-in with the same token ended it, or the server that the site has
    /// moved to does not know it.
    pub(crate) fn is_session_over(&self) -> bool {
        self.code().is_some_and(|code| code.starts_with("401") && code != CREDENTIAL_REFUSED)
    }

    /// Whether Tableau refused the credential, in this sign-in or in another one.
    pub(crate) fn is_credential_refused(&self) -> bool {
        self.code() == Some(CREDENTIAL_REFUSED)
    }

    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Foreign { .. }
            | Self::Redirected { .. }
            | Self::OutOfTime { .. }
            | Self::SessionStore(_)
            | Self::CredentialRefused { .. }
            | Self::SignInPending => true,
            Self::Refused { status, .. } => matches!(status, 408 | 429 | 500..) || self.is_session_over(),
            Self::Credential(error) => error.transient,
            Self::SessionRefused { stolen, .. } => *stolen,
            Self::Metadata { errors, .. } => errors.iter().any(MetadataError::is_transient),
            Self::Unreadable { .. } | Self::TooLarge { .. } | Self::Invalid { .. } => false,
        }
    }

    /// Counts a failed operation, in a debug line: the caller that handles the failure logs its reason. An object that does
    /// not exist is an answer, not a failure.
    pub(crate) fn count(&self) {
        if !self.is_not_found() {
            let failure = match self {
                Self::Credential(_) => "credential",
                error if error.is_misconfiguration() => "credential",
                error if error.is_transient() => "transient",
                _ => "permanent",
            };
            tracing::debug!(
                monotonic_counter.destination_failures = 1,
                destination = "Tableau",
                failure,
                "a call failed"
            );
        }
    }

    /// How long Tableau asked the client to wait, in a header or in words. For a credential that another sign-in was refused
    /// with, how long the client does not try it again.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } | Self::Foreign { retry_after, .. } => *retry_after,
            Self::CredentialRefused { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }
}
