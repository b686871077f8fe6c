//! Tokens of OAuth 2.0 (client credentials), kept until shortly before they end.

use super::answer::{self, Meaning};
use super::credential::{OAuth, secrets_of};
use super::error::Error;
use super::read::read_body;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long before its end a token counts as old.
const RESERVE: SignedDuration = SignedDuration::from_secs(60);
/// How long a token counts whose answer does not say it.
const LIFETIME_SECONDS: i64 = 300;
/// How long a token counts at most.
const LONGEST_SECONDS: i64 = 86_400;
/// How long an answer may take at most.
const TIMEOUT: Duration = Duration::from_secs(10);

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
    /// Seconds. Some servers send a text.
    #[serde(default)]
    expires_in: Value,
}

impl Granted {
    fn lifetime(&self) -> SignedDuration {
        let seconds = match &self.expires_in {
            Value::Number(number) => number.as_f64().map(|seconds| seconds as i64),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        SignedDuration::from_secs(seconds.unwrap_or(LIFETIME_SECONDS).clamp(0, LONGEST_SECONDS))
    }
}

impl Tokens {
    /// The token for a target: the kept one, or a new one.
    pub(super) async fn token(
        &self,
        http: &reqwest::Client,
        target: &str,
        oauth: &OAuth,
        now: Timestamp,
        longest: Duration,
    ) -> Result<SecretString, Error> {
        if let Some(token) = self.kept(target, oauth, now) {
            return Ok(token);
        }
        let (token, lifetime) = fetch(http, target, oauth, now, longest).await?;
        let until = now.checked_add(lifetime - RESERVE).unwrap_or(now);
        let kept = Kept { oauth: oauth.clone(), token: token.clone(), until };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(target.to_owned(), kept);
        Ok(token)
    }

    /// Forgets a token that was refused. Returns whether there was one.
    pub(super) fn forget(&self, target: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(target).is_some()
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
    longest: Duration,
) -> Result<(SecretString, SignedDuration), Error> {
    let url = oauth.endpoint.as_url();
    let request = http.post(url.clone()).header("content-type", "application/x-www-form-urlencoded");
    let request = request.timeout(TIMEOUT.min(longest));
    let mut response =
        request.body(form(oauth)).send().await.map_err(|error| Error::unreachable(target, error))?;
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let body = read_body(&mut response).await.map_err(|error| Error::unreachable(target, error))?;
    let secret = oauth.form.iter().find(|(name, _)| *name == "client_secret");
    let secret = SecretString::from(secret.map(|(_, value)| value.clone()).unwrap_or_default());
    let mut answer = answer::read(status, &headers, &body, &secrets_of(&secret, url), now);
    if let Ok(granted) = serde_json::from_slice::<Granted>(&body)
        && answer.meaning == Meaning::Delivered
        && !secret.expose_secret().is_empty()
    {
        let lifetime = granted.lifetime();
        return Ok((SecretString::from(granted.access_token), lifetime));
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
    match status {
        200..300 => "its answer has no `access_token`",
        300..400 => "a redirect, which is not followed: write the address that it leads to as `token_url`",
        _ => said,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_may_be_a_text_and_no_odd_one_counts() {
        for (expires_in, seconds) in [
            (r#"3600"#, 3_600),
            (r#"3600.0"#, 3_600),
            (r#""3600""#, 3_600),
            (r#"null"#, LIFETIME_SECONDS),
            (r#""soon""#, LIFETIME_SECONDS),
            (r#"-9223372036854775808"#, 0),
            (r#"9223372036854775807"#, LONGEST_SECONDS),
        ] {
            let granted: Granted =
                serde_json::from_str(&format!(r#"{{"access_token":"a","expires_in":{expires_in}}}"#))
                    .unwrap();
            assert_eq!(granted.lifetime().as_secs(), seconds, "{expires_in}");
        }
        let granted: Granted = serde_json::from_str(r#"{"access_token":"a"}"#).unwrap();
        assert_eq!(granted.lifetime().as_secs(), LIFETIME_SECONDS);
    }
}
