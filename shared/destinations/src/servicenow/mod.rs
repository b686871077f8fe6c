//! ServiceNow: incidents through the Table API.
//!
//! Sources: <https://www.servicenow.com/docs/r/api-reference/rest-apis/c_TableAPI.html>,
//! <https://www.servicenow.com/docs/r/platform-security/authentication/client-credentials.html>

mod answer;
mod call;
mod children;
mod claims;
mod credential;
mod digest;
mod end;
mod guarded;
mod key;
mod notifier;
mod record;
mod render;
mod search;
mod task;
mod text;
mod ticket;
mod tokens;
mod unreachable;

pub use credential::ServiceNowCredential;
pub use notifier::ServiceNowNotifier;
pub use render::{Rendered, render};
pub use text::neutral;

use crate::Error;
use crate::http::Answer;
use call::Call;
use confidential::Secrets;
use credential::Kind;
use reqwest::{RequestBuilder, StatusCode};
use secrecy::ExposeSecret;
use serde_json::Value;
use std::fmt;
use std::sync::Arc;
use tokens::{Token, Tokens};
use unreachable::{NAME, unreachable};
use workflow::CredentialSource;

/// An instance of ServiceNow.
pub struct ServiceNow {
    http: reqwest::Client,
    credentials: Arc<dyn CredentialSource<ServiceNowCredential>>,
    tokens: Tokens,
}

impl fmt::Debug for ServiceNow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceNow").finish_non_exhaustive()
    }
}

impl ServiceNow {
    /// Creates a client. `http` must not follow redirects: a login page is no answer.
    pub fn new(http: reqwest::Client, credentials: Arc<dyn CredentialSource<ServiceNowCredential>>) -> Self {
        Self { http, credentials, tokens: Tokens::default() }
    }

    /// Makes a call, and returns the `result` of the answer.
    ///
    /// # Errors
    /// [`Error`]. If the credential was refused, the secret is read once more, and the call repeated with the new one, if there is one.
    /// Nothing else is repeated: whether a create without an answer was carried out, only a search shows.
    async fn call(&self, call: &Call<'_>) -> Result<Value, Error> {
        self.try_twice(call).await.inspect_err(|error| error.count(NAME))
    }

    async fn try_twice(&self, call: &Call<'_>) -> Result<Value, Error> {
        let credential = self.credentials.current().await?;
        let refused = match self.call_with(&credential, call).await {
            Err(error) if error.is_misconfiguration() => error,
            other => return other,
        };
        match self.credentials.replacement(&credential).await? {
            Some(renewed) => self.call_with(&renewed, call).await,
            None => Err(refused),
        }
    }

    async fn call_with(
        &self,
        credential: &Arc<ServiceNowCredential>,
        call: &Call<'_>,
    ) -> Result<Value, Error> {
        let secrets = credential.secrets();
        let request = || call.request(&self.http, credential.instance());
        let answer = match credential.kind() {
            Kind::Basic { user, password } => {
                send(request().basic_auth(user, Some(password.expose_secret())), secrets).await?
            }
            Kind::OAuth { .. } => {
                let token = self.tokens.current(&self.http, credential).await?;
                let answer = send_with(request(), &token, &secrets).await?;
                // A token may end early. One new one serves all callers; if that is refused too, a person has to look.
                if answer.status == StatusCode::UNAUTHORIZED.as_u16() {
                    let token = self.tokens.after(&self.http, credential, &token).await?;
                    send_with(request(), &token, &secrets).await?
                } else {
                    answer
                }
            }
        };
        Ok(answer::result(&answer, call.action())?)
    }
}

async fn send_with(request: RequestBuilder, token: &Token, secrets: &Secrets) -> Result<Answer, Error> {
    let secrets = secrets.clone().and([token.value.clone()]);
    send(request.bearer_auth(token.value.expose_secret()), secrets).await
}

async fn send(request: RequestBuilder, secrets: Secrets) -> Result<Answer, Error> {
    let response = request.send().await.map_err(unreachable)?;
    let reset = answer::wait_until_reset(response.status().as_u16(), response.headers());
    let mut answer = Answer::read(response, secrets).await.map_err(unreachable)?;
    answer.retry_after = answer.retry_after.or(reset);
    Ok(answer)
}
