//! Errors of a call.

use crate::{BoxError, CredentialError, MetadataError};
use std::time::Duration;
use url::Url;

/// Tableau's code for a sign-in with a wrong credential.
const CREDENTIAL_REFUSED: &str = "401001";

/// Why a call failed. The error names the operation. It contains no token, and of an address only the host.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There was no answer: no connection, or a timeout.
    #[error("{operation}: no answer from {host}")]
    Unreachable {
        /// The operation, such as "fetch the workbook".
        operation: &'static str,
        /// The server's host, with the port if it is not the default.
        host: String,
        /// The HTTP client's error.
        source: reqwest::Error,
    },
    /// Tableau answered with an error.
    #[error("{operation}: {}", refusal(*.status, .code, .summary, .detail, .retry_after))]
    Refused {
        /// The operation.
        operation: &'static str,
        /// HTTP status.
        status: u16,
        /// Tableau's error code, such as `404006`.
        code: String,
        /// Tableau's summary of the error.
        summary: String,
        /// Tableau's longer error text. It may change, and is in the server's language.
        detail: String,
        /// How long Tableau asked the client to wait.
        retry_after: Option<Duration>,
    },
    /// The answer did not come from Tableau but from a proxy, a firewall or a login page. The error contains none of
    /// the answer's text.
    #[error("{operation}: {}{}", foreign(*.status, .content), wait(.retry_after))]
    Foreign {
        /// The operation.
        operation: &'static str,
        /// HTTP status.
        status: u16,
        /// The kind of answer: `HTML`, `an empty body`, `JSON`, `XML` or `text`.
        content: &'static str,
        /// How long the answer asked the client to wait.
        retry_after: Option<Duration>,
    },
    /// The answer is a redirect: a proxy or a login page is in between, or the configured address is not the site's
    /// own.
    #[error(
        "{operation}: the answer redirects elsewhere{}; check whether a proxy or a login page is in between, and whether the \
         server's address is the one that your browser shows after you sign in",
        .to.as_ref().map(|host| format!(", to {host}")).unwrap_or_default()
    )]
    Redirected {
        /// The operation.
        operation: &'static str,
        /// The host that the redirect leads to, if any. Untrusted text.
        to: Option<String>,
    },
    /// The answer came from Tableau, but does not have the documented form.
    #[error("{operation}: cannot read Tableau's answer")]
    Unreadable {
        /// The operation.
        operation: &'static str,
        /// Where the answer differs from the documented form.
        source: BoxError,
    },
    /// The answer is longer than the client accepts.
    #[error("{operation}: the answer is over {limit_bytes} bytes")]
    TooLarge {
        /// The operation.
        operation: &'static str,
        /// The longest accepted answer.
        limit_bytes: usize,
    },
    /// The arguments of the call are invalid. Nothing was sent.
    #[error("{operation}: {reason}")]
    Invalid {
        /// The operation.
        operation: &'static str,
        /// What is wrong with the arguments.
        reason: &'static str,
    },
    /// The caller's time limit was reached.
    #[error("{operation}: Tableau did not answer in time")]
    OutOfTime {
        /// The operation.
        operation: &'static str,
        /// The error of the last try that ended, if any.
        source: Option<Box<Error>>,
    },
    /// The Metadata API answered with errors and without data.
    #[error("{operation}: the Metadata API answered with errors only: {}", first(.errors))]
    Metadata {
        /// The operation.
        operation: &'static str,
        /// The errors of the answer.
        errors: Vec<MetadataError>,
    },
    /// Tableau refused a session that was just opened for this call.
    #[error("{operation}: Tableau refuses a session that was just opened: {}", refused_because(*.stolen, *.scope))]
    SessionRefused {
        /// The operation.
        operation: &'static str,
        /// Whether another program may have signed in with the same personal access token, which ends the session.
        stolen: bool,
        /// The JWT scope that the call needs, if one is documented and known to the client.
        scope: Option<&'static str>,
        /// Tableau's answer.
        source: Box<Error>,
    },
    /// Tableau has refused this credential in another sign-in a moment ago, so the client does not try it again
    /// before `until`: after some wrong passwords Tableau locks the user out. Nothing was sent. The caller whose own
    /// sign-in was refused gets [`Error::Refused`] with code 401001, which is permanent.
    #[error("Tableau refused this credential, which is not tried again before {until:.0}: {reason}")]
    CredentialRefused {
        /// When the credential may be tried again.
        until: jiff::Timestamp,
        /// The wait until then.
        retry_after: Duration,
        /// Why Tableau refused the sign-in.
        reason: String,
    },
    /// The credential cannot be read.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The session store did not answer.
    #[error("cannot share the Tableau session")]
    SessionStore(#[source] BoxError),
    /// Another process is signing in and did not finish in time.
    #[error("another process is signing in to Tableau and has not finished; try again later")]
    SignInPending,
}

