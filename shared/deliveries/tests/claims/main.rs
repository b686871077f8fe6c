//! One test suite for every `ClaimStore`: memory, DynamoDB on the AWS double, and DynamoDB on the emulator at
//! `AWS_CONTRACT_URL`, when set.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod for_people;
mod record;

use deliveries::{
    Claim, ClaimStore, Claimant, DeliveryKey, DynamoDbClaims, Effect, End, Ended, EventFacts, MemoryClaims,
    Progress, StoreError,
};
use jiff::{SignedDuration, Timestamp};
use local_aws::Aws;
use std::collections::BTreeSet;
use std::sync::Arc;
use tableau::{EventId, Payload};
use testkit::dynamodb::{Emulator, client as dynamodb};

/// A key that no other test uses, so that the emulator's table can be reused.
fn key() -> DeliveryKey {
    let text = Some(format!("{:?}", std::time::Instant::now()) + &fastrand::u64(..).to_string());
    DeliveryKey::new("notify-slack", EventId::of(&Payload { text, ..Payload::default() }))
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_736_961_285).unwrap() + SignedDuration::from_secs(second)
}

fn effects(texts: &[&str]) -> BTreeSet<Effect> {
    texts.iter().map(|text| Effect::from(*text)).collect()
}

fn granted(attempt: u32, names: &[&str]) -> Claim {
    Claim::Granted { attempt, progress: Progress { effects: effects(names), ..Progress::default() } }
}

async fn claim(store: &dyn ClaimStore, key: &DeliveryKey, now: i64) -> Claim {
    let facts = EventFacts { name: "WorkbookUpdated".to_owned(), ..EventFacts::default() };
    without_reason(store.claim(key, &facts, &claimant(now, now + 60)).await.unwrap())
}

/// Ignores the reason of the previous attempt, which most tests are not about.
fn without_reason(claim: Claim) -> Claim {
    match claim {
        Claim::Granted { attempt, progress } => {
            Claim::Granted { attempt, progress: Progress { last_reason: None, ..progress } }
        }
        other => other,
    }
}

fn claimant(now: i64, deadline: i64) -> Claimant {
    let owner = format!("invocation {}", fastrand::u64(..));
    Claimant { owner, now: at(now), deadline: at(deadline), copy_of: None }
}

async fn claim_by(store: &dyn ClaimStore, key: &DeliveryKey, claimant: &Claimant) -> Claim {
    store.claim(key, &EventFacts::default(), claimant).await.unwrap()
}

/// What a claim returns about earlier attempts.
async fn progress(store: &dyn ClaimStore, key: &DeliveryKey, now: i64) -> (u32, Progress) {
    match claim(store, key, now).await {
        Claim::Granted { attempt, progress } => (attempt, progress),
        other => panic!("{other:?}"),
    }
}

async fn end(
    store: &dyn ClaimStore,
    key: &DeliveryKey,
    attempt: u32,
    end: End,
    now: i64,
) -> Result<(), StoreError> {
    let ended = Ended { attempt, began: at(now - 1), at: at(now), end, next_at: None, cause: None };
    store.end(key, &ended).await
}

async fn suite(store: Arc<dyn ClaimStore>) {
    a_finished_event_is_not_claimed_again(&*store).await;
    a_live_claim_keeps_others_out_and_an_expired_one_does_not(&*store).await;
    a_released_event_is_claimed_again_with_its_effects(&*store).await;
    a_failed_or_ignored_event_may_be_claimed_again(&*store).await;
    a_deferred_event_goes_on_when_it_is_claimed_again(&*store).await;
    an_attempt_that_was_overtaken_changes_nothing(&*store).await;
    an_end_that_is_recorded_twice_counts_once(&*store).await;
    a_worker_recognises_its_own_claim(&*store).await;
    a_claim_of_a_clock_that_is_years_ahead_does_not_count(&*store).await;
    an_extra_copy_of_a_deferred_event_ends_early(&*store).await;
    a_claim_gets_the_reason_of_the_attempt_before(&*store).await;
    a_record_counts_failures_in_a_row_and_since_when_a_person_is_waited_for(&*store).await;
    a_claim_gets_the_cause_that_an_earlier_attempt_found(&*store).await;
    of_many_that_claim_at_once_one_gets_it(store).await;
}

async fn a_finished_event_is_not_claimed_again(store: &dyn ClaimStore) {
    for last in [End::Done, End::Skipped("no rule".to_owned())] {
        let key = key();
        assert_eq!(claim(store, &key, 0).await, granted(1, &[]));
        end(store, &key, 1, last, 1).await.unwrap();
        assert_eq!(claim(store, &key, 2).await, Claim::Finished);
        assert_eq!(claim(store, &key, 1_000).await, Claim::Finished);
    }
}

