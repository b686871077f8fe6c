//! The simulated PagerDuty: what the Events API refuses, and what becomes of events.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use serde_json::{Value, json};
use simulator::{PagerDutyFault, PagerDutySimulator, render_page};
use support::client;

async fn send(pagerduty: &PagerDutySimulator, event: &Value) -> (u16, Value) {
    let request = client().post(format!("{}/v2/enqueue", pagerduty.url())).body(event.to_string());
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
}

fn trigger(routing_key: &str) -> Value {
    json!({
        "routing_key": routing_key, "event_action": "trigger", "dedup_key": "tableau:1",
        "payload": { "summary": "Refresh failed: Sales", "source": "tableau.example", "severity": "error" },
    })
}

fn with(mut event: Value, pointer: &str, value: Value) -> Value {
    match value {
        Value::Null => {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            event.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
        }
        value => {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            event.pointer_mut(parent).unwrap()[name] = value;
        }
    }
    event
}

// D021, D042, D117
#[tokio::test]
async fn what_the_events_api_refuses_is_refused_with_its_words() {
    let pagerduty = PagerDutySimulator::start().await.unwrap();
    let key = pagerduty.add_service("finance");
    let good = || trigger(&key);
    for (event, expected) in [
        (with(good(), "/routing_key", json!("e+23rschqsESqk9Q6_-g")), "should be 32 characters"),
        (with(good(), "/routing_key", json!("e+23rschqsESqk9Q6_-ge+23rschqsES")), "non-alphanumeric"),
        (with(good(), "/routing_key", json!("x".repeat(32))), "Invalid routing key"),
        (with(good(), "/event_action", json!("open")), "'event_action' must be one of"),
        (with(good(), "/dedup_key", json!("x".repeat(256))), "'dedup_key' is too long"),
        (with(good(), "/payload", Value::Null), "'payload' is missing"),
        (with(good(), "/payload/source", json!("")), "'payload.source' is missing or blank"),
        (with(good(), "/payload/summary", json!("x".repeat(1_025))), "'payload.summary' is too long"),
        (with(good(), "/payload/severity", json!("none")), "'payload.severity' is invalid"),
        (with(good(), "/payload/timestamp", json!("yesterday")), "'payload.timestamp' is no time"),
        (with(good(), "/payload/custom_details", json!("text")), "'payload.custom_details' is no object"),
        (with(good(), "/payload/detail", json!("x")), "'payload.detail' is no known field"),
        (with(good(), "/links", json!([{ "text": "x" }])), "'links' has an item without a URL"),
        (with(good(), "/payload/class", json!("a\u{7}b")), "'class' has control characters"),
        (
            with(with(good(), "/event_action", json!("resolve")), "/dedup_key", Value::Null),
            "'dedup_key' is missing",
        ),
    ] {
        let (status, answer) = send(&pagerduty, &event).await;
        assert_eq!((status, &answer["message"]), (400, &json!("Event object is invalid")), "{answer}");
        assert!(answer["errors"].to_string().contains(expected), "{expected}: {answer}");
    }
    let (status, answer) =
        send(&pagerduty, &with(good(), "/payload/custom_details", json!({ "x": "y".repeat(520_000) }))).await;
    assert_eq!(status, 413, "{answer}");
    assert_eq!((pagerduty.events().len(), pagerduty.alerts().len()), (0, 0));
    assert_eq!(pagerduty.refusals().len(), 16);
}

#[tokio::test]
async fn events_of_one_key_are_one_alert_and_only_the_first_pages() {
    let pagerduty = PagerDutySimulator::start().await.unwrap();
    let key = pagerduty.add_service("finance");
    let resolve = || with(trigger(&key), "/event_action", json!("resolve"));
    for event in [trigger(&key), trigger(&key), resolve(), resolve(), trigger(&key)] {
        let accepted = json!({ "status": "success", "message": "Event processed", "dedup_key": "tableau:1" });
        assert_eq!(send(&pagerduty, &event).await, (202, accepted));
    }
    let events = pagerduty.events();
    let effects: Vec<(bool, bool)> = events.iter().map(|event| (event.paged, event.effective)).collect();
    assert_eq!(effects, [(true, true), (false, true), (false, true), (false, false), (true, true)]);
    let open: Vec<bool> = pagerduty.alerts().iter().map(|alert| alert.is_open).collect();
    assert_eq!(open, [false, true]);
    let text = render_page(&events[1]);
    assert!(
        text.starts_with("trigger (added to the open alert, pages no one)\nalert     tableau:1\n"),
        "{text}"
    );
    assert!(events.iter().all(|event| !event.body.to_string().contains(&key)));
    let (_, answer) = send(&pagerduty, &with(trigger(&key), "/dedup_key", Value::Null)).await;
    assert_eq!(answer["dedup_key"].as_str().unwrap().len(), 32, "PagerDuty makes a key");
}

// D007, D065
#[tokio::test]
async fn a_disabled_service_and_a_maintenance_window_accept_and_do_nothing() {
    let pagerduty = PagerDutySimulator::start().await.unwrap();
    let key = pagerduty.add_service("finance");
    pagerduty.disable("finance");
    assert_eq!(send(&pagerduty, &trigger(&key)).await.0, 202);
    assert!(pagerduty.alerts().is_empty());
    pagerduty.enable("finance");
    send(&pagerduty, &trigger(&key)).await;
    pagerduty.begin_maintenance("finance");
    assert_eq!(send(&pagerduty, &with(trigger(&key), "/event_action", json!("resolve"))).await.0, 202);
    assert!(pagerduty.alerts()[0].is_open);
}

#[tokio::test]
async fn a_replaced_integration_and_faults_are_refused_as_the_service_does() {
    let pagerduty = PagerDutySimulator::start().await.unwrap();
    let old = pagerduty.add_service("finance");
    let new = pagerduty.replace_integration("finance").unwrap();
    assert_eq!(send(&pagerduty, &trigger(&old)).await.0, 400);
    assert_eq!(send(&pagerduty, &trigger(&new)).await.0, 202);
    for (fault, status) in [
        (PagerDutyFault::TooManyRequests, 429),
        (PagerDutyFault::ServerError, 500),
        (PagerDutyFault::Invalid("x"), 400),
        (PagerDutyFault::Html(503), 503),
    ] {
        pagerduty.fail_next(1, fault);
        assert_eq!(send(&pagerduty, &trigger(&new)).await.0, status);
    }
    pagerduty.fail_next(1, PagerDutyFault::OtherKey);
    assert_eq!(send(&pagerduty, &trigger(&new)).await.1["dedup_key"], "another");
    let wrong = client().get(format!("{}/v2/change/enqueue", pagerduty.url())).send().await.unwrap();
    assert_eq!(wrong.status(), 404);
}
