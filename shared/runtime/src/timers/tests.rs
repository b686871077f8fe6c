//! Tests of timer messages in the queue.

use crate::attempt::{Request, Worker};
use crate::batch::Batches;
use crate::queue::{DeadLetterAttributes, FailedMessages};
use async_trait::async_trait;
use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use deliveries::Content;
use deliveries::{Claim, ClaimStore, Claimant, DeliveryKey, Effect, Ended, EventFacts, StoreError};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use rules::Rules;
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tableau::Event;
use timer::{MOST_HOPS, MemoryTimer, TimerMessage, is_timer};
use workflow::{BoxError, Failure, Invocation, Outcome, Workflow};

/// A workflow that ends a timer as the timer's key says, and counts the timers it receives.
#[derive(Default)]
struct Ends {
    fired: Mutex<Vec<TimerMessage>>,
    attempts: Mutex<Vec<u32>>,
    events: Mutex<usize>,
}

struct Shared(Arc<Ends>);

impl Workflow for Shared {
    const NAME: &'static str = "ends";

    async fn handle(&self, _: &Event, _: &Invocation) -> Result<Outcome, Failure> {
        *self.0.events.lock().unwrap() += 1;
        Ok(Outcome::Done)
    }

    async fn on_timer(&self, timer: &TimerMessage, invocation: &Invocation) -> Result<Outcome, Failure> {
        self.0.fired.lock().unwrap().push(timer.clone());
        self.0.attempts.lock().unwrap().push(invocation.attempt);
        match timer.key.as_str() {
            "for now" => Err(Failure::transient("500")),
            "asked" => {
                Err(Failure::Transient { source: "429".into(), retry_after: Some(Duration::from_secs(100)) })
            }
            "secret" => Err(Failure::misconfigured("token_revoked")),
            "for good" => Err(Failure::permanent("404")),
            "later" => Ok(Outcome::deferred(invocation.now + SignedDuration::from_secs(60), "not yet")),
            "never ends" => std::future::pending().await,
            "stale" => Ok(Outcome::skipped("of an older generation")),
            _ => Ok(Outcome::Done),
        }
    }

    async fn on_sweep(&self, _: &Invocation) -> Result<Outcome, Failure> {
        match *self.0.events.lock().unwrap() {
            0 => Ok(Outcome::Done),
            _ => Err(Failure::transient("the table did not answer")),
        }
    }
}

/// A workflow without timers and sweeps.
struct Plain;

impl Workflow for Plain {
    const NAME: &'static str = "plain";

    async fn handle(&self, _: &Event, _: &Invocation) -> Result<Outcome, Failure> {
        Ok(Outcome::Done)
    }
}

/// A store that fails the test if it is called: a timer must not be claimed.
struct NoClaims;

#[async_trait]
impl ClaimStore for NoClaims {
    async fn claim(&self, _: &DeliveryKey, _: &EventFacts, _: &Claimant) -> Result<Claim, StoreError> {
        panic!("a timer is claimed")
    }

    async fn record_effect(&self, _: &DeliveryKey, _: u32, _: &Effect) -> Result<(), StoreError> {
        panic!("a timer has a record")
    }

    async fn end(&self, _: &DeliveryKey, _: &Ended) -> Result<(), StoreError> {
        panic!("a timer has a record")
    }
}

#[derive(Default)]
struct Queue {
    delays: Mutex<Vec<Duration>>,
    letters: Mutex<Vec<(String, String)>>,
    unreachable: bool,
}

#[async_trait]
impl FailedMessages for Queue {
    async fn delay(&self, _: &str, delay: Duration) -> Result<(), BoxError> {
        self.delays.lock().unwrap().push(delay);
        Ok(())
    }

    async fn send_copy(&self, _: &str, _: u32, _: Duration) -> Result<(), BoxError> {
        panic!("a timer is armed, not copied")
    }

