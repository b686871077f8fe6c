//! Sessions, and how all clients with one credential share one.
//!
//! A second sign-in with one personal access token ends the session before. So clients share one session: a
//! [`SessionStore`] holds the session and its version. A client whose session has ended takes a lease, signs in, and publishes
//! the next version. The others wait briefly and read again. No client signs out. The store also holds what Tableau refused, so
//! that the clients that waited do not all try a wrong credential.

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

/// LUIDs of Tableau have 36 characters. Tests use shorter ids, which may be part of a token by chance.
const SHORTEST_LUID: usize = 32;

/// What a sign-in returned.
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
    /// The server where it is valid, if the sign-in led to another server than the settings name. The client uses what a store
    /// returns only if a session of the configured server may be at that server.
    pub server: Option<SecureUrl>,
    /// When it was opened, by the clock of the process that signed in; `None` for one of an older version of this code.
    pub signed_in_at: Option<Timestamp>,
}

impl Session {
    /// What no error and no log line may repeat. A token of Tableau ends with the LUID of the site, which is no secret: answers
    /// that name the site have it too.
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
