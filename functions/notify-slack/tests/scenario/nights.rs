//! Storms and flapping objects before, during and after quiet hours.

use crate::environment::{By, Environment, FAILED, SUCCEEDED, at};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use store::records::{Change, Commit, Key, Marked, MemoryRecords, Record, Records};
use tableau::Event;
use testkit::simulator::SlackFault;
use workflow::{BoxError, Outcome};

/// The time of minute 0 is 16:00 UTC.
const QUIET: &str = "
rules:
  - name: quiet
    quiet: { from: 17:00, to: 23:00 }
    on: [DatasourceRefreshFailed]
    do: [{ notify-slack: { channel: data-alerts } }]
";
const NIGHT: i64 = 120;
const MORNING: i64 = 421;

/// Failures of several objects, one per second.
fn of_each(environment: &Environment, name: &str, count: i64, minute: i64) -> Vec<(Timestamp, Event)> {
    let event = |n| {
        let happened = at(minute) + SignedDuration::from_secs(n);
        (happened, environment.event(name, &format!("object-{n:02}"), happened))
    };
    (0..count).map(event).collect()
}

#[tokio::test]
async fn a_storm_in_quiet_hours_is_a_digest_and_an_end() {
    for by in By::ALL {
        let environment = Environment::start(by, QUIET).await;
        let (_, timers) = environment.run(of_each(&environment, FAILED, 30, NIGHT)).await;
        let said = environment.new_messages();
        assert_eq!((said.len(), timers), (1, 1), "{by:?}: {said:#?}");
        assert!(said[0].contains("30 still failing"), "{}", said[0]);
        environment.run(of_each(&environment, FAILED, 30, MORNING + 60)).await;
        assert_eq!(environment.new_messages().len(), 1, "{by:?}: it goes on");
        environment.run(of_each(&environment, SUCCEEDED, 30, MORNING + 90)).await;
        let said = environment.new_messages();
        // When messages can be edited, one message shows the progress.
        assert_eq!(said.len(), if by.edits() { 3 } else { 2 }, "{by:?}: {said:#?}");
        assert!(said.last().unwrap().contains("All 30 recovered after"), "{said:#?}");
    }
}

#[tokio::test]
async fn what_flaps_all_night_is_in_the_digest() {
    for by in By::ALL {
        let environment = Environment::start(by, QUIET).await;
        let turns = (0..8).flat_map(|n| [(FAILED, NIGHT + n * 20), (SUCCEEDED, NIGHT + n * 20 + 10)]);
        environment
            .run(
                turns
                    .map(|(name, minute)| (at(minute), environment.event(name, "Sales", at(minute))))
                    .collect(),
            )
            .await;
        let said = environment.new_messages();
        assert_eq!(said.len(), 1, "{by:?}: {said:#?}");
        assert!(said[0].contains("4 times"), "{}", said[0]);
    }
}

#[tokio::test]
async fn what_could_not_be_sent_by_day_calls_no_one_at_night() {
    for by in By::ALL {
        let environment = Environment::start(by, QUIET).await;
        environment.fail_next(1, &SlackFault::RateLimited { retry_after: 1 });
        let event = environment.event(FAILED, "Sales", at(59));
        assert!(environment.attempt(&event, at(59)).await.is_err());
        assert!(matches!(environment.attempt(&event, at(NIGHT)).await.unwrap(), Outcome::Skipped(_)));
        assert!(environment.said().is_empty(), "{by:?}: {:#?}", environment.said());
        environment.wait_until(at(MORNING)).await;
        environment.one(SUCCEEDED, "Sales", MORNING + 10).await;
        let said = environment.new_messages();
        assert!(said[0].contains("in quiet hours") && said[1].contains("Recovered after"), "{said:#?}");
        assert_eq!(said.len(), 2);
    }
}

#[tokio::test]
async fn those_who_wait_for_each_other_when_quiet_hours_begin_are_announced_in_the_morning_and_end() {
    for by in By::ALL {
        let environment = Environment::start(by, QUIET).await;
        let before = SignedDuration::from_secs(8);
        let storm =
            of_each(&environment, FAILED, 6, 60).into_iter().map(|(time, event)| (time - before, event));
        for (n, (time, event)) in storm.enumerate() {
            let outcome = environment.attempt(&event, time).await.unwrap();
            assert_eq!(outcome == Outcome::Done, n == 0, "{outcome:?}");
        }
        assert_eq!(environment.new_messages().len(), 1, "{by:?}");
        environment.wait_until(at(MORNING - 2)).await;
        assert_eq!(environment.new_messages().len(), 1, "{by:?}: {:#?}", environment.new_messages());
        environment.wait_until(at(MORNING)).await;
        assert_eq!(environment.new_messages().len(), 2, "{by:?}: {:#?}", environment.new_messages());
        environment.run(of_each(&environment, SUCCEEDED, 6, MORNING + 10)).await;
        let said = environment.new_messages().join("\n");
        assert!(said.contains("All 5 recovered") && said.contains("Recovered after 6 h"), "{by:?}: {said}");
    }
}