async fn a_live_claim_keeps_others_out_and_an_expired_one_does_not(store: &dyn ClaimStore) {
    let key = key();
    claim(store, &key, 0).await;
    assert_eq!(claim(store, &key, 59).await, Claim::Busy { until: at(60) });
    assert_eq!(claim(store, &key, 61).await, granted(2, &[]));
}

async fn a_released_event_is_claimed_again_with_its_effects(store: &dyn ClaimStore) {
    let key = key();
    claim(store, &key, 0).await;
    store.record_effect(&key, 1, &Effect::from("slack/a")).await.unwrap();
    store.record_effect(&key, 1, &Effect::from("slack/b")).await.unwrap();
    store.record_effect(&key, 1, &Effect::from("slack/a")).await.unwrap();
    end(store, &key, 1, End::Released("Slack is down".to_owned()), 1).await.unwrap();
    assert_eq!(progress(store, &key, 2).await.1.effects, effects(&["slack/a", "slack/b"]));
}

async fn a_claim_gets_the_cause_that_an_earlier_attempt_found(store: &dyn ClaimStore) {
    let key = key();
    let found = [None, Some("NotFound"), None, Some("Quota"), None];
    let known = [None, None, Some("NotFound"), Some("NotFound"), Some("Quota")];
    for (attempt, (found, known)) in (1..).zip(found.into_iter().zip(known)) {
        let now = i64::from(attempt) * 10;
        assert_eq!(progress(store, &key, now).await.1.cause.as_deref(), known);
        let ended = Ended {
            attempt,
            began: at(now),
            at: at(now + 1),
            end: End::Released("Slack is down".to_owned()),
            next_at: None,
            cause: found.map(str::to_owned),
        };
        store.end(&key, &ended).await.unwrap();
    }
}

async fn a_failed_or_ignored_event_may_be_claimed_again(store: &dyn ClaimStore) {
    for last in [End::Failed("no such channel".to_owned()), End::Ignored("another site".to_owned())] {
        let key = key();
        claim(store, &key, 0).await;
        end(store, &key, 1, last, 1).await.unwrap();
        assert_eq!(claim(store, &key, 2).await, granted(2, &[]));
    }
}

async fn a_deferred_event_goes_on_when_it_is_claimed_again(store: &dyn ClaimStore) {
    let key = key();
    claim(store, &key, 0).await;
    store.record_effect(&key, 1, &Effect::from("slack/a")).await.unwrap();
    end(store, &key, 1, End::Deferred("until the morning".to_owned()), 1).await.unwrap();
    assert_eq!(progress(store, &key, 2).await.1.effects, effects(&["slack/a"]));
}

async fn an_attempt_that_was_overtaken_changes_nothing(store: &dyn ClaimStore) {
    let key = key();
    claim(store, &key, 0).await;
    assert_eq!(claim(store, &key, 100).await, granted(2, &[]));
    for late in [
        store.record_effect(&key, 1, &Effect::from("slack/a")).await,
        end(store, &key, 1, End::Done, 101).await,
        end(store, &key, 1, End::Released("late".to_owned()), 101).await,
    ] {
        assert!(matches!(late, Err(StoreError::Superseded)), "{late:?}");
    }
    end(store, &key, 2, End::Done, 102).await.unwrap();
    let other = end(store, &key, 2, End::Released("late".to_owned()), 103).await;
    assert!(matches!(other, Err(StoreError::Superseded)), "{other:?}");
}

// The answer to the end of an attempt was lost, and the worker records the end again.
async fn an_end_that_is_recorded_twice_counts_once(store: &dyn ClaimStore) {
    for last in [
        End::Done,
        End::Failed("no such channel".to_owned()),
        End::Released("Slack is down".to_owned()),
        End::Deferred("quiet hours".to_owned()),
    ] {
        let key = key();
        claim(store, &key, 0).await;
        end(store, &key, 1, last.clone(), 1).await.unwrap();
        end(store, &key, 1, last.clone(), 2).await.unwrap();
        if let Claim::Granted { progress, .. } = claim(store, &key, 3).await {
            assert!(progress.failures + progress.deferrals <= 1, "{last:?}: {progress:?}");
            // The next attempt has begun, so the first attempt's end is too late.
            let late = end(store, &key, 1, last, 4).await;
            assert!(matches!(late, Err(StoreError::Superseded)), "{late:?}");
        }
    }
}

