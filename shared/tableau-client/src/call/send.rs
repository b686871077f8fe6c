//! Sends one request, and repeats it while Tableau has a temporary problem.

use super::answer::{foreign, may_be_tableaus, read, refused};
use super::wait;
use crate::error::host;
use crate::settings::redirected;
use crate::{Error, TableauClient};
use confidential::{Secrets, SecureUrl};
use reqwest::{Method, Response, header};
use secrecy::{ExposeSecret, SecretString};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use url::Url;

/// How often a call without a deadline is tried, including the first try.
const TRIES: u32 = 3;
/// How often a server is tried if the site may have moved to another server.
const TRIES_IF_MOVED: u32 = 2;
/// The longest wait between two tries of a call without a deadline. If Tableau asks for a longer wait, the call
/// fails, so that the caller's queue can wait.
const LONGEST_WAIT: Duration = Duration::from_secs(3);

/// Whether a call may be sent again when it is unknown whether the first try was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// The call may be sent twice.
    Harmless,
    /// The call is sent again only if Tableau certainly did not carry out the first try: no connection, or an answer
    /// of `429`.
    IfRefused,
}

/// How an answer says that the object to delete does not exist, and whether an earlier try, whose answer was lost,
/// may have deleted it.
#[derive(Debug)]
pub(crate) struct Gone {
    /// The error code for this kind of object. Another 404 (for the site, an address, a proxy's page) says nothing
    /// about the object.
    code: &'static str,
    lost: AtomicBool,
}

/// A request that can be sent several times.
pub(crate) struct Request<'a> {
    pub(crate) operation: &'static str,
    pub(crate) method: &'a Method,
    pub(crate) url: &'a Url,
    pub(crate) token: Option<&'a SecretString>,
    pub(crate) body: Option<&'a str>,
    /// Secrets that an answer may repeat. They are removed before the answer is read.
    pub(crate) secrets: Secrets,
    /// Secrets in the body that a successful answer legitimately contains: a webhook's URL is part of the webhook.
    pub(crate) body_secrets: Secrets,
    pub(crate) repeat: Repeat,
    pub(crate) timeout: Option<Duration>,
    pub(crate) gone: Option<&'a Gone>,
    /// Whether the site may have moved to another server. The caller then signs in again and does not repeat the
    /// call.
    pub(crate) may_have_moved: bool,
    pub(crate) last: &'a LastError,
}

/// The error of the last try that ended. A call that runs out of time adds it to its own error. Empty after a
/// success.
#[derive(Debug, Default)]
pub(crate) struct LastError(Mutex<Option<Box<Error>>>);

impl LastError {
    fn put(&self, error: Error) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(error));
    }

    fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Adds the last try's error to an out-of-time error.
    pub(crate) fn explain(&self, error: Error) -> Error {
        match error {
            Error::OutOfTime { operation, source: None } => {
                let source = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
                Error::OutOfTime { operation, source }
            }
            other => other,
        }
    }
}

/// How much of an answer to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Take {
    /// The whole body. If the body breaks off, the request is repeated.
    Whole,
    /// Only the status and headers; the caller reads the body.
    Open,
}

/// The result of sending a request.
pub(crate) enum Sent {
    /// The status and the complete body.
    Whole(u16, Vec<u8>),
    Open(Response),
    /// A redirect to another server that may receive the credential.
    Elsewhere(SecureUrl),
}

impl Sent {
    pub(crate) fn into_body(self) -> (u16, Vec<u8>) {
        if let Self::Whole(status, bytes) = self { (status, bytes) } else { (0, Vec::new()) }
    }

    pub(crate) fn into_response(self) -> Option<Response> {
        if let Self::Open(response) = self { Some(response) } else { None }
    }
}

impl TableauClient {
    /// Sends one request, and repeats it while Tableau has a temporary problem: up to three tries, or as many as the
    /// deadline allows.
    pub(crate) async fn send(&self, request: &Request<'_>, take: Take) -> Result<Sent, Error> {
        let mut tried = 1;
        loop {
            let error = match self.send_once(request, take).await {
                // An earlier try deleted the object, so it does not exist any more: success.
                Err(error) if request.gone.is_some_and(|gone| gone.is_meant_by(&error)) => {
                    request.last.clear();
                    return Ok(Sent::Whole(204, Vec::new()));
                }
                Err(error) if may_repeat(request, &error) => error,
                Err(error) => return Err(error),
                Ok(sent) => {
                    request.last.clear();
                    return Ok(sent);
                }
            };
            if let Some(gone) = request.gone.filter(|_| !is_untouched(&error)) {
                gone.lost.store(true, Ordering::Relaxed);
            }
            let named = error.retry_after();
            let wait = wait::before_next(tried, named);
            let moved = request.may_have_moved && error.is_server_gone() && tried >= TRIES_IF_MOVED;
            if moved || !self.has_time_for(tried, named.unwrap_or(wait), wait) {
                return Err(error);
            }
            request.last.put(error);
            tokio::time::sleep(wait).await;
            tried += 1;
        }
    }

