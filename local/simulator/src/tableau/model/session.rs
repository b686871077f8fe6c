//! Credentials and sessions.

use crate::clock::after;
use jiff::Timestamp;
use std::fmt;
use std::time::Duration;
use tableau::{SiteLuid, UserLuid};

/// A PAT that was not used for this long is expired.
const UNUSED_LIMIT: Duration = Duration::from_secs(15 * 24 * 60 * 60);
/// The default lifetime of a PAT on Tableau Cloud.
pub(super) const LIFE: Duration = Duration::from_secs(180 * 24 * 60 * 60);

/// A personal access token.
#[derive(Clone)]
pub(crate) struct Pat {
    pub(crate) name: String,
    pub(crate) secret: String,
    /// The user name; a user has the same name on every site.
    pub(crate) user: String,
    pub(crate) created_at: Timestamp,
    pub(crate) last_used_at: Timestamp,
    pub(crate) revoked: bool,
    pub(crate) sign_ins: u32,
}

impl fmt::Debug for Pat {
    /// Shows no secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pat").field("name", &self.name).field("user", &self.user).finish_non_exhaustive()
    }
}

impl Pat {
    pub(crate) fn new(name: &str, secret: &str, user: &str, now: Timestamp) -> Self {
        Self {
            name: name.to_owned(),
            secret: secret.to_owned(),
            user: user.to_owned(),
            created_at: now,
            last_used_at: now,
            revoked: false,
            sign_ins: 0,
        }
    }

    /// When the session expires if it is not used.
    pub(crate) fn expires_at(&self) -> Timestamp {
        after(self.created_at, LIFE).min(after(self.last_used_at, UNUSED_LIMIT))
    }
}

/// The credentials of a sign-in.
#[derive(Clone, Debug)]
pub(crate) enum Credentials<'a> {
    Pat { name: &'a str, secret: &'a str },
    Password { name: &'a str, password: &'a str },
    Jwt(&'a str),
}

/// A refused sign-in. Clients get no further details, except for connected apps, which get a detail code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SignInError(pub(crate) Option<u16>);

/// An open session.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) token: String,
    pub(crate) site: SiteLuid,
    pub(crate) user: UserLuid,
    pub(crate) pat: Option<String>,
    /// The scopes of a connected app; `None` for a user's session, which the site role limits.
    pub(crate) scopes: Option<Vec<String>>,
    pub(crate) last_used_at: Timestamp,
    /// When the PAT of the session expires.
    pub(crate) pat_expires_at: Option<Timestamp>,
}
