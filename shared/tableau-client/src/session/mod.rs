//! Sessions, and how all clients with one credential share one session.
//!
//! A second sign-in with a personal access token ends the first session. So clients share one session: a
//! [`SessionStore`] holds the session and its version. When the session has ended, one client takes a lease, signs
//! in, and publishes the next version; the others wait briefly and read again. No client signs out. The store also
//! holds the credentials that Tableau refused, so that the waiting clients do not all try a wrong credential.

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

/// The shortest LUID that is recognised at the end of a token. Tableau's LUIDs have 36 characters; tests use shorter
/// ids, which may occur in a token by chance.
const SHORTEST_LUID: usize = 32;

/// A session: the result of signing in.
#[derive(Clone)]
pub struct Session {
    /// The session token, sent as `X-Tableau-Auth`.
    pub token: SecretString,
    /// The LUID of the session's site.
    pub site: SiteLuid,
    /// The LUID of the user who is signed in.
    pub user: UserLuid,
    /// The REST API version that was negotiated for the session.
    pub api_version: ApiVersion,
    /// The server where the session is valid, if the sign-in led to another server than the configured one. The
    /// client uses a stored session only if that server may have sessions of the configured server.
    pub server: Option<SecureUrl>,
    /// When the session was opened, by the clock of the process that signed in; `None` if an older version of this
    /// code stored it.
    pub signed_in_at: Option<Timestamp>,
}

impl Session {
    /// The session's secrets, which no error and no log line may repeat. Tableau's token ends with the site's LUID,
    /// which is not secret: other answers contain it too.
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

/// Whether a token can be the value of an HTTP header.
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
