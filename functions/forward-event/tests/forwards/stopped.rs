//! Targets that want no more events.

use crate::support::{Environment, last_reason, message};
use serde_json::{Value, json};
use std::time::Duration;
use testkit::simulator::ReceiverFault;

const RAW: &str = "{ target: own, body: raw }";

fn event(environment: &Environment, number: usize) -> Value {
    let mut event = environment.event("DatasourceUpdated");
    event["n"] = json!(number);
    event
}

/// Lets the target say it, with this answer. The event itself is a dead letter.
async fn stopped(answer: ReceiverFault) -> (Environment, testkit::Function) {
    let environment = Environment::start(RAW).await;
    let function = environment.queued();
    environment.receiver.fail_next(1, answer);
    assert!(function.failures(&message(&event(&environment, 0))).await.is_empty());
    (environment, function)
}

// D096
#[tokio::test]
async fn a_target_that_is_gone_gets_nothing_more_and_the_operator_is_told() {
    for (answer, status) in [
        (ReceiverFault::Answer(410, &[], ""), 410),
        (ReceiverFault::Answer(400, &[("webhook-delivery", "disable")], ""), 400),
    ] {
        let (environment, function) = stopped(answer).await;
        let dead = environment.base.aws.messages("dead-letters");
        let reason = &dead[0].attributes["reason"];
        assert_eq!(
            reason,
            &format!("the target `own` answered {status}; it wants no more events, so none is sent to it")
        );
        let is_said = |line: &String| {
            line.contains(r#""level":"ERROR""#) && line.contains("the target wants no more events")
        };
        assert!(function.logs().iter().any(is_said), "{}", function.logs().join("\n"));

        assert!(function.failures(&message(&event(&environment, 1))).await.is_empty());
        let skipped = last_reason(&function);
        assert!(skipped.starts_with("the target `own` wants no events since 20"), "{skipped}");
        assert!(skipped.contains(&format!("answered {status}")), "{skipped}");
        assert_eq!(environment.receiver.requests().len(), 1);
        assert_eq!(environment.base.aws.messages("dead-letters").len(), 1);
        // Another instance knows it as well.
        let other = environment.queued();
        assert!(other.failures(&message(&event(&environment, 2))).await.is_empty());
        assert_eq!(environment.receiver.requests().len(), 1);
        let keys: Vec<Value> = environment
            .base
            .aws
            .items("deliveries")
            .into_iter()
            .map(|item| item["pk"]["S"].clone())
            .collect();
        assert!(keys.contains(&json!("forward#target#own")), "{keys:?}");
        environment.assert_no_secret_in(&function);
    }
}

// D096
#[tokio::test]
async fn a_target_may_take_an_event_and_want_no_more() {
    let (environment, function) =
        stopped(ReceiverFault::Answer(204, &[("webhook-delivery", "disable")], "")).await;
    assert!(environment.base.aws.messages("dead-letters").is_empty(), "it has taken the event");
    assert!(function.failures(&message(&event(&environment, 1))).await.is_empty());
    assert!(
        last_reason(&function).contains("it answered 204 and `webhook-delivery: disable`"),
        "{}",
        last_reason(&function)
    );
    assert_eq!(environment.receiver.requests().len(), 1);
}

// D096
#[tokio::test]
async fn a_message_that_is_aborted_ends_this_event_and_no_other() {
    let (environment, function) =
        stopped(ReceiverFault::Answer(500, &[("webhook-delivery", "abort-message")], "")).await;
    assert_eq!(environment.base.aws.messages("dead-letters").len(), 1, "no retry");
    assert!(function.failures(&message(&event(&environment, 1))).await.is_empty());
    assert_eq!(environment.receiver.taken().len(), 1);
}

#[tokio::test]
async fn another_url_starts_a_target_again() {
    let (environment, function) = stopped(ReceiverFault::Answer(410, &[], "")).await;
    let new = environment.receiver.add_hook("new");
    environment.put_secret([("own", new)]);
    // A secret that was read less than five seconds ago is not read again.
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert!(
        function.failures(&message(&event(&environment, 1))).await.is_empty(),
        "{}",
        last_reason(&function)
    );
    assert_eq!(environment.receiver.taken().len(), 1, "{}", last_reason(&function));
    assert_eq!(environment.receiver.taken()[0].path, "/hooks/new");
}

#[tokio::test]
async fn a_test_that_is_taken_starts_a_target_again() {
    let (environment, function) = stopped(ReceiverFault::Answer(410, &[], "")).await;
    environment.receiver.fail_next(1, ReceiverFault::Answer(410, &[], ""));
    let answer = function.invoke(&json!({ "test": { "target": "own" } })).await.unwrap();
    assert_eq!(answer["targets"][0]["outcome"], "permanent", "{answer}");
    assert!(function.failures(&message(&event(&environment, 1))).await.is_empty());
    assert_eq!(environment.receiver.taken().len(), 0, "it is still stopped");

    let answer = function.invoke(&json!({ "test": { "target": "own" } })).await.unwrap();
    assert_eq!(answer["targets"][0]["outcome"], "accepted", "{answer}");
    assert!(function.failures(&message(&event(&environment, 2))).await.is_empty());
    assert_eq!(environment.receiver.taken().len(), 2, "the test and the event");
}

#[tokio::test]
async fn a_test_that_ends_with_no_more_events_does_not_start_the_target() {
    let environment = Environment::start(RAW).await;
    let function = environment.queued();
    environment.receiver.fail_next(1, ReceiverFault::Answer(204, &[("webhook-delivery", "disable")], ""));
    let answer = function.invoke(&json!({ "test": {} })).await.unwrap();
    assert_eq!(answer["targets"][0]["outcome"], "accepted", "{answer}");
    assert!(answer["targets"][0]["answer"].as_str().unwrap().contains("wants no more events"), "{answer}");

    assert!(function.failures(&message(&event(&environment, 1))).await.is_empty());
    let skipped = last_reason(&function);
    assert!(skipped.starts_with("the target `own` wants no events since 20"), "{skipped}");
}
