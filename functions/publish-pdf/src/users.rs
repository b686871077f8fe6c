//! Tableau as another user sees it.

use circuit::Circuits;
use guarded_tableau::{GuardedTableau, SecretCredential};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use store::Documents;
use tableau_client::{ActAs, Filter, MemorySessionStore, Settings, TableauClient, TableauCredential, User};
use tokio::sync::Mutex;
use workflow::{CredentialSource, Failure, Invocation};

/// Clients that act as other users. Their sessions stay in this process: in the table, another function could take one for its own.
pub struct Users {
    http: reqwest::Client,
    settings: Settings,
    secret: Arc<dyn CredentialSource<TableauCredential>>,
    documents: Documents,
    known: Mutex<BTreeMap<(bool, String), Arc<GuardedTableau>>>,
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Users").finish_non_exhaustive()
    }
}

/// Tableau as the service's own user sees it, or another.
#[derive(Debug)]
pub(crate) enum Session<'a> {
    /// The credential's user.
    Own(&'a GuardedTableau),
    /// Another user, by name.
    Of(Arc<GuardedTableau>, &'a str),
}

impl Session<'_> {
    pub(crate) fn tableau(&self) -> &GuardedTableau {
        match self {
            Self::Own(tableau) => tableau,
            Self::Of(tableau, _) => tableau,
        }
    }

    /// The other user's name.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Own(_) => None,
            Self::Of(_, name) => Some(name),
        }
    }
}

impl Users {
    /// Clients with this credential.
    pub fn new(
        http: reqwest::Client,
        settings: Settings,
        secret: Arc<dyn CredentialSource<TableauCredential>>,
        documents: Documents,
    ) -> Self {
        Self { http, settings, secret, documents, known: Mutex::default() }
    }

    /// Tableau as `user` sees it. A connected app signs in by name; on Tableau Server, a token or password by the user's LUID, which
    /// `own` looks up.
    pub(crate) async fn of<'a>(
        &self,
        user: &'a str,
        own: &GuardedTableau,
        invocation: &Invocation,
    ) -> Result<Session<'a>, Failure> {
        let mut known = self.known.lock().await;
        let credential = self.secret.current().await?;
        // A connected app acts by name, other credentials by id.
        let is_app = matches!(credential.as_ref(), TableauCredential::ConnectedApp(_));
        let key = (is_app, user.to_owned());
        if let Some(tableau) = known.get(&key) {
            return Ok(Session::Of(Arc::clone(tableau), user));
        }
        let act_as = match credential.as_ref() {
            TableauCredential::ConnectedApp(_) => ActAs::UserName(user.to_owned()),
            _ => self.by_id(user, own, invocation).await?,
        };
        let settings = self.settings.clone().acting_as(act_as);
        let credential = SecretCredential::new(Arc::clone(&self.secret));
        let sessions = Arc::new(MemorySessionStore::default());
        let client = TableauClient::new(self.http.clone(), settings, credential, sessions);
        let circuits = Circuits::new(self.documents.clone(), "publish-pdf", "Tableau");
        let tableau = Arc::new(GuardedTableau::new(client, circuits));
        known.insert(key, Arc::clone(&tableau));
        Ok(Session::Of(tableau, user))
    }

    async fn by_id(
        &self,
        user: &str,
        own: &GuardedTableau,
        invocation: &Invocation,
    ) -> Result<ActAs, Failure> {
        let filter = Filter::<User>::all().named(user);
        let found = own.call(invocation, own.client().users(filter).all(2)).await?;
        match found.as_slice() {
            [one] => Ok(ActAs::User(one.id.clone())),
            [] => Err(Failure::misconfigured(format!(
                "the site has no user `{user}`, who is named by `as` in a rule: write the name with which the user signs in"
            ))),
            _ => Err(Failure::misconfigured(format!(
                "the site has several users `{user}`, who is named by `as` in a rule"
            ))),
        }
    }
}
