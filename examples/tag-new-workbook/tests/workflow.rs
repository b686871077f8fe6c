//! The real binary: events in, outcomes out.

use serde_json::{Value, json};
use testkit::simulator::{Fault, Workbook};
use testkit::{Batch, Request, TestEnvironment};

const BINARY: &str = env!("CARGO_BIN_EXE_tag-new-workbook");

const RULES: &str = "rules: [{ name: test, on: [WorkbookCreated], do: [{ tag-new-workbook: {} }] }]";

/// An event about an object that the simulator has.
fn event(environment: &TestEnvironment) -> Value {
    let object = environment.tableau.add(Workbook::named("Sales Orders"));
    json!({
        "resource": "WORKBOOK", "event_type": "WorkbookCreated", "resource_name": "Sales Orders",
        "site_luid": environment.tableau.site().as_str(), "resource_luid": object.as_str(),
        "created_at": "2026-01-15T17:14:45Z",
    })
}

#[tokio::test]
async fn an_event_that_a_rule_names_is_done() {
    let environment = TestEnvironment::with_rules(RULES).await;
    let function = environment.inline("tag-new-workbook", BINARY);

    let answer = function.answer(&Request::post(event(&environment).to_string())).await;

    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("done")));
    assert_eq!(environment.tableau.calls("PUT */tags"), 1);
    let logs = function.logs();
    environment.assert_no_secret_in(&logs);
}

#[tokio::test]
async fn another_event_is_skipped() {
    let environment = TestEnvironment::with_rules(RULES).await;
    let function = environment.inline("tag-new-workbook", BINARY);

    let answer = function.answer(&Request::of_fixture("admin-demoted")).await;

    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("skipped")));
}

#[tokio::test]
async fn nothing_happens_without_a_rule() {
    let environment = TestEnvironment::with_rules("rules: []").await;
    let function = environment.inline("tag-new-workbook", BINARY);

    let answer = function.answer(&Request::of_fixture("workbook-created")).await;

    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("skipped")));
}

#[tokio::test]
async fn a_queued_event_is_done() {
    let environment = TestEnvironment::with_rules(RULES).await;
    let function = environment.queued("tag-new-workbook", BINARY);

    let failures = function.failures(&Batch::default().message(&event(&environment).to_string())).await;

    assert_eq!(failures, Vec::<String>::new(), "{}", function.logs().join("\n"));
    assert!(environment.aws.messages("dead-letters").is_empty());
}

#[tokio::test]
async fn an_event_waits_in_the_queue_while_tableau_is_down() {
    let environment = TestEnvironment::with_rules(RULES).await;
    let function = environment.queued("tag-new-workbook", BINARY);
    let event = event(&environment);
    environment.tableau.fail_always("*", Fault::Status(503));

    let failures = function.failures(&Batch::default().message(&event.to_string())).await;

    assert_eq!(failures.len(), 1, "{}", function.logs().join("\n"));
    assert!(environment.aws.messages("dead-letters").is_empty());
}

#[tokio::test]
async fn an_object_that_tableau_does_not_have_is_skipped() {
    let environment = TestEnvironment::with_rules(RULES).await;
    let function = environment.inline("tag-new-workbook", BINARY);
    let mut event = event(&environment);
    event["resource_luid"] = json!("00000000-0000-4000-8000-000000000000");

    let answer = function.answer(&Request::post(event.to_string())).await;

    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("skipped")), "{:?}", answer.body);
}

#[tokio::test]
async fn a_workbook_that_is_gone_gets_no_tag() {
    let environment = TestEnvironment::with_rules(RULES).await;
    let function = environment.inline("tag-new-workbook", BINARY);

    let answer = function.answer(&Request::of_fixture("workbook-created")).await;

    assert_eq!(answer.body["reason"], "Tableau has no such object");
    assert_eq!(environment.tableau.calls("PUT */tags"), 0);
}

#[tokio::test]
async fn a_workbook_that_has_the_tag_is_left_as_it_is() {
    let environment = TestEnvironment::with_rules(RULES).await;
    let function = environment.inline("tag-new-workbook", BINARY);
    let tagged = environment.tableau.add(Workbook::named("Returns").tagged("new"));
    let mut event = event(&environment);
    event["resource_luid"] = json!(tagged.as_str());

    let answer = function.answer(&Request::post(event.to_string())).await;

    assert_eq!(answer.body["reason"], "the workbook has the tag");
    assert_eq!(environment.tableau.calls("PUT */tags"), 0);
}
