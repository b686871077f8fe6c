//! Slack: messages by incoming webhook or by bot token.
//!
//! Sources: <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>,
//! <https://docs.slack.dev/reference/methods/chat.postMessage>

mod advice;
mod answer;
mod blocks;
mod credential;
mod guarded;
pub mod mrkdwn;
mod notifier;
mod people;
mod render;

pub(crate) use advice::advice;
pub use answer::Sent;
pub use blocks::{Block, Message, Text};
pub use credential::SlackCredential;
pub use notifier::SlackNotifier;
pub use render::render;

use crate::http::Answer;
use crate::{Error, Refusal};
use answer::Found;
use confidential::{Secrets, SecureUrl};
use credential::Kind;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use workflow::CredentialSource;

/// The address of Slack's Web API, unless a setting names another.
pub const API_URL: &str = "https://slack.com/api";

/// A Slack workspace that messages are posted to.
pub struct Slack {
    http: reqwest::Client,
    api_url: SecureUrl,
    credentials: Arc<dyn CredentialSource<SlackCredential>>,
}

impl fmt::Debug for Slack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slack").field("api_url", &self.api_url).finish_non_exhaustive()
    }
}

/// A message that Slack accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// The message's id, for replies and edits. An incoming webhook returns none.
    pub message: Option<Sent>,
}

/// How a message is sent.
#[derive(Clone, Copy, Debug)]
enum Delivery<'a> {
    /// As a new message in this channel.
    Post(&'a str),
    /// As a reply to this message.
    Reply {
        /// The message.
        to: &'a Sent,
        /// Whether the reply is also shown in the channel.
        is_broadcast: bool,
    },
    /// In place of this message.
    Update(&'a Sent),
}

impl Delivery<'_> {
    /// The channel's name or id, as the caller knows it.
    fn channel(&self) -> &str {
        match self {
            Self::Post(channel) => channel,
            Self::Reply { to: sent, .. } | Self::Update(sent) => &sent.channel,
        }
    }
}

impl Slack {
    /// Creates a client for the workspace behind `api_url` ([`API_URL`]); only a bot token uses that address.
    pub fn new(
        http: reqwest::Client,
        api_url: SecureUrl,
        credentials: Arc<dyn CredentialSource<SlackCredential>>,
    ) -> Self {
        Self { http, api_url, credentials }
    }

    /// Posts a message. `channel` is a channel's name or id with a bot token; otherwise it is the name of a webhook
    /// URL in the secret.
    ///
    /// # Errors
    /// [`Error`]. If Slack refuses the credential, the secret is read once more and the message posted with the new
    /// credential, if there is one. If Slack refuses the layout, the message is posted once more as plain text, which
    /// is not an error.
    pub async fn post(&self, channel: &str, message: &Message) -> Result<Posted, Error> {
        self.deliver(Delivery::Post(channel), message).await
    }

    /// Replies to a message in its thread and, if `is_broadcast`, in the channel too. Needs a bot token.
    ///
    /// # Errors
    /// As for [`Slack::post`].
    pub async fn reply(&self, to: &Sent, is_broadcast: bool, message: &Message) -> Result<Posted, Error> {
        self.deliver(Delivery::Reply { to, is_broadcast }, message).await
    }

    /// Replaces the text of a message that was sent with the same bot token.
    ///
    /// # Errors
    /// As for [`Slack::post`], and [`Refusal::Gone`] when the message can no longer be edited.
    ///
    /// Source: <https://docs.slack.dev/reference/methods/chat.update>
    pub async fn update(&self, sent: &Sent, message: &Message) -> Result<Posted, Error> {
        self.deliver(Delivery::Update(sent), message).await
    }

    /// Whether messages can be edited and replied to: only with a bot token.
    ///
    /// # Errors
    /// [`Error::Credential`].
    pub async fn changes_messages(&self) -> Result<bool, Error> {
        Ok(matches!(self.credentials.current().await?.kind(), Kind::BotToken(_)))
    }

    /// The user with this e-mail address. `None` without a bot token, which the lookup needs. Scope `users:read.email`. The
    /// address goes into the body, since proxies log URLs.
    ///
    /// # Errors
    /// [`Error`], which does not contain the address; after `time` at the latest.
    ///
    /// Source: <https://docs.slack.dev/reference/methods/users.lookupByEmail>
    async fn find_user(&self, address: &str, time: Duration) -> Result<Option<Found>, Error> {
        let credential = self.credentials.current().await?;
        let refused = match self.find_user_with(&credential, address, time).await {
            Err(error) if error.is_credential_refused() && !error.is_missing_scope() => error,
            other => return other,
        };
        match self.credentials.replacement(&credential).await? {
            Some(renewed) => self.find_user_with(&renewed, address, time).await,
            None => Err(refused),
        }
    }

