//! What the real binary does when a flow does not take a message.

use crate::support::{CARDS, PLAIN, assert_taken, failed, inline, message, queued, readable, start};
use serde_json::json;
use std::time::Duration;
use testkit::simulator::{TeamsFault, notes};
use testkit::{Batch, Function, Request, TestEnvironment};

/// Hands the event over, and returns the reason that the log says.
async fn reason(environment: &TestEnvironment, function: &Function, batch: &Batch) -> String {
    assert_eq!(function.failures(batch).await, ["m-1"], "{}", function.logs().join("\n"));
    environment.assert_no_secret_in(&function.logs());
    last_reason(function)
}

/// The reason in the last line about a failed attempt.
fn last_reason(function: &Function) -> String {
    let logs = function.logs();
    let lines = logs.iter().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let reasons =
        lines.filter(|line| ["transient", "misconfigured"].iter().any(|outcome| line["outcome"] == *outcome));
    let last = reasons.filter_map(|line| line["reason"].as_str().map(str::to_owned)).next_back();
    last.unwrap_or_else(|| panic!("{}", logs.join("\n")))
}

// D052
#[tokio::test]
async fn too_many_messages_and_trouble_of_the_service_come_again_and_the_message_is_posted_once() {
    for fault in [
        TeamsFault::TooManyRequests { retry_after: None },
        TeamsFault::TooManyRequests { retry_after: Some(1) },
        TeamsFault::ServerError,
        TeamsFault::Html(503),
        TeamsFault::Html(302),
        TeamsFault::Reset,
    ] {
        let environment = start(CARDS).await;
        let function = queued(&environment);
        let event = failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN);
        environment.teams.fail_next(1, fault.clone());
        reason(&environment, &function, &message(&event)).await;
        assert!(environment.teams.posts().is_empty(), "{fault:?}");
        assert_eq!(
            environment.teams.calls(),
            1,
            "{fault:?}: no redirect is followed, and nothing is repeated at once"
        );
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        assert!(function.failures(&message(&event).received(2)).await.is_empty(), "{fault:?}");
        assert_eq!(environment.teams.posts().len(), 1, "{fault:?}: {}", readable(&environment));
        assert!(environment.aws.messages("dead-letters").is_empty());
    }
}

// D049
#[tokio::test]
async fn a_403_is_tried_four_times_with_status_and_text_in_the_log_and_is_a_dead_letter_then() {
    let environment = start(CARDS).await;
    let function = queued(&environment);
    let event = failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN);
    environment.teams.fail_next(4, TeamsFault::Forbidden);
    for attempt in 1..=3 {
        let said = reason(&environment, &function, &message(&event).received(attempt)).await;
        let expected =
            "the flow of `finance` refused with 403 (Forbidden: The caller may not run this workflow.)";
        assert!(said.starts_with(expected), "{said}");
    }
    assert!(function.failures(&message(&event).received(4)).await.is_empty());
    let dead = environment.aws.messages("dead-letters");
    assert_eq!(dead.len(), 1);
    assert!(dead[0].attributes["reason"].contains("403 (Forbidden"), "{:?}", dead[0].attributes);
    environment.assert_no_secret_in(&function.logs());
}

// D004, D018
#[tokio::test]
async fn a_flow_with_another_schema_is_a_dead_letter_that_says_what_to_paste() {
    let environment = start(PLAIN).await;
    let schema = json!({ "type": "object", "properties": { "created_at": { "type": "integer" } } });
    let url = environment.teams.add_http_flow("other", schema);
    environment.aws.create_secret("teams", json!({ "webhooks": { "default": url } }));
    let function = queued(&environment);
    let event = failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN);
    assert!(function.failures(&message(&event)).await.is_empty());
    let dead = environment.aws.messages("dead-letters");
    assert_eq!(dead.len(), 1, "{}", function.logs().join("\n"));
    let reason = &dead[0].attributes["reason"];
    assert!(reason.contains("TriggerInputSchemaMismatch"), "{reason}");
    assert!(reason.contains("paste power-automate.schema.json into it"), "{reason}");
    assert_eq!(environment.teams.calls(), 1);
}

// D032, D039
#[tokio::test]
async fn a_url_that_cannot_work_is_the_secrets_fault_and_nothing_is_sent() {
    for (query, expected) in [
        ("?api-version=1", "the URL of `finance` in the Teams secret has no `sig`"),
        (
            "?api-version=1&amp;sp=x&amp;sig=hunter2",
            "the URL of `finance` in the Teams secret has `&amp;` in it",
        ),
    ] {
        let environment = start(CARDS).await;
        let flow = environment.teams.url();
        let url = format!("{flow}/powerautomate/automations/direct/workflows/hunter2/x{query}");
        environment.aws.create_secret("teams", json!({ "webhooks": { "finance": url } }));
        let function = queued(&environment);
        let event = failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN);
        let said = reason(&environment, &function, &message(&event)).await;
        assert!(said.starts_with(expected), "{said}");
        assert!(!function.logs().join("\n").contains("hunter2"));
        assert_eq!(environment.teams.calls(), 0);
    }
}

