//! Opens and ends sessions.

use super::jwt::UNKNOWN_USER;
use super::session::LIFE;
use super::{Credentials, Model, Session, SignInError, SiteRole};
use crate::clock::after;
use jiff::Timestamp;
use tableau::SiteLuid;
use uuid::Uuid;

const REFUSED: SignInError = SignInError(None);

impl Model {
    /// Keeps only the first token, with a new secret, and removes all other credentials.
    pub(crate) fn keep_one_new_token(&mut self) {
        self.apps.clear();
        self.users.iter_mut().for_each(|user| user.password = None);
        self.pats.truncate(1);
        for pat in &mut self.pats {
            // 244 random bits.
            pat.secret = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        }
    }

    /// Opens a session. Signing in with a PAT ends the session that the same PAT opened before, on any site.
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
        let site = site.ok_or(REFUSED)?.luid.clone();
        let mut pat = None;
        let mut scopes = None;
        let user = match credentials {
            Credentials::Pat { name, secret } => {
                let found = self.pats.iter_mut().find(|p| p.name == *name && p.secret == *secret);
                let found = found.filter(|pat| !pat.revoked && pat.expires_at() > now).ok_or(REFUSED)?;
                let user = self.users.iter().find(|u| u.site == site && u.name == found.user);
                let user = user.ok_or(REFUSED)?.luid.clone();
                (found.sign_ins, found.last_used_at) = (found.sign_ins + 1, now);
                pat = Some((found.name.clone(), after(found.created_at, LIFE)));
                user
            }
            Credentials::Password { name, password } => {
                let user = self.users.iter().find(|u| u.site == site && u.name == *name);
                let user = user.filter(|u| u.password.as_deref() == Some(*password));
                user.ok_or(REFUSED)?.luid.clone()
            }
            Credentials::Jwt(jwt) => {
                let claims = self.verified(jwt, now)?;
                let user = self.users.iter().find(|u| u.site == site && u.name == claims.subject);
                scopes = Some(claims.scopes);
                user.ok_or(UNKNOWN_USER)?.luid.clone()
            }
        };
        if let Some(user) = self.users.iter_mut().find(|u| u.luid == user) {
            user.last_login = Some(now);
        }
        if let Some((name, _)) = &pat {
            self.sessions.retain(|s| s.pat.as_ref() != Some(name));
        }
        let (pat, pat_expires_at) = pat.unzip();
        Ok(self.open(Session {
            token: String::new(),
            site,
            user,
            pat,
            scopes,
            last_used_at: now,
            pat_expires_at,
        }))
    }

    /// Stores this session under a new token.
    fn open(&mut self, session: Session) -> Session {
        let first = uuid::Uuid::new_v4().simple();
        let second = uuid::Uuid::new_v4().simple();
        let session = Session { token: format!("{first}|{second}|{}", session.site), ..session };
        self.sessions.push(session.clone());
        session
    }

    /// Turns a session into one of another user on the same site (impersonation), for server administrators of Tableau
    /// Server.
    pub(crate) fn impersonate(&mut self, session: Session, user: &str) -> Result<Session, SignInError> {
        let role = self.user(session.user.as_str()).map(|u| u.role);
        let other = self.user(user).filter(|u| u.site == session.site).map(|u| u.luid.clone());
        match (role, other) {
            (Some(SiteRole::ServerAdministrator), Some(user)) if session.scopes.is_none() => {
                self.sign_out(&session.token);
                Ok(self.open(Session { user, ..session }))
            }
            _ => {
                self.sign_out(&session.token);
                Err(REFUSED)
            }
        }
    }

    /// Ends a session and opens one for the same user on another site.
    pub(crate) fn switch_site(&mut self, session: Session, content_url: &str) -> Option<Session> {
        let name = self.user(session.user.as_str())?.name.clone();
        let site = self.sites.iter().find(|s| s.content_url == content_url)?.luid.clone();
        let user = self.users.iter().find(|u| u.site == site && u.name == name)?.luid.clone();
        self.sign_out(&session.token);
        Some(self.open(Session { site, user, ..session }))
    }

    /// The open session with this token. The call counts as use, which prolongs the session.
    pub(crate) fn use_session(&mut self, token: &str, now: Timestamp) -> Option<Session> {
        let idle = self.idle;
        self.sessions.retain(|s| after(s.last_used_at, idle) > now);
        let session = self.sessions.iter_mut().find(|s| s.token == token)?;
        session.last_used_at = now;
        Some(session.clone())
    }

    /// The site of the session with this token, without prolonging the session.
    pub(crate) fn site_of_session(&self, token: &str) -> Option<SiteLuid> {
        self.sessions.iter().find(|s| s.token == token).map(|s| s.site.clone())
    }

    pub(crate) fn sign_out(&mut self, token: &str) {
        self.sessions.retain(|s| s.token != token);
    }
}
