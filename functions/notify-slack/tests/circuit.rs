//! When Slack or Tableau is down, the real binaries stop calling it until a probe succeeds.

use serde_json::{Value, json};
use std::time::{Duration, Instant};
use testkit::simulator::{Fault, SlackFault, render};
use testkit::{Function, Request, TestEnvironment};

const BINARY: &str = env!("CARGO_BIN_EXE_notify-slack");
/// The circuit's own constant.
const FAILURES: usize = 10;
const EVENTS: usize = 12;

fn created(environment: &TestEnvironment, n: usize) -> String {
    json!({
        "resource": "WORKBOOK", "event_type": "WorkbookCreated", "resource_name": format!("Weekly {n}"),
        "site_luid": environment.tableau.site().as_str(), "resource_luid": format!("00000000-0000-4000-8000-{n:012}"),
        "created_at": "2025-01-15T17:14:45Z",
    })
    .to_string()
}

/// Invokes two functions at the same time with one event each. Returns how many failed.
async fn attempt(environment: &TestEnvironment, functions: &[Function; 2], n: usize) -> usize {
    let request = |n| Request::post(created(environment, n));
    let requests = [request(n), request(n + 1)];
    let (one, two) = tokio::join!(functions[0].answer(&requests[0]), functions[1].answer(&requests[1]));
    [one, two].iter().filter(|answer| answer.status == 502).count()
}

fn lines(functions: &[Function; 2], message: &str) -> Vec<Value> {
    let logs = functions.iter().flat_map(Function::logs);
    logs.filter_map(|line| serde_json::from_str::<Value>(&line).ok())
        .filter(|line| line["message"] == message)
        .collect()
}

#[tokio::test]
async fn no_instance_calls_a_slack_that_is_down_and_it_gets_every_event_once_when_it_is_well() {
    let environment = TestEnvironment::start().await;
    // Inline mode, with one shared table: in queue mode, events of one kind would be grouped.
    let table = [("TABLE_NAME", "deliveries")];
    let functions = [(); 2].map(|()| environment.function("notify-slack", BINARY.as_ref(), &table));
    environment.slack.fail_next(u32::MAX, SlackFault::ServerError);
    let mut attempts = 0;
    for _ in 0..4 {
        for n in (0..EVENTS).step_by(2) {
            attempts += attempt(&environment, &functions, n).await;
        }
    }
    let calls = environment.slack.calls();
    assert_eq!(attempts, 4 * EVENTS, "all of them failed temporarily");
    assert!((FAILURES..=FAILURES + 2).contains(&calls), "{calls} calls");
    let opened = lines(&functions, "circuit open: the destination is not called");
    assert_eq!((opened.len(), &opened[0]["destination"]), (1, &json!("Slack")));
    let put_off = lines(&functions, "event failed temporarily");
    let reason = put_off.last().unwrap()["reason"].as_str().unwrap();
    assert!(reason.starts_with("circuit open, Slack is not called until 20"), "{reason}");
    assert!(
        reason.contains("10 calls in a row failed, the last one with: Slack refused with 500"),
        "{reason}"
    );
    let items = environment.aws.items("deliveries");
    assert!(items.iter().any(|item| item["pk"]["S"] == "circuit#notify-slack#Slack"), "{items:?}");

    environment.slack.recover();
    let began = Instant::now();
    let mut left = EVENTS;
    while left > 0 && began.elapsed() < Duration::from_secs(40) {
        tokio::time::sleep(Duration::from_secs(1)).await;
        left = 0;
        for n in (0..EVENTS).step_by(2) {
            left += attempt(&environment, &functions, n).await;
        }
    }
    assert_eq!((left, environment.slack.message_count()), (0, EVENTS), "{:?}", began.elapsed());
    assert_eq!(environment.slack.calls(), calls + EVENTS, "each of them once");
    assert_eq!(lines(&functions, "circuit closed: the destination answers again").len(), 1);
    let counted =
        functions.iter().flat_map(Function::logs).filter(|line| line.contains("CircuitOpenings\":1"));
    assert_eq!(counted.count(), 1);
    functions.iter().for_each(|function| environment.assert_no_secret_in(&function.logs()));
}

#[tokio::test]
async fn a_throttled_channel_gets_nothing_for_as_long_as_slack_asks_and_the_others_do() {
    let environment = TestEnvironment::start().await;
    let function = environment.inline("notify-slack", BINARY);
    let failed = Request::of_fixture("datasource-refresh-failed");
    environment.slack.fail_next(1, SlackFault::RateLimited { retry_after: 3 });
    let first = function.answer(&Request::post(created(&environment, 0))).await;
    assert!(first.body["reason"].as_str().unwrap().contains("too many messages"), "{first:?}");

    let second = function.answer(&Request::post(created(&environment, 1))).await;
    let reason = second.body["reason"].as_str().unwrap();
    assert!(reason.starts_with("circuit open, Slack (`data-news`) is not called until"), "{reason}");
    assert!(reason.ends_with("it asked callers to wait 3 s"), "{reason}");
    assert_eq!(function.answer(&failed).await.status, 200, "it goes to another channel");
    assert_eq!(environment.slack.calls(), 2);

    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(function.answer(&Request::post(created(&environment, 1))).await.status, 200);
}

#[tokio::test]
async fn while_tableau_is_down_it_is_not_called_and_messages_go_out_without_its_details() {
    let environment = TestEnvironment::start().await;
    let function = environment.function("notify-slack", BINARY.as_ref(), &[("TABLE_NAME", "deliveries")]);
    environment.tableau.fail_always("*", Fault::Status(503));
    let mut calls = Vec::new();
    for n in 0..3 * EVENTS {
        assert_eq!(function.answer(&Request::post(created(&environment, n))).await.status, 200);
        calls.push(environment.tableau.calls("*"));
    }

    assert_eq!(environment.slack.message_count(), 3 * EVENTS);
    let last = render(environment.slack.messages().last().unwrap());
    assert!(last.contains("project and owner not available: Tableau did not answer"), "{last}");
    assert!(
        calls[2 * EVENTS] - calls[EVENTS] <= 2,
        "it is asked whether it answers again, and no more: {calls:?}"
    );
    let items = environment.aws.items("deliveries");
    assert!(items.iter().any(|item| item["pk"]["S"] == "circuit#notify-slack#Tableau"), "{items:?}");
}
