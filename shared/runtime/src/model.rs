//! A model test in virtual time: many events, many processes and one queue, with every kind of fault, and the fate of
//! each event.
//!
//! Tableau delivers events once, twice, and again much later; the queue delivers messages more than once; processes
//! die or freeze; the table is slow, fails, and loses answers; the destination is slow, fails temporarily or for
//! good, and may never answer. In any order of these faults, the following must hold: no message is deleted before
//! its event is finished or a dead letter; every event comes to an end; and an event's effect happens once, plus at
//! most once more for each time that recording the effect failed. At a destination that accepts the event's id as an
//! idempotency key, the effect happens exactly once.

use crate::attempt::{Request, Worker};
use crate::batch::Batches;
use crate::queue::{COPY_OF, DeadLetterAttributes, FailedMessages};
use crate::retry::RECEIVES;
use async_trait::async_trait;
use aws_lambda_events::sqs::{SqsEvent, SqsMessage, SqsMessageAttribute};
use deliveries::{
    Claim, ClaimStore, Claimant, DeliveryKey, End, Ended, EventFacts, MemoryClaims, StoreError,
};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use std::collections::{BTreeSet, HashMap};
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tableau::{Event, EventId, Payload};
use tokio::time::Instant;
use workflow::{BoxError, Effect, Failure, Invocation, Outcome, Workflow};

/// The `Timeout` of a function in template.yaml.
const FUNCTION_TIMEOUT: Duration = Duration::from_secs(60);
const VISIBILITY: Duration = Duration::from_secs(360);
const BATCH: usize = 5;
const WORKERS: usize = 5;

const TROUBLE: Duration = Duration::from_secs(1_200);
const EVENTS: u64 = 12;

#[derive(Clone)]
struct Message {
    number: u64,
    body: String,
    copy_of: Option<u32>,
    visible_at: Instant,
    received: u32,
}

/// What has happened to one event so far.
#[derive(Debug, Default)]
struct Fate {
    acts: u32,
    /// The number of effects that happened but whose record has not reached the table.
    unconfirmed: u32,
    keyed_acts: u32,
    end: Option<End>,
    letters: u32,
    /// The deadline of each attempt's claim.
    deadlines: Vec<Timestamp>,
}

#[derive(Default)]
struct Facts {
    messages: Vec<Message>,
    sent: u64,
    fates: HashMap<EventId, Fate>,
    keys: BTreeSet<String>,
    wrong: Vec<String>,
}

struct System {
    claims: MemoryClaims,
    facts: Mutex<Facts>,
    start: Instant,
    calm: AtomicBool,
}

