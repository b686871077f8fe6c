//! The forward secret: where targets are, and how requests to them are signed.

use super::form;
use crate::network::Endpoint;
use crate::signature::SigningKey;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use confidential::Secrets;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;
use url::Url;

/// How many signing secrets a target may have: the new one, and the one before while receivers change theirs.
const MOST_SECRETS: usize = 2;
/// From how many characters on a part of a header may be a secret.
const SECRET_LENGTH: usize = 8;
/// Headers that this function sets itself, and those that belong to the connection.
const OURS: [&str; 9] = [
    "connection",
    "content-length",
    "host",
    "te",
    "transfer-encoding",
    "upgrade",
    "webhook-id",
    "webhook-signature",
    "webhook-timestamp",
];

/// The targets by name.
///
/// JSON form: `{"targets": {"jira": {"url": "https://…", "secrets": ["whsec_…"], "headers": {"X-Key": "…"}}}}`. Beside `headers` there
/// may be `basic` (`user` and `password`) or `oauth` (`token_url`, `client_id`, `client_secret`, and `scope` or `audience`).
#[derive(Clone, PartialEq, Deserialize)]
#[serde(try_from = "Json")]
pub struct ForwardCredential(BTreeMap<String, Result<Entry, String>>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Json {
    #[serde(default)]
    targets: BTreeMap<String, serde_json::Value>,
}

#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    #[serde(default)]
    url: String,
    #[serde(default)]
    secrets: Vec<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    basic: Option<Basic>,
    oauth: Option<OAuthEntry>,
}

#[derive(Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Basic {
    user: String,
    password: String,
}

#[derive(Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct OAuthEntry {
    token_url: String,
    client_id: String,
    client_secret: String,
    scope: Option<String>,
    audience: Option<String>,
}

/// A target whose secret is right.
pub(crate) struct Target {
    pub(crate) endpoint: Endpoint,
    pub(crate) keys: Vec<SigningKey>,
    pub(crate) headers: HeaderMap,
    pub(crate) oauth: Option<OAuth>,
    /// What an answer must not bring into an error.
    pub(crate) secrets: Secrets,
    /// Another one for another URL or secret.
    pub(crate) fingerprint: String,
}

/// How a token is fetched.
#[derive(Clone, PartialEq)]
pub(crate) struct OAuth {
    pub(crate) endpoint: Endpoint,
    pub(crate) form: Vec<(&'static str, String)>,
}

/// Why a target cannot be used. It holds no URL and no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TargetProblem {
    #[error("the forward secret has no target `{0}`: add it to `targets`")]
    Missing(String),
    #[error("the target `{target}` in the forward secret: {problem}")]
    Wrong { target: String, problem: String },
}

impl ForwardCredential {
    /// The target with this name. What is wrong with one stops this one only.
    pub(crate) fn target(&self, name: &str) -> Result<Target, TargetProblem> {
        let entry = self.0.get(name).ok_or_else(|| TargetProblem::Missing(name.to_owned()))?;
        let wrong = |problem| TargetProblem::Wrong { target: name.to_owned(), problem };
        entry.as_ref().map_err(Clone::clone).and_then(Entry::target).map_err(wrong)
    }

    /// What is wrong with the targets, by name.
    pub fn problems(&self) -> Vec<String> {
        let problem = |name: &String| {
            let why = self.target(name).err()?;
            Some(why.to_string())
        };
        self.0.keys().filter_map(problem).collect()
    }
}

