//! Twilio: text messages to phones.
//!
//! Twilio answers when it has queued a text, before any network has it: success here means *taken*. It does not recognise a text that is
//! sent twice, so that nothing is repeated inside of a call after an unclear answer.
//!
//! Source: <https://www.twilio.com/docs/messaging/api/message-resource>

mod answer;
mod credential;
mod daily;
mod error;
mod gsm;
mod guarded;
mod notifier;
mod text;

pub use credential::{Sender, TwilioCredential};
pub use daily::Texts;
pub use error::{Refusal, TextError};
pub use gsm::{Encoding, plain, segments};
pub use notifier::{Daily, TwilioNotifier};
pub use text::text;

use crate::http::Answer;
use answer::Taken;
use confidential::{Secrets, SecureUrl};
use reqwest::{RequestBuilder, header};
use rules::PhoneNumber;
use secrecy::ExposeSecret;
use std::fmt;
use std::sync::Arc;
use url::form_urlencoded::Serializer;
use workflow::CredentialSource;

/// Where Twilio's API is.
pub const API_URL: &str = "https://api.twilio.com";

/// An account of Twilio that sends texts.
pub struct Twilio {
    http: reqwest::Client,
    credentials: Arc<dyn CredentialSource<TwilioCredential>>,
    api: SecureUrl,
}

impl fmt::Debug for Twilio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Twilio").finish_non_exhaustive()
    }
}

impl Twilio {
    /// Creates a client. `http` must not follow redirects, which would carry the text elsewhere.
    pub fn new(
        http: reqwest::Client,
        credentials: Arc<dyn CredentialSource<TwilioCredential>>,
        api: SecureUrl,
    ) -> Self {
        Self { http, credentials, api }
    }

    /// Sends a text. `Ok` means that Twilio has taken it.
    ///
    /// # Errors
    /// [`TextError`]. If the credential is refused, the secret is read once more, and the text sent with a new one, if there is one.
    async fn send(&self, to: &PhoneNumber, body: &str) -> Result<Taken, TextError> {
        let sent = self.try_twice(to, body).await;
        sent.inspect_err(TextError::count)
    }

    async fn try_twice(&self, to: &PhoneNumber, body: &str) -> Result<Taken, TextError> {
        let credential = self.credentials.current().await?;
        let refused = match self.send_with(&credential, to, body).await {
            Err(error) if error.is_credential_refused() => error,
            other => return other,
        };
        match self.credentials.replacement(&credential).await? {
            Some(renewed) => self.send_with(&renewed, to, body).await,
            None => Err(refused),
        }
    }

    async fn send_with(
        &self,
        credential: &TwilioCredential,
        to: &PhoneNumber,
        body: &str,
    ) -> Result<Taken, TextError> {
        let (sender, from) = credential.sender.parameter();
        let pairs = [("To", to.as_str()), (sender, from), ("Body", body)];
        let form = Serializer::new(String::new()).extend_pairs(pairs).finish();
        let url = self.url(credential, "Messages.json");
        let request = self.http.post(url).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let taken = self.answer(credential, request.body(form), to).await?;
        // Twilio may find out at once that it cannot deliver the text.
        match taken.error_code.filter(|_| ["failed", "undelivered"].contains(&taken.status.as_str())) {
            Some(code) => Err(answer::failed(code, 201, &to.masked())),
            None => Ok(taken),
        }
    }

    /// What has become of a text.
    ///
    /// # Errors
    /// [`TextError`].
    async fn state(&self, sid: &str, to: &PhoneNumber) -> Result<Taken, TextError> {
        let credential = self.credentials.current().await?;
        let url = self.url(&credential, &format!("Messages/{sid}.json"));
        self.answer(&credential, self.http.get(url), to).await
    }

    async fn answer(
        &self,
        credential: &TwilioCredential,
        request: RequestBuilder,
        to: &PhoneNumber,
    ) -> Result<Taken, TextError> {
        let password = credential.password();
        let request = request.basic_auth(&credential.user, Some(password.expose_secret()));
        let response = request.send().await.map_err(unreachable)?;
        let secrets = Secrets::new([password.clone()]);
        let answer = Answer::read(response, secrets).await.map_err(unreachable)?;
        answer::read(&answer, &to.masked())
    }

    /// A page of the account.
    fn url(&self, credential: &TwilioCredential, page: &str) -> String {
        let api = self.api.as_str().trim_end_matches('/');
        format!("{api}/2010-04-01/Accounts/{}/{page}", credential.account)
    }
}

/// The error of a request without an answer, without its URL, which names the account.
fn unreachable(error: reqwest::Error) -> TextError {
    TextError::Unreachable(error.without_url())
}