impl System {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::try_from(self.start.elapsed()).unwrap()
    }

    fn happens(&self, one_in: u32) -> bool {
        !self.calm.load(Ordering::SeqCst) && fastrand::u32(..one_in) == 0
    }

    async fn takes(&self, most_ms: u64) {
        tokio::time::sleep(Duration::from_millis(fastrand::u64(1..=most_ms))).await;
    }

    /// Simulates one AWS call: it takes time, is carried out or not, and its answer may be lost.
    async fn call<T>(&self, carry_out: impl Future<Output = T>) -> Result<T, BoxError> {
        // The longest delay stands for a process that was frozen in the middle of the call.
        self.takes(if self.happens(60) { 90_000 } else { 50 }).await;
        if self.happens(20) {
            return Err("AWS is down".into());
        }
        let answer = carry_out.await;
        self.takes(50).await;
        if self.happens(20) {
            return Err("AWS's answer was lost".into());
        }
        Ok(answer)
    }

    fn with<T>(&self, change: impl FnOnce(&mut Facts) -> T) -> T {
        change(&mut self.facts.lock().unwrap())
    }

    fn fate<T>(&self, event: &EventId, change: impl FnOnce(&mut Fate) -> T) -> T {
        self.with(|facts| change(facts.fates.entry(event.clone()).or_default()))
    }

    fn send(&self, body: String, copy_of: Option<u32>, delay: Duration) {
        self.with(|facts| {
            facts.sent += 1;
            let visible_at = Instant::now() + delay;
            let message = Message { number: facts.sent, body, copy_of, visible_at, received: 0 };
            facts.messages.push(message);
        });
    }

    /// Returns some visible messages. A message that was received too often moves to the dead letters, as SQS does.
    fn receive(&self) -> Vec<Message> {
        let now = Instant::now();
        self.with(|facts| {
            let (spent, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut facts.messages)
                .into_iter()
                .partition(|message| message.visible_at <= now && message.received >= RECEIVES);
            facts.messages = kept;
            for message in spent {
                facts.fates.entry(event_of(&message.body)).or_default().letters += 1;
            }
            let twice = self.happens(10);
            let visible = facts.messages.iter_mut().filter(|message| message.visible_at <= now);
            let mut received = Vec::new();
            for message in visible.take(fastrand::usize(1..=BATCH)) {
                message.received += 1;
                // Standard queues deliver a message at least once, sometimes twice.
                message.visible_at = if twice { now } else { now + VISIBILITY };
                received.push(message.clone());
            }
            received
        })
    }

    /// Deletes a message. Its event must be finished, or another message of the event must exist.
    fn delete(&self, message: &Message) {
        let event = event_of(&message.body);
        self.with(|facts| {
            facts.messages.retain(|other| other.number != message.number);
            let fate = facts.fates.entry(event.clone()).or_default();
            let finished = fate.end.as_ref().is_some_and(is_finished) || fate.letters > 0;
            let another = facts.messages.iter().any(|other| other.body == message.body);
            if !finished && !another {
                facts.wrong.push(format!("{}: message {} is gone: {fate:?}", event.short(), message.number));
            }
        });
    }

    /// A process that handles one batch, and may die in the middle.
    async fn work(self: Arc<Self>, batches: Arc<Batches<Acts>>) {
        let messages = self.receive();
        if messages.is_empty() {
            return self.takes(2_000).await;
        }
        let request = Request::new(fastrand::u64(..).to_string(), self.now(), FUNCTION_TIMEOUT);
        let mut batch = SqsEvent::default();
        batch.records = messages.iter().map(sqs_message).collect();
        let task = tokio::spawn(async move { batches.handle(batch, &request).await });
        let life =
            if self.happens(4) { Duration::from_millis(fastrand::u64(1..=20_000)) } else { FUNCTION_TIMEOUT };
        let abort = task.abort_handle();
        match tokio::time::timeout(life, task).await {
            Ok(response) => {
                let failed: BTreeSet<_> =
                    response.unwrap().batch_item_failures.into_iter().map(|f| f.item_identifier).collect();
                for message in messages.iter().filter(|m| !failed.contains(&m.number.to_string())) {
                    self.delete(message);
                }
            }
            Err(_) => abort.abort(),
        }
    }
}

fn is_finished(end: &End) -> bool {
    matches!(end, End::Done | End::Skipped(_))
}

fn event_of(body: &str) -> EventId {
    EventId::of(&Payload::parse(body.as_bytes()).unwrap())
}

fn body(number: u64) -> String {
    format!(
        r#"{{"event_type":"WorkbookUpdated","resource":"WORKBOOK","resource_luid":"w-{number}","site_luid":"s"}}"#
    )
}

fn sqs_message(message: &Message) -> SqsMessage {
    let mut sqs = SqsMessage::default();
    sqs.message_id = Some(message.number.to_string());
    sqs.receipt_handle = Some(message.number.to_string());
    sqs.body = Some(message.body.clone());
    if let Some(attempt) = message.copy_of {
        let mut attribute = SqsMessageAttribute::default();
        attribute.string_value = Some(attempt.to_string());
        sqs.message_attributes.insert(COPY_OF.to_owned(), attribute);
    }
    sqs.attributes.insert("ApproximateReceiveCount".to_owned(), message.received.to_string());
    sqs
}

#[async_trait]
impl FailedMessages for System {
    async fn delay(&self, receipt: &str, delay: Duration) -> Result<(), BoxError> {
        self.call(async {
            self.with(|facts| {
                for message in facts.messages.iter_mut().filter(|m| m.number.to_string() == receipt) {
                    message.visible_at = Instant::now() + delay;
                }
            });
        })
        .await
    }

