//! Error texts: which server did not answer, what is wrong, what to check.

use crate::server::{Reply, Tableau};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tableau::EventName;
use tableau_client::{
    Error, FixedCredential, MemorySessionStore, NewWebhook, Settings, TableauClient, TableauCredential, chain,
};

const CALL: &str = "GET /workbooks/w-1";

/// The error of a workbook call that is answered with `reply`.
async fn error_text(reply: Reply) -> String {
    let tableau = Tableau::start().await;
    tableau.says(CALL, reply);
    chain(&tableau.client().workbook(&"w-1".parse().unwrap()).await.unwrap_err())
}

/// A client of a server that does not run.
fn stranded() -> (String, TableauClient) {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let client = TableauClient::new(
        http_client::client(None).unwrap(),
        Settings::new(&format!("http://{closed}"), "marketing", "").unwrap(),
        Arc::new(FixedCredential::new(TableauCredential::personal_access_token("n", "s"))),
        Arc::new(MemorySessionStore::default()),
    );
    (closed, client)
}

#[tokio::test]
async fn who_does_not_answer_is_named() {
    let (host, client) = stranded();
    let text = chain(&client.server_info().await.unwrap_err());
    assert!(text.starts_with(&format!("ask for the server's version: no answer from {host}: ")), "{text}");
}

#[tokio::test]
async fn a_call_that_runs_out_of_time_says_how_its_last_try_failed() {
    let (host, client) = stranded();
    let started = Instant::now();
    // Near the deadline, the wait before the next attempt exceeds the remaining time or is cut off by it.
    for time in [200, 700, 1_500] {
        let error =
            client.within(Duration::from_millis(time)).workbook(&"w-1".parse().unwrap()).await.unwrap_err();
        assert!(error.is_transient(), "{error:?}");
        let text = chain(&error);
        assert!(text.contains(&format!("no answer from {host}")), "{text}");
        assert!(text.contains("refused"), "{text}");
    }
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
}

#[tokio::test]
async fn what_was_cut_off_by_the_deadline_keeps_the_error_before() {
    let tableau = Tableau::start().await;
    tableau.says(CALL, Reply::html(503)).says(CALL, Reply::Stuck);
    let client = tableau.client().within(Duration::from_millis(1_200));
    let error = client.workbook(&"w-1".parse().unwrap()).await.unwrap_err();
    assert!(
        matches!(&error, Error::OutOfTime { source: Some(last), .. } if last.is_transient()),
        "{error:?}"
    );
    assert!(chain(&error).contains("the answer is not Tableau's"), "{}", chain(&error));
}

#[tokio::test]
async fn a_version_that_the_server_does_not_know_is_best_left_empty() {
    let text = error_text(Reply::error("404001", "Unknown version")).await;
    assert!(
        text.ends_with(
            "; leave the version empty: the client then uses the newest version that Tableau also supports"
        ),
        "{text}"
    );
}

#[tokio::test]
async fn a_refused_event_that_is_not_known_here_is_named() {
    for (event, says) in [
        (
            "DatasourceRefreshFaild",
            "(`DatasourceRefreshFaild` is not among the events that are known here; is it `DatasourceRefreshFailed`?)",
        ),
        ("FlowRunFailed", "(`FlowRunFailed` is not among the events that are known here)"),
        ("WorkbookCreated", "Bad request"),
    ] {
        let tableau = Tableau::start().await;
        tableau.says("POST /webhooks", Reply::error("400000", "Bad request"));
        let new = NewWebhook {
            name: "n".to_owned(),
            event: EventName::from(event),
            url: "https://a.example/".to_owned(),
            is_enabled: true,
        };
        let error = tableau.client().create_webhook(&new).await.unwrap_err().to_string();
        assert!(error.contains(says) && error.ends_with(')'), "{error}");
        assert_eq!(error.contains("known here"), event != "WorkbookCreated", "{error}");
    }
}
