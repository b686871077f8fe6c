//! The credential for posting to Slack.

use crate::Error;
use confidential::{InvalidUrl, SecureUrl};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;

/// A bot token, or the URLs of incoming webhooks by channel name.
///
/// JSON form: `{"bot_token": "xoxb-…"}`, or `{"webhook_urls": {"data-alerts": "https://hooks.slack.com/services/…",
/// "default": "https://…"}}`. An incoming webhook belongs to one channel, so each channel has a URL of its own;
/// `default` is used for channels without one.
#[derive(Clone, Deserialize)]
#[serde(try_from = "Json")]
pub struct SlackCredential(Kind);

#[derive(Clone)]
pub(super) enum Kind {
    BotToken(SecretString),
    WebhookUrls(BTreeMap<String, SecretString>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Json {
    #[serde(default)]
    bot_token: String,
    #[serde(default)]
    webhook_urls: BTreeMap<String, String>,
}

impl SlackCredential {
    /// Creates a credential with a bot token (`xoxb-…`).
    pub fn bot_token(token: impl Into<String>) -> Self {
        Self(Kind::BotToken(SecretString::from(token.into())))
    }

    pub(super) fn kind(&self) -> &Kind {
        &self.0
    }

    pub(super) fn webhook_url(&self, channel: &str) -> Result<&SecretString, Error> {
        let Kind::WebhookUrls(urls) = &self.0 else {
            return Err(Error::NoSuchChannel(channel.to_owned()));
        };
        let channel = channel.trim_start_matches('#');
        urls.get(channel)
            .or_else(|| urls.get("default"))
            .ok_or_else(|| Error::NoSuchChannel(channel.to_owned()))
    }
}

impl TryFrom<Json> for SlackCredential {
    type Error = String;

    fn try_from(json: Json) -> Result<Self, String> {
        match (json.bot_token.is_empty(), json.webhook_urls.is_empty()) {
            (true, true) => Err("fill in `bot_token` or `webhook_urls`".to_owned()),
            (false, false) => Err("fill in `bot_token` or `webhook_urls`, not both".to_owned()),
            (false, true) if !is_token(&json.bot_token) => {
                Err("`bot_token` has a space, a quotation mark or another character that no token has: paste it again"
                    .to_owned())
            }
            (false, true) => Ok(Self::bot_token(json.bot_token)),
            (true, false) => {
                let urls = json.webhook_urls.into_iter().map(|(channel, url)| {
                    check(channel.trim(), url.trim())?;
                    Ok((channel.trim_start_matches('#').to_owned(), SecretString::from(url)))
                });
                Ok(Self(Kind::WebhookUrls(urls.collect::<Result<_, String>>()?)))
            }
        }
    }
}

/// Whether a text has the form of a Slack token: letters, digits and dashes. With other characters the HTTP request
/// would fail, as if Slack were down.
pub(super) fn is_token(text: &str) -> bool {
    let is_of_token = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'`');
    !text.is_empty() && text.bytes().all(is_of_token)
}

/// A channel's name for an error text, if it is short and plain. Another text may be a secret pasted in the wrong
/// place.
fn shown(channel: &str) -> String {
    let is_of_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '#' | '-' | '_');
    let is_name = channel.len() <= 30 && channel.chars().all(is_of_name) && !channel.starts_with("xox");
    if is_name { format!("`{channel}`") } else { "a channel".to_owned() }
}

/// Refuses a URL that cannot work. The error does not repeat the URL, which is the secret.
fn check(channel: &str, url: &str) -> Result<(), String> {
    if channel.contains("://") {
        return Err("`webhook_urls` has a URL for a key: write the channel's name before the colon, and the URL behind it"
            .to_owned());
    }
    let wrong = |why: &str| Err(format!("`webhook_urls`: the URL of {} {why}", shown(channel)));
    if url.is_empty() {
        return wrong("is empty");
    }
    let url = match url.parse::<SecureUrl>() {
        Ok(url) => url,
        Err(InvalidUrl::NotEncrypted) => return wrong("is not https"),
        Err(InvalidUrl::Credential) => return wrong("has a user name or password before the host"),
        Err(_) => return wrong("is not a URL"),
    };
    if url.path().starts_with("/triggers/") {
        return wrong("is a Workflow Builder trigger, which takes other messages: make an incoming webhook");
    }
    Ok(())
}

