//! Conditions of hours and weeks: channels that refuse, mutes, expired documents, rules for single objects.

use crate::environment::{EDITS, Environment, FAILED, POSTS, SUCCEEDED, UPDATED, at, event};
use crate::incidents::{HOUR, NIGHT, each, quiet, run};
use crate::sweep::sweep_for;
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use store::records::{Change, Commit, Key, Marked, MemoryRecords, Record, Records};
use workflow::BoxError;

const DAY: i64 = 24 * HOUR;

// A timer that fails permanently becomes a dead letter; its group and its digest are announced all the same.
#[tokio::test(start_paused = true)]
async fn a_channel_that_refuses_once_loses_no_group_and_no_digest() {
    for night in [false, true] {
        let mut environment = if night { quiet(EDITS) } else { Environment::new(EDITS) };
        let second = if night { 2 * HOUR } else { 0 };
        if !night {
            environment.one(FAILED, "object-000", 0).await;
        }
        environment.channel(|channel| channel.refusals = 1);
        let failed = each(FAILED, 5, second).into_iter().skip(usize::from(!night));
        run(&mut environment, failed.collect()).await;
        sweep_for(&mut environment, 1..=40).await;
        let shown = environment.shown_failing(|_| false).len();
        assert_eq!(shown, 5, "night: {night}: {:?}", environment.headlines());
        assert!(environment.asked().last_refreshes <= 20, "{:?}", environment.asked());
    }
}

/// Deletes expired items, as DynamoDB does.
#[derive(Default)]
struct Expiring {
    records: MemoryRecords,
    now: Arc<Mutex<Timestamp>>,
    ends: Mutex<BTreeMap<Key, Timestamp>>,
}

impl Expiring {
    fn is_gone(&self, partition: &str, sort: &str) -> bool {
        let key = Key { partition: partition.to_owned(), sort: sort.to_owned() };
        self.ends.lock().unwrap().get(&key).is_some_and(|end| *end < *self.now.lock().unwrap())
    }
}

#[async_trait]
impl Records for Expiring {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Record>>, BoxError> {
        let loaded = self.records.load(keys).await?;
        let kept = |(record, key): (Option<Record>, &Key)| {
            record.filter(|_| !self.is_gone(&key.partition, &key.sort))
        };
        Ok(loaded.into_iter().zip(keys).map(kept).collect())
    }

    async fn list(&self, partition: &str) -> Result<Vec<(String, Record)>, BoxError> {
        let listed = self.records.list(partition).await?;
        Ok(listed.into_iter().filter(|(sort, _)| !self.is_gone(partition, sort)).collect())
    }

    async fn commit(&self, changes: &[Change]) -> Result<Commit, BoxError> {
        let commit = self.records.commit(changes).await?;
        if matches!(commit, Commit::Done(_)) {
            let written =
                changes.iter().filter_map(|change| Some((change.key.clone(), change.write.as_ref()?)));
            let ends = written.map(|(key, write)| (key, write.expires_at));
            self.ends.lock().unwrap().extend(ends);
        }
        Ok(commit)
    }

    async fn raise_mark(&self, key: &Key, mark: i64, expires_at: Timestamp) -> Result<Marked, BoxError> {
        self.records.raise_mark(key, mark, expires_at).await
    }

    async fn due(&self, before: Timestamp, limit: usize) -> Result<Vec<Key>, BoxError> {
        let due = self.records.due(before, limit).await?;
        Ok(due.into_iter().filter(|key| !self.is_gone(&key.partition, &key.sort)).collect())
    }
}

