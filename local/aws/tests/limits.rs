//! The limits of an AWS account: recursion, concurrent executions, throttling. The stack is the fixture template with
//! the echo bootstrap.

#![expect(clippy::unwrap_used, reason = "helpers of tests are not known for such")]

mod raw_http;
mod support;

use local_aws::{Stack, StackEvent, StackOptions};
use raw_http::{Response, send};
use serde_json::json;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::task::JoinSet;
use tokio::time::timeout;

const FUNCTION: &str = "echo-bootstrap";
const QUEUE: &str = "EchoQueue";
const TIMEOUT: Duration = Duration::from_secs(30);

/// Starts a stack with this limit of concurrent executions, if any, and a receiver of its events.
async fn stack(
    recursion: &str,
    concurrent_executions: Option<usize>,
) -> (Stack, UnboundedReceiver<StackEvent>) {
    let (sender, events) = mpsc::unbounded_channel();
    let parameters = [("Greeting", "hello"), ("Recursion", recursion)];
    let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let options = StackOptions {
        template: PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/template.yaml"),
        binaries: support::binaries(),
        parameters: BTreeMap::from(parameters),
        secrets: BTreeMap::new(),
        environment: BTreeMap::new(),
        concurrent_executions,
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        aws: SocketAddr::from(([127, 0, 0, 1], 0)),
        events: Some(sender),
    };
    let stack = Stack::start(options).await.unwrap();
    stack.aws().set_longest_delay(QUEUE, Duration::from_millis(1));
    (stack, events)
}

/// All events up to and including the first that satisfies `last`.
async fn until(
    events: &mut UnboundedReceiver<StackEvent>,
    mut last: impl FnMut(&StackEvent) -> bool,
) -> Vec<StackEvent> {
    let mut seen = Vec::new();
    let search = async {
        loop {
            let event = events.recv().await.unwrap();
            let is_last = last(&event);
            seen.push(event);
            if is_last {
                return;
            }
        }
    };
    timeout(TIMEOUT, search).await.unwrap();
    seen
}

fn worked(events: &[StackEvent]) -> usize {
    events.iter().filter(|event| matches!(event, StackEvent::Delivered { failures: 0, .. })).count()
}

/// Sends this many requests at the same time.
async fn at_once(stack: &Stack, requests: usize, answer: &str) -> Vec<Response> {
    let mut all = JoinSet::new();
    for _ in 0..requests {
        let url = stack.url().to_owned();
        let header = format!("X-Answer: {answer}");
        all.spawn(async move { send(&url, "GET /echo", &[&header], b"").await });
    }
    all.join_all().await
}

fn statuses(answers: &[Response]) -> BTreeMap<u16, usize> {
    answers.iter().fold(BTreeMap::new(), |mut counts, answer| {
        *counts.entry(answer.status).or_default() += 1;
        counts
    })
}

#[tokio::test]
async fn a_function_that_feeds_its_own_queue_is_stopped_after_sixteen_invocations() {
    let (stack, mut events) = stack("Terminate", None).await;

    stack.aws().send(QUEUE, json!({ "again": 40 }).to_string()).unwrap();

    let stopped = |event: &StackEvent| matches!(event, StackEvent::RecursionStopped { .. });
    let seen = until(&mut events, stopped).await;
    assert_eq!(worked(&seen), 16);
    // The queue keeps a message that Lambda refuses, and dead-letters it once it was received too often.
    let given_up = |event: &StackEvent| matches!(event, StackEvent::DeadLettered { .. });
    let seen = until(&mut events, given_up).await;
    assert_eq!(worked(&seen), 0);
    let letters = stack.aws().messages("local-letters");
    assert_eq!(letters[0].body, json!({ "again": 24 }).to_string());
    assert_eq!(letters[0].receive_count, 2);
}

#[tokio::test]
async fn a_function_whose_template_allows_recursion_goes_on() {
    let (stack, mut events) = stack("Allow", None).await;

    stack.aws().send(QUEUE, json!({ "again": 40 }).to_string()).unwrap();

    let mut left = 41;
    let seen = until(&mut events, |event| {
        left -= worked(std::slice::from_ref(event));
        left == 0
    });
    let seen = seen.await;
    assert!(!seen.iter().any(|event| matches!(event, StackEvent::RecursionStopped { .. })));
    assert!(stack.aws().messages(QUEUE).is_empty());
}

#[tokio::test]
async fn each_message_begins_a_chain_of_its_own_also_with_a_limit_of_executions() {
    let (stack, mut events) = stack("Terminate", Some(10)).await;

    for _ in 0..3 {
        stack.aws().send(QUEUE, json!({ "again": 15 }).to_string()).unwrap();
        let mut left = 16;
        let seen = until(&mut events, |event| {
            left -= worked(std::slice::from_ref(event));
            left == 0
        });
        assert!(!seen.await.iter().any(|event| matches!(event, StackEvent::RecursionStopped { .. })));
    }
}

