//! The client: what all calls share.

use crate::credential::key_part;
use crate::session::Broker;
use crate::{ActAs, CredentialSource, Error, Session, SessionStore, Settings, TableauCredential};
use confidential::Secrets;
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// A client of one site, signed in as needed. Clones are cheap, and the same client.
#[derive(Clone)]
pub struct TableauClient {
    shared: Arc<Shared>,
    deadline: Option<Instant>,
}

struct Shared {
    http: reqwest::Client,
    settings: Settings,
    credentials: Arc<dyn CredentialSource>,
    broker: Broker,
    /// Those of the newest session and its credential: finding them in answers begins with some work that is done once.
    secrets: Mutex<Option<Known>>,
}

/// What a session's calls carry.
struct Known {
    credential: Arc<TableauCredential>,
    token: SecretString,
    secrets: Secrets,
}

impl fmt::Debug for TableauClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TableauClient").field("settings", &self.shared.settings).finish_non_exhaustive()
    }
}

impl TableauClient {
    /// A client that shares its session through `sessions`. Nothing is sent before the first call.
    ///
    /// `http` is best the one of `http_client::client`. One of your own
    ///
    /// - must follow no redirects: an HTTP client turns a redirected sign-in into a `GET`, and sends tokens along;
    /// - needs timeouts, since a server that accepts and says nothing is else waited for without end;
    /// - needs a crypto provider. In this workspace `reqwest` is built without one, and `reqwest::Client::new()` panics
    ///   ("No rustls crypto provider is configured") until the program has installed its own, as with
    ///   `rustls::crypto::ring::default_provider().install_default()`, or hands one to the builder.
    pub fn new(
        http: reqwest::Client,
        settings: Settings,
        credentials: Arc<dyn CredentialSource>,
        sessions: Arc<dyn SessionStore>,
    ) -> Self {
        let broker = Broker::new(sessions, settings.session_limit).at(&settings.server);
        let shared = Shared { http, settings, credentials, broker, secrets: Mutex::default() };
        Self { shared: Arc::new(shared), deadline: None }
    }

    /// The same client with so much time for all calls made through it, tries and waits included.
    ///
    /// Counted from now, for all calls together, and no limit for each: make a new one for each piece of work. Of two
    /// limits, one within the other, the shorter holds. However long it is, one sign-in gets 12 s at most: by then another
    /// process may try.
    ///
    /// Without it, a call that fails for a moment is tried three times, and a wait of more than 3 s is an error. With
    /// it, trying goes on and waits are waited as long as they end in time.
    #[must_use]
    pub fn within(&self, time: Duration) -> Self {
        // Half a year stands for a time that no clock can hold.
        let far = Duration::from_secs(180 * 24 * 60 * 60);
        let deadline = Instant::now() + time.min(far);
        let deadline = self.deadline.map_or(deadline, |earlier| earlier.min(deadline));
        Self { shared: Arc::clone(&self.shared), deadline: Some(deadline) }
    }

    /// Which server and site.
    pub fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    pub(crate) fn remaining(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.shared.http
    }

    pub(crate) fn broker(&self) -> &Broker {
        &self.shared.broker
    }

    /// What no error, log line or message may repeat of a session's calls.
    pub(crate) fn secrets_of(&self, credential: &Arc<TableauCredential>, session: &Session) -> Secrets {
        let mut known = self.shared.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = |known: &&Known| {
            Arc::ptr_eq(&known.credential, credential)
                && known.token.expose_secret() == session.token.expose_secret()
        };
        if let Some(known) = known.as_ref().filter(is_same) {
            return known.secrets.clone();
        }
        let secrets = Secrets::new(credential.secrets()).and(session.secrets());
        let credential = Arc::clone(credential);
        *known = Some(Known { credential, token: session.token.clone(), secrets: secrets.clone() });
        secrets
    }

    pub(crate) async fn credential(&self) -> Result<Arc<TableauCredential>, Error> {
        Ok(self.shared.credentials.current().await?)
    }

    pub(crate) async fn replacement(
        &self,
        refused: &Arc<TableauCredential>,
    ) -> Result<Option<Arc<TableauCredential>>, Error> {
        Ok(self.shared.credentials.replacement(refused).await?)
    }

    /// What a session is kept under: server, credential, site, and whom it acts for if that is somebody else.
    pub(crate) fn session_key(&self, credential: &TableauCredential) -> String {
        let Settings { server, site, act_as, .. } = self.settings();
        let key = format!("{}#{}#{}", server.authority(), credential.key(), key_part(site));
        match act_as {
            None => key,
            Some(ActAs::User(luid)) => format!("{key}#id/{luid}"),
            Some(ActAs::UserName(name)) => format!("{key}#name/{}", key_part(name)),
        }
    }
}