// An incident that never resolves is reminded of once a day, without limit.
#[tokio::test(start_paused = true)]
async fn a_group_that_stays_open_for_weeks_does_not_end_by_itself() {
    let now = Arc::new(Mutex::new(at(0)));
    let records = Expiring { now: Arc::clone(&now), ..Expiring::default() };
    let mut environment = Environment::on(Arc::new(records), EDITS);
    environment.run(each(FAILED, 6, 0), &BTreeMap::new(), at(HOUR)).await;
    let before = environment.messages().len();
    for hour in 1..=(24 * 34) {
        *now.lock().unwrap() = at(hour * HOUR);
        environment.sweep(hour * HOUR).await.unwrap();
        environment.run(Vec::new(), &BTreeMap::new(), at((hour + 1) * HOUR)).await;
    }
    assert!(environment.replies().is_empty(), "nothing has recovered: {:?}", environment.headlines());
    let reminders = environment.messages().len() - before;
    assert!((30..=34).contains(&reminders), "{reminders}");
}

// A mute may be removed before its end, and a success may be lost during the mute.
#[tokio::test(start_paused = true)]
async fn a_group_is_looked_at_daily_while_its_rule_is_muted() {
    for is_lost in [false, true] {
        let mut environment = Environment::new(EDITS);
        run(&mut environment, each(FAILED, 6, 0)).await;
        environment.one(FAILED, "lone", 20 * 60).await;
        let before = environment.messages().len();
        environment.rules(|rules| rules.muted_until = Some(at(20 * DAY)));
        sweep_for(&mut environment, 1..=30).await;
        assert_eq!(environment.messages().len(), before);
        if is_lost {
            environment.lost_success(40 * HOUR);
            sweep_for(&mut environment, 41..=100).await;
            assert!(
                environment.shown_failing(|_| false).is_empty(),
                "{:?}",
                environment.shown_failing(|_| false)
            );
        } else {
            environment.rules(|rules| rules.muted_until = None);
            sweep_for(&mut environment, 31..=60).await;
            let later = &environment.headlines()[before..];
            assert!(later.iter().any(|headline| headline.contains("extract refreshes")), "{later:?}");
        }
    }
}

