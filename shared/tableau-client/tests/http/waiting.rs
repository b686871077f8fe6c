//! Errors and retries: which calls are repeated, and for how long.

use crate::server::{Reply, Tableau};
use serde_json::json;
use std::time::{Duration, Instant};
use tableau::EventName;
use tableau_client::{Error, NewWebhook};

const CALL: &str = "GET /workbooks/w-1";

fn too_many(retry_after: Option<&str>, detail: &str) -> Reply {
    let Reply::Full(status, mut headers, body) = Reply::error("429000", detail) else { unreachable!() };
    headers.extend(retry_after.map(|value| ("retry-after", value.to_owned())));
    Reply::Full(status, headers, body)
}

fn workbook() -> serde_json::Value {
    json!({"workbook": {"id": "w-1", "name": "Superstore"}})
}

#[tokio::test]
async fn trouble_of_a_moment_passes_unnoticed() {
    for trouble in [
        Reply::html(502),
        Reply::html(503),
        Reply::error("500000", "Internal"),
        Reply::Nothing,
        Reply::CutOff,
        too_many(None, "Too many requests."),
        too_many(Some("0"), "Too many requests."),
        too_many(None, "Please try again in 1 second."),
    ] {
        let tableau = Tableau::start().await;
        tableau.says(CALL, trouble.clone()).knows(CALL, &workbook());
        let read = tableau.client().workbook(&"w-1".parse().unwrap()).await;
        assert_eq!(read.unwrap().name, "Superstore", "{trouble:?}");
        assert_eq!(tableau.heard(CALL).len(), 2);
    }
}

#[tokio::test]
async fn an_error_says_how_long_tableau_asks_the_client_to_wait() {
    for (trouble, seconds) in [
        (too_many(Some("600"), "Too many requests."), 600),
        (
            too_many(None, "Too many requests for api.rest.refresh_extracts. Please try again in 7 minutes."),
            420,
        ),
        (too_many(None, "Try again after 2 hours"), 7_200),
    ] {
        let tableau = Tableau::start().await;
        tableau.says(CALL, trouble);
        for client in [tableau.client(), tableau.client().within(Duration::from_secs(60))] {
            let started = Instant::now();
            let error = client.workbook(&"w-1".parse().unwrap()).await.unwrap_err();
            assert_eq!(error.retry_after(), Some(Duration::from_secs(seconds)));
            assert!(
                error.is_transient() && error.to_string().ends_with(&format!("; wait {seconds} s")),
                "{error}"
            );
            assert!(started.elapsed() < Duration::from_secs(3));
        }
    }
}

#[tokio::test]
async fn a_deadline_allows_longer_waits_than_none() {
    let tableau = Tableau::start().await;
    tableau.says(CALL, too_many(Some("4"), "")).knows(CALL, &workbook());
    assert!(tableau.client().workbook(&"w-1".parse().unwrap()).await.is_err());

    tableau.forgets(CALL).says(CALL, too_many(Some("4"), "")).knows(CALL, &workbook());
    let patient = tableau.client().within(Duration::from_secs(20));
    assert!(patient.workbook(&"w-1".parse().unwrap()).await.is_ok());
}

#[tokio::test]
async fn a_deadline_ends_what_would_go_on() {
    for trouble in [Reply::html(503), Reply::Stuck] {
        let tableau = Tableau::start().await;
        tableau.says(CALL, trouble);
        let started = Instant::now();
        let client = tableau.client().within(Duration::from_millis(1_200));
        let error = client.workbook(&"w-1".parse().unwrap()).await.unwrap_err();
        assert!(error.is_transient(), "{error:?}");
        assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    }
}

#[tokio::test]
async fn a_wait_of_nothing_or_in_the_past_is_no_tight_loop() {
    for named in ["0", "Wed, 21 Oct 2015 07:28:00 GMT"] {
        let tableau = Tableau::start().await;
        tableau.says(CALL, too_many(Some(named), ""));
        let client = tableau.client().within(Duration::from_millis(1_000));
        assert!(client.workbook(&"w-1".parse().unwrap()).await.is_err());
        assert!((2..=6).contains(&tableau.heard(CALL).len()), "{named}: {}", tableau.heard(CALL).len());
    }
}

#[tokio::test]
async fn a_failure_that_was_overcome_is_not_why_the_time_ran_out() {
    const SIGN_IN: &str = "POST /auth/signin";
    let tableau = Tableau::start().await;
    let signed_in = json!({"credentials": {"site": {"id": "s-1"}, "user": {"id": "u-1"}, "token": "t"}});
    tableau.forgets(SIGN_IN).says(SIGN_IN, Reply::html(503)).knows(SIGN_IN, &signed_in);
    tableau.says(CALL, Reply::Stuck);
    let client = tableau.client().within(Duration::from_millis(1_000));
    let error = client.workbook(&"w-1".parse().unwrap()).await.unwrap_err();
    assert_eq!(tableau.heard(SIGN_IN).len(), 2);
    assert!(matches!(error, Error::OutOfTime { source: None, .. }), "{error:?}");
}

#[tokio::test]
async fn a_refusal_is_not_tried_again() {
    for code in ["400000", "403004", "404006", "405000"] {
        let tableau = Tableau::start().await;
        tableau.says(CALL, Reply::error(code, "no"));
        let error = tableau.client().workbook(&"w-1".parse().unwrap()).await.unwrap_err();
        assert_eq!((error.code(), error.is_transient()), (Some(code), false));
        assert_eq!(tableau.heard(CALL).len(), 1, "{code}");
    }
}

#[tokio::test]
async fn what_makes_something_is_repeated_only_if_it_surely_was_not_made() {
    let new = NewWebhook {
        name: "n".to_owned(),
        event: EventName::SiteUpdated,
        url: "https://a.example/".to_owned(),
        is_enabled: true,
    };
    for (trouble, tries) in [(Reply::Nothing, 1), (Reply::html(503), 1), (too_many(Some("0"), ""), 2)] {
        let tableau = Tableau::start().await;
        tableau.says("POST /webhooks", trouble.clone());
        tableau.says("POST /webhooks", Reply::json(201, &json!({"webhook": {"id": "h-1", "name": "n"}})));
        let made = tableau.client().create_webhook(&new).await;
        assert_eq!(tableau.heard("POST /webhooks").len(), tries, "{trouble:?}");
        assert!(made.is_ok() == (tries == 2) && made.err().is_none_or(|error| error.is_transient()));
    }
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let tableau = Tableau::start().await;
    tableau.says(CALL, Reply::Full(200, vec![], vec![b' '; 17 << 20]));
    let error = tableau.client().workbook(&"w-1".parse().unwrap()).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error:?}");
}