    /// Whether there is time for a wait. With a deadline the whole wait counts; without a deadline only the wait that
    /// Tableau `asked` for, without the random part.
    fn has_time_for(&self, tried: u32, asked: Duration, wait: Duration) -> bool {
        match self.remaining() {
            Some(remaining) => wait < remaining,
            None => tried < TRIES && asked <= LONGEST_WAIT,
        }
    }

    async fn send_once(&self, request: &Request<'_>, take: Take) -> Result<Sent, Error> {
        let Request { operation, url, ref secrets, ref body_secrets, .. } = *request;
        let mut builder = self
            .http()
            .request(request.method.clone(), url.clone())
            // Error texts may say how long to wait; they follow the requested language, and only English is
            // understood.
            .header(header::ACCEPT_LANGUAGE, "en-US")
            // A download returns the file; an error in its place is requested as JSON.
            .header(
                header::ACCEPT,
                if take == Take::Open { "application/json, */*;q=0.8" } else { "application/json" },
            );
        if let Some(token) = request.token {
            let value = header::HeaderValue::from_str(token.expose_secret());
            let mut value = value.map_err(|_| Error::Unreadable {
                operation,
                source: "the session token has characters that no header can have".into(),
            })?;
            value.set_sensitive(true);
            builder = builder.header("X-Tableau-Auth", value);
        }
        if let Some(body) = request.body {
            builder = builder.header(header::CONTENT_TYPE, "application/json").body(body.to_owned());
        }
        if let Some(timeout) = request.timeout {
            builder = builder.timeout(timeout);
        }
        let mut response = builder.send().await.map_err(|e| Error::unreachable(operation, url, e))?;
        let status = response.status();
        self.clock().read(response.headers());
        let retry_after = wait::retry_after(response.headers());
        if status.is_redirection() {
            let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
            // Only a sign-in and the version request before it follow redirects: a session belongs to one server.
            let elsewhere = location.filter(|_| request.token.is_none()).and_then(|to| redirected(url, to));
            let named = || {
                let host = location.and_then(|to| url.join(to).ok()).map(|to| host(&to))?;
                let host = body_secrets.redact_text(&secrets.redact_text(&host)).into_owned();
                (!host.is_empty()).then_some(host)
            };
            return elsewhere
                .map(Sent::Elsewhere)
                .ok_or_else(|| Error::Redirected { operation, to: named() });
        }
        if status.is_success() && take == Take::Open {
            // No file that this client downloads is HTML.
            let content_type = response.headers().get(header::CONTENT_TYPE);
            let is_page = content_type.is_some_and(|value| value.as_bytes().starts_with(b"text/html"));
            // The file itself is not changed, since most files are compressed and would break. The content type
            // becomes text in an error, so secrets are removed from it.
            let named = content_type.map(|value| secrets.redact(value.as_bytes()).into_owned());
            let named = named.and_then(|bytes| header::HeaderValue::from_bytes(&bytes).ok());
            match named {
                Some(value) => response.headers_mut().insert(header::CONTENT_TYPE, value),
                None => response.headers_mut().remove(header::CONTENT_TYPE),
            };
            return if is_page {
                Err(foreign(operation, status.as_u16(), retry_after, b"<"))
            } else {
                Ok(Sent::Open(response))
            };
        }
        let bytes = read(operation, response).await?;
        let bytes = if status.is_success() {
            secrets.redact_answer(bytes)
        } else {
            body_secrets.redact_refusal(secrets.redact_refusal(bytes))
        };
        if !status.is_success() {
            Err(refused(operation, status, retry_after, &bytes))
        } else if may_be_tableaus(&bytes) {
            Ok(Sent::Whole(status.as_u16(), bytes))
        } else {
            Err(foreign(operation, status.as_u16(), retry_after, &bytes))
        }
    }
}

impl Gone {
    pub(super) fn new(code: &'static str) -> Self {
        Self { code, lost: AtomicBool::new(false) }
    }

    fn is_meant_by(&self, error: &Error) -> bool {
        self.lost.load(Ordering::Relaxed) && error.code() == Some(self.code)
    }
}

fn may_repeat(request: &Request<'_>, error: &Error) -> bool {
    let passes = match error {
        // A proxy's error page usually stays, so the request is repeated only for temporary statuses.
        Error::Foreign { status, .. } => matches!(status, 408 | 429 | 500..),
        Error::Redirected { .. } => false,
        error => error.is_transient() && !error.is_session_over(),
    };
    passes && (request.repeat == Repeat::Harmless || is_untouched(error))
}

/// Whether Tableau certainly did not carry out the call: there was no connection, or Tableau answered 429.
fn is_untouched(error: &Error) -> bool {
    match error {
        Error::Unreachable { source, .. } => source.is_connect(),
        Error::Refused { status, .. } | Error::Foreign { status, .. } => *status == 429,
        _ => false,
    }
}