// A DynamoDB transaction has at most a hundred items, and an event may have more channels.
#[tokio::test(start_paused = true)]
async fn an_event_of_many_channels_reaches_each_once_and_ends_in_each() {
    let channels: Vec<&'static str> = (0..120).map(|n| &*format!("channel-{n:03}").leak()).collect();
    for second in [0, 2 * HOUR] {
        for (capabilities, count) in [(EDITS, 1), (EDITS, 5), (POSTS, 1)] {
            let mut environment = quiet(capabilities);
            environment.rules(|rules| rules.channels.clone_from(&channels));
            run(&mut environment, each(FAILED, count, second)).await;
            let sent = |environment: &Environment| -> BTreeMap<String, usize> {
                let messages = environment.messages();
                let targets: BTreeSet<String> =
                    messages.iter().map(|message| message.target.clone()).collect();
                let of =
                    |target: &String| messages.iter().filter(|message| message.target == *target).count();
                targets.iter().map(|target| (target.clone(), of(target))).collect()
            };
            let expected = if second == 0 && count > 1 { 2 } else { 1 };
            let context = format!("{second}, {capabilities:?}, {count}: {:?}", sent(&environment));
            assert_eq!(sent(&environment).len(), 120, "{context}");
            assert!(sent(&environment).values().all(|times| *times == expected), "{context}");
            run(&mut environment, each(SUCCEEDED, count, 20 * HOUR)).await;
            assert!(environment.shown_failing(|_| false).is_empty(), "{context}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_that_was_announced_alone_is_not_in_the_digest_of_its_group() {
    let mut environment = Environment::new(EDITS);
    environment.rules(|rules| {
        rules.names.push(UPDATED);
        rules.quiet = Some((at(55), at(10 * HOUR)));
    });
    let events = [("A", 0), ("B", 3), ("C", 50)].map(|(name, second)| (second, event(UPDATED, name, second)));
    run(&mut environment, events.to_vec()).await;
    let messages = environment.messages();
    let digest = messages.last().unwrap();
    let names: Vec<&str> =
        digest.shown.lists.iter().flat_map(|list| &list.items).map(|item| item.name.as_str()).collect();
    assert_eq!(names, ["C"], "{:?}", environment.headlines());
}

#[tokio::test(start_paused = true)]
async fn what_another_worker_has_written_since_counts_for_groups_and_reminders() {
    let workers = || {
        let records: Arc<dyn Records> = Arc::new(MemoryRecords::default());
        [(); 2].map(|()| Environment::on(Arc::clone(&records), EDITS))
    };
    let mut digest = workers();
    for environment in &digest {
        environment.rules(|rules| rules.quiet = Some((at(NIGHT.0), at(NIGHT.1))));
    }
    digest[0].one(FAILED, "Sales", 2 * HOUR).await;
    digest[0].lose_timers();
    digest[1].sweep(NIGHT.1 + HOUR).await.unwrap();
    run(&mut digest[1], Vec::new()).await;
    assert_eq!(digest[1].messages().len(), 1);
    for hour in 16..=40 {
        digest[0].sweep(hour * HOUR).await.unwrap();
    }
    assert_eq!(digest[0].messages().len(), 1, "the worker that saw the digest unsent reminds of it");

    let mut group = workers();
    group[1].one(FAILED, "old", -HOUR).await;
    for n in 0..6 {
        group[0].one(FAILED, &format!("object-{n}"), n).await;
    }
    group[0].lose_timers();
    group[1].sweep(400).await.unwrap();
    group[1].run(Vec::new(), &BTreeMap::new(), at(500)).await;
    assert_eq!(group[1].messages().last().unwrap().shown.title, "6 extract refreshes failed");
}

// Reminders that an archived channel refuses do not delay reminders for other channels.
#[tokio::test(start_paused = true)]
async fn a_channel_that_refuses_for_good_is_tried_four_times_a_day_for_each_incident() {
    let mut environment = Environment::new(EDITS);
    environment.rules(|rules| {
        rules.channels = vec!["archived", "data"];
        rules.by_name = true;
    });
    for n in 0..30 {
        environment.one(FAILED, &format!("archived-{n:03}"), n * 61).await;
    }
    environment.one(FAILED, "data", HOUR).await;
    let before = environment.messages().len();
    environment.channel(|channel| channel.archived = Some("archived"));
    sweep_for(&mut environment, 26..=49).await;
    assert_eq!(environment.messages().len() - before, 1, "{:?}", environment.headlines());
    let mut refused = 0;
    environment.channel(|channel| refused = channel.refused);
    assert!((30..=120).contains(&refused), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_resolution_that_was_found_late_is_not_given_up_when_it_fails_once() {
    let mut environment = Environment::new(EDITS);
    environment.one(FAILED, "Sales", 0).await;
    environment.lost_success(2 * HOUR);
    environment.fail_next_deliveries(1);
    sweep_for(&mut environment, 80..=82).await;
    assert!(environment.messages()[0].is_closed);
}

#[tokio::test(start_paused = true)]
async fn what_joined_an_announced_group_before_a_mute_is_announced_after_it() {
    let mut environment = Environment::new(POSTS);
    let mut events = each(FAILED, 6, 0);
    events.push((50, event(FAILED, "late", 50)));
    // The mute begins after the group was announced and before its next message.
    environment.rules(|rules| rules.muted_object = Some(("late", at(0))));
    environment.run(events, &BTreeMap::new(), at(100)).await;
    environment.rules(|rules| rules.muted_until = Some(at(2 * HOUR)));
    sweep_for(&mut environment, 1..=4).await;
    environment.one(FAILED, "late", 5 * HOUR).await;
    sweep_for(&mut environment, 6..=30).await;
    assert!(environment.shown_failing(|_| false).contains("late"), "{:?}", environment.headlines());
}

// A rule for one object takes precedence for this object.
#[tokio::test(start_paused = true)]
async fn the_mute_of_one_member_silences_no_other_member_of_its_group() {
    for muted in ["object-001", "object-003"] {
        for capabilities in [EDITS, POSTS] {
            let mut environment = Environment::new(capabilities);
            for n in 0..6 {
                environment.one(FAILED, &format!("object-{n:03}"), n).await;
            }
            environment.rules(|rules| rules.muted_object = Some((muted, at(100 * DAY))));
            run(&mut environment, Vec::new()).await;
            let shown = environment.shown_failing(|_| false);
            assert!(shown.len() == 5 && !shown.contains(muted), "{muted}: {:?}", environment.headlines());

            let mut environment = Environment::new(capabilities);
            run(&mut environment, each(FAILED, 6, 0)).await;
            environment.rules(|rules| rules.muted_object = Some((muted, at(100 * DAY))));
            let before = environment.messages().len();
            sweep_for(&mut environment, 1..=30).await;
            assert_eq!(environment.messages().len(), before + 1, "a reminder: {:?}", environment.headlines());
            run(&mut environment, each(SUCCEEDED, 6, 31 * HOUR)).await;
            let has_ended =
                environment.headlines().iter().any(|headline| headline.starts_with("All 6 recovered"));
            assert!(has_ended, "{muted}: {:?}", environment.headlines());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_announced_group_ends_although_its_rule_was_gone_for_a_while() {
    let mut environment = Environment::new(EDITS);
    environment.rules(|rules| rules.ends_unnamed = false);
    run(&mut environment, each(FAILED, 6, 0)).await;
    environment.rules(|rules| rules.channels = Vec::new());
    let one = vec![(HOUR, event(SUCCEEDED, "object-001", HOUR))];
    environment.run(one, &BTreeMap::new(), at(90 * 60)).await;
    environment.rules(|rules| rules.channels = vec!["data"]);
    run(&mut environment, each(SUCCEEDED, 6, 2 * HOUR)).await;
    sweep_for(&mut environment, 3..=40).await;
    assert!(environment.shown_failing(|_| false).is_empty(), "{:?}", environment.headlines());
}

// The group of a digest whose timer is late also waits for the morning.
#[tokio::test(start_paused = true)]
async fn a_digest_that_is_late_waits_for_the_end_of_the_next_quiet_hours() {
    let mut environment = quiet(EDITS);
    environment.one(FAILED, "Sales", 2 * HOUR).await;
    environment.lose_timers();
    let next = (at(NIGHT.0 + DAY), at(NIGHT.1 + DAY));
    environment.rules(|rules| rules.quiet = Some(next));
    environment.sweep(NIGHT.0 + DAY + HOUR).await.unwrap();
    environment.run(Vec::new(), &BTreeMap::new(), at(NIGHT.1 + DAY - 1)).await;
    assert!(environment.messages().is_empty(), "{:?}", environment.headlines());
    sweep_for(&mut environment, 40..=41).await;
    assert_eq!(environment.headlines(), ["1 event in quiet hours"]);
}

// A page of a digest ends in the next quiet hours, although the service does not answer at first.
#[tokio::test(start_paused = true)]
async fn an_end_in_quiet_hours_that_is_found_by_its_key_is_tried_again() {
    let mut environment = Environment::new(POSTS);
    environment.channel(|channel| channel.ends_by_key = true);
    environment.rules(|rules| rules.quiet = Some((at(NIGHT.0), at(NIGHT.1))));
    environment.one(FAILED, "Sales", 2 * HOUR).await;
    run(&mut environment, Vec::new()).await;
    assert_eq!(environment.headlines(), ["1 event in quiet hours"]);

    environment.rules(|rules| rules.quiet = Some((at(NIGHT.0 + DAY), at(NIGHT.1 + DAY))));
    environment.fail_next_deliveries(1);
    let end = event(SUCCEEDED, "Sales", NIGHT.0 + DAY + HOUR);
    let events = vec![(NIGHT.0 + DAY + HOUR, end)];
    environment.run(events, &BTreeMap::new(), at(NIGHT.0 + DAY + 2 * HOUR)).await;
    let mut ended = Vec::new();
    environment.channel(|channel| ended.clone_from(&channel.ended));
    assert_eq!(ended.len(), 1, "{ended:?}");
    assert_eq!(environment.messages().len(), 1, "no one is called at night");
}