    async fn send_copy(&self, body: &str, attempt: u32, delay: Duration) -> Result<(), BoxError> {
        // The SDK repeats a request whose answer takes too long; then there are two copies.
        let copies = if self.happens(4) { 2 } else { 1 };
        self.call(async { (0..copies).for_each(|_| self.send(body.to_owned(), Some(attempt), delay)) }).await
    }

    async fn dead_letter(&self, body: &str, _: &DeadLetterAttributes<'_>) -> Result<(), BoxError> {
        self.call(async { self.fate(&event_of(body), |fate| fate.letters += 1) }).await
    }
}

/// The table behind an unreliable network.
struct Reached(Arc<System>);

impl Reached {
    /// Checks that no worker takes an event over before the earlier claim has expired.
    fn check(&self, key: &DeliveryKey, attempt: u32, answer: &Result<(), StoreError>) {
        let now = self.0.now();
        let deadline = self.0.fate(&key.event, |fate| fate.deadlines[attempt as usize - 1]);
        if matches!(answer, Err(StoreError::Superseded)) && now <= deadline {
            let what = format!("{now}: attempt {attempt} at {key} was overtaken before {deadline}");
            self.0.with(|facts| facts.wrong.push(what));
        }
    }
}

#[async_trait]
impl ClaimStore for Reached {
    async fn claim(
        &self,
        key: &DeliveryKey,
        facts: &EventFacts,
        claimant: &Claimant,
    ) -> Result<Claim, StoreError> {
        let claim_once = || async {
            let claimed = self.0.claims.claim(key, facts, claimant).await;
            if let Ok(Claim::Granted { .. }) = claimed {
                self.0.fate(&key.event, |fate| fate.deadlines.push(claimant.deadline));
            }
            claimed
        };
        // The SDK repeats the request when an answer was lost; the second request then finds its own claim.
        let twice = self.0.happens(10);
        let claimed = self.0.call(async {
            let first = claim_once().await;
            if twice { claim_once().await } else { first }
        });
        claimed.await.map_err(StoreError::Unavailable)?
    }

    async fn record_effect(
        &self,
        key: &DeliveryKey,
        attempt: u32,
        effect: &Effect,
    ) -> Result<(), StoreError> {
        let recorded = self.0.call(async {
            let recorded = self.0.claims.record_effect(key, attempt, effect).await;
            self.check(key, attempt, &recorded);
            if recorded.is_ok() && *effect == Effect::from(UNKEYED) {
                self.0.fate(&key.event, |fate| fate.unconfirmed = fate.unconfirmed.saturating_sub(1));
            }
            recorded
        });
        recorded.await.map_err(StoreError::Unavailable)?
    }

    async fn end(&self, key: &DeliveryKey, ended: &Ended) -> Result<(), StoreError> {
        let recorded = self.0.call(async {
            let recorded = self.0.claims.end(key, ended).await;
            self.check(key, ended.attempt, &recorded);
            if recorded.is_ok() {
                self.0.fate(&key.event, |fate| fate.end = Some(ended.end.clone()));
            }
            recorded
        });
        recorded.await.map_err(StoreError::Unavailable)?
    }
}

/// The name of the effect at a destination without idempotency keys.
const UNKEYED: &str = "unkeyed";

/// A workflow with two effects: one at a destination with idempotency keys, and one at a destination without.
struct Acts(Arc<System>);

impl Acts {
    async fn reach(&self) -> Result<(), Failure> {
        match () {
            () if self.0.happens(6) => Err(Failure::transient("500")),
            () if self.0.happens(12) => {
                Err(Failure::Transient { source: "429".into(), retry_after: Some(Duration::from_secs(30)) })
            }
            () if self.0.happens(40) => Err(Failure::permanent("404")),
            () if self.0.happens(30) => Err(Failure::misconfigured("the token is revoked")),
            () if self.0.happens(30) => std::future::pending().await,
            () => {
                self.0.takes(3_000).await;
                Ok(())
            }
        }
    }
}

