//! Every status of the interface.

use crate::stage::{Stage, everything, of_datasource};
use api_keys::Permissions;
use rules::PathPattern;
use serde_json::{Value, json};
use tableau::ContentKind;
use testkit::ApiCall;
use testkit::simulator::{Datasource, Fault, Workbook};

fn of_projects(projects: &[&str]) -> Permissions {
    Permissions {
        kinds: [ContentKind::Datasource].into(),
        projects: projects.iter().map(|text| PathPattern::parse(text).unwrap()).collect(),
        ..Permissions::default()
    }
}

#[tokio::test]
async fn a_repeated_request_with_its_key_is_the_same_and_another_body_is_refused() {
    let stage = Stage::start().await;
    let luid = stage.tableau().add(Datasource::named("Orders").in_project("Finance"));
    let key = stage.key("one", everything()).await;
    let other = stage.key("two", everything()).await;
    let post = |key: &str, body: &Value| {
        ApiCall::new("POST", "/refreshes").key(key).header("idempotency-key", "run-1").json(body)
    };
    let body = of_datasource(luid.as_str());

    let first = stage.call(&post(&key, &body)).await;
    let again = stage.call(&post(&key, &body)).await;
    let of_other = stage.call(&post(&other, &body)).await;
    let changed = stage.call(&post(&key, &json!({"kind": "workbook", "luid": luid.as_str()}))).await;

    assert_eq!((first.status, again.status, of_other.status), (202, 202, 202), "{}", stage.log());
    assert_eq!(first.body["id"], again.body["id"]);
    assert_eq!(again.body["joined"], false);
    assert_ne!(first.body["id"], of_other.body["id"]);
    assert_eq!(of_other.body["joined"], true);
    assert_eq!((changed.status, &changed.body["code"]), (422, &json!("idempotency_key_reused")));
    assert_eq!(stage.starts(), 1);
    stage.tableau().succeed_refresh(&luid).unwrap();
    stage.event("DatasourceRefreshSucceeded", luid.as_str()).await;
    let ended = stage.call(&post(&key, &body)).await;
    assert_eq!((ended.status, &ended.body["status"]), (200, &json!("succeeded")));
    assert_eq!(stage.starts(), 1);
}

#[tokio::test]
async fn a_request_is_cancelled_for_its_caller_and_the_job_when_no_one_waits_for_it() {
    let stage = Stage::start().await;
    let luid = stage.tableau().add(Datasource::named("Orders").in_project("Finance"));
    let one = stage.key("one", everything()).await;
    let two = stage.key("two", everything()).await;
    let first = stage.accepted(&one, &of_datasource(luid.as_str())).await;
    let second = stage.accepted(&two, &of_datasource(luid.as_str())).await;
    let delete = |key: &str, request: &Value| {
        ApiCall::new("DELETE", &format!("/refreshes/{}", request["id"].as_str().unwrap())).key(key)
    };
    let job = || stage.tableau().jobs().pop().unwrap().status;

    assert_eq!(stage.call(&delete(&two, &first)).await.status, 404, "another caller's");
    let cancelled = stage.call(&delete(&one, &first)).await;
    assert_eq!((cancelled.status, &cancelled.body["status"]), (200, &json!("cancelled")), "{}", stage.log());
    assert_eq!(job(), "Pending");
    assert_eq!(stage.get(&two, &second["id"]).await["status"], "queued");

    let last = stage.call(&delete(&two, &second)).await;
    assert_eq!((last.status, &last.body["status"]), (200, &json!("cancelled")));
    assert_eq!(job(), "Cancelled", "{}", stage.log());
    let again = stage.call(&delete(&two, &second)).await;
    assert_eq!((again.status, &again.body["status"]), (200, &json!("cancelled")));
    assert_eq!(stage.accepted(&one, &of_datasource(luid.as_str())).await["joined"], false);
}

