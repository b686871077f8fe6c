//! Which session a client ends when it signs out.

use crate::server::{Reply, Tableau};
use async_trait::async_trait;
use serde_json::json;
use std::sync::{Arc, Mutex};
use tableau_client::{CredentialError, CredentialSource, OwnSession, TableauCredential};

const SIGN_IN: &str = "POST /auth/signin";
const SIGN_OUT: &str = "POST /auth/signout";
const CALL: &str = "GET /workbooks/w-1";

/// A credential that changes.
struct Changing(Mutex<Option<Arc<TableauCredential>>>);

impl Changing {
    fn new(name: &str) -> Arc<Self> {
        let changing = Self(Mutex::default());
        changing.becomes(name);
        Arc::new(changing)
    }

    fn becomes(&self, name: &str) {
        *self.0.lock().unwrap() = Some(Arc::new(TableauCredential::personal_access_token(name, "s")));
    }

    fn is_lost(&self) {
        *self.0.lock().unwrap() = None;
    }
}

#[async_trait]
impl CredentialSource for Changing {
    async fn current(&self) -> Result<Arc<TableauCredential>, CredentialError> {
        let lost =
            || CredentialError { name: "tableau".to_owned(), transient: true, source: "no answer".into() };
        self.0.lock().unwrap().clone().ok_or_else(lost)
    }

    async fn replacement(
        &self,
        refused: &Arc<TableauCredential>,
    ) -> Result<Option<Arc<TableauCredential>>, CredentialError> {
        Ok(Some(self.current().await?).filter(|current| **current != **refused))
    }
}

/// A server whose sign-ins return these tokens.
async fn tableau(tokens: &[&str]) -> Tableau {
    let tableau = Tableau::start().await;
    tableau.forgets(SIGN_IN).says(SIGN_OUT, Reply::Full(204, vec![], vec![]));
    for token in tokens {
        let credentials = json!({"site": {"id": "s-1"}, "user": {"id": "u-1"}, "token": token});
        tableau.knows(SIGN_IN, &json!({ "credentials": credentials }));
    }
    tableau.knows(CALL, &json!({"workbook": {"id": "w-1", "name": "Superstore"}}));
    tableau
}

fn own(tableau: &Tableau, credential: &Arc<Changing>) -> OwnSession {
    let credential: Arc<dyn CredentialSource> = Arc::<Changing>::clone(credential);
    OwnSession::new(http_client::client(None).unwrap(), tableau.settings("3.29"), credential)
}

async fn call(session: &OwnSession) {
    session.workbook(&"w-1".parse().unwrap()).await.unwrap();
}

fn ended(tableau: &Tableau) -> Vec<String> {
    let mut ended: Vec<_> =
        tableau.heard(SIGN_OUT).iter().map(|request| request.headers["x-tableau-auth"].clone()).collect();
    ended.sort_unstable();
    ended
}

#[tokio::test]
async fn the_session_that_was_obtained_is_ended_whatever_the_credential_is_called_by_now() {
    let tableau = tableau(&["one"]).await;
    let credential = Changing::new("old");
    let session = own(&tableau, &credential);
    call(&session).await;
    credential.becomes("new");
    session.sign_out().await.unwrap();
    assert_eq!(ended(&tableau), ["one"]);
}

#[tokio::test]
async fn a_session_under_each_name_is_ended_though_one_of_them_cannot_be() {
    let tableau = tableau(&["one", "two"]).await;
    let credential = Changing::new("old");
    tableau.forgets(SIGN_OUT).says(SIGN_OUT, Reply::error("400000", "no"));
    tableau.says(SIGN_OUT, Reply::Full(204, vec![], vec![]));
    let session = own(&tableau, &credential);
    call(&session).await;
    credential.becomes("new");
    call(&session).await;
    assert_eq!(session.sign_out().await.unwrap_err().code(), Some("400000"));
    assert_eq!(ended(&tableau), ["one", "two"]);
}

#[tokio::test]
async fn a_session_is_ended_without_the_credential() {
    let tableau = tableau(&["one"]).await;
    let credential = Changing::new("old");
    let session = own(&tableau, &credential);
    call(&session).await;
    credential.is_lost();
    session.sign_out().await.unwrap();
    assert_eq!(ended(&tableau), ["one"]);
}

#[tokio::test]
async fn of_a_session_and_the_one_before_it_the_newer_is_ended() {
    let tableau = tableau(&["one", "two"]).await;
    let credential = Changing::new("old");
    tableau.forgets(CALL).says(CALL, Reply::error("401002", "over"));
    tableau.knows(CALL, &json!({"workbook": {"id": "w-1", "name": "Superstore"}}));
    let session = own(&tableau, &credential);
    call(&session).await;
    session.sign_out().await.unwrap();
    assert_eq!(ended(&tableau), ["two"]);
}
