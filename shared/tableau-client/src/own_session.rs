//! A client with a session of its own, which it can end.

use crate::{
    BoxError, CredentialSource, Entry, Error, Lease, MemorySessionStore, Refusal, Session, SessionStore,
    Settings, TableauClient,
};
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

/// A client with a session of its own, which it can end.
///
/// Signing in with a personal access token ends the session of every other program that uses the same token. Use this
/// type only with a token that no other program uses, or with a connected app.
#[derive(Debug)]
pub struct OwnSession {
    client: TableauClient,
    obtained: Arc<Obtained>,
}

/// A session store that remembers every session, under any key: the credential's name may change.
#[derive(Debug, Default)]
struct Obtained {
    store: MemorySessionStore,
    newest: Mutex<HashMap<String, Session>>,
}

impl OwnSession {
    /// Creates a client that shares its session only with its clones. Sends nothing before the first call.
    pub fn new(http: reqwest::Client, settings: Settings, credentials: Arc<dyn CredentialSource>) -> Self {
        let obtained = Arc::new(Obtained::default());
        let shared: Arc<dyn SessionStore> = Arc::<Obtained>::clone(&obtained);
        Self { client: TableauClient::new(http, settings, credentials, shared), obtained }
    }

    /// Ends the session, if there is one. If the credential's name has changed meanwhile, ends the session under each
    /// name. Reads no credential. A clone that is still used signs in again. REST API 2.0+; needs no JWT scope.
    ///
    /// # Errors
    /// [`Error`] when Tableau does not answer. The session then lasts until it has been idle for too long.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_authentication.htm#sign_out>
    pub async fn sign_out(self) -> Result<(), Error> {
        let mut ended = Ok(());
        for session in self.obtained.take() {
            // A session that cannot be ended must not prevent the others from being ended.
            ended = ended.and(self.client.sign_out(&session).await);
        }
        ended
    }
}

impl Deref for OwnSession {
    type Target = TableauClient;

    fn deref(&self) -> &TableauClient {
        &self.client
    }
}

impl Obtained {
    fn take(&self) -> Vec<Session> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        newest.drain().map(|(_, session)| session).collect()
    }
}

#[async_trait]
impl SessionStore for Obtained {
    async fn read(&self, key: &str) -> Result<Entry, BoxError> {
        self.store.read(key).await
    }

    async fn lease(&self, key: &str, lease: &Lease, now: Timestamp) -> Result<bool, BoxError> {
        self.store.lease(key, lease, now).await
    }

    async fn publish(&self, key: &str, lease: &Lease, session: &Session) -> Result<bool, BoxError> {
        let published = self.store.publish(key, lease, session).await?;
        if published {
            // The store only replaces a session that has ended, so the earlier one has ended.
            let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
            newest.insert(key.to_owned(), session.clone());
        }
        Ok(published)
    }

    async fn release(&self, key: &str, lease: &Lease) -> Result<(), BoxError> {
        self.store.release(key, lease).await
    }

    async fn refuse(&self, key: &str, lease: &Lease, refusals: &[Refusal]) -> Result<(), BoxError> {
        self.store.refuse(key, lease, refusals).await
    }
}
