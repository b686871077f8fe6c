//! One request, and its repetition while Tableau is in trouble.

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

/// How often a call without a deadline is tried, the first time included.
const TRIES: u32 = 3;
/// How often a server is tried when the site may have moved to another one.
const TRIES_IF_MOVED: u32 = 2;
/// The longest wait between two tries without a deadline. A longer one is an error, so that the caller's queue can wait.
const LONGEST_WAIT: Duration = Duration::from_secs(3);

/// Whether a call may be sent again when its outcome is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It may be sent twice.
    Harmless,
    /// Only when Tableau surely did not carry out the first one: no connection, or an answer of `429`.
    IfRefused,
}

/// How an answer says that the object to delete does not exist, and whether an earlier try may have deleted it: its answer may have
/// been lost.
#[derive(Debug)]
pub(crate) struct Gone {
    /// The code for that kind of object. Any other 404 (the site, an address, a page of a proxy) says nothing about it.
    code: &'static str,
    lost: AtomicBool,
}

/// A request, ready to be sent any number of times.
pub(crate) struct Request<'a> {
    pub(crate) operation: &'static str,
    pub(crate) method: &'a Method,
    pub(crate) url: &'a Url,
    pub(crate) token: Option<&'a SecretString>,
    pub(crate) body: Option<&'a str>,
    /// Secrets that an answer may repeat. They are removed before anything reads the answer.
    pub(crate) secrets: Secrets,
    /// Secrets in the body that the answer may hold when the call succeeds: a webhook's URL is part of the webhook.
    pub(crate) body_secrets: Secrets,
    pub(crate) repeat: Repeat,
    pub(crate) timeout: Option<Duration>,
    pub(crate) gone: Option<&'a Gone>,
    /// Whether the site may have moved to another server: then the caller signs in again instead of repeating the call.
    pub(crate) may_have_moved: bool,
    pub(crate) last: &'a LastError,
}

/// How the last try that ended failed: a call that runs out of time adds it to its error. Empty after a request succeeded.
#[derive(Debug, Default)]
pub(crate) struct LastError(Mutex<Option<Box<Error>>>);

impl LastError {
    fn put(&self, error: Error) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(error));
    }

    fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The same error with what is known of the last try.
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

/// How much of an answer to take in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Take {
    /// All of it. A body that breaks off is asked for again.
    Whole,
    /// The head; the body is the caller's.
    Open,
}

/// What came back.
pub(crate) enum Sent {
    /// The status and the body.
    Whole(u16, Vec<u8>),
    Open(Response),
    /// To another server, which a credential may be sent to.
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
    /// Sends one request, again while Tableau is in trouble: up to three times, or while the deadline allows it.
    pub(crate) async fn send(&self, request: &Request<'_>, take: Take) -> Result<Sent, Error> {
        let mut tried = 1;
        loop {
            let error = match self.send_once(request, take).await {
                // What a try before has deleted is not there any more.
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

    /// Whether there is time to wait for so long. A deadline counts the whole wait; without a deadline only what was `asked`
    /// counts, without the jitter.
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
            // Waits are named in the text of errors only, and that follows the language asked for.
            .header(header::ACCEPT_LANGUAGE, "en-US")
            // A file comes as what it is; an error instead of it is asked for as JSON.
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
        let retry_after = wait::retry_after(response.headers());
        if status.is_redirection() {
            let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
            // Only a sign-in, and what is asked before it, is followed: a session is one server's.
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
            // No file is HTML.
            let content_type = response.headers().get(header::CONTENT_TYPE);
            let is_page = content_type.is_some_and(|value| value.as_bytes().starts_with(b"text/html"));
            // The file stays as it is, since most are compressed and a changed one is broken; what becomes text does not.
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
        // The page of a proxy is still there a moment later, unless its status is a temporary one.
        Error::Foreign { status, .. } => matches!(status, 408 | 429 | 500..),
        Error::Redirected { .. } => false,
        error => error.is_transient() && !error.is_session_over(),
    };
    passes && (request.repeat == Repeat::Harmless || is_untouched(error))
}

/// Whether Tableau surely did not carry out the call: there was no connection, or Tableau answered 429.
fn is_untouched(error: &Error) -> bool {
    match error {
        Error::Unreachable { source, .. } => source.is_connect(),
        Error::Refused { status, .. } | Error::Foreign { status, .. } => *status == 429,
        _ => false,
    }
}