impl fmt::Debug for SlackCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SlackCredential([redacted])")
    }
}

impl PartialEq for SlackCredential {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Kind::BotToken(one), Kind::BotToken(two)) => one.expose_secret() == two.expose_secret(),
            (Kind::WebhookUrls(one), Kind::WebhookUrls(two)) => {
                let exposed = |urls: &BTreeMap<String, SecretString>| {
                    urls.iter().map(|(k, v)| (k.clone(), v.expose_secret().to_owned())).collect::<Vec<_>>()
                };
                exposed(one) == exposed(two)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<SlackCredential, String> {
        serde_json::from_str(json).map_err(|e| e.to_string())
    }

    #[test]
    fn a_channel_has_its_own_url_or_the_default_one() {
        let json = r##"{"webhook_urls":{"#alerts":"https://hooks.slack.com/services/T/B/one",
                       "default":"https://hooks.slack.com/services/T/B/two"}}"##;
        let credential = parse(json).unwrap();
        for (channel, end) in [("alerts", "one"), ("#alerts", "one"), ("news", "two")] {
            assert!(credential.webhook_url(channel).unwrap().expose_secret().ends_with(end));
        }
        let only =
            parse(r#"{"webhook_urls":{"alerts":"https://hooks.slack.com/services/T/B/one"}}"#).unwrap();
        assert!(matches!(only.webhook_url("news"), Err(Error::NoSuchChannel(_))));
    }

    #[test]
    fn a_secret_that_cannot_work_is_refused_without_repeating_it() {
        for (json, expected) in [
            (r#"{"bot_token":""}"#, "fill in `bot_token` or `webhook_urls`"),
            (r#"{"webhook_urls":{"a":"hunter2"}}"#, "the URL of `a` is not a URL"),
            (r#"{"webhook_urls":{"a":"http://example.com/hunter2"}}"#, "the URL of `a` is not https"),
            (r#"{"webhook_urls":{"a":"ftp://127.0.0.1/hunter2"}}"#, "the URL of `a` is not https"),
            (r#"{"webhook_urls":{"a":"http://127.0.0.1.evil.com/hunter2"}}"#, "the URL of `a` is not https"),
            (
                r#"{"webhook_urls":{"a":"https://u:hunter2@hooks.slack.com/services/T/B/x"}}"#,
                "the URL of `a` has a user name or password before the host",
            ),
            (
                r#"{"webhook_urls":{"a":"https://hooks.slack.com/triggers/hunter2"}}"#,
                "Workflow Builder trigger",
            ),
            (
                r#"{"webhook_urls":{"https://hooks.slack.com/services/hunter2":"alerts"}}"#,
                "has a URL for a key",
            ),
            (r#"{"webhook_urls":{"xoxb-hunter2":"alerts"}}"#, "the URL of a channel is not a URL"),
            (r#"{"webhook_urls":{"T0/B0/hunter2":"alerts"}}"#, "the URL of a channel is not a URL"),
            (r#"{"webhook_urls":{"a":""}}"#, "the URL of `a` is empty"),
            (r#"{"bot_token":"xoxb-hunter2 "}"#, "`bot_token` has a space"),
            (r#"{"bot_token":"xoxb-hunter2\n"}"#, "`bot_token` has a space"),
            (r#"{"bot_token":"xoxb-\u0000hunter2"}"#, "`bot_token` has a space"),
            (r#"{"bot_token":"xoxb-hunter2…"}"#, "`bot_token` has a space"),
            (r#"{"bot_token":"“xoxb-hunter2”"}"#, "`bot_token` has a space"),
            (r#"{"bot_token":"\"xoxb-hunter2\""}"#, "`bot_token` has a space, a quotation mark"),
        ] {
            let error = parse(json).unwrap_err();
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn debug_shows_nothing() {
        let text = format!("{:?}", SlackCredential::bot_token("xoxb-hunter2"));
        assert_eq!(text, "SlackCredential([redacted])");
    }
}