// The answer to a claim was lost, and the worker claims again.
async fn a_worker_recognises_its_own_claim(store: &dyn ClaimStore) {
    let key = key();
    let worker = claimant(0, 60);
    assert_eq!(claim_by(store, &key, &worker).await, granted(1, &[]));
    assert_eq!(claim_by(store, &key, &worker).await, granted(2, &[]));
    assert_eq!(claim(store, &key, 1).await, Claim::Busy { until: at(60) });
    end(store, &key, 2, End::Done, 2).await.unwrap();
    assert_eq!(claim_by(store, &key, &worker).await, Claim::Finished);
}

// A worker with a wrong clock must not block the others.
async fn a_claim_of_a_clock_that_is_years_ahead_does_not_count(store: &dyn ClaimStore) {
    const YEAR: i64 = 365 * 24 * 60 * 60;
    let key = key();
    assert_eq!(claim_by(store, &key, &claimant(2 * YEAR, 2 * YEAR + 60)).await, granted(1, &[]));
    assert_eq!(claim(store, &key, 0).await, granted(2, &[]));
    // Lambda gives an invocation fifteen minutes at most.
    let longest = self::key();
    claim_by(store, &longest, &claimant(0, 900)).await;
    assert_eq!(claim(store, &longest, 0).await, Claim::Busy { until: at(900) });
    let longer = self::key();
    claim_by(store, &longer, &claimant(0, 901)).await;
    assert_eq!(claim(store, &longer, 0).await, granted(2, &[]));
}

// While SQS is slow, a deferred attempt sends its copy twice.
async fn an_extra_copy_of_a_deferred_event_ends_early(store: &dyn ClaimStore) {
    let key = key();
    let deferred = || End::Deferred("quiet hours".to_owned());
    let copy = |copy_of, now| Claimant { copy_of: Some(copy_of), ..claimant(now, now + 60) };
    claim(store, &key, 0).await;
    end(store, &key, 1, deferred(), 1).await.unwrap();

    // Two copies of the first attempt: the first copy that arrives continues, the second is dropped.
    assert!(matches!(claim_by(store, &key, &copy(1, 900)).await, Claim::Granted { attempt: 2, .. }));
    assert_eq!(claim_by(store, &key, &copy(1, 900)).await, Claim::Busy { until: at(960) });
    end(store, &key, 2, deferred(), 901).await.unwrap();
    assert_eq!(claim_by(store, &key, &copy(1, 961)).await, Claim::ExtraCopy);

    // The copy that continues is not dropped after its worker died or after a failure.
    assert!(matches!(claim_by(store, &key, &copy(2, 1_800)).await, Claim::Granted { attempt: 3, .. }));
    assert!(matches!(claim_by(store, &key, &copy(2, 2_000)).await, Claim::Granted { attempt: 4, .. }));
    end(store, &key, 4, End::Released("Slack is down".to_owned()), 2_001).await.unwrap();
    assert!(matches!(claim_by(store, &key, &copy(2, 2_100)).await, Claim::Granted { attempt: 5, .. }));
    end(store, &key, 5, End::Done, 2_101).await.unwrap();
    assert_eq!(claim_by(store, &key, &copy(2, 2_200)).await, Claim::Finished);
}

// An event that is given up has a reason.
async fn a_claim_gets_the_reason_of_the_attempt_before(store: &dyn ClaimStore) {
    let long = "x".repeat(2_000);
    for end in [
        End::Released(long.clone()),
        End::Misconfigured(long.clone()),
        End::Deferred(long.clone()),
        End::Failed(long.clone()),
        End::Ignored(long.clone()),
        End::Released(String::new()),
    ] {
        let key = key();
        claim(store, &key, 0).await;
        self::end(store, &key, 1, end.clone(), 1).await.unwrap();
        // The worker of the second attempt dies: the recorded reason is that of the first attempt.
        claim(store, &key, 2).await;
        let next = claim_by(store, &key, &claimant(100, 160)).await;
        let Claim::Granted { attempt: 3, progress } = next else { panic!("{next:?}") };
        let kept = (end != End::Released(String::new())).then(|| long[..1_000].to_owned());
        assert_eq!(progress.last_reason, kept, "{end:?}");
    }
}

