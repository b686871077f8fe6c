//! Signing in: bodies, redirects, versions, and whose session it is.

use crate::server::{Reply, Tableau, client};
use serde_json::json;
use std::sync::Arc;
use tableau_client::{
    ActAs, ApiVersion, ConnectedApp, Error, FixedCredential, OwnSession, TableauCredential,
};

const SIGN_IN: &str = "POST /auth/signin";
const CALL: &str = "GET /workbooks/w-1";

fn pat() -> TableauCredential {
    TableauCredential::personal_access_token("n", "s")
}

fn app() -> TableauCredential {
    TableauCredential::ConnectedApp(ConnectedApp {
        client_id: "c".to_owned(),
        secret_id: "i".to_owned(),
        secret_value: "hunter2".into(),
        user: "ana@example.com".to_owned(),
        scopes: ConnectedApp::SCOPES.map(str::to_owned).to_vec(),
    })
}

fn workbook(tableau: &Tableau) {
    tableau.knows(CALL, &json!({"workbook": {"id": "w-1", "name": "Superstore"}}));
}

#[tokio::test]
async fn the_token_goes_along_as_it_came() {
    let tableau = Tableau::start().await;
    workbook(&tableau);
    tableau.client().workbook(&"w-1".parse().unwrap()).await.unwrap();
    let sent = tableau.heard(SIGN_IN)[0].json();
    let expected = json!({"personalAccessTokenName": "n", "personalAccessTokenSecret": "s",
                          "site": {"contentUrl": "marketing"}});
    assert_eq!(sent["credentials"], expected);
    assert_eq!(tableau.heard(CALL)[0].headers["x-tableau-auth"], "HvZM|5fI6=:_-|a946");
}

#[tokio::test]
async fn a_connected_app_sends_a_token_of_three_parts_and_never_its_secret() {
    let tableau = Tableau::start().await;
    workbook(&tableau);
    client(tableau.settings("3.29"), app()).workbook(&"w-1".parse().unwrap()).await.unwrap();
    let request = &tableau.heard(SIGN_IN)[0];
    assert_eq!(request.json()["credentials"]["jwt"].as_str().unwrap().split('.').count(), 3);
    assert!(!request.body.contains("hunter2"));
}

#[tokio::test]
async fn a_client_may_act_as_another_user() {
    let tableau = Tableau::start().await;
    workbook(&tableau);
    let bea = tableau.settings("3.29").acting_as(ActAs::User("u-2".parse().unwrap()));
    client(bea.clone(), pat()).workbook(&"w-1".parse().unwrap()).await.unwrap();
    assert_eq!(tableau.heard(SIGN_IN)[0].json()["credentials"]["user"], json!({"id": "u-2"}));
    let error = client(bea, app()).workbook(&"w-1".parse().unwrap()).await.unwrap_err();
    assert!(matches!(error, Error::Invalid { .. }) && !error.is_transient(), "{error:?}");
}

#[tokio::test]
async fn a_wrong_pod_leads_to_the_right_one_and_the_session_stays_there() {
    for (status, pinned) in [(301, true), (302, true), (307, true), (308, true), (301, false)] {
        let wrong = Tableau::start().await;
        let right = Tableau::start().await;
        workbook(&right);
        let elsewhere =
            |path: &str| Reply::Full(status, vec![("location", format!("{}{path}", right.url))], Vec::new());
        wrong.forgets(SIGN_IN).says(SIGN_IN, elsewhere("/api/3.29/auth/signin"));
        wrong.says("GET /2.4/serverinfo", elsewhere("/"));
        right.knows("GET /2.4/serverinfo", &json!({"serverInfo": {"restApiVersion": "3.29"}}));
        let client = client(wrong.settings(if pinned { "3.29" } else { "" }), pat());

        client.workbook(&"w-1".parse().unwrap()).await.unwrap();
        client.workbook(&"w-1".parse().unwrap()).await.unwrap();

        assert_eq!(wrong.heard(SIGN_IN).len(), usize::from(pinned), "{status}");
        assert_eq!((right.heard(SIGN_IN).len(), right.heard(CALL).len()), (1, 2), "{status}");
        assert_eq!(right.heard(SIGN_IN)[0].json()["credentials"]["personalAccessTokenSecret"], "s");
    }
}