    async fn dead_letter(&self, body: &str, attributes: &DeadLetterAttributes<'_>) -> Result<(), BoxError> {
        if self.unreachable {
            return Err("SQS is down".into());
        }
        self.letters.lock().unwrap().push((body.to_owned(), attributes.reason.to_owned()));
        Ok(())
    }
}

struct Stand {
    ends: Arc<Ends>,
    queue: Arc<Queue>,
    timers: Arc<MemoryTimer>,
    batches: Batches<Shared>,
}

fn now() -> Timestamp {
    "2026-11-28T22:00:00Z".parse().unwrap()
}

fn stand() -> Stand {
    stand_with(Queue::default(), None)
}

fn stand_with(queue: Queue, problem: Option<&str>) -> Stand {
    let ends = Arc::new(Ends::default());
    let queue = Arc::new(queue);
    let timers = Arc::new(MemoryTimer::default());
    let workflow = match problem {
        Some(problem) => Err(problem.to_owned()),
        None => Ok(Shared(Arc::clone(&ends))),
    };
    let worker = Arc::new(Worker::new(workflow, Rules::default().into(), Arc::new(NoClaims)));
    let failed: Arc<dyn FailedMessages> = Arc::<Queue>::clone(&queue);
    let timer: Arc<dyn timer::Timer> = Arc::<MemoryTimer>::clone(&timers);
    Stand { ends, queue, timers, batches: Batches { worker, failed, timer } }
}

fn request() -> Request {
    Request::new("r".to_owned(), now(), Duration::from_secs(60))
}

fn message(body: &str, received: u32) -> SqsEvent {
    let mut message = SqsMessage::default();
    message.message_id = Some("m".to_owned());
    message.receipt_handle = Some("h".to_owned());
    message.body = Some(body.to_owned());
    message.attributes.insert("ApproximateReceiveCount".to_owned(), received.to_string());
    let mut batch = SqsEvent::default();
    batch.records = vec![message];
    batch
}

fn timer(key: &str, seconds_from_now: i64) -> TimerMessage {
    TimerMessage::new(key, now() + SignedDuration::from_secs(seconds_from_now), 3)
}

impl Stand {
    /// Delivers a batch. Returns whether SQS must deliver the message again.
    async fn gets(&self, batch: SqsEvent) -> bool {
        let response = self.batches.handle(batch, &request()).await;
        !response.batch_item_failures.is_empty()
    }

    fn letters(&self) -> Vec<(String, String)> {
        self.queue.letters.lock().unwrap().clone()
    }
}

