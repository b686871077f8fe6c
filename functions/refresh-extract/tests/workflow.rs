//! The real binary: events in, outcomes out.

use serde_json::{Value, json};
use testkit::simulator::{Fault, Workbook};
use testkit::{Batch, Request, TestEnvironment};

const BINARY: &str = env!("CARGO_BIN_EXE_refresh-extract");

const RULES: &str = "rules: [{ name: test, on: [WorkbookRefreshSucceeded], do: [{ refresh-extract: {} }] }]";

/// An event about an object that the simulator has.
fn event(environment: &TestEnvironment) -> Value {
    let object = environment.tableau.add(Workbook::named("Sales Orders"));
    json!({
        "resource": "WORKBOOK", "event_type": "WorkbookRefreshSucceeded", "resource_name": "Sales Orders",
        "site_luid": environment.tableau.site().as_str(), "resource_luid": object.as_str(),
        "created_at": "2026-01-15T17:14:45Z",
    })
}

#[tokio::test]
async fn an_event_that_a_rule_names_is_done() {
    let environment = TestEnvironment::with_rules(RULES).await;
    let function = environment.inline("refresh-extract", BINARY);

    let answer = function.answer(&Request::post(event(&environment).to_string())).await;

    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("done")));
    let logs = function.logs();
    assert!(logs.iter().any(|line| line.contains("would do the work")), "{}", logs.join("\n"));
    environment.assert_no_secret_in(&logs);
}

#[tokio::test]
async fn another_event_is_skipped() {
    let environment = TestEnvironment::with_rules(RULES).await;
    let function = environment.inline("refresh-extract", BINARY);

    let answer = function.answer(&Request::of_fixture("admin-demoted")).await;

    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("skipped")));
}

#[tokio::test]
async fn nothing_happens_without_a_rule() {
    let environment = TestEnvironment::with_rules("rules: []").await;
    let function = environment.inline("refresh-extract", BINARY);

    let answer = function.answer(&Request::of_fixture("workbook-refresh-succeeded")).await;

    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("skipped")));
}

#[tokio::test]
async fn a_queued_event_is_done() {
    let environment = TestEnvironment::with_rules(RULES).await;
    let function = environment.queued("refresh-extract", BINARY);

    let failures = function.failures(&Batch::default().message(&event(&environment).to_string())).await;

    assert_eq!(failures, Vec::<String>::new(), "{}", function.logs().join("\n"));
    assert!(environment.aws.messages("dead-letters").is_empty());
}

#[tokio::test]
async fn an_event_waits_in_the_queue_while_tableau_is_down() {
    let environment = TestEnvironment::with_rules(RULES).await;
    let function = environment.queued("refresh-extract", BINARY);
    let event = event(&environment);
    environment.tableau.fail_always("*", Fault::Status(503));

    let failures = function.failures(&Batch::default().message(&event.to_string())).await;

    assert_eq!(failures.len(), 1, "{}", function.logs().join("\n"));
    assert!(environment.aws.messages("dead-letters").is_empty());
}

#[tokio::test]
async fn an_object_that_tableau_does_not_have_is_skipped() {
    let environment = TestEnvironment::with_rules(RULES).await;
    let function = environment.inline("refresh-extract", BINARY);
    let mut event = event(&environment);
    event["resource_luid"] = json!("00000000-0000-4000-8000-000000000000");

    let answer = function.answer(&Request::post(event.to_string())).await;

    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("skipped")), "{:?}", answer.body);
}
