//! What the real binary does when the instance does not carry a call out.

use crate::support::{
    BINARY, NAME, NOTE, RESOLVE, count, done, everything, failed, inline, last, message, only, queued,
    readable, reason, start, succeeded,
};
use serde_json::json;
use std::time::Duration;
use testkit::simulator::ServiceNowFault;
use testkit::{Function, Request};

fn last_reason(function: &Function) -> String {
    last(function, "reason")
}

// D045, D046
#[tokio::test]
async fn a_search_that_failed_never_leads_to_a_create() {
    for (fault, expected) in [
        (ServiceNowFault::TooManyRequests { retry_after: Some(1) }, "a rate rule of the instance"),
        (ServiceNowFault::TooManyRequests { retry_after: None }, "a rate rule of the instance"),
        (ServiceNowFault::Error(500), "it has an internal problem"),
        (ServiceNowFault::Error(503), "it has an internal problem"),
        (ServiceNowFault::Html(200), "does not answer as an API: a developer instance may be asleep"),
        (ServiceNowFault::Html(302), "does not answer as an API"),
        (ServiceNowFault::Cancelled, "Transaction cancelled"),
        (ServiceNowFault::NoResult, "an answer without a result"),
        (ServiceNowFault::Reset, "no answer from ServiceNow"),
    ] {
        let environment = start(NOTE).await;
        let function = queued(&environment);
        let failure = failed(&environment);
        environment.servicenow.fail_next("search", 1, fault.clone());
        let said = reason(&environment, &function, &message(&failure)).await;
        assert!(said.contains(expected), "{fault:?}: {said}");
        assert_eq!(
            environment.servicenow.kinds(),
            ["search"],
            "{fault:?}: no redirect is followed, nothing repeated at once"
        );
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        assert!(function.failures(&message(&failure).received(2)).await.is_empty(), "{fault:?}");
        only(&environment);
        assert!(environment.aws.messages("dead-letters").is_empty());
    }
}

// D057
#[tokio::test]
async fn a_create_whose_answer_was_lost_is_found_by_the_next_attempt_and_not_repeated() {
    for fault in [ServiceNowFault::AnswerLost, ServiceNowFault::Error(500), ServiceNowFault::Html(200)] {
        let environment = start(NOTE).await;
        let function = queued(&environment);
        let failure = failed(&environment);
        environment.servicenow.fail_next("create", 1, fault.clone());
        reason(&environment, &function, &message(&failure)).await;
        assert_eq!(environment.servicenow.kinds(), ["search", "create"], "{fault:?}");
        assert!(function.failures(&message(&failure).received(2)).await.is_empty());
        only(&environment);
        // The record of ours that the search gave is used from then on.
        done(&function, &failed(&environment)).await;
        done(&function, &succeeded(&environment)).await;
        assert_eq!(only(&environment).work_notes().len(), 2, "{fault:?}: {}", readable(&environment));
    }
}

#[tokio::test]
async fn a_note_or_an_end_whose_answer_was_lost_is_written_once() {
    let environment = start(RESOLVE).await;
    let function = queued(&environment);
    done(&function, &failed(&environment)).await;
    let again = failed(&environment);
    environment.servicenow.fail_next("update", 1, ServiceNowFault::AnswerLost);
    reason(&environment, &function, &message(&again)).await;
    assert!(function.failures(&message(&again).received(2)).await.is_empty());
    assert_eq!(only(&environment).work_notes().len(), 1, "{}", readable(&environment));

    let end = succeeded(&environment);
    environment.servicenow.fail_next("update", 1, ServiceNowFault::AnswerLost);
    reason(&environment, &function, &message(&end)).await;
    assert!(function.failures(&message(&end).received(2)).await.is_empty());
    let incident = only(&environment);
    assert_eq!(
        (incident.field("state"), incident.work_notes().len()),
        ("6", 1),
        "{}",
        readable(&environment)
    );
}

#[tokio::test]
async fn a_rate_rule_lets_an_event_wait_as_long_as_it_says() {
    let environment = start(NOTE).await;
    let function = queued(&environment);
    let failure = failed(&environment);
    environment.servicenow.fail_next("*", 1, ServiceNowFault::TooManyRequests { retry_after: Some(2_000) });
    let said = reason(&environment, &function, &message(&failure)).await;
    assert!(said.contains("429 (Rate limit exceeded"), "{said}");
    // Until then, no other event calls either.
    let calls = environment.servicenow.calls().len();
    let said = reason(&environment, &function, &message(&failure).received(2)).await;
    let until = said
        .strip_prefix("circuit open, ServiceNow (`account`) is not called until ")
        .unwrap_or_else(|| panic!("{said}"));
    let until: jiff::Timestamp =
        until.split_once("Z: ").map(|(at, _)| format!("{at}Z")).unwrap().parse().unwrap();
    let wait = until.as_second() - jiff::Timestamp::now().as_second();
    assert!((1_990..=2_001).contains(&wait), "{said}");
    assert_eq!(environment.servicenow.calls().len(), calls);
}

