//! Incidents, groups and digests over time, with a recording destination.

use crate::environment::{
    DELETED, EDITS, Environment, FAILED, FOR_EVER, POSTS, SUCCEEDED, UPDATED, at, event,
};
use alerting::Capabilities;
use alerting::incident::RefreshKind;
use alerting::notification::Kind;
use jiff::SignedDuration;
use std::collections::BTreeMap;
use tableau::Event;
use workflow::Outcome;

const MINUTE: i64 = 60;
pub(crate) const HOUR: i64 = 3_600;

pub(crate) fn each(name: &str, count: i64, second: i64) -> Vec<(i64, Event)> {
    (0..count).map(|n| (second + n, event(name, &format!("object-{n:03}"), second + n))).collect()
}

pub(crate) async fn run(environment: &mut Environment, events: Vec<(i64, Event)>) {
    environment.run(events, &BTreeMap::new(), at(FOR_EVER)).await;
}

#[tokio::test(start_paused = true)]
async fn an_incident_is_one_message_that_is_edited_and_closed() {
    let mut environment = Environment::new(EDITS);
    for minute in [0, 60, 120] {
        assert_eq!(environment.one(FAILED, "Sales", minute * MINUTE).await, Outcome::Done);
    }
    assert_eq!(environment.one(SUCCEEDED, "Sales", 130 * MINUTE).await, Outcome::Done);
    let messages = environment.messages();
    assert_eq!((messages.len(), messages[0].edits, messages[0].is_closed), (1, 3, true));
    assert_eq!(messages[0].shown.headline(), "Recovered after 3 failures in 2 h 10 min: Sales");
    assert_eq!(environment.replies().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn where_messages_cannot_be_edited_they_come_when_failures_have_doubled() {
    let mut environment = Environment::new(POSTS);
    for n in 0..5 {
        environment.one(FAILED, "Sales", n * 10 * MINUTE).await;
    }
    environment.one(SUCCEEDED, "Sales", HOUR).await;
    let kinds: Vec<Kind> = environment.messages().iter().map(|message| message.shown.kind).collect();
    // The second, the fourth, and the fifth, after which Tableau suspends the refresh.
    assert_eq!(kinds, [Kind::Opened, Kind::Updated, Kind::Updated, Kind::Updated, Kind::Resolved]);
}

#[tokio::test(start_paused = true)]
async fn an_outdated_event_changes_nothing() {
    let mut environment = Environment::new(EDITS);
    environment.one(SUCCEEDED, "Sales", 10).await;
    let failed = environment.one(FAILED, "Sales", 5).await;
    assert_eq!(failed, Outcome::skipped("a later refresh has succeeded since"));
    environment.one(FAILED, "Orders", 20 * MINUTE).await;
    let succeeded = environment.one(SUCCEEDED, "Orders", 19 * MINUTE).await;
    assert_eq!(succeeded, Outcome::skipped("a later refresh has failed since"));
    assert_eq!(environment.headlines(), ["Extract refresh failed: Orders"]);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_delivered_again_is_announced_once() {
    for capabilities in [EDITS, POSTS] {
        let mut environment = Environment::new(capabilities);
        for (name, second) in [(FAILED, 0), (FAILED, 0), (SUCCEEDED, 5), (SUCCEEDED, 5), (FAILED, 0)] {
            environment.one(name, "Sales", second).await;
        }
        let sent = environment.messages().len() + environment.replies().len();
        assert_eq!(sent, 2, "{capabilities:?}: {:?}", environment.headlines());
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_follows_within_a_minute_waits_ten_seconds_and_is_announced_alone() {
    let mut environment = Environment::new(EDITS);
    run(&mut environment, each(FAILED, 2, 0)).await;
    let kinds: Vec<Kind> = environment.messages().iter().map(|message| message.shown.kind).collect();
    assert_eq!(kinds, [Kind::Opened, Kind::Opened]);
    run(&mut environment, each(SUCCEEDED, 2, HOUR)).await;
    assert_eq!((environment.messages().len(), environment.replies().len()), (2, 2), "each has its own end");
    assert!(environment.messages().iter().all(|message| message.is_closed));
}

// Storm of 500, three messages, all accounted for; at most 4 requests an event with the claim's two.
#[tokio::test(start_paused = true)]
async fn a_storm_is_three_messages_and_names_each_object() {
    for capabilities in [EDITS, POSTS] {
        let mut environment = Environment::new(capabilities);
        let storm = (0..500).map(|n| (n / 60, event(FAILED, &format!("object-{n:03}"), n / 60))).collect();
        let before = environment.requests();
        run(&mut environment, storm).await;
        let requests = environment.requests() - before;
        println!("storm of 500: {requests} requests to the store, {} timers", environment.timer_messages);
        assert!(requests <= 500 * 2, "with claim and completion at most 4 an event: {requests}");
        assert_eq!(environment.shown_failing(|_| false).len(), 500, "{:?}", environment.headlines());
        assert_eq!(environment.messages().len(), 2, "{:?}", environment.headlines());
        run(&mut environment, each(SUCCEEDED, 500, HOUR)).await;
        let sent = environment.messages().len() + environment.replies().len();
        assert_eq!(sent, 3, "{:?}", environment.headlines());
        let last =
            environment.replies().last().cloned().or(environment.messages().last().map(|m| m.shown.clone()));
        assert!(last.unwrap().title.starts_with("All 500 recovered after"));
        if capabilities.edit {
            assert!(environment.shown_failing(|_| false).is_empty());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_object_that_flaps_is_announced_so_and_then_suppressed_unless_it_lasts() {
    let mut environment = Environment::new(EDITS);
    for n in 0..8 {
        environment.one(FAILED, "Sales", n * 20 * MINUTE).await;
        environment.one(SUCCEEDED, "Sales", (n * 20 + 10) * MINUTE).await;
    }
    assert_eq!((environment.messages().len(), environment.replies().len()), (4, 4));
    // Without a later event the failure is announced all the same.
    run(&mut environment, vec![(200 * MINUTE, event(FAILED, "Sales", 200 * MINUTE))]).await;
    assert_eq!(environment.messages().len(), 5, "{:?}", environment.headlines());
}

#[tokio::test(start_paused = true)]
async fn a_success_of_another_kind_of_refresh_does_not_end_an_incident() {
    let mut environment = Environment::new(EDITS);
    environment.refresh_kind(RefreshKind::Full);
    environment.one(FAILED, "Sales", 0).await;
    environment.refresh_kind(RefreshKind::Incremental);
    environment.one(SUCCEEDED, "Sales", HOUR).await;
    assert!(!environment.messages()[0].is_closed);
    environment.refresh_kind(RefreshKind::Full);
    environment.one(SUCCEEDED, "Sales", 2 * HOUR).await;
    assert!(environment.messages()[0].is_closed);
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_deleted_fails_no_more() {
    for capabilities in [EDITS, POSTS] {
        let mut environment = Environment::new(capabilities);
        environment.one(FAILED, "Sales", 0).await;
        environment.one(DELETED, "Sales", HOUR).await;
        let last = environment.messages().last().unwrap().shown.headline();
        assert_eq!(last, "Deleted 1 h after the first failure: Sales");
        let other = environment.one(DELETED, "Orders", HOUR).await;
        assert_eq!(other, Outcome::skipped("no rule matches this DatasourceDeleted"));
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_destination_could_not_take_is_sent_later_once() {
    let mut environment = Environment::new(EDITS);
    environment.fail_next_deliveries(2);
    run(&mut environment, vec![(0, event(FAILED, "Sales", 0))]).await;
    assert_eq!(environment.messages().len(), 1);
    environment.fail_next_deliveries(1);
    run(&mut environment, vec![(HOUR, event(SUCCEEDED, "Sales", HOUR))]).await;
    assert_eq!((environment.messages()[0].is_closed, environment.replies().len()), (true, 1));
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_did_not_arrive_has_no_end() {
    let mut environment = Environment::new(EDITS);
    environment.fail_next_deliveries(1);
    let failed = (0, event(FAILED, "Sales", 0));
    run(&mut environment, vec![failed, (5, event(SUCCEEDED, "Sales", 5))]).await;
    assert_eq!(
        environment.messages().len() + environment.replies().len(),
        0,
        "{:?}",
        environment.headlines()
    );
}

pub(crate) const NIGHT: (i64, i64) = (HOUR, 14 * HOUR);

pub(crate) fn quiet(capabilities: Capabilities) -> Environment {
    let environment = Environment::new(capabilities);
    environment.rules(|rules| rules.quiet = Some((at(NIGHT.0), at(NIGHT.1))));
    environment
}

// A quiet night of 13 hours with 500 events: at most 50 messages beyond the events' own.
#[tokio::test(start_paused = true)]
async fn a_quiet_night_is_one_digest_and_one_timer() {
    for capabilities in [EDITS, POSTS] {
        let mut environment = quiet(capabilities);
        let events = (0..250).flat_map(|n| {
            let second = NIGHT.0 + n * 180;
            let object = format!("object-{n:03}");
            [(second, event(FAILED, &object, second)), (second + 90, event(SUCCEEDED, &object, second + 90))]
        });
        run(&mut environment, events.collect()).await;
        assert_eq!(environment.messages().len(), 1, "{:?}", environment.headlines());
        assert_eq!(environment.messages()[0].shown.title, "500 events in quiet hours");
        println!("quiet night of 500 events: {} timers", environment.timer_messages);
        assert!(environment.timer_messages <= 50, "{}", environment.timer_messages);
    }
}

#[tokio::test(start_paused = true)]
async fn a_storm_in_quiet_hours_is_a_digest_and_an_end() {
    for capabilities in [EDITS, POSTS] {
        let mut environment = quiet(capabilities);
        run(&mut environment, each(FAILED, 30, 2 * HOUR)).await;
        assert_eq!(environment.messages().len(), 1);
        assert_eq!(environment.messages()[0].shown.lists[0].heading.as_deref(), Some("30 still failing"));
        run(&mut environment, each(FAILED, 30, 15 * HOUR)).await;
        assert_eq!(environment.messages().len(), 1, "{capabilities:?}: it goes on");
        run(&mut environment, each(SUCCEEDED, 30, 16 * HOUR)).await;
        let last = environment.messages().last().unwrap().shown.clone();
        assert!(last.title.starts_with("All 30 recovered after"), "{:?}", environment.headlines());
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_of_the_day_is_edited_at_night_and_calls_no_one() {
    let mut environment = quiet(EDITS);
    environment.one(FAILED, "Sales", 0).await;
    run(&mut environment, vec![(2 * HOUR, event(FAILED, "Sales", 2 * HOUR))]).await;
    assert_eq!((environment.messages().len(), environment.messages()[0].edits), (1, 1));
    let night = at(3 * HOUR) + SignedDuration::from_mins(1);
    environment.run(vec![(3 * HOUR, event(SUCCEEDED, "Sales", 3 * HOUR))], &BTreeMap::new(), night).await;
    assert_eq!((environment.messages()[0].is_closed, environment.replies().len()), (true, 0));
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_any_event_is_one_message() {
    for capabilities in [EDITS, POSTS] {
        let mut environment = Environment::new(capabilities);
        environment.rules(|rules| rules.names.push(UPDATED));
        let flood = (0..500).map(|n| (n / 60, event(UPDATED, &format!("object-{n:03}"), n / 60)));
        run(&mut environment, flood.collect()).await;
        let headlines = environment.headlines();
        assert_eq!(headlines.len(), 2, "the first alone, the others together: {headlines:?}");
        assert_eq!(headlines[1], "499 workbooks changed");
    }
}

#[tokio::test(start_paused = true)]
async fn a_muted_rule_sends_nothing_new_and_leaves_no_message_red() {
    let mut environment = Environment::new(EDITS);
    environment.one(FAILED, "Sales", 0).await;
    environment.rules(|rules| rules.muted_until = Some(at(FOR_EVER)));
    assert!(matches!(environment.one(FAILED, "Orders", 10).await, Outcome::Skipped(_)));
    environment.one(SUCCEEDED, "Sales", HOUR).await;
    assert_eq!((environment.messages().len(), environment.replies().len()), (1, 0));
    assert!(environment.messages()[0].is_closed);
}

// A lone first failure ≤ 9 requests, a success with nothing failing ≤ 3, with claim and completion.
#[tokio::test(start_paused = true)]
async fn the_usual_events_cost_few_requests() {
    let mut environment = Environment::new(EDITS);
    let mut counted = Vec::new();
    for (what, name, second) in [
        ("success, nothing fails", SUCCEEDED, 0),
        ("first failure", FAILED, HOUR),
        ("failed again", FAILED, 2 * HOUR),
        ("recovered", SUCCEEDED, 3 * HOUR),
    ] {
        let before = environment.requests();
        environment.one(name, "Sales", second).await;
        counted.push((what, environment.requests() - before));
    }
    println!("requests of alerting alone: {counted:?}");
    let most: BTreeMap<&str, u32> =
        [("success, nothing fails", 1), ("first failure", 5), ("failed again", 4), ("recovered", 5)].into();
    for (what, requests) in counted {
        assert!(requests <= most[what], "{what}: {requests}");
    }
}