impl Workflow for Acts {
    const NAME: &'static str = "acts";

    async fn handle(&self, event: &Event, invocation: &Invocation) -> Result<Outcome, Failure> {
        if self.0.happens(15) {
            let wait = SignedDuration::from_secs(if fastrand::bool() { 90 } else { 5_000 });
            return Ok(Outcome::deferred(self.0.now() + wait, "not yet"));
        }
        if self.0.happens(40) {
            return Ok(Outcome::skipped("no rule"));
        }
        let keyed = async {
            self.reach().await?;
            self.0.with(|facts| {
                if facts.keys.insert(event.id.to_string()) {
                    facts.fates.entry(event.id.clone()).or_default().keyed_acts += 1;
                }
            });
            Ok::<_, Failure>(())
        };
        invocation.once(Effect::from("keyed"), keyed).await?;
        let unkeyed = async {
            self.reach().await?;
            self.0.fate(&event.id, |fate| {
                (fate.acts, fate.unconfirmed) = (fate.acts + 1, fate.unconfirmed + 1)
            });
            Ok::<_, Failure>(())
        };
        invocation.once(Effect::from(UNKEYED), unkeyed).await?;
        Ok(Outcome::Done)
    }
}

async fn run(seed: u64) -> Result<(), TestCaseError> {
    fastrand::seed(seed);
    let system = Arc::new(System {
        claims: MemoryClaims::default(),
        facts: Mutex::default(),
        start: Instant::now(),
        calm: AtomicBool::new(false),
    });
    let claims = Arc::new(Reached(Arc::clone(&system)));
    let failed: Arc<dyn FailedMessages> = Arc::<System>::clone(&system);
    let rules = rules::Rules::default().into();
    let worker = Arc::new(Worker::new(Ok(Acts(Arc::clone(&system))), rules, claims));
    let batches = Arc::new(Batches { worker, failed, timer: Arc::new(timer::MemoryTimer::default()) });

    let workers: Vec<_> = (0..WORKERS)
        .map(|_| {
            let system = Arc::clone(&system);
            let batches = Arc::clone(&batches);
            tokio::spawn(async move {
                let is_over = |system: &System| {
                    system.calm.load(Ordering::SeqCst) && system.with(|facts| facts.messages.is_empty())
                };
                while !is_over(&system) {
                    Arc::clone(&system).work(Arc::clone(&batches)).await;
                }
            })
        })
        .collect();
    while system.start.elapsed() < TROUBLE {
        // Bodies are drawn from a few numbers, so that many are duplicates, some sent at once and some later.
        system.send(body(fastrand::u64(..EVENTS)), None, Duration::ZERO);
        system.takes(60_000).await;
    }
    system.calm.store(true, Ordering::SeqCst);
    for worker in workers {
        let ended = tokio::time::timeout(Duration::from_secs(2 * 24 * 60 * 60), worker).await;
        prop_assert!(ended.is_ok(), "a message never came to an end");
    }
    let facts = system.facts.lock().unwrap();
    prop_assert_eq!(&facts.wrong, &Vec::<String>::new());
    for (event, fate) in &facts.fates {
        let id = event.short();
        let skipped = matches!(fate.end, Some(End::Skipped(_)));
        let finished = fate.end.as_ref().is_some_and(is_finished);
        prop_assert!(finished || fate.letters > 0, "{id} is lost: {fate:?}");
        prop_assert!(fate.acts <= 1 + fate.unconfirmed, "{id} acted too often: {fate:?}");
        prop_assert!(fate.keyed_acts <= 1, "{id}: the key was another: {fate:?}");
        let acted = fate.acts >= 1 && fate.keyed_acts == 1;
        prop_assert!(acted || skipped || fate.letters > 0, "{id} is done without its effects: {fate:?}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn whatever_goes_wrong_every_event_comes_to_its_end_and_acts_once_for_each_word_that_arrived(seed: u64) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_time().start_paused(true).build().unwrap().block_on(run(seed))?;
    }
}