// D031
#[tokio::test]
async fn the_simulated_trigger_has_a_url_of_the_new_form() {
    let environment = start(CARDS).await;
    let url = environment.teams.add_flow("x");
    assert!(url.contains("/powerautomate/automations/direct/cu/04/workflows/"), "{url}");
    let function = queued(&environment);
    let event = failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN);
    assert!(function.failures(&message(&event)).await.is_empty());
    assert_taken(&environment);
}

#[tokio::test]
async fn a_new_url_in_the_secret_is_used_without_a_restart() {
    let environment = start(CARDS).await;
    let function = queued(&environment);
    let first = crate::support::event(&environment, "DatasourceUpdated", "Sales Orders");
    assert!(function.failures(&message(&first)).await.is_empty());

    let url = environment.teams.regenerate("finance").unwrap();
    let second = failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN);
    let said = reason(&environment, &function, &message(&second)).await;
    assert!(said.contains("401 (AuthorizationFailed") && said.contains("the `sig` of the URL"), "{said}");
    let counted = function.logs().iter().any(|line| line.contains(r#""outcome":"misconfigured""#));
    assert!(counted, "the operator has an alarm at once");

    environment.aws.create_secret("teams", json!({ "webhooks": { "finance": url } }));
    // A secret that was read less than five seconds ago is not read again.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let failures = function.failures(&message(&second).received(2)).await;
    assert!(failures.is_empty(), "{}", function.logs().join("\n"));
    assert_eq!(environment.teams.posts().len(), 2, "{}", readable(&environment));
    environment.assert_no_secret_in(&function.logs());
}

#[tokio::test]
async fn a_flow_that_was_turned_off_or_deleted_waits_for_a_person_and_says_what_to_do() {
    let environment = start(CARDS).await;
    let function = queued(&environment);
    let event = failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN);
    environment.teams.delete("finance");
    let said = reason(&environment, &function, &message(&event)).await;
    assert!(said.contains("the flow was deleted: make a new one"), "{said}");
    environment.teams.turn_off("finance");
    let said = reason(&environment, &function, &message(&event).received(2)).await;
    assert!(said.contains("the flow is turned off: turn it on"), "{said}");
    environment.teams.turn_on("finance");
    assert!(function.failures(&message(&event).received(3)).await.is_empty());
    assert_eq!(environment.teams.posts().len(), 1);
}

// D010, D134
#[tokio::test]
async fn a_flow_that_finds_a_message_too_large_gets_a_shorter_one() {
    let environment = start(CARDS).await;
    let function = queued(&environment);
    environment.teams.fail_next(1, TeamsFault::TooLarge);
    let event = failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN);
    assert!(function.failures(&message(&event)).await.is_empty());
    assert_eq!((environment.teams.calls(), environment.teams.posts().len()), (2, 1));
    assert!(function.logs().iter().any(|line| line.contains("a flow refused a message as too large")));
}

#[tokio::test]
async fn a_lost_answer_is_not_repeated_inside_the_call() {
    let environment = start(CARDS).await;
    let function = inline(&environment);
    environment.teams.fail_next(1, TeamsFault::AnswerLost);
    let event = failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN);
    let answer = function.answer(&Request::post(event.to_string())).await;
    assert_eq!((answer.status, environment.teams.calls()), (502, 1));
    let reason = answer.body["reason"].as_str().unwrap();
    assert!(reason.starts_with("no answer from Teams"), "{reason}");
    environment.assert_no_secret_in(&[answer.body.to_string()]);
}

#[tokio::test]
async fn while_flows_are_down_none_is_called_and_each_gets_its_events_when_they_are_well() {
    let environment = start(CARDS).await;
    let function = environment.function(
        "notify-teams",
        crate::support::BINARY.as_ref(),
        &[("TABLE_NAME", "deliveries")],
    );
    environment.teams.fail_next(u32::MAX, TeamsFault::ServerError);
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
    assert_eq!(environment.teams.calls(), 10, "the circuit opens after ten failures in a row");
    let said = last_reason(&function);
    assert!(said.starts_with("circuit open, Teams (`"), "{said}");
    let items = environment.aws.items("deliveries");
    let is_a_flows = |key: &str| key.starts_with("circuit#notify-teams#Teams#");
    assert!(items.iter().any(|item| item["pk"]["S"].as_str().is_some_and(is_a_flows)), "{items:?}");
    environment.assert_no_secret_in(&function.logs());

    environment.teams.recover();
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
    assert_eq!((left, environment.teams.posts().len()), (0, 12), "each of them once");
}