#[tokio::test]
async fn a_data_policy_is_a_dead_letter_that_names_the_fields_and_a_replay_with_them_works() {
    let environment = start("urgency: 2").await;
    environment.servicenow.add_column("u_service", true);
    environment.servicenow.demand("caller_id");
    let function = queued(&environment);
    let failure = failed(&environment);
    assert!(function.failures(&message(&failure)).await.is_empty());
    let dead = environment.aws.messages("dead-letters");
    assert_eq!(dead.len(), 1, "{}", function.logs().join("\n"));
    let reason = &dead[0].attributes["reason"];
    assert!(
        reason.contains("403")
            && reason.contains("demands fields (u_service, caller_id): write them into the rule"),
        "{reason}"
    );
    assert_eq!((environment.servicenow.incidents().len(), count(&environment, "create")), (0, 1));

    environment.write_rules(
        "rules: [{ name: a, on: [RefreshFailed], do: [{ track-servicenow-incident: { caller: Tableau Service, fields: { u_service: BI } } }] }]\n",
    );
    let function = queued(&environment);
    assert!(function.failures(&message(&failure)).await.is_empty(), "{}", function.logs().join("\n"));
    let incidents = environment.servicenow.incidents();
    assert_eq!(incidents.len(), 1, "{}", readable(&environment));
    assert_eq!(incidents[0].field("u_service"), "BI");
}

#[tokio::test]
async fn a_resolution_code_that_is_none_of_the_instances_is_a_dead_letter() {
    let environment = start("on_recovery: resolve, close_code: Nonsense").await;
    let function = queued(&environment);
    done(&function, &failed(&environment)).await;
    done(&function, &succeeded(&environment)).await;
    let dead = environment.aws.messages("dead-letters");
    assert_eq!(dead.len(), 1, "{}", function.logs().join("\n"));
    let reason = &dead[0].attributes["reason"];
    assert!(
        reason.contains("did not resolve an incident")
            && reason.contains("compare the names and values of the rule"),
        "{reason}"
    );
    assert_eq!(only(&environment).field("state"), "1");
}

// D056
#[tokio::test]
async fn an_instance_that_does_not_search_by_our_key_keeps_its_incidents_as_they_are() {
    let environment = start(NOTE).await;
    let theirs = environment.servicenow.add_incident("The printer is on fire");
    environment.servicenow.hide("correlation_id");
    let function = queued(&environment);
    let failure = failed(&environment);
    let said = reason(&environment, &function, &message(&failure)).await;
    assert!(said.contains("it found incidents with another correlation_id"), "{said}");
    assert!(said.contains("give the account the right to read that field"), "{said}");
    assert_eq!(last(&function, "outcome"), "misconfigured");
    let incident = only(&environment);
    assert_eq!((incident.number(), incident.changes), (theirs.as_str(), 0));
    assert!(environment.servicenow.kinds().iter().all(|kind| kind == "search"));
}

#[tokio::test]
async fn while_the_instance_is_down_it_is_not_called_and_each_event_has_its_incident_afterwards() {
    let environment = everything(NOTE).await;
    let function = environment.function(NAME, BINARY.as_ref(), &[("TABLE_NAME", "deliveries")]);
    environment.servicenow.fail_next("*", u32::MAX, ServiceNowFault::Error(503));
    let created = |n: usize| {
        let event = json!({
            "resource": "WORKBOOK", "event_type": "WorkbookCreated", "resource_name": format!("Weekly {n}"),
            "site_luid": environment.tableau.site().as_str(), "resource_luid": format!("00000000-0000-4000-8000-{n:012}"),
            "created_at": "2025-01-15T17:14:45Z",
        });
        Request::post(event.to_string())
    };
    for n in 0..12 {
        assert_eq!(function.answer(&created(n)).await.status, 502);
    }
    assert_eq!(environment.servicenow.calls().len(), 10, "the circuit opens after ten failures in a row");
    let said = last_reason(&function);
    assert!(said.starts_with("circuit open, ServiceNow is not called until 20"), "{said}");
    environment.assert_no_secret_in(&function.logs());

    environment.servicenow.recover();
    let mut left = 12;
    for _ in 0..40 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        left = 0;
        for n in 0..12 {
            left += usize::from(function.answer(&created(n)).await.status == 502);
        }
        if left == 0 {
            break;
        }
    }
    assert_eq!((left, environment.servicenow.incidents().len()), (0, 12), "each of them once");
}

#[tokio::test]
async fn a_worker_that_dies_after_the_create_leaves_one_incident() {
    let environment = start(NOTE).await;
    let slow = queued(&environment);
    let failure = failed(&environment);
    environment.servicenow.fail_next("create", 1, ServiceNowFault::Slow(5_000));
    let batch = message(&failure);
    let event = batch.event();
    let killed = async {
        while environment.servicenow.incidents().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        slow.process().kill().await;
    };
    let (invoked, ()) = tokio::join!(slow.invoke(&event), killed);
    assert!(invoked.is_err());

    let next = queued(&environment);
    let mut attempts = 0;
    while !next.failures(&message(&failure).received(2)).await.is_empty() {
        attempts += 1;
        assert!(attempts < 40, "{}", next.logs().join("\n"));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    only(&environment);
    done(&next, &succeeded(&environment)).await;
    assert_eq!(only(&environment).work_notes().len(), 1, "{}", readable(&environment));
}

#[tokio::test]
async fn a_lost_answer_is_not_repeated_inside_the_call() {
    let environment = start(NOTE).await;
    let function = inline(&environment);
    environment.servicenow.fail_next("create", 1, ServiceNowFault::AnswerLost);
    let failure = failed(&environment);
    let answer = function.answer(&Request::post(failure.to_string())).await;
    assert_eq!((answer.status, count(&environment, "create")), (502, 1));
    let reason = answer.body["reason"].as_str().unwrap();
    assert!(reason.starts_with("no answer from ServiceNow"), "{reason}");
    environment.assert_no_secret_in(&[answer.body.to_string()]);
}