    async fn find_user_with(
        &self,
        credential: &SlackCredential,
        address: &str,
        time: Duration,
    ) -> Result<Option<Found>, Error> {
        let Kind::BotToken(token) = credential.kind() else { return Ok(None) };
        if !credential::is_token(token.expose_secret()) {
            return Err(Error::BadToken);
        }
        let mut form = self.api_url.as_url().clone();
        form.query_pairs_mut().clear().append_pair("email", address);
        let request = self
            .http
            .post(self.method("users.lookupByEmail"))
            .timeout(time)
            .bearer_auth(token.expose_secret())
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.query().unwrap_or_default().to_owned());
        let response = request.send().await.map_err(unreachable)?;
        let answer = Answer::read(response, Secrets::new([token.clone()])).await.map_err(unreachable)?;
        answer::of_lookup(&answer).map(Some)
    }

    fn method(&self, name: &str) -> String {
        format!("{}/{name}", self.api_url.as_str().trim_end_matches('/'))
    }

    async fn deliver(&self, delivery: Delivery<'_>, message: &Message) -> Result<Posted, Error> {
        self.try_twice(delivery, message).await.inspect_err(|error| error.count("Slack"))
    }

    async fn try_twice(&self, delivery: Delivery<'_>, message: &Message) -> Result<Posted, Error> {
        let credential = self.credentials.current().await?;
        let refused = match self.deliver_with(&credential, delivery, message).await {
            // The secret may have been corrected meanwhile, also by adding a missing URL.
            Err(error) if error.is_misconfiguration() => error,
            other => return other,
        };
        match self.credentials.replacement(&credential).await? {
            Some(renewed) => self.deliver_with(&renewed, delivery, message).await,
            None => Err(refused),
        }
    }

    /// Delivers a message with its layout. If Slack refuses the layout, delivers it once more as plain text, so that
    /// the alert arrives.
    async fn deliver_with(
        &self,
        credential: &SlackCredential,
        delivery: Delivery<'_>,
        message: &Message,
    ) -> Result<Posted, Error> {
        match self.deliver_body(credential, delivery, message.to_json()).await {
            Err(Error::Refused { refusal: Refusal::Content, code, .. }) => {
                tracing::debug!(
                    monotonic_counter.destination_failures = 1,
                    destination = "Slack",
                    failure = "layout",
                    "Slack refused the layout of a message"
                );
                tracing::warn!(code, "Slack refused the layout of a message; it is sent again as plain text");
                self.deliver_body(credential, delivery, message.to_plain_json()).await
            }
            other => other,
        }
    }

    async fn deliver_body(
        &self,
        credential: &SlackCredential,
        delivery: Delivery<'_>,
        body: Value,
    ) -> Result<Posted, Error> {
        match (credential.kind(), delivery) {
            (Kind::BotToken(token), _) => self.deliver_by_token(token, delivery, body).await,
            (Kind::WebhookUrls(_), Delivery::Post(channel)) => {
                self.post_by_webhook(credential.webhook_url(channel)?, channel, &body).await
            }
            // The secret contained a bot token when the earlier message was posted, and contains only webhook URLs
            // now.
            (Kind::WebhookUrls(_), Delivery::Reply { to: sent, .. } | Delivery::Update(sent)) => {
                Err(Error::NotChangeable(sent.channel.clone()))
            }
        }
    }

    async fn post_by_webhook(
        &self,
        url: &SecretString,
        channel: &str,
        body: &Value,
    ) -> Result<Posted, Error> {
        let url = url.expose_secret().parse::<SecureUrl>().map_err(Error::BadWebhookUrl)?;
        let secrets = Secrets::of_url(&url);
        let answer = send(self.http.post(url.as_url().clone()), body, secrets).await?;
        answer::of_webhook(&answer, channel).map(|()| Posted { message: None })
    }

    async fn deliver_by_token(
        &self,
        token: &SecretString,
        delivery: Delivery<'_>,
        mut body: Value,
    ) -> Result<Posted, Error> {
        body["channel"] = json!(delivery.channel());
        let method = match delivery {
            Delivery::Post(_) => "chat.postMessage",
            Delivery::Reply { to, is_broadcast } => {
                body["thread_ts"] = json!(to.ts);
                body["reply_broadcast"] = json!(is_broadcast);
                "chat.postMessage"
            }
            Delivery::Update(sent) => {
                body["ts"] = json!(sent.ts);
                if body.get("blocks").is_none() {
                    // Without this field, an update would keep the blocks of the old message.
                    body["blocks"] = json!([]);
                }
                "chat.update"
            }
        };
        if !credential::is_token(token.expose_secret()) {
            return Err(Error::BadToken);
        }
        let request = self.http.post(self.method(method)).bearer_auth(token.expose_secret());
        let answer = send(request, &body, Secrets::new([token.clone()])).await?;
        answer::of_web_api(&answer, delivery.channel()).map(|message| Posted { message })
    }
}

fn unreachable(error: reqwest::Error) -> Error {
    Error::Unreachable { destination: "Slack", source: error.without_url() }
}

async fn send(request: reqwest::RequestBuilder, body: &Value, secrets: Secrets) -> Result<Answer, Error> {
    let request = request.header("content-type", "application/json; charset=utf-8").body(body.to_string());
    let response = request.send().await.map_err(unreachable)?;
    Answer::read(response, secrets).await.map_err(unreachable)
}
