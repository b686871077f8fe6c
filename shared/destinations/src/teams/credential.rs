//! The credential for posting to Teams: the URLs of flows.

use super::address::{self, HostKind};
use crate::Error;
use confidential::{Secrets, SecureUrl};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;

/// The URLs of flows by channel.
///
/// JSON form: `{"webhooks": {"finance": "https://….environment.api.powerplatform.com/…&sig=…"}}`. A flow posts to one channel, so
/// each channel has a URL of its own; `default` is used for channels without one.
#[derive(Clone, Deserialize)]
#[serde(try_from = "Json")]
pub struct TeamsCredential(BTreeMap<String, SecretString>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Json {
    #[serde(default)]
    webhooks: BTreeMap<String, String>,
}

/// The trigger of a flow.
pub(super) struct Trigger {
    pub(super) url: SecureUrl,
    pub(super) kind: HostKind,
    /// What an answer must not bring into an error.
    pub(super) secrets: Secrets,
}

impl TeamsCredential {
    /// The trigger for this channel. A URL that cannot work is a mistake for its own channel only.
    pub(super) fn trigger(&self, channel: &str) -> Result<Trigger, Error> {
        let url = self.0.get(channel).or_else(|| self.0.get("default"));
        let url = url.ok_or_else(|| Error::NoSuchFlow(channel.to_owned()))?;
        let read = address::read(url.expose_secret());
        let (url, kind) =
            read.map_err(|problem| Error::BadFlowUrl { target: channel.to_owned(), problem })?;
        // The path has no secret; the signature appears decoded and as the query has it.
        let sig = url.query_pairs().find(|(name, _)| name == "sig").map(|(_, value)| value.into_owned());
        let secrets = [sig, url.query().map(str::to_owned)].into_iter().flatten().map(SecretString::from);
        let secrets = Secrets::new(secrets);
        Ok(Trigger { url, kind, secrets })
    }

    /// What is wrong with the URLs, by channel. No problem repeats a URL.
    pub fn problems(&self) -> Vec<String> {
        let problem = |(channel, url): (&String, &SecretString)| {
            let why = address::read(url.expose_secret()).err()?;
            Some(format!("`webhooks`: the URL of {} {why}", shown(channel)))
        };
        self.0.iter().filter_map(problem).collect()
    }
}

/// A channel's name for an error text, if it cannot be a secret that was pasted in the wrong place.
fn shown(channel: &str) -> String {
    let is_name = channel.chars().count() <= 40 && !channel.contains(['=', '&', '?', '%']);
    if is_name { format!("`{channel}`") } else { "a channel".to_owned() }
}

impl TryFrom<Json> for TeamsCredential {
    type Error = String;

    fn try_from(json: Json) -> Result<Self, String> {
        if json.webhooks.is_empty() {
            return Err("fill in `webhooks`: the name of each channel, and the URL of its flow".to_owned());
        }
        if json.webhooks.keys().any(|channel| channel.contains("://")) {
            return Err("`webhooks` has a URL for a key: write the channel's name before the colon, and the URL behind it".to_owned());
        }
        let trimmed = |(channel, url): (String, String)| {
            (channel.trim().to_owned(), SecretString::from(url.trim().to_owned()))
        };
        Ok(Self(json.webhooks.into_iter().map(trimmed).collect()))
    }
}

impl fmt::Debug for TeamsCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TeamsCredential([redacted])")
    }
}

impl PartialEq for TeamsCredential {
    fn eq(&self, other: &Self) -> bool {
        let exposed = |urls: &BTreeMap<String, SecretString>| {
            urls.iter()
                .map(|(channel, url)| (channel.clone(), url.expose_secret().to_owned()))
                .collect::<Vec<_>>()
        };
        exposed(&self.0) == exposed(&other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOW: &str = "https://d0.1b.environment.api.powerplatform.com/powerautomate";

    fn parse(json: &str) -> Result<TeamsCredential, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn a_channel_has_its_own_flow_or_the_default_one() {
        let json =
            format!(r#"{{"webhooks":{{"finance":" {FLOW}/one?sig=a ","default":"{FLOW}/two?sig=b"}}}}"#);
        let credential = parse(&json).unwrap();
        for (channel, path) in [("finance", "/powerautomate/one"), ("news", "/powerautomate/two")] {
            assert_eq!(credential.trigger(channel).unwrap().url.path(), path);
        }
        let only = parse(&format!(r#"{{"webhooks":{{"finance":"{FLOW}/one?sig=a"}}}}"#)).unwrap();
        assert!(matches!(only.trigger("news"), Err(Error::NoSuchFlow(_))));
    }

    #[test]
    fn a_bad_url_is_a_mistake_for_its_own_channel_only() {
        let json = format!(r#"{{"webhooks":{{"finance":"{FLOW}/one?sig=a","news":"{FLOW}/hunter2"}}}}"#);
        let credential = parse(&json).unwrap();
        assert!(credential.trigger("finance").is_ok());
        let error = credential.trigger("news").err().unwrap();
        assert!(error.is_misconfiguration());
        let text = error.to_string();
        assert!(text.starts_with("the URL of `news` in the Teams secret has no `sig`"), "{text}");
        let problems = credential.problems();
        assert_eq!(problems.len(), 1);
        assert!(problems[0].starts_with("`webhooks`: the URL of `news` has no `sig`"), "{problems:?}");
        assert!(!text.contains("hunter2") && !problems[0].contains("hunter2"));
    }

    #[test]
    fn a_secret_without_urls_is_refused_and_debug_shows_nothing() {
        for (json, expected) in [
            (r#"{"webhooks":{}}"#, "fill in `webhooks`"),
            ("{}", "fill in `webhooks`"),
            (r#"{"webhooks":{"https://x/hunter2":"finance"}}"#, "has a URL for a key"),
        ] {
            let error = parse(json).unwrap_err();
            assert!(error.contains(expected) && !error.contains("hunter2"), "{error}");
        }
        let credential = parse(r#"{"webhooks":{"a":"hunter2"}}"#).unwrap();
        assert_eq!(format!("{credential:?}"), "TeamsCredential([redacted])");
    }
}
