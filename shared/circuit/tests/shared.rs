//! Circuits shared by several instances, on every backend: memory, DynamoDB on the AWS double, and DynamoDB on the
//! emulator at `AWS_CONTRACT_URL`, when set.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests")]

use async_trait::async_trait;
use circuit::{CallResult, Circuit, Circuits, FAILURES, FIRST_OPEN, Guarded};
use jiff::{SignedDuration, Timestamp};
use local_aws::Aws;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use store::{Documents, DynamoDbStore, Key, MemoryStore, Put, Store, Stored, Version, Write};
use testkit::dynamodb::{Emulator, client as dynamodb};
use workflow::{BoxError, Failure};

const CHANNEL: &str = "data-alerts";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_764_000_000 + seconds).unwrap()
}

/// When a circuit that opened for the first time allows a probe.
fn due() -> i64 {
    FIRST_OPEN.as_secs() * 5 / 4 + 1
}

/// A destination, and how often it was called.
#[derive(Default)]
struct Destination(AtomicUsize);

impl Destination {
    /// A call at `now` that succeeds or fails with this result.
    async fn call(
        &self,
        by: &Circuits,
        channel: &str,
        now: Timestamp,
        fails: Option<CallResult>,
    ) -> Result<(), Guarded<io::Error>> {
        let call = async {
            self.0.fetch_add(1, Ordering::SeqCst);
            fails.map_or(Ok(()), |_| Err(io::Error::other("the server's own trouble")))
        };
        by.call(channel, now, call, |_| fails.unwrap_or(CallResult::NotCalled)).await
    }

    fn calls(&self) -> usize {
        self.0.swap(0, Ordering::SeqCst)
    }
}

fn instances(documents: &Documents, number: usize) -> Vec<Circuits> {
    (0..number).map(|_| Circuits::new(documents.clone(), "notify-slack", "Slack")).collect()
}

fn is_open(result: Result<(), Guarded<io::Error>>) -> bool {
    matches!(result, Err(Guarded::CircuitOpen(_)))
}

async fn fail_all(by: &[Circuits], calls: usize, now: Timestamp) -> usize {
    let destination = Destination::default();
    for n in 0..calls {
        let instance = &by[n % by.len()];
        destination.call(instance, CHANNEL, now, Some(CallResult::Failed)).await.unwrap_err();
    }
    destination.calls()
}

async fn suite(store: impl Fn() -> Arc<dyn Store>) {
    instances_open_a_circuit_together_and_one_probes(Documents::new(store())).await;
}

async fn instances_open_a_circuit_together_and_one_probes(documents: Documents) {
    let all = instances(&documents, 2);
    let slack = Destination::default();
    assert!(fail_all(&all, 100, at(0)).await <= FAILURES + 1);

    let error = slack.call(&all[0], "data-news", at(1), None).await.unwrap_err();
    let Guarded::CircuitOpen(error) = error else { panic!("a call was made") };
    let Failure::Transient { source, retry_after } = error.into() else { panic!("for good") };
    let text = source.to_string();
    assert!(text.starts_with("circuit open, Slack is not called until 2025-11-24T16:00:1"), "{text}");
    assert!(
        text.ends_with("Z: 10 calls in a row failed, the last one with: the server's own trouble"),
        "{text}"
    );
    assert!((14..=18).contains(&retry_after.unwrap().as_secs()), "{retry_after:?}");
    assert_eq!(slack.calls(), 0);

    let first = &all[0];
    let second = &all[1];
    let during = async {
        assert!(is_open(slack.call(second, CHANNEL, at(due()), None).await), "another call is trying it now");
        Ok::<_, io::Error>(())
    };
    first.call(CHANNEL, at(due()), during, |_| CallResult::NotCalled).await.unwrap();
    assert!(documents.read::<Circuit>("notify-slack#Slack").await.unwrap().is_clean());
    slack.call(first, CHANNEL, at(due()), None).await.unwrap();
    slack.call(second, CHANNEL, at(due() + 5), None).await.unwrap();
}

