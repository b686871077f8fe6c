//! A site that moves from one server to another, as Tableau Cloud moves sites between its pods.

use crate::server::{Reply, Tableau, client};
use serde_json::json;
use std::time::{Duration, Instant};
use tableau_client::{Error, TableauClient, TableauCredential};

const SIGN_IN: &str = "POST /auth/signin";
const CALL: &str = "GET /workbooks/w-1";

fn pat() -> TableauCredential {
    TableauCredential::personal_access_token("n", "s")
}

fn to(tableau: &Tableau) -> Reply {
    Reply::Full(301, vec![("location", tableau.url.clone())], vec![])
}

fn workbook(tableau: &Tableau) {
    tableau.knows(CALL, &json!({"workbook": {"id": "w-1", "name": "Superstore"}}));
}

async fn read(client: &TableauClient) -> Result<String, Error> {
    Ok(client.workbook(&"w-1".parse().unwrap()).await?.name)
}

/// The old and the new server of the site, and a client of the configured server with a session at the old one.
async fn moved() -> (Tableau, Tableau, Tableau, TableauClient) {
    let configured = Tableau::start().await;
    let before = Tableau::start().await;
    let now = Tableau::start().await;
    configured.forgets(SIGN_IN).says(SIGN_IN, to(&before));
    workbook(&before);
    workbook(&now);
    let client = client(configured.settings("3.29"), pat());
    read(&client).await.unwrap();
    assert_eq!(before.heard(SIGN_IN).len(), 1);
    configured.forgets(SIGN_IN).says(SIGN_IN, to(&now));
    (configured, before, now, client)
}

#[tokio::test]
async fn a_site_that_has_moved_is_signed_in_to_once_where_it_is_now() {
    for answer in [
        Reply::Full(301, vec![("location", "https://10ay.online.tableau.com/".to_owned())], vec![]),
        Reply::Full(302, vec![], vec![]),
        Reply::Full(308, vec![("location", "/elsewhere".to_owned())], vec![]),
        Reply::error("404000", "Site 's-1' could not be found."),
        Reply::error("401002", "Invalid authentication credentials were provided."),
        Reply::error("401000", "No authentication credentials were provided."),
        Reply::html(401),
        Reply::html(404),
        Reply::html(410),
        Reply::Full(421, vec![], vec![]),
    ] {
        let (_configured, before, now, client) = moved().await;
        before.forgets(CALL).says(CALL, answer.clone());
        for _ in 0..3 {
            assert_eq!(read(&client).await.unwrap(), "Superstore", "{answer:?}");
        }
        let heard = (now.heard(SIGN_IN).len(), now.heard(CALL).len(), before.heard(CALL).len());
        assert_eq!(heard, (1, 3, 2), "{answer:?}");
    }
}

#[tokio::test]
async fn a_server_that_is_gone_is_not_waited_for() {
    for patient in [false, true] {
        let (_configured, before, now, client) = moved().await;
        before.shut_down().await;
        let client = if patient { client.within(Duration::from_secs(30)) } else { client };
        let started = Instant::now();
        assert_eq!(read(&client).await.unwrap(), "Superstore");
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        assert_eq!((now.heard(SIGN_IN).len(), now.heard(CALL).len()), (1, 1));
    }
}

#[tokio::test]
async fn a_site_that_is_nowhere_is_looked_for_once_a_call() {
    let (configured, before, now, client) = moved().await;
    before.forgets(CALL).says(CALL, to(&now));
    now.forgets(CALL).says(CALL, to(&before));
    let error = read(&client).await.unwrap_err();
    assert!(matches!(error, Error::Redirected { .. }) && error.is_transient(), "{error:?}");
    assert_eq!((configured.heard(SIGN_IN).len(), now.heard(SIGN_IN).len(), now.heard(CALL).len()), (2, 1, 1));
}

#[tokio::test]
async fn a_configured_server_in_trouble_is_no_reason_to_sign_in_again() {
    let tableau = Tableau::start().await;
    workbook(&tableau);
    let client = tableau.client();
    read(&client).await.unwrap();
    for answer in [Reply::html(404), Reply::html(401), Reply::html(503), Reply::error("404006", "gone")] {
        tableau.forgets(CALL).says(CALL, answer);
        read(&client).await.unwrap_err();
    }
    assert_eq!(tableau.heard(SIGN_IN).len(), 1);
}