#[tokio::test]
async fn a_key_may_refresh_what_it_is_for_and_nothing_else() {
    let stage = Stage::start().await;
    let inside = stage.tableau().add(Datasource::named("Orders").in_project("Finance/Europe"));
    let outside = stage.tableau().add(Datasource::named("Payroll").in_project("HR"));
    let workbook = stage.tableau().add(Workbook::named("Weekly").in_project("Finance"));
    let finance = stage.key("finance", of_projects(&["Finance/**"])).await;
    let by_luid = Permissions {
        kinds: [ContentKind::Datasource].into(),
        luids: [outside.to_string()].into(),
        ..Permissions::default()
    };
    let single = stage.key("single", by_luid).await;
    let events = stage.key("events", Permissions { events: true, ..Permissions::default() }).await;

    assert_eq!(stage.post(&finance, &of_datasource(inside.as_str())).await.status, 202, "{}", stage.log());
    assert_eq!(stage.post(&single, &of_datasource(outside.as_str())).await.status, 202);
    let workbook = json!({"kind": "workbook", "luid": workbook.as_str()});
    for (key, body) in [
        (&finance, of_datasource(outside.as_str())),
        (&finance, workbook),
        (&single, of_datasource(inside.as_str())),
        (&events, of_datasource(inside.as_str())),
    ] {
        let refused = stage.post(key, &body).await;
        assert_eq!((refused.status, &refused.body["code"]), (403, &json!("not_allowed")), "{body}");
        assert!(!refused.body.to_string().contains("Payroll"), "{}", refused.body);
    }
    assert_eq!(stage.starts(), 2);
}

