//! Tests with machines whose clocks are wrong: each event is still handled exactly once.

use crate::attempt::{Request, Worker};
use crate::batch::Batches;
use crate::queue::{DeadLetterAttributes, FailedMessages};
use async_trait::async_trait;
use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use deliveries::{ClaimStore, Claimant, Content, DeliveryKey, EventFacts, MemoryClaims};
use jiff::{SignedDuration, Timestamp};
use rules::Rules;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tableau::Event;
use workflow::{BoxError, Failure, Invocation, Outcome, Workflow};

/// How far a machine's clock is ahead (or, negative, behind), in seconds: a minute, 15 minutes, a day, a year.
const OFF: [i64; 11] = [0, 57, 60, 900, 86_400, 31_536_000, -57, -60, -900, -86_400, -31_536_000];
/// `Timeout` of a workflow's function in template.yaml.
const TIMEOUT: SignedDuration = SignedDuration::from_secs(60);
const EVENT: &str = r#"{"event_type":"WorkbookUpdated","resource":"WORKBOOK","resource_name":"Sales",
    "resource_luid":"4cdd2055-930d-4eaf-94f4-733f3e7d1bfb","site_luid":"4cdd2055-930d-4eaf-94f4-733f3e7d1bfb",
    "created_at":"2026-11-22T14:00:00Z"}"#;

/// A workflow that counts the events it handles.
struct Counts(Arc<AtomicU32>);

impl Workflow for Counts {
    const NAME: &'static str = "counts";

    async fn handle(&self, _: &Event, _: &Invocation) -> Result<Outcome, Failure> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(Outcome::Done)
    }
}

/// A queue that records when its messages become visible again.
#[derive(Default)]
struct Queue(Mutex<Vec<Duration>>);

#[async_trait]
impl FailedMessages for Queue {
    async fn delay(&self, _: &str, delay: Duration) -> Result<(), BoxError> {
        self.0.lock().unwrap().push(delay);
        Ok(())
    }

    async fn send_copy(&self, _: &str, _: u32, _: Duration) -> Result<(), BoxError> {
        Err("nothing is deferred here".into())
    }

    async fn dead_letter(&self, _: &str, _: &DeadLetterAttributes<'_>) -> Result<(), BoxError> {
        Err("nothing is given up here".into())
    }
}

/// A worker on a machine whose clock is `off` seconds ahead.
struct Machine {
    batches: Batches<Counts>,
    handled: Arc<AtomicU32>,
    queue: Arc<Queue>,
    off: SignedDuration,
}

impl Machine {
    fn new(claims: &Arc<MemoryClaims>, off: i64) -> Self {
        let handled = Arc::<AtomicU32>::default();
        let queue = Arc::<Queue>::default();
        let claims: Arc<dyn ClaimStore> = Arc::<MemoryClaims>::clone(claims);
        let rules = Rules::default().into();
        let worker = Arc::new(Worker::new(Ok(Counts(Arc::clone(&handled))), rules, claims));
        let failed: Arc<dyn FailedMessages> = Arc::<Queue>::clone(&queue);
        let timer = Arc::new(timer::MemoryTimer::default());
        Self {
            batches: Batches { worker, failed, timer },
            handled,
            queue,
            off: SignedDuration::from_secs(off),
        }
    }

    /// Delivers the event in an invocation that begins at `truly`, by Lambda's clock. Returns how many messages SQS
    /// must deliver again.
    async fn gets_the_event(&self, truly: Timestamp) -> usize {
        let deadline_ms = u64::try_from((truly + TIMEOUT).as_millisecond()).unwrap();
        let request = Request::of_lambda("r".to_owned(), deadline_ms, truly + self.off);
        let mut message = SqsMessage::default();
        message.body = Some(EVENT.to_owned());
        let mut batch = SqsEvent::default();
        batch.records = vec![message];
        self.batches.handle(batch, &request).await.batch_item_failures.len()
    }

    fn handled(&self) -> u32 {
        self.handled.load(Ordering::SeqCst)
    }
}

fn truly() -> Timestamp {
    Timestamp::from_second(1_795_000_000).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_machine_with_any_clock_handles_the_messages_it_gets() {
    for off in OFF {
        let machine = Machine::new(&Arc::default(), off);
        let again = machine.gets_the_event(truly()).await;
        assert_eq!((again, machine.handled()), (0, 1), "a clock {off} s ahead");
    }
}

#[tokio::test(start_paused = true)]
async fn a_machine_whose_clock_is_behind_takes_over_no_claim_that_runs() {
    for off in OFF.into_iter().filter(|off| *off <= 0) {
        let claims = Arc::<MemoryClaims>::default();
        let key = DeliveryKey::new(Counts::NAME, Content::received(EVENT.as_bytes()).event_id());
        // Another worker has just claimed the event and has all of its time left.
        let claimant = Claimant {
            owner: "another worker".to_owned(),
            now: truly(),
            deadline: truly() + TIMEOUT,
            copy_of: None,
        };
        claims.claim(&key, &EventFacts::default(), &claimant).await.unwrap();

        let machine = Machine::new(&claims, off);
        let again = machine.gets_the_event(truly()).await;
        assert_eq!((again, machine.handled()), (1, 0), "a clock {off} s ahead");
        // The message becomes visible again when the claim is over, by this machine's clock at the latest.
        let waits = machine.queue.0.lock().unwrap().clone();
        assert!(waits[0] <= Duration::from_secs(15 * 60 + 1), "a clock {off} s ahead: {waits:?}");
    }
}