fn refused_because(stolen: bool, scope: Option<&str>) -> String {
    if stolen {
        "another program probably signs in with the same personal access token, and each sign-in ends the session before: \
         create a token that only this program uses"
            .to_owned()
    } else {
        let scope = scope.map(|scope| format!(" {scope}")).unwrap_or_default();
        format!("give the user the right, or the connected app the scope{scope}, that this call needs")
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

/// What a person should check, for error codes that Tableau does not explain.
fn advice(code: &str) -> Option<&'static str> {
    match code {
        CREDENTIAL_REFUSED => Some(
            "check the name and the secret, whether a token has expired (it does after 15 days without use), and the \
             site: what follows /site/ in the browser's address",
        ),
        "400118" => Some(
            "a webhook's URL needs https://, a certificate that Tableau trusts, and a host that Tableau reaches",
        ),
        "403109" => Some("webhooks are switched off on this server: a server administrator can allow them"),
        "403151" => Some("a site administrator can allow Broadcasts in the settings of the site"),
        "404001" => Some(
            "leave the version empty: the client then uses the newest version that Tableau also supports",
        ),
        _ => None,
    }
}

/// The host of an address, with the port if it is not the default. No other part of an address may be shown.
pub(crate) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn first(errors: &[MetadataError]) -> &str {
    errors.first().map_or("no error is named", |error| error.message.as_str())
}

impl Error {
    /// The error that the server of `url` did not answer.
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

    /// Whether a person has to fix the credential: its secret cannot be read or is malformed, Tableau refuses it, or
    /// its user lacks a right that the call needs.
    pub fn is_misconfiguration(&self) -> bool {
        match self {
            Self::Credential(error) => !error.transient,
            Self::CredentialRefused { .. } | Self::SessionRefused { stolen: false, .. } => true,
            Self::Refused { status: 401, .. } => !self.is_session_over(),
            _ => false,
        }
    }

    /// Whether a server that no longer exists would cause this error.
    pub(crate) fn is_server_gone(&self) -> bool {
        match self {
            Self::Unreachable { source, .. } => source.is_connect(),
            Self::Foreign { status, .. } => matches!(status, 401 | 404 | 410 | 421),
            _ => false,
        }
    }

    /// Whether the user lacks a right on the object, which a person can give.
    pub fn lacks_right(&self) -> bool {
        self.code() == Some("403004")
    }

    /// Whether the object does not exist or the user may not see it: Tableau uses the same code for both.
    pub fn is_not_found(&self) -> bool {
        // 404001 and 404003 mean that the server does not know the path, as in a version or resource that is too new.
        self.code().is_some_and(|code| code.starts_with("404") && code != "404001" && code != "404003")
    }

    /// Whether the session has ended: it expired, another sign-in with the same token ended it, or the site moved to
    /// a server that does not know the session.
    pub(crate) fn is_session_over(&self) -> bool {
        self.code().is_some_and(|code| code.starts_with("401") && code != CREDENTIAL_REFUSED)
    }

    /// Whether Tableau refused the credential, in this sign-in or in another.
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

    /// Counts a failed operation in a debug line; the caller that handles the failure logs the reason. "Object not
    /// found" is an answer and not a failure.
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

    /// How long Tableau asked the client to wait, in a header or in its text. If another sign-in was refused, how
    /// long the client does not try the credential again.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } | Self::Foreign { retry_after, .. } => *retry_after,
            Self::CredentialRefused { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }
}