#[tokio::test(start_paused = true)]
async fn a_timer_whose_time_has_come_is_the_workflows_and_no_claim_is_made() {
    let stand = stand();
    for key in ["due", "stale"] {
        let due = timer(key, 0);
        assert!(!stand.gets(message(&due.to_json(), 1)).await);
        assert_eq!(stand.ends.fired.lock().unwrap().last(), Some(&due));
    }
    assert_eq!(*stand.ends.events.lock().unwrap(), 0);
    assert!(stand.timers.armed().is_empty() && stand.letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_timer_that_comes_early_is_armed_for_the_rest_and_the_workflow_does_not_see_it() {
    let stand = stand();
    let early = timer("due", 1);
    assert!(!stand.gets(message(&early.to_json(), 1)).await);
    assert!(stand.ends.fired.lock().unwrap().is_empty());
    assert_eq!(stand.timers.armed(), [early.again()]);
    assert_ne!(early.again().to_json(), early.to_json());
}

#[tokio::test(start_paused = true)]
async fn a_timer_that_cannot_be_armed_again_stays_in_the_queue() {
    for lost in [false, true] {
        let stand = stand();
        if lost {
            stand.timers.lose_answers(1)
        } else {
            stand.timers.fail_next(1)
        };
        assert!(stand.gets(message(&timer("due", 100).to_json(), 1)).await);
        assert_eq!(stand.queue.delays.lock().unwrap().len(), 1);
        assert!(stand.letters().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_timer_that_comes_early_without_end_becomes_a_dead_letter() {
    let stand = stand();
    let mut waiting = timer("due", 100);
    for _ in 0..MOST_HOPS {
        assert!(!stand.gets(message(&waiting.to_json(), 1)).await);
        waiting = stand.timers.armed().pop().unwrap();
    }
    assert!(!stand.gets(message(&waiting.to_json(), 1)).await);
    let letters = stand.letters();
    assert_eq!(letters.len(), 1);
    let (body, reason) = &letters[0];
    assert_eq!(*body, waiting.to_json());
    assert!(reason.starts_with("the timer of `due`: the timer was armed again 8 times"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn a_timer_that_is_deferred_is_armed_for_the_new_time() {
    let stand = stand();
    assert!(!stand.gets(message(&timer("later", -5).to_json(), 1)).await);
    let expected = TimerMessage { hops: 1, ..timer("later", 60) };
    assert_eq!(stand.timers.armed(), [expected]);
}

#[tokio::test(start_paused = true)]
async fn a_timer_that_fails_comes_again_as_an_event_does() {
    let stand = stand();
    for (key, received, least, most) in [
        ("for now", 1, 7, 15),
        ("for now", 60, 480, 960),
        ("for now", 149, 480, 960),
        ("asked", 1, 100, 130),
        ("secret", 1, 7, 15),
        ("secret", 40, 1_800, 3_600),
        ("never ends", 1, 7, 15),
    ] {
        assert!(stand.gets(message(&timer(key, 0).to_json(), received)).await, "{key}");
        let wait = stand.queue.delays.lock().unwrap().pop().unwrap().as_secs();
        assert!((least..=most).contains(&wait), "{key} {received}: {wait}");
        assert_eq!(stand.ends.attempts.lock().unwrap().pop(), Some(received));
    }
    assert!(stand.letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_timer_that_failed_for_good_becomes_a_dead_letter_with_the_reason() {
    let stand = stand();
    let body = timer("for good", 0).to_json();
    assert!(!stand.gets(message(&body, 1)).await);
    assert_eq!(stand.letters(), [(body, "the timer of `for good`: 404".to_owned())]);

    let down = stand_with(Queue { unreachable: true, ..Queue::default() }, None);
    assert!(down.gets(message(&timer("for good", 0).to_json(), 1)).await, "it is nowhere else");
}

#[tokio::test(start_paused = true)]
async fn a_timer_waits_for_a_person_for_three_days_from_its_first_receive() {
    for (hours, comes_again) in [(0, true), (71, true), (72, false)] {
        let stand = stand();
        let mut batch = message(&timer("secret", -100 * 3_600).to_json(), 90);
        let first = now() - SignedDuration::from_hours(hours);
        let first = first.as_millisecond().to_string();
        batch.records[0].attributes.insert("ApproximateFirstReceiveTimestamp".to_owned(), first);
        assert_eq!(stand.gets(batch).await, comes_again, "{hours}");
        assert_eq!(stand.letters().len(), usize::from(!comes_again), "{hours}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_receive_of_a_timer_ends_with_a_dead_letter_of_ours() {
    let stand = stand();
    assert!(!stand.gets(message(&timer("due", 0).to_json(), 150)).await);
    assert!(stand.letters()[0].1.contains("received 150 times"));
    assert!(stand.ends.fired.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_timer_waits_while_a_setting_keeps_the_workflow_from_starting() {
    let stand = stand_with(Queue::default(), Some("SLACK_CHANNEL: missing"));
    assert!(stand.gets(message(&timer("due", 0).to_json(), 1)).await);
    assert!(stand.letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_no_timer_becomes_a_dead_letter_with_the_reason_and_without_its_values() {
    let stand = stand();
    for (body, expected) in [
        (json!({ "timer": "hunter2" }), "timer: expected a JSON object, found another string"),
        (json!({ "timer": { "key": "k" } }), "timer.due: missing"),
        (
            json!({ "timer": { "key": "k", "due": "2026-11-28T22:00:00Z", "generation": "hunter2", "hops": 0 } }),
            "timer.generation: expected a whole number from 0 on, found another string",
        ),
    ] {
        assert!(!stand.gets(message(&body.to_string(), 1)).await);
        let (letter, reason) = stand.letters().pop().unwrap();
        assert_eq!(letter, body.to_string());
        assert_eq!(reason, format!("the message is not a timer: {expected}"));
    }
    assert!(stand.ends.fired.lock().unwrap().is_empty());
}

/// Only a plain queue message is a timer: the same content inside an EventBridge envelope is not.
#[test]
fn an_envelope_of_the_event_bus_is_no_timer() {
    let timer: serde_json::Value = serde_json::from_str(&timer("due", 0).to_json()).unwrap();
    let envelope = json!({
        "version": "0", "id": "1", "detail-type": "Unreadable", "source": deliveries::SOURCE, "account": "1",
        "time": "t", "region": "r", "resources": [], "detail": timer,
    });
    assert!(!is_timer(&envelope.to_string()));
    let content = deliveries::of_message(&envelope.to_string(), |_| true).unwrap();
    assert_eq!(content.name(), "");
}

#[tokio::test(start_paused = true)]
async fn a_workflow_without_timers_ends_a_timer_that_comes_all_the_same() {
    let worker = Worker::new(Ok(Plain), Rules::default().into(), Arc::new(NoClaims));
    let queue = Arc::new(Queue::default());
    let failed: Arc<dyn FailedMessages> = Arc::<Queue>::clone(&queue);
    let batches = Batches { worker: Arc::new(worker), failed, timer: Arc::new(MemoryTimer::default()) };
    let response = batches.handle(message(&timer("due", 0).to_json(), 1), &request()).await;
    assert!(response.batch_item_failures.is_empty() && queue.letters.lock().unwrap().is_empty());
    assert_eq!(batches.sweep(&request()).await, json!({ "outcome": "skipped" }));
}

#[tokio::test(start_paused = true)]
async fn a_sweep_that_fails_is_logged_and_not_tried_again() {
    let stand = stand();
    assert_eq!(stand.batches.sweep(&request()).await, json!({ "outcome": "done" }));
    *stand.ends.events.lock().unwrap() = 1;
    let failed = json!({ "outcome": "transient", "reason": "the table did not answer" });
    assert_eq!(stand.batches.sweep(&request()).await, failed);
    let stopped = stand_with(Queue::default(), Some("SLACK_CHANNEL: missing"));
    assert_eq!(stopped.batches.sweep(&request()).await["outcome"], "misconfigured");
}

proptest! {
    /// A stranger who knows the URL's token can send any body: none of them is handled as a timer.
    #[test]
    fn no_body_that_the_ingress_takes_is_a_timer_at_the_queue(
        before in prop::sample::select(vec!["", " ", "\u{feff}", "\n\t"]),
        key in prop::sample::select(vec!["timer", "\\u0074imer", "TIMER", "sweep", "event_type"]),
        other in prop::sample::select(vec![
            "", r#","event_type":null"#, r#","event_type":"SiteUpdated""#, r#","event_type":"""#,
            r#","timer":1"#, r#","timer":null"#, r#","unreadable":{}"#, r#","resource":"SITE""#,
            r#","event_type":"X","event_type":null"#,
        ]),
        value in prop::sample::select(vec![
            timer("due", 0).to_json(), "{}".to_owned(), "1".to_owned(), "null".to_owned(), "\"x\"".to_owned(),
        ]),
    ) {
        let whole = timer("due", 0).to_json();
        for body in [format!("{before}{{\"{key}\":{value}{other}}}"), format!("{before}{whole}")] {
            let content = Content::received(body.as_bytes());
            let stored = content.to_json();
            prop_assert!(!is_timer(&stored), "{}", stored);
            let again = Content::stored(&stored).unwrap();
            prop_assert_eq!(again.event_id(), content.event_id());
            prop_assert!(!is_timer(&again.to_json()));
        }
        prop_assert!(matches!(Content::received(whole.as_bytes()), Content::Unreadable(_)));
    }
}
