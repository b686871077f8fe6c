//! Slack: messages by incoming webhook or by bot token.
//!
//! Sources: <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>,
//! <https://docs.slack.dev/reference/methods/chat.postMessage>

mod answer;
mod blocks;
mod credential;
pub mod mrkdwn;

pub use blocks::{Block, Message, Text};
pub use credential::SlackCredential;

use crate::Error;
use crate::http::Answer;
use credential::Kind;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use std::fmt;
use std::sync::Arc;
use workflow::CredentialSource;

/// Where the Web API is, unless a setting says otherwise.
pub const API_URL: &str = "https://slack.com/api";

/// A Slack workspace to post to.
pub struct Slack {
    http: reqwest::Client,
    api_url: String,
    credentials: Arc<dyn CredentialSource<SlackCredential>>,
}

impl fmt::Debug for Slack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slack").field("api_url", &self.api_url).finish_non_exhaustive()
    }
}

/// A message that Slack took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// The channel's id and the message's timestamp, which threads and updates need. An incoming webhook
    /// tells neither.
    pub message: Option<(String, String)>,
}

impl Slack {
    /// A workspace behind `api_url` ([`API_URL`]; only a bot token uses it).
    pub fn new(
        http: reqwest::Client,
        api_url: impl Into<String>,
        credentials: Arc<dyn CredentialSource<SlackCredential>>,
    ) -> Self {
        Self { http, api_url: api_url.into(), credentials }
    }

    /// Posts a message. `channel` is a channel's name or id for a bot token, and the name of a webhook URL in
    /// the secret otherwise.
    ///
    /// # Errors
    /// [`Error`]. A refused credential is read again once and the message posted with the new one, if there is
    /// a new one.
    pub async fn post(&self, channel: &str, message: &Message) -> Result<Posted, Error> {
        self.deliver(channel, message).await.inspect_err(|error| error.count("Slack"))
    }

    async fn deliver(&self, channel: &str, message: &Message) -> Result<Posted, Error> {
        let credential = self.credentials.current().await?;
        let refused = match self.post_with(&credential, channel, message).await {
            Err(error) if error.is_credential_refused() => error,
            other => return other,
        };
        match self.credentials.replacement(&credential).await? {
            Some(renewed) => self.post_with(&renewed, channel, message).await,
            None => Err(refused),
        }
    }

    async fn post_with(
        &self,
        credential: &SlackCredential,
        channel: &str,
        message: &Message,
    ) -> Result<Posted, Error> {
        match credential.kind() {
            Kind::BotToken(token) => self.post_by_token(token, channel, message).await,
            Kind::WebhookUrls(_) => {
                self.post_by_webhook(credential.webhook_url(channel)?, channel, message).await
            }
        }
    }

    async fn post_by_webhook(
        &self,
        url: &SecretString,
        channel: &str,
        message: &Message,
    ) -> Result<Posted, Error> {
        let request = self.http.post(url.expose_secret());
        let answer = send(request, &message.to_json()).await?;
        answer::of_webhook(&answer, channel).map(|()| Posted { message: None })
    }

    async fn post_by_token(
        &self,
        token: &SecretString,
        channel: &str,
        message: &Message,
    ) -> Result<Posted, Error> {
        let mut body = message.to_json();
        body["channel"] = json!(channel);
        let request = self
            .http
            .post(format!("{}/chat.postMessage", self.api_url.trim_end_matches('/')))
            .bearer_auth(token.expose_secret());
        let answer = send(request, &body).await?;
        answer::of_web_api(&answer, channel).map(|message| Posted { message })
    }
}

async fn send(request: reqwest::RequestBuilder, body: &serde_json::Value) -> Result<Answer, Error> {
    let unreachable =
        |e: reqwest::Error| Error::Unreachable { destination: "Slack", source: e.without_url() };
    let request = request.header("content-type", "application/json; charset=utf-8").body(body.to_string());
    let response = request.send().await.map_err(unreachable)?;
    Answer::read(response).await.map_err(unreachable)
}
