//! The client for one Tableau site.

use crate::clock::ServerClock;
use crate::credential::key_part;
use crate::session::Broker;
use crate::{ActAs, CredentialSource, Error, Session, SessionStore, Settings, TableauCredential};
use confidential::Secrets;
use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// A client for one Tableau site, which signs in when needed. Clones are cheap and share everything.
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
    clock: ServerClock,
    /// The secrets of the newest session and its credential. Preparing the search for them takes time, so the result
    /// is kept.
    secrets: Mutex<Option<Known>>,
}

/// The secrets in the calls of one session.
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
    /// Creates a client that shares its session through `sessions`. Sends nothing before the first call.
    ///
    /// `http` may be any `reqwest` client. That client
    ///
    /// - must follow no redirects: an HTTP client turns a redirected sign-in into a `GET`, and sends tokens to the other server;
    /// - needs timeouts: without them a call waits forever for a server that accepts the connection and never answers;
    /// - needs a crypto provider: this crate asks `reqwest` for none, and `reqwest::Client::new()` panics ("No rustls crypto
    ///   provider is configured") until the program has installed one, for example with
    ///   `rustls::crypto::ring::default_provider().install_default()`, or hands one to the builder.
    pub fn new(
        http: reqwest::Client,
        settings: Settings,
        credentials: Arc<dyn CredentialSource>,
        sessions: Arc<dyn SessionStore>,
    ) -> Self {
        let broker = Broker::new(sessions, settings.session_limit).at(&settings.server);
        let shared = Shared {
            http,
            settings,
            credentials,
            broker,
            clock: ServerClock::default(),
            secrets: Mutex::default(),
        };
        Self { shared: Arc::new(shared), deadline: None }
    }

    /// Returns the same client with a time limit for all calls made through it together, including retries and waits.
    ///
    /// The time starts now, so create a new client for each piece of work. If two limits apply, the shorter one
    /// counts. One sign-in may take at most 12 s, because after that another process may try.
    ///
    /// Without a time limit, a call that fails temporarily is tried three times, and a wait of more than 3 s is an
    /// error. With a time limit, the client retries as long as the next try begins in time.
    #[must_use]
    pub fn within(&self, time: Duration) -> Self {
        // Half a year stands for a time limit that is too large for the clock.
        let far = Duration::from_secs(180 * 24 * 60 * 60);
        let deadline = Instant::now() + time.min(far);
        let deadline = self.deadline.map_or(deadline, |earlier| earlier.min(deadline));
        Self { shared: Arc::clone(&self.shared), deadline: Some(deadline) }
    }

    /// The server and site of this client.
    pub fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    /// How far Tableau's clock is ahead of ours, as the newest answer has shown it. Less than 2 s counts as none, and so does the time
    /// before the first answer.
    pub fn clock_ahead(&self) -> SignedDuration {
        self.shared.clock.ahead().unwrap_or_default()
    }

    pub(crate) fn clock(&self) -> &ServerClock {
        &self.shared.clock
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

    /// The secrets in the calls of a session, which no error, log line or message may repeat.
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

    /// The session's key in the session store: server, credential, site, and the user to act as, if any.
    pub(crate) fn session_key(&self, credential: &TableauCredential) -> String {
        let Settings { server, site, act_as, scopes, .. } = self.settings();
        let key = format!("{}#{}#{}", server.authority(), credential.key(scopes), key_part(site));
        match act_as {
            None => key,
            Some(ActAs::User(luid)) => format!("{key}#id/{luid}"),
            Some(ActAs::UserName(name)) => format!("{key}#name/{}", key_part(name)),
        }
    }
}
