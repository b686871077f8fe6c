//! What can go wrong, and what happens to the event.

use crate::support::{
    BINARY, NAME, PAGES, event, failed, handle, inline, last_reason, message, open, queued, readable, start,
};
use serde_json::json;
use std::time::Duration;
use testkit::simulator::{PagerDutyFault, notes};
use testkit::{Batch, Function, Request, TestEnvironment};

/// Hands a batch over that fails, and returns why.
async fn reason(function: &Function, batch: &Batch) -> String {
    assert_eq!(function.failures(batch).await, ["m-1"], "{}", function.logs().join("\n"));
    last_reason(function)
}

#[tokio::test]
async fn throttles_and_trouble_come_again_and_the_alert_pages_once() {
    for fault in [
        PagerDutyFault::TooManyRequests,
        PagerDutyFault::ServerError,
        PagerDutyFault::Html(503),
        PagerDutyFault::Html(200),
        PagerDutyFault::Html(302),
        PagerDutyFault::OtherKey,
        PagerDutyFault::Reset,
        PagerDutyFault::AnswerLost,
    ] {
        let environment = start(PAGES).await;
        let function = queued(&environment);
        let event = failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN);
        environment.pagerduty.fail_next(1, fault.clone());
        let said = reason(&function, &message(&event)).await;
        assert_eq!(environment.pagerduty.calls(), 1, "{fault:?}: nothing is followed or repeated at once");
        if fault == PagerDutyFault::TooManyRequests {
            assert!(said.contains("429") && said.contains("too many events for this integration"), "{said}");
            // The service is not called for half a minute, which PagerDuty asks for on its pages.
            let said = reason(&function, &message(&event).received(2)).await;
            assert!(said.starts_with("circuit open, PagerDuty"), "{said}");
            assert_eq!(environment.pagerduty.calls(), 1);
            continue;
        }
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let failures = function.failures(&message(&event).received(2)).await;
        assert!(failures.is_empty(), "{fault:?}: {}", function.logs().join("\n"));
        let pages = environment.pagerduty.events().iter().filter(|event| event.paged).count();
        assert_eq!(pages, 1, "{fault:?}: {}", readable(&environment));
        assert_eq!(open(&environment).len(), 1);
        assert!(environment.aws.messages("dead-letters").is_empty());
        environment.assert_no_secret_in(&function.logs());
    }
}

// D021
#[tokio::test]
async fn an_event_that_pagerduty_does_not_take_is_a_dead_letter_with_pagerdutys_errors() {
    let environment = start(PAGES).await;
    let function = queued(&environment);
    environment.pagerduty.fail_next(1, PagerDutyFault::Invalid("'payload.summary' is missing or blank"));
    let event = failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN);
    handle(&function, &event).await;
    let dead = environment.aws.messages("dead-letters");
    assert_eq!((dead.len(), environment.pagerduty.calls()), (1, 1));
    let reason = &dead[0].attributes["reason"];
    let expected = "PagerDuty refused with 400 for `finance` (Event object is invalid: 'payload.summary' is missing or blank): \
                    PagerDuty does not take this event, and no one was paged";
    assert!(reason.contains(expected), "{reason}");
    environment.assert_no_secret_in(&function.logs());
}