#[tokio::test]
async fn instances_share_a_circuit_in_memory() {
    suite(|| Arc::new(MemoryStore::default())).await;
}

#[tokio::test]
async fn instances_share_a_circuit_in_dynamodb_on_the_double() {
    let aws = Aws::start().await.unwrap();
    testkit::dynamodb::create_table(&aws, "table");
    suite(|| Arc::new(DynamoDbStore::new(dynamodb(&aws), "table"))).await;
    assert_eq!(aws.items("table")[0]["pk"]["S"], "circuit#notify-slack#Slack");
}

#[tokio::test]
async fn instances_share_a_circuit_in_dynamodb_on_the_emulator() {
    let Some(emulator) = Emulator::with_table("circuit").await else { return };
    suite(|| Arc::new(DynamoDbStore::new(dynamodb(&emulator.url), &emulator.table))).await;
    emulator.delete_table().await;
}

fn memory() -> Documents {
    Documents::new(Arc::new(MemoryStore::default()))
}

/// A table that does not answer, and how often it was asked.
#[derive(Default)]
struct Down(AtomicUsize);

#[async_trait]
impl Store for Down {
    async fn get(&self, _: &Key) -> Result<Option<Stored>, BoxError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Err("the table is down".into())
    }

    async fn put(&self, _: &Key, _: Version, _: &Write) -> Result<Put, BoxError> {
        Err("the table is down".into())
    }
}

#[tokio::test]
async fn the_table_is_not_read_while_nothing_fails() {
    let table = Arc::new(Down::default());
    let documents = Documents::new(Arc::<Down>::clone(&table));
    let circuits = Circuits::new(documents, "notify-slack", "Slack");
    let slack = Destination::default();
    for n in 0..1_000 {
        slack.call(&circuits, CHANNEL, at(n), None).await.unwrap();
        slack.call(&circuits, CHANNEL, at(n), Some(CallResult::Answered)).await.unwrap_err();
    }
    assert_eq!((slack.calls(), table.0.load(Ordering::SeqCst)), (2_000, 0));
}

#[tokio::test]
async fn a_table_that_does_not_answer_fails_no_call_and_leaves_each_instance_to_itself() {
    let all = instances(&Documents::new(Arc::new(Down::default())), 2);
    assert_eq!(fail_all(&all[..1], FAILURES + 5, at(0)).await, FAILURES);
    let slack = Destination::default();
    slack.call(&all[1], CHANNEL, at(0), None).await.unwrap();
    slack.call(&all[0], CHANNEL, at(due()), None).await.unwrap();
}

#[tokio::test]
async fn a_wait_that_a_channel_asks_for_is_of_that_channel_only() {
    let documents = memory();
    let slack = Destination::default();
    let all = instances(&documents, 1);
    let throttled = Some(CallResult::Throttled(Duration::from_secs(30)));
    slack.call(&all[0], CHANNEL, at(0), throttled).await.unwrap_err();
    assert_eq!(slack.calls(), 1);

    let error = slack.call(&all[0], CHANNEL, at(1), None).await.unwrap_err().to_string();
    assert!(error.starts_with("circuit open, Slack (`data-alerts`) is not called until"), "{error}");
    assert!(error.ends_with("it asked callers to wait 30 s"), "{error}");
    slack.call(&all[0], "data-news", at(1), None).await.unwrap();
    slack.call(&all[0], CHANNEL, at(39), None).await.unwrap();
    assert!(documents.read::<Circuit>("notify-slack#Slack#data-alerts").await.unwrap().is_clean());
}

