//! Attempts that fail between two steps, many channels, several workers: no message is sent twice and no request made
//! twice without need.

use crate::doubles::Message;
use crate::environment::{EDITS, Environment, FAILED, POSTS, SUCCEEDED, UPDATED, at, event};
use crate::incidents::{HOUR, NIGHT, quiet, run};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::records::{MemoryRecords, Records};

// Each receipt is written before the next notification is sent.
#[tokio::test(start_paused = true)]
async fn a_worker_that_dies_between_two_channels_repeats_one_message_at_most() {
    const CHANNELS: [&str; 4] = ["data", "finance", "sales", "web"];
    for calls in 0..20 {
        for happens in [false, true] {
            for survives in [false, true] {
                let mut environment = Environment::new(EDITS);
                environment.survives = survives;
                environment.rules(|rules| rules.channels = CHANNELS.to_vec());
                let deaths = BTreeMap::from([(0, (calls, happens))]);
                environment.run(vec![(0, event(FAILED, "Sales", 0))], &deaths, at(HOUR)).await;
                let context = format!("{calls} calls, happens: {happens}, survives: {survives}");
                let sent = environment.messages().len();
                assert!((4..=5).contains(&sent), "{context}: {sent}");
                run(&mut environment, vec![(HOUR, event(SUCCEEDED, "Sales", HOUR))]).await;
                for channel in CHANNELS {
                    let messages = environment.messages();
                    let mut of_channel = messages.iter().filter(|message| message.target == channel);
                    assert!(of_channel.any(|message| message.is_closed), "{context}: {channel}");
                }
            }
        }
    }
}

// The function asks Tableau once about an event, however many channels are notified.
#[tokio::test(start_paused = true)]
async fn tableau_is_asked_once_about_an_event_of_many_channels() {
    for (name, hour) in [(FAILED, 2), (UPDATED, 2), (FAILED, 20), (UPDATED, 20)] {
        let mut environment = quiet(EDITS);
        environment.rules(|rules| {
            rules.channels = vec!["data", "finance", "sales"];
            rules.names.push(UPDATED);
        });
        environment.one(name, "Sales", hour * HOUR).await;
        assert_eq!(environment.asked().contexts, 1, "{name} at {hour}");
    }
}

// An event that is already in a group joins no other group.
#[tokio::test(start_paused = true)]
async fn an_event_that_is_retried_after_its_group_has_closed_is_named_once() {
    for capabilities in [EDITS, POSTS] {
        for arrival in 0..6 {
            for calls in 0..8 {
                for happens in [false, true] {
                    let mut environment = Environment::new(capabilities);
                    environment.rules(|rules| rules.names.push(UPDATED));
                    let event = |n: i64, second| (second, event(UPDATED, &format!("object-{n:03}"), second));
                    // While the event of the first flood waits for its next attempt, a second flood begins.
                    let first = (0..5).map(|n| event(n, n));
                    let second = (5..10).map(|n| event(n, 75 + n));
                    let deaths = BTreeMap::from([(arrival, (calls, happens))]);
                    environment.run(first.chain(second).collect(), &deaths, at(HOUR)).await;
                    let context = format!(
                        "{capabilities:?}, {arrival}, {calls}, {happens}: {:?}",
                        environment.headlines()
                    );
                    let messages: Vec<Message> =
                        environment.messages().into_iter().filter(|message| !message.is_orphan).collect();
                    let lists = messages.iter().flat_map(|message| &message.shown.lists);
                    let grouped: Vec<&str> =
                        lists.flat_map(|list| &list.items).map(|item| item.name.as_str()).collect();
                    let alone = messages.iter().filter_map(|message| message.shown.subject.as_deref());
                    let named: BTreeSet<&str> = grouped.iter().copied().chain(alone).collect();
                    assert_eq!(named.len(), 10, "{context}");
                    let once: BTreeSet<&str> = grouped.iter().copied().collect();
                    assert_eq!(grouped.len(), once.len(), "{context}: {grouped:?}");
                }
            }
        }
    }
}

// A group whose rule is muted while its members wait stays muted, and no longer than the rule says.
#[tokio::test(start_paused = true)]
async fn incidents_that_waited_for_each_other_when_the_rule_was_muted_are_announced_when_they_fail_after() {
    for capabilities in [EDITS, POSTS] {
        let mut environment = Environment::new(capabilities);
        for n in 0..5 {
            environment.one(FAILED, &format!("object-{n}"), n).await;
        }
        environment.rules(|rules| rules.muted_until = Some(at(2 * HOUR)));
        run(&mut environment, Vec::new()).await;
        assert_eq!(environment.messages().len(), 1, "{:?}", environment.headlines());
        run(
            &mut environment,
            (0..5).map(|n| (3 * HOUR, event(FAILED, &format!("object-{n}"), 3 * HOUR))).collect(),
        )
        .await;
        assert_eq!(
            environment.shown_failing(|_| false).len(),
            5,
            "{capabilities:?}: {:?}",
            environment.headlines()
        );
    }
}

// A worker's cached head is no reason to arm no timer.
#[tokio::test(start_paused = true)]
async fn an_event_that_comes_late_to_a_digest_that_another_worker_has_sent_has_a_timer() {
    let records: Arc<dyn Records> = Arc::new(MemoryRecords::default());
    let mut workers = [(); 2].map(|()| Environment::on(Arc::clone(&records), EDITS));
    for worker in &workers {
        worker.rules(|rules| {
            rules.names = vec![UPDATED];
            rules.quiet = Some((at(NIGHT.0), at(NIGHT.1)));
        });
    }
    workers[0].one(UPDATED, "Sales", 2 * HOUR).await;
    workers[0].lose_timers();
    workers[1].sweep(NIGHT.1 + HOUR).await.unwrap();
    run(&mut workers[1], Vec::new()).await;
    assert_eq!(workers[1].headlines(), ["1 event in quiet hours"]);

    // This worker's clock is behind: for it the hours are still quiet.
    workers[0].one(UPDATED, "Returns", NIGHT.1 - 1).await;
    run(&mut workers[0], Vec::new()).await;
    assert_eq!(workers[0].headlines(), ["1 event in quiet hours"]);
}
