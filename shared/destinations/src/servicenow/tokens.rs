//! OAuth tokens: one for all callers of this process, a new one before it ends, and one more when it is refused.

use super::answer::shown;
use super::credential::{Kind, ServiceNowCredential};
use super::unreachable::{NAME, unreachable};
use crate::http::Answer;
use crate::{Error, Refusal, Refused};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long before its end a token is replaced; less if it lives for less than five times as long.
const MARGIN: Duration = Duration::from_secs(60);
/// How long a token is used whose end the instance does not say.
const USUAL: u64 = 600;
/// How long a token counts at most, in seconds.
const LONGEST: u64 = 86_400;
const ACTION: &str = "give a token";

/// A token, and until when it is used.
pub(super) struct Token {
    pub(super) value: SecretString,
    renew_at: Instant,
    of: Arc<ServiceNowCredential>,
}

/// The token that is in use. The lock is held during a request, so that concurrent callers cause one.
#[derive(Default)]
pub(super) struct Tokens(Mutex<Option<Arc<Token>>>);

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    #[serde(default)]
    expires_in: Option<u64>,
}

impl Tokens {
    /// The token for this credential.
    pub(super) async fn current(
        &self,
        http: &reqwest::Client,
        credential: &Arc<ServiceNowCredential>,
    ) -> Result<Arc<Token>, Error> {
        let mut kept = self.0.lock().await;
        match kept.as_ref().filter(|token| token.of == *credential && Instant::now() < token.renew_at) {
            Some(token) => Ok(Arc::clone(token)),
            None => renew(&mut kept, http, credential).await,
        }
    }

    /// The token to use after this one was refused. Of several callers that had the same one, the first gets a new one for all.
    pub(super) async fn after(
        &self,
        http: &reqwest::Client,
        credential: &Arc<ServiceNowCredential>,
        refused: &Arc<Token>,
    ) -> Result<Arc<Token>, Error> {
        let mut kept = self.0.lock().await;
        let newer = kept.as_ref().filter(|token| !Arc::ptr_eq(token, refused) && token.of == *credential);
        match newer.filter(|token| Instant::now() < token.renew_at) {
            Some(token) => Ok(Arc::clone(token)),
            None => renew(&mut kept, http, credential).await,
        }
    }
}

async fn renew(
    kept: &mut Option<Arc<Token>>,
    http: &reqwest::Client,
    credential: &Arc<ServiceNowCredential>,
) -> Result<Arc<Token>, Error> {
    let token = Arc::new(fetch(http, credential).await?);
    *kept = Some(Arc::clone(&token));
    Ok(token)
}

async fn fetch(http: &reqwest::Client, credential: &Arc<ServiceNowCredential>) -> Result<Token, Error> {
    let Kind::OAuth { client_id, client_secret } = credential.kind() else {
        return Err(refused(0, "no application".to_owned(), Refusal::Credential, None).into());
    };
    let mut url = credential.instance().as_url().clone();
    let mut form = url.clone();
    form.query_pairs_mut()
        .clear()
        .append_pair("grant_type", "client_credentials")
        .append_pair("client_id", client_id)
        .append_pair("client_secret", client_secret.expose_secret());
    url.set_path("/oauth_token.do");
    let began = Instant::now();
    let request = http
        .post(url)
        .header("accept", "application/json")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.query().unwrap_or_default().to_owned());
    let response = request.send().await.map_err(unreachable)?;
    let answer = Answer::read(response, credential.secrets()).await.map_err(unreachable)?;
    let granted = serde_json::from_str::<Granted>(&answer.body).ok().filter(|_| answer.status == 200);
    let is_token = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    let Some(granted) = granted.filter(|granted| is_token(&granted.access_token)) else {
        return Err(not_granted(&answer).into());
    };
    let life = Duration::from_secs(granted.expires_in.unwrap_or(USUAL).min(LONGEST));
    let renew_at = began + life.saturating_sub(MARGIN.min(life / 5));
    tracing::debug!(destination = NAME, expires_in_seconds = life.as_secs(), "a new OAuth token");
    Ok(Token { value: SecretString::from(granted.access_token), renew_at, of: Arc::clone(credential) })
}

/// The error of an answer without a token. Nothing of the answer but its error code and description is repeated.
fn not_granted(answer: &Answer) -> Refused {
    let json = serde_json::from_str::<Value>(&answer.body).ok().filter(Value::is_object);
    let text = |name: &str| json.as_ref()?.get(name)?.as_str().map(str::to_owned);
    let said: Vec<String> = [text("error"), text("error_description")].into_iter().flatten().collect();
    let reason = if said.is_empty() { answer.kind().to_owned() } else { shown(answer, &said.join(": ")) };
    let refusal = match answer.status {
        429 => Refusal::Throttled,
        400 | 401 | 403 if json.is_some() || answer.status == 401 => Refusal::Credential,
        _ => Refusal::Unavailable,
    };
    refused(answer.status, reason, refusal, answer.retry_after)
}

fn refused(status: u16, reason: String, refusal: Refusal, retry_after: Option<Duration>) -> Refused {
    let advice = match refusal {
        Refusal::Credential => {
            "check `client_id` and `client_secret` in the ServiceNow secret, that the application is active and has an OAuth application \
             user, and that the instance allows the grant type client credentials (property \
             glide.oauth.inbound.client.credential.grant_type.enabled)"
        }
        Refusal::Throttled => "too many tokens were asked for",
        _ => "the instance does not answer as an API: it may be asleep. It is tried again",
    };
    Refused { action: ACTION, status, reason, refusal, advice: advice.to_owned(), retry_after }
}