#[tokio::test]
async fn a_request_that_finds_no_execution_free_is_answered_503() {
    let (stack, mut events) = stack("Terminate", Some(2)).await;

    let answers = at_once(&stack, 6, "slow").await;

    assert_eq!(statuses(&answers), BTreeMap::from([(200, 2), (503, 4)]));
    let refused = answers.iter().find(|answer| answer.status == 503).unwrap();
    assert_eq!(refused.json(), json!({ "message": "Service Unavailable" }));
    assert!(refused.head.contains("content-type: application/json"), "{}", refused.head);
    assert_eq!(stack.environments(FUNCTION), 2);
    let mut throttles = 0;
    let answered = until(&mut events, |event| {
        throttles += usize::from(matches!(event, StackEvent::Throttled { .. }));
        throttles == 4
    });
    answered.await;
    assert_eq!(statuses(&at_once(&stack, 2, "plain").await), BTreeMap::from([(200, 2)]));
}

#[tokio::test]
async fn requests_and_queues_share_the_executions_and_a_throttled_batch_waits() {
    let (stack, mut events) = stack("Terminate", Some(1)).await;
    stack.aws().set_visibility_timeout(QUEUE, TIMEOUT);

    let ((), answers) = tokio::join!(
        async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            stack.aws().send(QUEUE, "waits").unwrap();
        },
        at_once(&stack, 1, "slow"),
    );

    assert_eq!(answers[0].status, 200);
    let seen = until(&mut events, |event| matches!(event, StackEvent::Delivered { .. })).await;
    assert!(seen.iter().any(|event| matches!(event, StackEvent::Throttled { .. })));
    assert_eq!(worked(&seen), 1, "received once, and kept while the function was throttled");
    assert_eq!(stack.environments(FUNCTION), 1);
}

#[tokio::test]
async fn a_batch_that_stays_throttled_comes_back_after_its_visibility_timeout() {
    let (stack, mut events) = stack("Terminate", Some(1)).await;
    stack.aws().set_visibility_timeout(QUEUE, Duration::from_millis(250));

    let ((), answers) = tokio::join!(
        async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            stack.aws().send(QUEUE, "waits").unwrap();
        },
        at_once(&stack, 1, "slow"),
    );

    assert_eq!(answers[0].status, 200);
    let back = until(&mut events, |event| matches!(event, StackEvent::Delivered { .. })).await;
    assert!(matches!(back.last(), Some(StackEvent::Delivered { messages: 1, failures: 1, .. })));
}

#[tokio::test]
async fn a_queue_has_as_many_batches_at_once_as_its_mapping_allows() {
    let (stack, mut events) = stack("Terminate", Some(10)).await;
    stack.aws().set_visibility_timeout(QUEUE, TIMEOUT);

    for number in 0..60 {
        stack.aws().send(QUEUE, format!("slow {number}")).unwrap();
    }

    let mut left = 60;
    let all = until(&mut events, |event| {
        let StackEvent::Delivered { messages, .. } = event else { return false };
        left -= messages;
        left == 0
    });
    all.await;
    assert_eq!(stack.environments(FUNCTION), 5);
}

#[tokio::test]
async fn the_stage_takes_as_many_requests_as_its_throttling_says() {
    let (stack, _events) = stack("Terminate", Some(100)).await;

    let answers = at_once(&stack, 100, "plain").await;

    let statuses = statuses(&answers);
    assert!(statuses[&200] >= 20, "the burst: {statuses:?}");
    assert!(statuses[&429] > 0, "{statuses:?}");
    let refused = answers.iter().find(|answer| answer.status == 429).unwrap();
    assert_eq!(refused.json(), json!({ "message": "Too Many Requests" }));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(send(stack.url(), "GET /echo", &["X-Answer: plain"], b"").await.status, 200);
}

#[tokio::test]
async fn without_limits_nothing_is_throttled() {
    let (stack, _events) = stack("Terminate", None).await;

    assert_eq!(statuses(&at_once(&stack, 40, "plain").await), BTreeMap::from([(200, 40)]));
    assert_eq!(stack.environments(FUNCTION), 1);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn pooled_processes_end_with_the_stack_also_in_the_middle_of_an_invocation() {
    let (stack, mut events) = stack("Terminate", Some(10)).await;
    stack.aws().set_visibility_timeout(QUEUE, TIMEOUT);
    let answer = send(stack.url(), "GET /echo", &["X-Answer: pid"], b"").await.json();
    let pid = answer["pid"].as_u64().unwrap();
    stack.aws().send(QUEUE, "slow").unwrap();
    until(&mut events, |event| matches!(event, StackEvent::Log { .. })).await;

    drop(stack);

    let running = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
        stat.is_ok_and(|stat| !stat.contains(") Z "))
    };
    let ended = async {
        while running() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_millis(400), ended).await.unwrap();
}