impl Entry {
    fn target(&self) -> Result<Target, String> {
        let endpoint = Endpoint::parse(&self.url).map_err(|problem| format!("its `url` {problem}"))?;
        if self.secrets.len() > MOST_SECRETS {
            return Err(format!(
                "`secrets` has {}: the new one and the one before are enough",
                self.secrets.len()
            ));
        }
        let key = |(at, text): (usize, &String)| {
            SigningKey::parse(text).map_err(|problem| format!("secret {} of `secrets` {problem}", at + 1))
        };
        let keys = self.secrets.iter().enumerate().map(key).collect::<Result<_, _>>()?;
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let (name, value) = header(name, value)?;
            headers.insert(name, value);
        }
        let ways = usize::from(headers.contains_key("authorization"))
            + usize::from(self.basic.is_some())
            + usize::from(self.oauth.is_some());
        if ways > 1 {
            return Err("write one of `basic`, `oauth` and the header `Authorization`".to_owned());
        }
        if let Some(Basic { user, password }) = &self.basic {
            if user.contains(':') || user.is_empty() || password.is_empty() {
                return Err("`basic` needs a `user` without `:`, and a `password`".to_owned());
            }
            let value = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
            let (name, value) = header("authorization", &value)?;
            headers.insert(name, value);
        }
        let oauth = self.oauth.as_ref().map(OAuthEntry::read).transpose()?;
        let secrets = Secrets::of_url(endpoint.as_url()).and(self.confidential());
        Ok(Target { endpoint, keys, headers, oauth, secrets, fingerprint: self.fingerprint() })
    }

    /// Everything that an answer could repeat and must not.
    fn confidential(&self) -> Vec<SecretString> {
        let mut all: Vec<String> = self.secrets.clone();
        for value in self.headers.values() {
            // Of `Bearer …` the second part is the secret; others have several.
            all.extend(value.split(' ').next_back().map(str::to_owned));
            let parts = value.split([' ', ';', ',', '"', '=']).filter(|part| part.len() >= SECRET_LENGTH);
            all.extend(parts.map(str::to_owned));
        }
        if let Some(Basic { user, password }) = &self.basic {
            all.extend([password.clone(), STANDARD.encode(format!("{user}:{password}"))]);
        }
        all.extend(self.oauth.iter().map(|oauth| oauth.client_secret.clone()));
        all.retain(|text| !text.trim().is_empty());
        all.into_iter().map(|text| SecretString::from(text.trim().to_owned())).collect()
    }

    fn fingerprint(&self) -> String {
        let mut digest = Sha256::new();
        let basic = self.basic.iter().flat_map(|Basic { user, password }| [user, password]);
        let oauth =
            self.oauth.iter().flat_map(|oauth| [&oauth.token_url, &oauth.client_id, &oauth.client_secret]);
        let headers = self.headers.iter().flat_map(|(name, value)| [name, value]);
        for part in std::iter::once(&self.url).chain(&self.secrets).chain(headers).chain(basic).chain(oauth) {
            digest.update(part.trim().as_bytes());
            digest.update([0]);
        }
        digest.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl OAuthEntry {
    fn read(&self) -> Result<OAuth, String> {
        let endpoint = Endpoint::parse(&self.token_url)
            .map_err(|problem| format!("the `token_url` of `oauth` {problem}"))?;
        if self.client_id.is_empty() || self.client_secret.is_empty() {
            return Err("`oauth` needs `client_id` and `client_secret`".to_owned());
        }
        let mut form = vec![
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", self.client_id.clone()),
            ("client_secret", self.client_secret.clone()),
        ];
        form.extend(self.scope.iter().map(|scope| ("scope", scope.clone())));
        form.extend(self.audience.iter().map(|audience| ("audience", audience.clone())));
        Ok(OAuth { endpoint, form })
    }
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let Ok(name) = HeaderName::from_bytes(name.trim().as_bytes()) else {
        return Err("`headers` has a name that no header can have".to_owned());
    };
    if OURS.contains(&name.as_str()) {
        return Err(format!("`headers` has `{name}`, which this function sets itself: remove it"));
    }
    let Ok(mut value) = HeaderValue::from_str(value.trim()) else {
        return Err(format!("the header `{name}` has a character that no header can have: paste it again"));
    };
    value.set_sensitive(true);
    Ok((name, value))
}

impl TryFrom<Json> for ForwardCredential {
    type Error = String;

    fn try_from(json: Json) -> Result<Self, String> {
        if json.targets.is_empty() {
            return Err("fill in `targets`: the name of each target, and its `url`".to_owned());
        }
        if json.targets.keys().any(|name| name.contains("://")) {
            return Err("`targets` has a URL for a key: write a name, and the URL as its `url`".to_owned());
        }
        // Each by itself: what is wrong with one stops no other.
        let read = |(name, value)| (name, entry(value));
        Ok(Self(json.targets.into_iter().map(read).collect()))
    }
}

/// Reads a target.
fn entry(value: serde_json::Value) -> Result<Entry, String> {
    form::check(&value)?;
    // The message of the parser may repeat a value.
    serde_json::from_value(value)
        .map_err(|_| "it has another form than the README of forward-event says".to_owned())
}

impl fmt::Debug for ForwardCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ForwardCredential([redacted])")
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// The token of a form, for a search.
pub(crate) fn secrets_of(token: &SecretString, url: &Url) -> Secrets {
    Secrets::of_url(url).and([SecretString::from(token.expose_secret().to_owned())])
}

#[cfg(test)]
#[path = "credential_tests.rs"]
mod tests;