#[tokio::test]
async fn what_fails_in_an_independent_part_opens_the_circuit_of_that_part_only() {
    let documents = memory();
    let flows = Destination::default();
    let circuits = Circuits::of_independent_parts(documents.clone(), "notify-teams", "Teams");
    for _ in 0..FAILURES {
        flows.call(&circuits, "finance", at(0), Some(CallResult::Failed)).await.unwrap_err();
    }
    assert_eq!(flows.calls(), FAILURES);

    let error = flows.call(&circuits, "finance", at(1), None).await.unwrap_err().to_string();
    assert!(error.starts_with("circuit open, Teams (`finance`) is not called until"), "{error}");
    assert_eq!(flows.calls(), 0);
    flows.call(&circuits, CHANNEL, at(1), None).await.unwrap();
    flows.call(&circuits, "finance", at(due()), None).await.unwrap();
    flows.call(&circuits, "finance", at(due() + 1), None).await.unwrap();
    assert_eq!(documents.read::<Circuit>("notify-teams#Teams").await.unwrap(), Circuit::default());

    let throttled = Some(CallResult::Throttled(Duration::from_secs(30)));
    flows.call(&circuits, CHANNEL, at(100), throttled).await.unwrap_err();
    assert!(is_open(flows.call(&circuits, CHANNEL, at(101), None).await));
    flows.call(&circuits, "finance", at(101), None).await.unwrap();
    flows.call(&circuits, CHANNEL, at(139), None).await.unwrap();
}

#[tokio::test]
async fn refusals_for_good_are_answers_and_what_was_not_asked_says_nothing() {
    let documents = memory();
    let slack = Destination::default();
    let all = instances(&documents, 1);
    fail_all(&all, FAILURES - 1, at(0)).await;
    slack.call(&all[0], CHANNEL, at(1), Some(CallResult::Answered)).await.unwrap_err();
    fail_all(&all, FAILURES - 1, at(2)).await;
    slack.call(&all[0], CHANNEL, at(3), Some(CallResult::NotCalled)).await.unwrap_err();
    assert_eq!(fail_all(&all, 1, at(3)).await, 1);
    assert!(is_open(slack.call(&all[0], CHANNEL, at(3), None).await));
    // After a probe without a result, another probe is allowed.
    slack.call(&all[0], CHANNEL, at(40), Some(CallResult::NotCalled)).await.unwrap_err();
    slack.call(&all[0], CHANNEL, at(40), None).await.unwrap();
}

/// Five instances make five calls a second in total, so an open circuit blocks about 90 calls.
#[tokio::test]
async fn a_third_of_calls_that_fail_at_random_hardly_ever_opens_it() {
    let mut rng = fastrand::Rng::with_seed(2026);
    let mut refused = 0;
    let mut calls = 0;
    for seed in 0..100 {
        // The open time is random too, and therefore the moment of the probe.
        fastrand::seed(seed);
        let all = instances(&memory(), 5);
        let slack = Destination::default();
        for n in 0..2_000 {
            let now = at(0) + SignedDuration::from_millis(n * 200);
            let fails = (rng.u32(..3) == 0).then_some(CallResult::Failed);
            let result = slack.call(&all[rng.usize(..5)], CHANNEL, now, fails).await;
            refused += usize::from(is_open(result));
        }
        calls += slack.calls();
    }
    let all = calls + refused;
    assert!(refused * 100 < all, "{refused} of {all} were not made");
}

#[tokio::test]
async fn a_success_without_a_call_neither_ends_a_row_of_failures_nor_closes_a_circuit() {
    let all = instances(&memory(), 1);
    let kept = async |now| {
        let kept = async { Ok::<_, io::Error>("kept") };
        all[0].call_or_kept("", now, kept, |_| CallResult::NotCalled).await
    };
    for second in 0..i64::try_from(FAILURES).unwrap() {
        assert_eq!(kept(at(second)).await.unwrap(), "kept");
        assert_eq!(fail_all(&all, 1, at(second)).await, 1);
    }
    let open = Destination::default();
    assert!(is_open(open.call(&all[0], CHANNEL, at(20), None).await));
    assert_eq!(kept(at(20 + due())).await.unwrap(), "kept");
    assert!(
        all[0]
            .call_or_kept("", at(20), async { Ok::<_, io::Error>(()) }, |_| CallResult::NotCalled)
            .await
            .is_err()
    );
}
