//! Sessions, and how all who hold one credential share one.
//!
//! A second sign-in with one personal access token ends the session before. So nobody signs in on his own: a
//! [`SessionStore`] holds the session and its version, and whoever finds it over takes a lease, signs in, and
//! publishes the next version. The others wait briefly and read again. Nobody signs out. What Tableau refused is there
//! for all to read, too: a wrong credential is not tried by everybody who waited.

mod broker;
mod store;

pub(crate) use broker::{Broker, Shared};
pub use store::{Entry, Lease, MemorySessionStore, Refusal, SessionStore};

use crate::ApiVersion;
use confidential::SecureUrl;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use tableau::{SiteLuid, UserLuid};

/// A LUID in a token is one of Tableau's, with 36 characters. Shorter ids are of tests, and may be a part of it by chance.
const SHORTEST_LUID: usize = 32;

/// What signing in gave.
#[derive(Clone)]
pub struct Session {
    /// The session token, sent as `X-Tableau-Auth`.
    pub token: SecretString,
    /// The site it is for.
    pub site: SiteLuid,
    /// Who is signed in.
    pub user: UserLuid,
    /// The REST API version that was negotiated for it.
    pub api_version: ApiVersion,
    /// Where it is valid, if signing in led to another server than the settings name. What a store gives back is used only if
    /// a session of the configured server may be there.
    pub server: Option<SecureUrl>,
    /// When it was opened, by the clock of the process that signed in; `None` for one of an older version of this code.
    pub signed_in_at: Option<Timestamp>,
}

impl Session {
    /// What no error and no log line may repeat. Tableau's tokens end with the LUID of the site, which is no secret: answers
    /// have it wherever they name the site.
    pub(crate) fn secrets(&self) -> Vec<SecretString> {
        let token = self.token.expose_secret();
        let lower = token.to_ascii_lowercase();
        let site = self.site.as_str().to_ascii_lowercase();
        match lower.find(&site).filter(|_| site.len() >= SHORTEST_LUID) {
            Some(at) => [&token[..at], &token[at + site.len()..]].map(SecretString::from).into(),
            None => vec![self.token.clone()],
        }
    }
}

/// Whether a token can be the value of a header.
pub(crate) fn can_be_sent(token: &SecretString) -> bool {
    let token = token.expose_secret();
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("token", &"[redacted]")
            .field("site", &self.site)
            .field("user", &self.user)
            .field("api_version", &self.api_version)
            .field("server", &self.server.as_ref().map(|server| server.as_str()))
            .field("signed_in_at", &self.signed_in_at)
            .finish()
    }
}

#[cfg(test)]
mod model;
