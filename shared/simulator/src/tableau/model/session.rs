//! Signing in, and how sessions end.

use super::Model;
use crate::clock::after;
use jiff::Timestamp;
use std::time::Duration;
use tableau::{SiteLuid, UserLuid};

/// A PAT that nobody signs in with for this long is expired.
const UNUSED_LIMIT: Duration = Duration::from_secs(15 * 24 * 60 * 60);
/// Tableau Cloud's default life of a PAT.
const LIFE: Duration = Duration::from_secs(180 * 24 * 60 * 60);

/// A personal access token.
#[derive(Clone, Debug)]
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

    /// When it dies if nobody uses it.
    pub(crate) fn expires_at(&self) -> Timestamp {
        after(self.created_at, LIFE).min(after(self.last_used_at, UNUSED_LIMIT))
    }
}

/// What a caller signs in with.
#[derive(Clone, Debug)]
pub(crate) enum Credentials<'a> {
    Pat { name: &'a str, secret: &'a str },
    Password { name: &'a str, password: &'a str },
}

/// A sign-in that was refused. Tableau tells callers no more than that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SignInError;

/// What signing in gives.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) token: String,
    pub(crate) site: SiteLuid,
    pub(crate) user: UserLuid,
    pub(crate) pat: Option<String>,
    pub(crate) last_used_at: Timestamp,
    /// When the PAT dies.
    pub(crate) pat_expires_at: Option<Timestamp>,
}

impl Model {
    /// Opens a session. With a PAT, this ends the session that the same PAT opened before, on whatever site.
    ///
    /// Source: <https://help.tableau.com/current/server/en-us/security_personal_access_tokens.htm>
    pub(crate) fn sign_in(
        &mut self,
        credentials: &Credentials<'_>,
        content_url: &str,
        now: Timestamp,
    ) -> Result<Session, SignInError> {
        let site = match content_url {
            "" => self.sites.first(),
            url => self.sites.iter().find(|s| s.content_url == url),
        };
        let site = site.ok_or(SignInError)?.luid.clone();
        let (user, pat) = match credentials {
            Credentials::Pat { name, secret } => {
                let pat = self
                    .pats
                    .iter_mut()
                    .find(|p| p.name == *name && p.secret == *secret)
                    .ok_or(SignInError)?;
                if pat.revoked || pat.expires_at() <= now {
                    return Err(SignInError);
                }
                let user = self.users.iter_mut().find(|u| u.site == site && u.name == pat.user);
                let user = user.ok_or(SignInError)?;
                (pat.sign_ins, pat.last_used_at) = (pat.sign_ins + 1, now);
                (user, Some((pat.name.clone(), after(pat.created_at, LIFE))))
            }
            Credentials::Password { name, password } => {
                let user =
                    self.users.iter_mut().find(|u| u.site == site && u.name == *name).ok_or(SignInError)?;
                if user.password.as_deref() != Some(*password) {
                    return Err(SignInError);
                }
                (user, None)
            }
        };
        user.last_login = Some(now);
        let user = user.luid.clone();
        if let Some((name, _)) = &pat {
            self.sessions.retain(|s| s.pat.as_ref() != Some(name));
        }
        let (first, second) = (uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
        let token = format!("{first}|{second}|{site}");
        let (pat, pat_expires_at) = pat.unzip();
        let session = Session { token, site, user, pat, last_used_at: now, pat_expires_at };
        self.sessions.push(session.clone());
        Ok(session)
    }

    /// The open session with this token; using it keeps it alive.
    pub(crate) fn use_session(&mut self, token: &str, now: Timestamp) -> Option<Session> {
        let idle = self.idle;
        self.sessions.retain(|s| after(s.last_used_at, idle) > now);
        let session = self.sessions.iter_mut().find(|s| s.token == token)?;
        session.last_used_at = now;
        Some(session.clone())
    }

    pub(crate) fn sign_out(&mut self, token: &str) {
        self.sessions.retain(|s| s.token != token);
    }
}
