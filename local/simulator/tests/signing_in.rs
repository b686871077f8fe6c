//! Sessions: how they begin and end.

mod support;

use reqwest::Method;
use serde_json::json;
use simulator::{PatCredential, SAMPLE_PAT, SAMPLE_SITE, TableauSimulator};
use std::time::Duration;
use support::{Caller, manual_clock};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn a_pat_opens_a_session_for_one_site() {
    let tableau = TableauSimulator::sample().clock(manual_clock()).start().await.unwrap();
    let caller = Caller::stranger(&tableau);

    let answer = caller.sign_in(SAMPLE_PAT.0, SAMPLE_PAT.1, "marketing").await;

    let credentials = &answer.json["credentials"];
    assert_eq!(answer.status, 200);
    assert_eq!(credentials["site"], json!({ "id": SAMPLE_SITE, "contentUrl": "marketing" }));
    assert_eq!(credentials["user"]["id"], tableau.user("bea").unwrap().as_str());
    assert_eq!(credentials["estimatedTimeToExpiration"], "180:0:0");
    assert!(credentials["token"].as_str().unwrap().contains('|'));
}

#[tokio::test]
async fn a_second_sign_in_with_one_pat_ends_the_first_session_even_from_another_site() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let first = Caller::administrator(&tableau).await;
    assert_eq!(first.get("/workbooks").await.status, 200);

    let second = first.sign_in(SAMPLE_PAT.0, SAMPLE_PAT.1, "sandbox").await;

    assert_eq!(second.status, 200);
    let answer = first.get("/workbooks").await;
    assert_eq!((answer.status, answer.code()), (401, "401002"));
    assert_eq!((tableau.sessions(), tableau.sign_ins(SAMPLE_PAT.0)), (1, 2));
}

#[tokio::test]
async fn sessions_of_other_pats_and_of_passwords_stay() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    tableau.add(PatCredential::new("other", "other-secret", "bea"));
    let first = Caller::administrator(&tableau).await;
    let ana = Caller::user(&tableau, "ana").await;

    assert_eq!(first.sign_in("other", "other-secret", "marketing").await.status, 200);

    assert_eq!(first.get("/workbooks").await.status, 200);
    assert_eq!(ana.get("/workbooks").await.status, 200);
}

#[tokio::test]
async fn what_does_not_fit_is_refused_without_a_reason() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::stranger(&tableau);

    for (name, secret, site) in [
        (SAMPLE_PAT.0, "wrong", "marketing"),
        ("no-such-token", SAMPLE_PAT.1, "marketing"),
        (SAMPLE_PAT.0, SAMPLE_PAT.1, "elsewhere"),
    ] {
        let answer = caller.sign_in(name, secret, site).await;
        assert_eq!((answer.status, answer.code()), (401, "401001"), "{name} {secret} {site}");
    }
    tableau.revoke_pat(SAMPLE_PAT.0);
    assert_eq!(caller.sign_in(SAMPLE_PAT.0, SAMPLE_PAT.1, "marketing").await.code(), "401001");
    let jwt = json!({ "credentials": { "jwt": "eyJ", "site": { "contentUrl": "marketing" } } }).to_string();
    assert_eq!(caller.call(Method::POST, "/api/3.29/auth/signin", &jwt).await.code(), "401001");
    for body in ["{}", "[]", "no json", r#"{"credentials":{"name":"ana"}}"#] {
        assert_eq!(caller.call(Method::POST, "/api/3.29/auth/signin", body).await.code(), "400000", "{body}");
    }
    assert_eq!(tableau.sign_ins(SAMPLE_PAT.0), 0);
}

#[tokio::test]
async fn a_session_ends_unused_after_240_minutes() {
    let clock = manual_clock();
    let tableau = TableauSimulator::sample().clock(clock.clone()).start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;

    clock.advance(HOUR * 3);
    assert_eq!(caller.get("/workbooks").await.status, 200, "use keeps it alive");
    clock.advance(HOUR * 3);
    assert_eq!(caller.get("/workbooks").await.status, 200);
    clock.advance(HOUR * 4);

    assert_eq!(caller.get("/workbooks").await.code(), "401002");
}

#[tokio::test]
async fn a_pat_dies_after_15_days_without_a_sign_in() {
    let clock = manual_clock();
    let tableau = TableauSimulator::sample().clock(clock.clone()).start().await.unwrap();
    let caller = Caller::stranger(&tableau);

    clock.advance(HOUR * 24 * 14);
    assert_eq!(caller.sign_in(SAMPLE_PAT.0, SAMPLE_PAT.1, "marketing").await.status, 200);
    clock.advance(HOUR * 24 * 15);

    assert_eq!(caller.sign_in(SAMPLE_PAT.0, SAMPLE_PAT.1, "marketing").await.code(), "401001");
}

#[tokio::test]
async fn signing_out_and_restarts_end_sessions() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;

    let out = caller.call(Method::POST, "/api/3.29/auth/signout", "").await;
    assert_eq!(out.status, 204);
    assert_eq!(caller.get("/workbooks").await.code(), "401002");

    let caller = Caller::administrator(&tableau).await;
    tableau.end_sessions();
    assert_eq!(caller.get("/workbooks").await.code(), "401002");
}
