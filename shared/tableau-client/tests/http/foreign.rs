//! Answers of proxies, firewalls and login pages instead of Tableau.

use crate::server::{Reply, Tableau, client};
use serde_json::json;
use tableau_client::{Error, ExportOptions, Filter, TableauCredential};

const CALL: &str = "GET /workbooks/w-1";

fn page(status: u16, body: &str) -> Reply {
    Reply::Full(status, vec![], body.as_bytes().to_vec())
}

/// Foreign answers, each with its name in the error.
fn pages(status: u16) -> Vec<(Reply, &'static str)> {
    let html = "\u{feff}<!DOCTYPE html><html><title>hunter2: sign in</title></html>";
    vec![
        (page(status, ""), "an empty body"),
        (page(status, html), "HTML"),
        (page(status, "Access to hunter2 was blocked"), "text"),
        (page(status, r#"["hunter2"]"#), "JSON"),
        (page(status, r#"{"message":"hunter2"}"#), "JSON"),
        (page(status, r#"{"error":{"code":403,"message":"hunter2"}}"#), "JSON"),
    ]
}

#[tokio::test]
async fn an_answer_that_is_not_tableaus_is_transient_says_so_and_is_not_repeated() {
    for status in [200, 201, 400, 401, 403, 404, 405, 407, 451, 503] {
        for (reply, content) in pages(status) {
            let tableau = Tableau::start().await;
            tableau.says(CALL, reply);
            let error = tableau.client().workbook(&"w-1".parse().unwrap()).await.unwrap_err();
            let expected = format!(
                "fetch the workbook: the answer is not Tableau's: {content} with status {status}; check whether a proxy or a login \
                 page is in between"
            );
            assert_eq!(error.to_string(), expected);
            assert!(!format!("{error:?}").contains("hunter2") && error.code().is_none(), "{error:?}");
            assert!(error.is_transient() && !error.is_misconfiguration() && !error.is_not_found());
            assert!(error.is_transient() && !error.is_misconfiguration(), "{error:?}");
        }
    }
}

#[tokio::test]
async fn nothing_in_place_of_what_was_asked_for_is_not_tableaus_and_of_a_change_it_is_fine() {
    let tableau = Tableau::start().await;
    tableau.says(CALL, page(204, "")).says("PUT /jobs/j-1", page(204, ""));
    let error = tableau.client().workbook(&"w-1".parse().unwrap()).await.unwrap_err();
    assert!(error.to_string().contains("an empty body with status 204"), "{error}");
    tableau.client().cancel_job(&"j-1".parse().unwrap()).await.unwrap();
    tableau.forgets("PUT /jobs/j-1").says("PUT /jobs/j-1", page(200, "<html>"));
    let error = tableau.client().cancel_job(&"j-1".parse().unwrap()).await.unwrap_err();
    assert!(matches!(error, Error::Foreign { status: 200, content: "HTML", .. }), "{error:?}");
}

#[tokio::test]
async fn a_list_a_file_and_the_metadata_api_can_be_replaced_by_a_page_too() {
    let tableau = Tableau::start().await;
    let html =
        || Reply::Full(200, vec![("content-type", "text/html; charset=utf-8".to_owned())], b"<html>".into());
    tableau.says("GET /workbooks/w-1/pdf", html()).says("GET /workbooks", html());
    tableau.knows("GET /jobs", &json!({"blocked": true})).knows("POST /metadata/graphql", &json!({"x": 1}));
    let client = tableau.client();
    let pdf = client.workbook_pdf(&"w-1".parse().unwrap(), &ExportOptions::default(), 1_000).await;
    let errors = [
        pdf.map(|_| ()).unwrap_err(),
        client.workbooks(Filter::all()).all(5).await.map(|_| ()).unwrap_err(),
        client.jobs(Filter::all()).all(5).await.map(|_| ()).unwrap_err(),
        client.metadata::<serde_json::Value>("{ x }", &json!({})).await.map(|_| ()).unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, Error::Foreign { status: 200, .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_login_page_in_place_of_the_sign_in_is_no_fault_of_the_credential() {
    for reply in [Reply::html(200), Reply::html(401), Reply::html(403), page(204, "")] {
        let tableau = Tableau::start().await;
        tableau.forgets("POST /auth/signin").says("POST /auth/signin", reply);
        let error = tableau.client().workbook(&"w-1".parse().unwrap()).await.unwrap_err();
        assert!(matches!(error, Error::Foreign { .. }) && error.advice().is_none(), "{error:?}");
    }
}

#[tokio::test]
async fn a_redirect_that_is_not_followed_may_be_a_login_page() {
    for location in [None, Some("https://login.corp.example.com/?to=hunter2")] {
        let tableau = Tableau::start().await;
        let headers = location.map(|to| ("location", to.to_owned())).into_iter().collect();
        tableau.says(CALL, Reply::Full(302, headers, vec![]));
        let error = tableau.client().workbook(&"w-1".parse().unwrap()).await.unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("a proxy or a login page is in between") && !text.contains("hunter2"),
            "{text}"
        );
        assert_eq!(text.contains(", to login.corp.example.com;"), location.is_some(), "{text}");
        assert!(error.is_transient() && !error.is_misconfiguration(), "{error:?}");
    }
}

#[tokio::test]
async fn a_credential_that_tableau_refuses_waits_for_a_person_and_the_error_says_what_to_look_at() {
    let tableau = Tableau::start().await;
    let refused = Reply::error("401001", "Signin Error");
    tableau.forgets("POST /auth/signin").says("POST /auth/signin", refused);
    let client = client(tableau.settings("3.29"), TableauCredential::personal_access_token("n", "s"));
    // The client does not send the second call: it knows the result from the first.
    for _ in 0..2 {
        let error = client.workbook(&"w-1".parse().unwrap()).await.unwrap_err();
        assert!(error.is_misconfiguration() && error.code() == Some("401001"), "{error:?}");
        assert!(error.advice().unwrap().contains("15 days without use"), "{error}");
        assert!(error.is_misconfiguration(), "{error:?}");
    }
    assert_eq!(tableau.heard("POST /auth/signin").len(), 1);
}

#[tokio::test]
async fn no_other_refusal_gets_the_advice_about_credentials() {
    for code in ["403000", "403004", "403079", "404006", "400000", "409004"] {
        let tableau = Tableau::start().await;
        tableau.says(CALL, Reply::error(code, "no"));
        let error = tableau.client().workbook(&"w-1".parse().unwrap()).await.unwrap_err();
        assert_eq!((error.advice(), error.is_misconfiguration()), (None, false), "{code}");
    }
}