#[tokio::test]
async fn a_credential_goes_nowhere_unsafe_and_round_in_no_circle() {
    let one = Tableau::start().await;
    let two = Tableau::start().await;
    for location in ["http://evil.example/", "/login", "javascript:x", "https://u:p@evil.example/"] {
        one.forgets(SIGN_IN).says(SIGN_IN, Reply::Full(301, vec![("location", location.to_owned())], vec![]));
        let error = one.client().workbook(&"w-1".parse().unwrap()).await.unwrap_err();
        assert!(matches!(error, Error::Redirected { .. }), "{location}: {error:?}");
        let text = error.to_string();
        assert_eq!(
            text.contains("redirects elsewhere, to evil.example;"),
            location.contains("evil"),
            "{text}"
        );
        assert!(!text.contains("u:p"), "{text}");
    }
    let to = |tableau: &Tableau| Reply::Full(301, vec![("location", tableau.url.clone())], vec![]);
    one.forgets(SIGN_IN).says(SIGN_IN, to(&two));
    two.forgets(SIGN_IN).says(SIGN_IN, to(&one));
    let error = one.client().workbook(&"w-1".parse().unwrap()).await.unwrap_err();
    assert!(matches!(error, Error::Redirected { .. }), "{error:?}");
}

#[tokio::test]
async fn a_call_is_never_redirected() {
    let one = Tableau::start().await;
    let two = Tableau::start().await;
    one.says(CALL, Reply::Full(301, vec![("location", two.url.clone())], vec![]));
    workbook(&two);
    let error = one.client().workbook(&"w-1".parse().unwrap()).await.unwrap_err();
    assert!(matches!(error, Error::Redirected { .. }), "{error:?}");
    assert!(two.heard(CALL).is_empty(), "the token went along");
}

#[tokio::test]
async fn a_session_that_is_over_in_the_middle_is_replaced() {
    let tableau = Tableau::start().await;
    tableau.says(CALL, Reply::error("401002", "Invalid authentication credentials were provided."));
    workbook(&tableau);
    tableau.client().workbook(&"w-1".parse().unwrap()).await.unwrap();
    assert_eq!((tableau.heard(SIGN_IN).len(), tableau.heard(CALL).len()), (2, 2));
}

#[tokio::test]
async fn a_session_that_is_refused_again_and_again_is_replaced_once() {
    let tableau = Tableau::start().await;
    let over = || Reply::error("401002", "Invalid authentication credentials were provided.");
    tableau.says(CALL, over()).says(CALL, over()).says(CALL, over());
    let error = tableau.client().workbook(&"w-1".parse().unwrap()).await.unwrap_err();
    assert!(matches!(error, Error::SessionRefused { stolen: true, .. }) && error.is_transient(), "{error}");
    assert_eq!((tableau.heard(SIGN_IN).len(), tableau.heard(CALL).len()), (2, 2));
}

#[tokio::test]
async fn a_refused_sign_in_gives_tableaus_reason_and_is_not_repeated() {
    let tableau = Tableau::start().await;
    tableau.forgets(SIGN_IN).says(SIGN_IN, Reply::error("401001", "(16) Login failed."));
    let error = client(tableau.settings("3.29"), app()).workbook(&"w-1".parse().unwrap()).await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with(
            "sign in: Tableau refused with 401 (401001, Refused: (16) Login failed.); check the name"
        ),
        "{text}"
    );
    assert!(text.contains("15 days without use") && text.contains("what follows /site/"), "{text}");
    assert_eq!(tableau.heard(SIGN_IN).len(), 1);
}

#[tokio::test]
async fn the_version_is_the_newest_that_both_sides_know() {
    for (server, spoken) in [("3.20", "3.20"), ("3.9", "3.9"), ("9.1", "3.30")] {
        let tableau = Tableau::start().await;
        let info = json!({"serverInfo": {"productVersion": {"value": "2026.2.0", "build": "1"}, "restApiVersion": server}});
        tableau.knows("GET /2.4/serverinfo", &info);
        let client = client(tableau.settings(""), pat());
        let _ = client.workbook(&"w-1".parse().unwrap()).await;
        let path = if spoken == "3.29" { SIGN_IN.to_owned() } else { format!("POST /{spoken}/auth/signin") };
        assert_eq!(tableau.heard(&path).len(), 1, "{server}");
        let info = client.server_info().await.unwrap();
        assert_eq!(info.rest_api_version, server.parse::<ApiVersion>().unwrap());
        assert_eq!(info.product_version.value, "2026.2.0");
    }
}

#[tokio::test]
async fn the_owner_of_a_session_may_end_it() {
    let tableau = Tableau::start().await;
    workbook(&tableau);
    tableau.says("POST /auth/signout", Reply::Full(204, vec![], vec![]));
    let own = || {
        let http = http_client::client(None).unwrap();
        OwnSession::new(http, tableau.settings("3.29"), Arc::new(FixedCredential::new(pat())))
    };
    own().sign_out().await.unwrap();
    assert!(tableau.heard("POST /auth/signout").is_empty(), "there was no session");

    let client = own();
    client.workbook(&"w-1".parse().unwrap()).await.unwrap();
    client.sign_out().await.unwrap();
    let sent = tableau.heard("POST /auth/signout");
    assert_eq!((sent.len(), sent[0].headers["x-tableau-auth"].as_str()), (1, "HvZM|5fI6=:_-|a946"));
}
