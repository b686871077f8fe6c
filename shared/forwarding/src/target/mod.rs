//! Targets: signed requests to URLs of the forward secret.

mod answer;
mod credential;
mod error;
mod form;
mod read;
mod token;

pub use answer::{Answer, Meaning};
pub use credential::ForwardCredential;
pub(crate) use error::Error;

use crate::signature::{message_id, signatures};
use confidential::Secrets;
use credential::Target;
use jiff::Timestamp;
use read::read_body;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use secrecy::ExposeSecret;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use token::Tokens;
use workflow::CredentialSource;

/// How long a target may take. Standard Webhooks recommends 15 to 30 seconds.
const TIMEOUT: Duration = Duration::from_secs(20);

/// What a target is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a> {
    /// The event's id.
    pub(crate) event: &'a str,
    /// The target's name.
    pub(crate) target: &'a str,
    /// A JSON text. What is signed is what is sent.
    pub(crate) body: &'a str,
    /// How long the target may take, with the token that it may need.
    pub(crate) longest: Duration,
}

/// What a target has taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    /// HTTP status.
    pub(crate) status: u16,
    /// The id of what the target has made.
    pub(crate) made: Option<String>,
    /// Whether the target wants no more events.
    pub(crate) is_last: bool,
}

/// The targets of the forward secret.
pub struct Targets {
    http: reqwest::Client,
    credentials: Arc<dyn CredentialSource<ForwardCredential>>,
    tokens: Tokens,
}

impl fmt::Debug for Targets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Targets").finish_non_exhaustive()
    }
}

impl Targets {
    /// Targets that are called through `http`, which has to come from [`crate::network::client`].
    pub fn new(http: reqwest::Client, credentials: Arc<dyn CredentialSource<ForwardCredential>>) -> Self {
        Self { http, credentials, tokens: Tokens::default() }
    }

    /// What tells the present URL and secret of a target from others.
    pub(crate) async fn fingerprint(&self, target: &str) -> Result<String, Error> {
        Ok(self.credentials.current().await?.target(target)?.fingerprint)
    }

    /// The fingerprint of the secret as it is now, and not as it is kept.
    pub(crate) async fn new_fingerprint(&self, target: &str) -> Result<Option<String>, Error> {
        let kept = self.credentials.current().await?;
        match self.credentials.replacement(&kept).await? {
            Some(renewed) => Ok(Some(renewed.target(target)?.fingerprint)),
            None => Ok(None),
        }
    }

    /// Posts a message once. If the credential was refused, the secret is read again, and the message posted with another one, if there
    /// is one.
    pub(crate) async fn post(&self, message: Message<'_>, now: Timestamp) -> Result<Taken, Error> {
        let credential = self.credentials.current().await?;
        let refused = match self.post_with(&credential, message, now).await {
            Err(error) if error.is_misconfiguration() => error,
            other => return other,
        };
        // A token may have ended before its time.
        if matches!(refused, Error::Answered { .. }) && self.tokens.forget(message.target) {
            match self.post_with(&credential, message, now).await {
                Err(error) if error.is_misconfiguration() => self.tokens.forget(message.target),
                other => return other,
            };
        }
        match self.credentials.replacement(&credential).await? {
            Some(renewed) => self.post_with(&renewed, message, now).await,
            None => Err(refused),
        }
    }

    async fn post_with(
        &self,
        credential: &ForwardCredential,
        message: Message<'_>,
        now: Timestamp,
    ) -> Result<Taken, Error> {
        let Message { event, target: name, body, .. } = message;
        let target = credential.target(name)?;
        let (request, secrets) = self.request(&target, message, now).await?;
        let mut response = request.send().await.map_err(|error| Error::unreachable(name, error))?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let said = match read_body(&mut response).await {
            Ok(said) => said,
            // The target has said that it took the event.
            Err(_) if response.status().is_success() => Vec::new(),
            Err(error) => return Err(Error::unreachable(name, error)),
        };
        let answer = answer::read(status, &headers, &said, &secrets, now);
        tracing::debug!(
            event.id = event,
            target = name,
            status,
            size_bytes = body.len(),
            "a target answered"
        );
        match answer.meaning {
            Meaning::Delivered | Meaning::DeliveredLast => Ok(Taken {
                status,
                made: answer::made(&said),
                is_last: answer.meaning == Meaning::DeliveredLast,
            }),
            _ => Err(Error::Answered { target: name.to_owned(), answer }),
        }
    }

    async fn request(
        &self,
        target: &Target,
        message: Message<'_>,
        now: Timestamp,
    ) -> Result<(reqwest::RequestBuilder, Secrets), Error> {
        let id = message_id(message.event, message.target);
        let timestamp = now.as_second();
        let mut headers = target.headers.clone();
        headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        headers.entry("accept").or_insert(HeaderValue::from_static("application/json"));
        let signature = signatures(&target.keys, &id, timestamp, message.body.as_bytes());
        let ours = [
            ("webhook-id", Some(id)),
            ("webhook-timestamp", Some(timestamp.to_string())),
            ("webhook-signature", signature),
        ];
        for (name, value) in ours {
            if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
                headers.insert(name, value);
            }
        }
        let mut secrets = target.secrets.clone();
        if let Some(oauth) = &target.oauth {
            let longest = message.longest / 2;
            let token = self.tokens.token(&self.http, message.target, oauth, now, longest).await?;
            if let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret())) {
                value.set_sensitive(true);
                headers.insert(AUTHORIZATION, value);
            }
            secrets = secrets.and([token]);
        }
        let longest = if target.oauth.is_some() { message.longest / 2 } else { message.longest };
        let request = self.http.post(target.endpoint.as_url().clone()).headers(headers);
        let request = request.timeout(TIMEOUT.min(longest));
        Ok((request.body(message.body.to_owned()), secrets))
    }
}