#[tokio::test]
async fn forty_requests_that_must_be_refused_are_refused() {
    let stage = Stage::start().await;
    let luid = stage.tableau().add(Datasource::named("Orders").in_project("Finance"));
    let live = stage.tableau().add(Datasource::named("Live").in_project("Finance").live());
    let secret = stage.tableau().add(Datasource::named("Payroll").in_project("HR"));
    let disguised = stage.tableau().add(Datasource::named("Trap").in_project("HR/Finance"));
    let key = stage.key("finance", of_projects(&["Finance/**"])).await;
    let all = stage.key("all", everything()).await;
    let revoked = stage.key("revoked", everything()).await;
    stage.keys.revoke(&revoked[4..16], jiff::Timestamp::now()).await.unwrap();
    let slow = stage.key_at("slow", everything(), 1).await;
    let right = of_datasource(luid.as_str());
    let first = ApiCall::new("POST", "/refreshes").key(&all).header("idempotency-key", "run-1").json(&right);
    let owned = stage.call(&first).await.body;
    let path = format!("/refreshes/{}", owned["id"].as_str().unwrap());
    let spent = stage.call(&ApiCall::new("GET", &path).key(&slow)).await;
    assert_eq!(spent.status, 404);
    let starts = stage.starts();

    let post = || ApiCall::new("POST", "/refreshes");
    let with = |more: Value| {
        let mut body = right.clone();
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        post().key(&all).json(&body)
    };
    let swapped = format!("{}{}", &key[..17], &all[17..]);
    let flipped: String = key
        .char_indices()
        .map(|(at, c)| if at == 30 { if c == 'A' { 'B' } else { 'A' } } else { c })
        .collect();
    let refused = [
        // No key, wrong keys, revoked keys.
        (post().json(&right), 401, "unauthorized"),
        (post().key("").json(&right), 401, "unauthorized"),
        (post().key(&key[..20]).json(&right), 401, "unauthorized"),
        (post().key(&flipped).json(&right), 401, "unauthorized"),
        (post().key(&swapped).json(&right), 401, "unauthorized"),
        (post().key(&revoked).json(&right), 401, "unauthorized"),
        (post().key(&key.to_uppercase()).json(&right), 401, "unauthorized"),
        (post().key(testkit::TOKEN).json(&right), 401, "unauthorized"),
        (post().header("authorization", &format!("Basic {key}")).json(&right), 401, "unauthorized"),
        (
            post().header("authorization", &format!("Bearer {key},Bearer {key}")).json(&right),
            401,
            "unauthorized",
        ),
        (ApiCall::new("GET", &path).key(&revoked), 401, "unauthorized"),
        (ApiCall::new("DELETE", &path).key(&revoked), 401, "unauthorized"),
        // Another project, another kind, another caller's request.
        (post().key(&key).json(&of_datasource(secret.as_str())), 403, "not_allowed"),
        (post().key(&key).json(&of_datasource(disguised.as_str())), 403, "not_allowed"),
        (post().key(&key).json(&json!({"kind": "workbook", "luid": luid.as_str()})), 403, "not_allowed"),
        (post().key(&key).json(&json!({"kind": "flow", "luid": luid.as_str()})), 403, "not_allowed"),
        (ApiCall::new("GET", &path).key(&key), 404, "not_found"),
        (ApiCall::new("DELETE", &path).key(&key), 404, "not_found"),
        (ApiCall::new("GET", "/refreshes/..%2Fkeys").key(&all), 404, "not_found"),
        // Over the rate.
        (ApiCall::new("GET", &path).key(&slow), 429, "rate_limited"),
        (post().key(&slow).json(&right), 429, "rate_limited"),
        // A key of before under another body.
        (
            with(json!({"incremental": true})).header("idempotency-key", "run-1"),
            422,
            "idempotency_key_reused",
        ),
        // What cannot be read, or is not allowed.
        (with(json!({"wait_seconds": 26})), 400, "malformed"),
        (with(json!({"wait_seconds": -1})), 400, "malformed"),
        (with(json!({"timeout_minutes": 1441})), 400, "malformed"),
        (with(json!({"luid": "../../users"})), 400, "malformed"),
        (with(json!({"surprise": 1})), 400, "malformed"),
        (with(json!({"name": "Orders"})), 400, "malformed"),
        (post().key(&all).json(&json!([])), 400, "malformed"),
        (post().key(&all).header("content-type", "application/json").text("{"), 400, "malformed"),
        (post().key(&all).header("idempotency-key", "a b").json(&right), 400, "malformed"),
        (post().key(&all).header("idempotency-key", &"k".repeat(129)).json(&right), 400, "malformed"),
        (ApiCall::new("POST", "/refreshes?token=x").key(&all).json(&right), 400, "malformed"),
        (ApiCall::new("GET", &format!("{path}?wait_seconds=99")).key(&all), 400, "malformed"),
        (ApiCall::new("PUT", "/refreshes").key(&all).json(&right), 405, "method_not_allowed"),
        (ApiCall::new("POST", &path).key(&all).json(&right), 405, "method_not_allowed"),
        (
            post().key(&all).header("content-type", "application/json").text(&" ".repeat(16_385)),
            413,
            "too_large",
        ),
        (
            post().key(&all).header("content-type", "text/plain").text(&right.to_string()),
            415,
            "unsupported_media_type",
        ),
        (with(json!({"callback_url": "http://example.com/x"})), 422, "address_refused"),
        (with(json!({"callback_url": "https://169.254.169.254/latest"})), 422, "address_refused"),
        (with(json!({"callback_url": "https://localhost/x"})), 422, "address_refused"),
        (with(json!({"site": "other"})), 404, "other_site"),
        (with(json!({"luid": "00000000-0000-4000-8000-000000000000"})), 404, "not_found"),
        (with(json!({"luid": live.as_str()})), 422, "live_connection"),
    ];
    assert!(refused.len() >= 40, "{}", refused.len());
    for (call, status, code) in refused {
        let answer = stage.call(&call).await;
        let got = (answer.status, answer.body["code"].as_str().unwrap_or_default());
        assert_eq!(got, (status, code), "{call:?} {} {}", answer.body, stage.log());
        assert_eq!(answer.body["status"], status, "{}", answer.body);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert!(answer.body["detail"].as_str().is_some_and(|detail| detail.len() > 10));
        let has_wait = answer.headers["retry-after"].is_string();
        assert_eq!(has_wait, matches!(status, 429 | 503), "{}", answer.headers);
    }
    // The live connection alone was asked of Tableau.
    assert_eq!(stage.starts(), starts + 1);
    stage.assert_no_secret_in_log();
    let log = stage.log();
    assert!(log.contains("\"code\":\"unauthorized\"") && log.contains("\"caller\":\"finance\""), "{log}");
}

#[tokio::test]
async fn while_the_table_or_tableau_do_not_answer_the_caller_is_told_when_to_come_back() {
    let stage = Stage::start().await;
    let luid = stage.tableau().add(Datasource::named("Orders").in_project("Finance"));
    let key = stage.key("one", everything()).await;
    stage.tableau().fail_always("GET */datasources/*", Fault::Status(503));
    let answer = stage.post(&key, &of_datasource(luid.as_str())).await;
    assert_eq!((answer.status, &answer.body["code"]), (503, &json!("unavailable")), "{}", stage.log());
    assert!(answer.headers["retry-after"].is_string());
    stage.tableau().clear_faults();

    stage.environment.aws.fail_next("DynamoDB.GetItem", 100, testkit::local_aws::Fault::InternalError);
    let answer = stage.post(&key, &of_datasource(luid.as_str())).await;
    assert_eq!((answer.status, &answer.body["code"]), (503, &json!("unavailable")), "{}", stage.log());
    assert!(answer.headers["retry-after"].is_string());
    assert_eq!(stage.starts(), 0);
}