// What the runtime must know to give an event up.
async fn a_record_counts_failures_in_a_row_and_since_when_a_person_is_waited_for(store: &dyn ClaimStore) {
    let key = key();
    let why = || "because".to_owned();
    let steps = [
        (End::Released(why()), (1, 0, None)),
        (End::Released(why()), (2, 0, None)),
        (End::Misconfigured(why()), (0, 0, Some(3_001))),
        (End::Misconfigured(why()), (0, 0, Some(3_001))),
        (End::Released(why()), (1, 0, None)),
        (End::Deferred(why()), (0, 1, None)),
        (End::Deferred(why()), (0, 2, None)),
        (End::Misconfigured(why()), (0, 2, Some(8_001))),
        (End::Failed(why()), (0, 0, None)),
    ];
    for (step, (end, (failures, deferrals, since))) in (1_i64..).zip(steps) {
        let (attempt, _) = progress(store, &key, step * 1_000).await;
        self::end(store, &key, attempt, end.clone(), step * 1_000 + 1).await.unwrap();
        let (attempt, after) = progress(store, &key, step * 1_000 + 2).await;
        let misconfigured_since = since.map(at);
        let expected = Progress { failures, deferrals, misconfigured_since, ..Progress::default() };
        assert_eq!(after, expected, "step {step}");
        // A worker that dies is no failure and changes no counter.
        assert_eq!(progress(store, &key, step * 1_000 + 90).await, (attempt + 1, expected));
    }
}

async fn of_many_that_claim_at_once_one_gets_it(store: Arc<dyn ClaimStore>) {
    let key = key();
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let store = Arc::clone(&store);
            let key = key.clone();
            tokio::spawn(async move { claim(&*store, &key, 0).await })
        })
        .collect();
    let mut won = 0;
    for task in tasks {
        match task.await.unwrap() {
            Claim::Granted { .. } => won += 1,
            other => assert_eq!(other, Claim::Busy { until: at(60) }),
        }
    }
    assert_eq!(won, 1);
}

/// One operation of a worker that has the claim, or assumes that it has.
async fn random_move(
    store: &dyn ClaimStore,
    key: &DeliveryKey,
    random: &mut fastrand::Rng,
    now: i64,
) -> String {
    let attempt = random.u32(1..5);
    match random.u8(..8) {
        0..=2 => {
            let owner = format!("invocation {}", random.u8(..3));
            let copy_of = random.bool().then(|| random.u32(1..5));
            let claimant = Claimant { owner, copy_of, ..claimant(now, now + random.i64(1..1_000)) };
            format!("{:?}", claim_by(store, key, &claimant).await)
        }
        3 => {
            let effect = Effect::from(["slack/a", "observed", "of another version/1"][random.usize(..3)]);
            format!("{:?}", store.record_effect(key, attempt, &effect).await)
        }
        other => {
            let why = || "because".to_owned();
            let ends = [
                End::Released(why()),
                End::Deferred(why()),
                End::Misconfigured(why()),
                End::Failed(why()),
                End::Ignored(why()),
                End::Skipped(why()),
                End::Done,
            ];
            // A final state allows no further claim.
            let last = if other == 7 { ends.len() } else { 4 };
            format!("{:?}", end(store, key, attempt, ends[random.usize(..last)].clone(), now).await)
        }
    }
}

#[tokio::test]
async fn dynamodb_and_memory_answer_alike_whatever_comes() {
    let aws = Aws::start().await.unwrap();
    testkit::dynamodb::create_table(&aws, "deliveries");
    let memory = MemoryClaims::default();
    let table = DynamoDbClaims::new(dynamodb(&aws), "deliveries");
    for seed in 0..60 {
        let key = key();
        let mut now = 0;
        let mut random = fastrand::Rng::with_seed(seed);
        for step in 0..30 {
            now += random.i64(0..40);
            let mut same = random.clone();
            let expected = random_move(&memory, &key, &mut random, now).await;
            let answered = random_move(&table, &key, &mut same, now).await;
            assert_eq!(answered, expected, "seed {seed}, step {step}");
        }
    }
}

#[tokio::test]
async fn memory_keeps_the_contract() {
    suite(Arc::new(MemoryClaims::default())).await;
}

#[tokio::test]
async fn dynamodb_on_the_double_keeps_the_contract() {
    let aws = Aws::start().await.unwrap();
    testkit::dynamodb::create_table(&aws, "deliveries");
    suite(Arc::new(DynamoDbClaims::new(dynamodb(&aws), "deliveries"))).await;
}

#[tokio::test]
async fn dynamodb_on_the_emulator_keeps_the_contract() {
    let Some(emulator) = Emulator::with_table("claims").await else { return };
    suite(Arc::new(DynamoDbClaims::new(dynamodb(&emulator.url), &emulator.table))).await;
    emulator.delete_table().await;
}
