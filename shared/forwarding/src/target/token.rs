//! Tokens of OAuth 2.0 (client credentials), kept until shortly before they end.

use super::answer::{self, Meaning};
use super::credential::{OAuth, secrets_of};
use super::error::Error;
use super::read::read_body;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// How long before its end a token counts as old.
const RESERVE: SignedDuration = SignedDuration::from_secs(60);
/// How long a token counts whose answer does not say it.
const LIFETIME_SECONDS: i64 = 300;

/// The tokens of targets.
#[derive(Default)]
pub(super) struct Tokens(Mutex<HashMap<String, Kept>>);

struct Kept {
    oauth: OAuth,
    token: SecretString,
    until: Timestamp,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    #[serde(default)]
    expires_in: Option<i64>,
}

impl Tokens {
    /// The token for a target: the kept one, or a new one.
    pub(super) async fn token(
        &self,
        http: &reqwest::Client,
        target: &str,
        oauth: &OAuth,
        now: Timestamp,
    ) -> Result<SecretString, Error> {
        if let Some(token) = self.kept(target, oauth, now) {
            return Ok(token);
        }
        let (token, lifetime) = fetch(http, target, oauth, now).await?;
        let until = now.checked_add(lifetime - RESERVE).unwrap_or(now);
        let kept = Kept { oauth: oauth.clone(), token: token.clone(), until };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(target.to_owned(), kept);
        Ok(token)
    }

    /// Forgets a token that was refused.
    pub(super) fn forget(&self, target: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(target);
    }

    fn kept(&self, target: &str, oauth: &OAuth, now: Timestamp) -> Option<SecretString> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = kept.get(target).filter(|kept| kept.oauth == *oauth && now < kept.until)?;
        Some(kept.token.clone())
    }
}

async fn fetch(
    http: &reqwest::Client,
    target: &str,
    oauth: &OAuth,
    now: Timestamp,
) -> Result<(SecretString, SignedDuration), Error> {
    let url = oauth.endpoint.as_url();
    let request = http.post(url.clone()).header("content-type", "application/x-www-form-urlencoded");
    let mut response =
        request.body(form(oauth)).send().await.map_err(|error| Error::unreachable(target, error))?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = read_body(&mut response).await.map_err(|error| Error::unreachable(target, error))?;
    let secret = oauth.form.iter().find(|(name, _)| *name == "client_secret");
    let secret = SecretString::from(secret.map(|(_, value)| value.clone()).unwrap_or_default());
    let mut answer = answer::read(status, &headers, &body, &secrets_of(&secret, url), now);
    if let Ok(Granted { access_token, expires_in }) = serde_json::from_slice(&body)
        && answer.meaning == Meaning::Delivered
        && !secret.expose_secret().is_empty()
    {
        let lifetime = SignedDuration::from_secs(expires_in.unwrap_or(LIFETIME_SECONDS));
        return Ok((SecretString::from(access_token), lifetime));
    }
    // Only a pause is a pause: every other refusal is about the credential.
    if !matches!(answer.meaning, Meaning::Later { .. }) {
        answer.meaning = Meaning::Credential;
    }
    answer.said =
        format!("the `token_url` of `oauth` gives no token: {}", without_body(&answer.said, status));
    Err(Error::Answered { target: target.to_owned(), answer })
}

fn form(oauth: &OAuth) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(&oauth.form);
    form.finish()
}

/// What a token endpoint says with a success may be a token.
fn without_body(said: &str, status: u16) -> &str {
    if (200..300).contains(&status) { "its answer has no `access_token`" } else { said }
}