#[tokio::test]
async fn a_storm_that_ends_in_quiet_hours_ends_in_place_and_in_the_digest() {
    for by in By::ALL {
        let environment = Environment::start(by, QUIET).await;
        environment.run(of_each(&environment, FAILED, 6, 0)).await;
        let by_day = environment.new_messages().len();
        for (n, (time, event)) in (0..).zip(of_each(&environment, SUCCEEDED, 6, NIGHT)) {
            // A message is edited at most every ten seconds.
            let time = time + SignedDuration::from_secs(n * 15);
            environment.wait_until(time).await;
            let outcome = environment.attempt(&event, time).await.unwrap();
            assert!(matches!(outcome, Outcome::Skipped(_) | Outcome::Done), "{by:?}: {outcome:?}");
        }
        environment.wait_until(at(NIGHT + 60)).await;
        assert_eq!(environment.new_messages().len(), by_day, "{by:?}: no one is called");
        if by.edits() {
            let seen = environment.seen("data-alerts");
            assert!(seen.iter().all(|text| !text.contains('🔴')), "{seen:#?}");
        }
        environment.wait_until(at(MORNING)).await;
        let said = environment.new_messages();
        assert_eq!(said.len(), by_day + 1, "{by:?}: {said:#?}");
        assert!(said.last().unwrap().contains("in quiet hours"));
    }
}

/// A store that fails once when a digest is written.
#[derive(Default)]
struct OnceThrottled(MemoryRecords, AtomicBool);

#[async_trait]
impl Records for OnceThrottled {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Record>>, BoxError> {
        self.0.load(keys).await
    }

    async fn list(&self, partition: &str) -> Result<Vec<(String, Record)>, BoxError> {
        self.0.list(partition).await
    }

    async fn commit(&self, changes: &[Change]) -> Result<Commit, BoxError> {
        let is_digest = changes.iter().any(|change| change.key.partition.starts_with("digest#"));
        if is_digest && !self.1.swap(true, Ordering::SeqCst) {
            return Err("throttled".into());
        }
        self.0.commit(changes).await
    }

    async fn raise_mark(&self, key: &Key, mark: i64, expires_at: Timestamp) -> Result<Marked, BoxError> {
        self.0.raise_mark(key, mark, expires_at).await
    }

    async fn due(&self, before: Timestamp, limit: usize) -> Result<Vec<Key>, BoxError> {
        self.0.due(before, limit).await
    }
}

#[tokio::test]
async fn a_recovery_at_night_is_announced_although_the_table_failed_once() {
    for by in By::ALL {
        let environment = Environment::with(by, QUIET, Arc::new(OnceThrottled::default())).await;
        environment.one(FAILED, "Sales", 0).await;
        let event = environment.event(SUCCEEDED, "Sales", at(NIGHT));
        assert!(environment.attempt(&event, at(NIGHT)).await.is_err());
        environment.run(vec![(at(NIGHT + 1), event)]).await;
        let said = environment.new_messages();
        assert_eq!(said.len(), 2, "{by:?}: {said:#?}");
        assert!(said[1].contains("Extract refresh succeeded: Sales"), "{}", said[1]);
    }
}

#[tokio::test]
async fn a_rule_that_is_muted_meanwhile_posts_nothing_and_leaves_nothing_red() {
    let rules = |more: &str| QUIET.replace("    quiet: { from: 17:00, to: 23:00 }\n", more);
    for by in By::EDITING {
        let environment = Environment::start(by, &rules("")).await;
        environment.run(of_each(&environment, FAILED, 6, 0)).await;
        let by_day = environment.new_messages().len();
        let environment = environment.with_rules(&rules("    mute_until: 2026-01-01T00:00:00Z\n"));
        environment.run(of_each(&environment, SUCCEEDED, 6, 30)).await;
        assert_eq!(environment.new_messages().len(), by_day);
        let seen = environment.seen("data-alerts");
        assert!(seen.iter().all(|text| !text.contains('🔴')), "{by:?}: {seen:#?}");
    }
}