// D042
#[tokio::test]
async fn a_key_that_cannot_work_is_the_secrets_fault_and_nothing_is_sent() {
    for (key, expected) in [
        (
            "hunter2hunter2_+abcd",
            "the key of `finance` in the PagerDuty secret is no integration key: this looks like a REST key",
        ),
        ("", "the key of `finance` in the PagerDuty secret is empty"),
    ] {
        let environment = start(PAGES).await;
        environment.aws.create_secret("pagerduty", json!({ "routing_keys": { "finance": key } }));
        let function = queued(&environment);
        let said =
            reason(&function, &message(&failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN))).await;
        assert!(said.starts_with(expected), "{said}");
        assert!(!function.logs().join("\n").contains("hunter2"));
        assert!(function.logs().iter().any(|line| line.contains(r#""outcome":"misconfigured""#)));
        assert_eq!(environment.pagerduty.calls(), 0);
    }
}

#[tokio::test]
async fn a_new_key_in_the_secret_is_used_without_a_restart() {
    let environment = start(PAGES).await;
    let function = queued(&environment);
    handle(&function, &event(&environment, "DatasourceUpdated", "Sales Orders", 0)).await;
    let key = environment.pagerduty.replace_integration("finance").unwrap();
    let second = failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN);
    let said = reason(&function, &message(&second)).await;
    assert!(said.contains("400") && said.contains("Invalid routing key"), "{said}");
    assert!(said.contains("copy the integration key of the service's integration"), "{said}");
    let counted = function.logs().iter().any(|line| line.contains(r#""outcome":"misconfigured""#));
    assert!(counted, "the operator has an alarm at once");

    environment.aws.create_secret("pagerduty", json!({ "routing_keys": { "finance": key } }));
    // A secret that was read less than five seconds ago is not read again.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let failures = function.failures(&message(&second).received(2)).await;
    assert!(failures.is_empty(), "{}", function.logs().join("\n"));
    assert_eq!(open(&environment).len(), 2, "{}", readable(&environment));
    assert!(!function.logs().join("\n").contains(&key));
    environment.assert_no_secret_in(&function.logs());
}

#[tokio::test]
async fn a_lost_answer_is_not_repeated_inside_the_call() {
    let environment = start(PAGES).await;
    let function = inline(&environment);
    environment.pagerduty.fail_next(1, PagerDutyFault::AnswerLost);
    let event = failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN);
    let answer = function.answer(&Request::post(event.to_string())).await;
    assert_eq!((answer.status, environment.pagerduty.calls()), (502, 1));
    let reason = answer.body["reason"].as_str().unwrap();
    assert!(reason.starts_with("no answer from PagerDuty"), "{reason}");
    environment.assert_no_secret_in(&[answer.body.to_string()]);
}

// D034
#[tokio::test]
async fn only_pagerdutys_own_hosts_get_a_key() {
    let environment = start(PAGES).await;
    let region = [("PAGERDUTY_REGION", "https://events.pagerduty.example")];
    let function = environment.queued_with(NAME, BINARY, &region);
    assert_eq!(function.failures(&Batch::of_fixture("workbook-created")).await, ["m-1"]);
    let log = function.logs().join("\n");
    assert!(log.contains("PAGERDUTY_REGION must be us or eu"), "{log}");
}

/// An event about a workbook of its own, so that no group takes it.
fn created(environment: &TestEnvironment, n: usize) -> Request {
    let event = json!({
        "resource": "WORKBOOK", "event_type": "WorkbookCreated", "resource_name": format!("Weekly {n}"),
        "site_luid": environment.tableau.site().as_str(), "resource_luid": format!("00000000-0000-4000-8000-{n:012}"),
        "created_at": "2025-01-15T17:14:45Z",
    });
    Request::post(event.to_string())
}

#[tokio::test]
async fn while_pagerduty_is_down_it_is_not_called_and_gets_each_event_when_it_is_well() {
    let environment = start(PAGES).await;
    let function = environment.function(NAME, BINARY.as_ref(), &[("TABLE_NAME", "deliveries")]);
    environment.pagerduty.fail_next(u32::MAX, PagerDutyFault::ServerError);
    for n in 0..12 {
        assert_eq!(function.answer(&created(&environment, n)).await.status, 502);
    }
    assert_eq!(environment.pagerduty.calls(), 10, "the circuit opens after ten failures in a row");
    let said = last_reason(&function);
    assert!(said.starts_with("circuit open, PagerDuty is not called until 20"), "{said}");
    environment.assert_no_secret_in(&function.logs());

    environment.pagerduty.recover();
    let mut left = 12;
    for _ in 0..40 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        left = 0;
        for n in 0..12 {
            left += usize::from(function.answer(&created(&environment, n)).await.status == 502);
        }
        if left == 0 {
            break;
        }
    }
    assert_eq!((left, environment.pagerduty.events().len()), (0, 12), "each of them once");
}
