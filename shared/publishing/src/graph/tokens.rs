//! The application's token: one for all uploads of this process, a new one before it ends, and one more when it is refused.
//!
//! Source: <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>

use super::GraphAddresses;
use super::answer::{Answer, unreachable};
use super::credential::GraphCredential;
use crate::Error;
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long before its end a token is replaced; less if it lives for less than five times as long.
const MARGIN: Duration = Duration::from_secs(300);
/// How long a token is used whose end the answer does not say, in seconds.
const USUAL: u64 = 600;
/// How long a token counts at most, in seconds.
const LONGEST: u64 = 86_400;
const ACTION: &str = "give a token";

/// A token, and until when it is used.
pub(super) struct Token {
    pub(super) value: SecretString,
    renew_at: Instant,
    pub(super) of: Arc<GraphCredential>,
}

/// The token that is in use. The lock is held during a request, so that concurrent callers cause one.
#[derive(Default)]
pub(super) struct Tokens(Mutex<Option<Arc<Token>>>);

impl Tokens {
    /// The token for this credential, and not `refused`.
    pub(super) async fn current(
        &self,
        http: &reqwest::Client,
        addresses: &GraphAddresses,
        credential: &Arc<GraphCredential>,
        refused: Option<&Arc<Token>>,
    ) -> Result<Arc<Token>, Error> {
        let mut kept = self.0.lock().await;
        let usable = |token: &&Arc<Token>| {
            token.of == *credential
                && Instant::now() < token.renew_at
                && refused.is_none_or(|refused| !Arc::ptr_eq(token, refused))
        };
        if let Some(token) = kept.as_ref().filter(usable) {
            return Ok(Arc::clone(token));
        }
        let token = Arc::new(fetch(http, addresses, credential).await?);
        *kept = Some(Arc::clone(&token));
        Ok(token)
    }
}

/// The form of a request for a token.
fn form(addresses: &GraphAddresses, credential: &GraphCredential) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair("client_id", &credential.client_id)
        .append_pair("client_secret", credential.client_secret.expose_secret())
        .append_pair("scope", &addresses.scope())
        .finish()
}

async fn fetch(
    http: &reqwest::Client,
    addresses: &GraphAddresses,
    credential: &Arc<GraphCredential>,
) -> Result<Token, Error> {
    let began = Instant::now();
    let request = http
        .post(addresses.token(&credential.tenant))
        .header("accept", "application/json")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form(addresses, credential));
    let response = request.send().await.map_err(unreachable)?;
    let answer = Answer::read(response, &credential.secrets()).await?;
    let is_token = |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    let Some(token) = answer.text("access_token").filter(|text| answer.status == 200 && is_token(text))
    else {
        // The host of tokens answers 400 for an application that it does not know.
        let mut refused = answer.refused(ACTION);
        if let Error::Refused(refused) = &mut refused
            && (400..=403).contains(&refused.status)
            && answer.json.is_some()
        {
            refused.problem = crate::Problem::Credential;
            "check `tenant`, `client_id` and `client_secret` in the SharePoint secret, and that the secret of the application has not \
             expired"
                .clone_into(&mut refused.advice);
        }
        return Err(refused);
    };
    let expires_in = answer.json.as_ref().and_then(|json| json.get("expires_in")?.as_u64());
    let life = Duration::from_secs(expires_in.unwrap_or(USUAL).min(LONGEST));
    let renew_at = began + life.saturating_sub(MARGIN.min(life / 5));
    tracing::debug!(expires_in_seconds = life.as_secs(), "a new token for Microsoft Graph");
    Ok(Token { value: SecretString::from(token.to_owned()), renew_at, of: Arc::clone(credential) })
}
