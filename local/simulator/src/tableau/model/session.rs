//! What callers sign in with, and what they get.

use crate::clock::after;
use jiff::Timestamp;
use std::fmt;
use std::time::Duration;
use tableau::{SiteLuid, UserLuid};

/// A PAT without a sign-in for this long is expired.
const UNUSED_LIMIT: Duration = Duration::from_secs(15 * 24 * 60 * 60);
/// Tableau Cloud's default life of a PAT.
pub(super) const LIFE: Duration = Duration::from_secs(180 * 24 * 60 * 60);

/// A personal access token.
#[derive(Clone)]
pub(crate) struct Pat {
    pub(crate) name: String,
    pub(crate) secret: String,
    /// The user's name: the same on every site that the user is on.
    pub(crate) user: String,
    pub(crate) created_at: Timestamp,
    pub(crate) last_used_at: Timestamp,
    pub(crate) revoked: bool,
    pub(crate) sign_ins: u32,
}

impl fmt::Debug for Pat {
    /// Without the secret, which is a run's own.
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

    /// When it expires if it is not used.
    pub(crate) fn expires_at(&self) -> Timestamp {
        after(self.created_at, LIFE).min(after(self.last_used_at, UNUSED_LIMIT))
    }
}

/// What a caller signs in with.
#[derive(Clone, Debug)]
pub(crate) enum Credentials<'a> {
    Pat { name: &'a str, secret: &'a str },
    Password { name: &'a str, password: &'a str },
    Jwt(&'a str),
}

/// A sign-in that was refused. Callers learn no more than that; connected apps also get an inner code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SignInError(pub(crate) Option<u16>);

/// What signing in gives.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) token: String,
    pub(crate) site: SiteLuid,
    pub(crate) user: UserLuid,
    pub(crate) pat: Option<String>,
    /// What a connected app may do; `None` for people, who may do what their role says.
    pub(crate) scopes: Option<Vec<String>>,
    pub(crate) last_used_at: Timestamp,
    /// When the PAT dies.
    pub(crate) pat_expires_at: Option<Timestamp>,
}
