//! The stored form of a Tableau session.

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use std::fmt;
use store::Document;
use tableau_client::{Entry, Lease, Refusal, SecureUrl, Session};

/// The highest version that is accepted as valid: no client signs in so often.
const MOST_VERSIONS: u64 = 1 << 53;
/// How many characters of a reason are stored.
const REASON_LIMIT: usize = 1_000;
/// The longest session token that is accepted as valid. Tableau's have fewer than 100 characters.
const LONGEST_TOKEN: usize = 4_096;

/// The newest session of a credential, the lease for publishing the next session, and the credentials that Tableau
/// refused.
///
/// A part of the document that cannot be read counts as missing; the other parts are kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct SharedSession {
    #[serde(deserialize_with = "lenient")]
    version: u64,
    #[serde(deserialize_with = "lenient")]
    session: Option<Kept>,
    #[serde(deserialize_with = "lenient")]
    lease: Option<Held>,
    #[serde(deserialize_with = "lenient_list")]
    refusals: Vec<Refused>,
}

/// A stored session. A field that is not stored would be missing in every process except the one that signed in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Kept {
    token: Token,
    site: String,
    user: String,
    api_version: String,
    /// The server for this session; `None` for the server in the settings.
    #[serde(default)]
    server: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    signed_in_at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Held {
    owner: u64,
    until: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Refused {
    credential: u16,
    until: Timestamp,
    reason: String,
}

/// A session token. Serialized only into the table.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
struct Token(SecretString);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose_secret() == other.0.expose_secret()
    }
}

impl Serialize for Token {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose_secret())
    }
}

fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(from: D) -> Result<T, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(from)?).unwrap_or_default())
}

fn lenient_list<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Vec<T>, D::Error> {
    let Value::Array(items) = Value::deserialize(from)? else { return Ok(Vec::new()) };
    Ok(items.into_iter().filter_map(|item| serde_json::from_value(item).ok()).collect())
}

impl Document for SharedSession {
    const KIND: &'static str = "session";
}

impl SharedSession {
    /// The number of sessions and refusals published so far; 0 if the stored number cannot be right.
    fn version(&self) -> u64 {
        if self.version > MOST_VERSIONS { 0 } else { self.version }
    }

    fn is_held(&self, lease: &Lease) -> bool {
        let is_ours = self.lease.as_ref().is_some_and(|held| held.owner == lease.owner);
        self.version() == lease.version && is_ours
    }

    /// Takes the lease, unless another owner holds one that has not expired.
    pub(crate) fn take(&mut self, lease: &Lease, now: Timestamp) -> bool {
        let is_free = self
            .lease
            .as_ref()
            .is_none_or(|held| held.until <= now || held.until > lease.latest() || held.owner == lease.owner);
        let is_granted = is_free && self.version() == lease.version;
        if is_granted {
            self.version = lease.version;
            self.lease = Some(Held { owner: lease.owner, until: lease.until });
        }
        is_granted
    }

    /// If the lease is still held: replaces the session, ends the lease, and returns true. Otherwise changes nothing.
    pub(crate) fn publish(&mut self, lease: &Lease, session: &Session) -> bool {
        let is_held = self.is_held(lease);
        if is_held {
            let Session { token, site, user, api_version, server, signed_in_at } = session;
            self.session = Some(Kept {
                token: Token(token.clone()),
                site: site.to_string(),
                user: user.to_string(),
                api_version: api_version.to_string(),
                server: server.as_ref().map(|server| server.as_str().to_owned()),
                signed_in_at: *signed_in_at,
            });
            self.end(lease);
        }
        is_held
    }

    /// If the lease is still held: replaces the list of refused credentials and ends the lease. Otherwise changes nothing.
    pub(crate) fn refuse(&mut self, lease: &Lease, refusals: &[Refusal]) {
        if self.is_held(lease) {
            let kept = refusals.iter().map(|Refusal { credential, until, reason }| Refused {
                credential: *credential,
                until: *until,
                reason: reason.clone(),
            });
            self.refusals = kept.collect();
            self.end(lease);
        }
    }

    fn end(&mut self, lease: &Lease) {
        self.version = lease.version.saturating_add(1);
        self.lease = None;
    }

    /// Gives the lease back.
    pub(crate) fn release(&mut self, lease: &Lease) {
        if self.is_held(lease) {
            self.lease = None;
        }
    }

    pub(crate) fn entry(&self) -> Entry {
        Entry {
            version: self.version(),
            session: self.session.as_ref().and_then(Kept::session),
            leased_until: self.lease.as_ref().map(|held| held.until),
            refusals: self.refusals.iter().map(Refused::refusal).collect(),
        }
    }
}

impl Kept {
    /// The session. `None` for a session that this store cannot have written; the client then signs in again.
    fn session(&self) -> Option<Session> {
        Some(Session {
            token: Some(&self.token.0).filter(|token| can_be_sent(token))?.clone(),
            site: self.site.parse().ok()?,
            user: self.user.parse().ok()?,
            api_version: self.api_version.parse().ok()?,
            server: match self.server.as_deref() {
                None | Some("") => None,
                // This store never writes a server address that must not receive a secret, so the document is forged
                // or damaged.
                Some(url) => Some(url.parse::<SecureUrl>().ok()?.origin_only()),
            },
            signed_in_at: self.signed_in_at,
        })
    }
}

impl Refused {
    fn refusal(&self) -> Refusal {
        let reason = self.reason.chars().filter(|c| !c.is_control()).take(REASON_LIMIT).collect();
        Refusal { credential: self.credential, until: self.until, reason }
    }
}

/// Whether an HTTP header can contain the token. Any other token would fail every call and never be replaced.
fn can_be_sent(token: &SecretString) -> bool {
    let token = token.expose_secret();
    (1..=LONGEST_TOKEN).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic())
}
