//! Stories over time: what a channel is told, from the first failure to the recovery.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod hours;
mod nights;
mod storm;
mod trouble;
mod world;

use crate::world::{By, FAILED, RULES, STARTED, SUCCEEDED, World, at};
use jiff::SignedDuration;
use testkit::simulator::{SlackCall, SlackFault, render};
use workflow::Outcome;

#[tokio::test]
async fn a_story_is_one_message_that_follows_it_and_says_how_long_it_took() {
    let world = World::start(By::BotToken, RULES).await;
    for minute in [0, 60, 120] {
        assert_eq!(world.one(FAILED, "Sales", minute).await, Outcome::Done);
    }
    assert_eq!(world.one(SUCCEEDED, "Sales", 130).await, Outcome::Done);

    let said = world.said();
    let calls: Vec<SlackCall> = said.iter().map(|message| message.call).collect();
    use SlackCall::{PostMessage, Update};
    assert_eq!(calls, [PostMessage, Update, Update, Update, PostMessage]);
    assert!(said[1..4].iter().all(|update| update.ts == said[0].ts));
    assert!(render(&said[2]).contains("failure no. 3 since"), "{}", render(&said[2]));
    for message in &said[3..] {
        let text = render(message);
        assert!(text.contains("Recovered after 2 h 10 min: Sales"), "{text}");
        assert!(text.contains("3 failures since"), "{text}");
    }
    assert_eq!((said[4].thread_ts.as_ref(), said[4].reply_broadcast), (Some(&said[0].ts), true));
}

#[tokio::test]
async fn where_messages_cannot_be_changed_there_are_more_when_failures_have_doubled() {
    let world = World::start(By::WebhookUrls, RULES).await;
    let counted = Outcome::skipped("counted: it is part of a story that was told");
    for (n, told) in (0..5).zip([true, true, false, true, false]) {
        let expected = if told { Outcome::Done } else { counted.clone() };
        assert_eq!(world.one(FAILED, "Sales", n * 10).await, expected);
    }
    world.one(SUCCEEDED, "Sales", 60).await;
    let said = world.new_messages();
    assert_eq!(said.len(), 4, "{said:#?}");
    assert!(said[1].contains("failure no. 2") && said[2].contains("failure no. 4"), "{said:#?}");
    assert!(said[3].contains("Recovered after 1 h: Sales") && said[3].contains("5 failures"), "{said:#?}");
}

#[tokio::test]
async fn what_comes_late_changes_nothing() {
    let world = World::start(By::BotToken, RULES).await;
    world.one(SUCCEEDED, "Sales", 10).await;
    let failed = world.event(FAILED, "Sales", at(5));
    let started = world.event(STARTED, "Sales", at(4));
    for (event, reason) in
        [(failed, "a later refresh has succeeded since"), (started, "the refresh has ended since")]
    {
        assert_eq!(world.attempt(&event, at(11)).await.unwrap(), Outcome::skipped(reason));
    }
    assert_eq!(world.one(FAILED, "Orders", 20).await, Outcome::Done);
    let late = world.event(SUCCEEDED, "Orders", at(19));
    let skipped = Outcome::skipped("a later refresh has failed since");
    assert_eq!(world.attempt(&late, at(21)).await.unwrap(), skipped);
    assert_eq!(world.said().len(), 1, "only the failure of Orders is told");
}

#[tokio::test]
async fn an_event_that_is_tried_again_tells_nothing_twice() {
    for by in [By::BotToken, By::WebhookUrls] {
        let world = World::start(by, RULES).await;
        let (failed, succeeded) =
            (world.event(FAILED, "Sales", at(0)), world.event(SUCCEEDED, "Sales", at(5)));
        for event in [&failed, &failed, &succeeded, &succeeded, &failed] {
            world.attempt(event, at(6)).await.unwrap();
        }
        assert_eq!(world.new_messages().len(), 2, "{by:?}");
    }
}

#[tokio::test]
async fn a_slack_that_fails_is_told_later_by_whoever_comes_again() {
    let world = World::start(By::BotToken, RULES).await;
    world.slack.fail_next(2, SlackFault::ServerError);
    let event = world.event(FAILED, "Sales", at(0));
    let (_, attempts) = world.run(vec![(at(0), event)]).await;
    assert_eq!((attempts, world.new_messages().len()), (3, 1));
}

#[tokio::test]
async fn an_object_that_flaps_is_told_so_and_then_no_more() {
    let world = World::start(By::BotToken, RULES).await;
    for n in 0..8 {
        world.one(FAILED, "Sales", n * 20).await;
        world.one(SUCCEEDED, "Sales", n * 20 + 10).await;
    }
    let said = world.new_messages();
    assert_eq!(said.len(), 8, "four failures, four recoveries: {said:#?}");
    assert!(said[6].contains("It flaps"), "{}", said[6]);
    world.one(FAILED, "Sales", 48 * 60).await;
    assert_eq!(world.new_messages().len(), 9, "after a quiet day it is told again");
}

#[tokio::test]
async fn a_message_that_was_deleted_is_posted_anew_once() {
    let world = World::start(By::BotToken, RULES).await;
    world.one(FAILED, "Sales", 0).await;
    let first = world.said()[0].clone();
    world.slack.delete(&first.channel, &first.ts);
    for minute in [10, 20, 30] {
        world.one(FAILED, "Sales", minute).await;
    }
    assert_eq!(world.new_messages().len(), 2, "{:#?}", world.new_messages());
}

#[tokio::test]
async fn a_streak_that_lasts_is_told_although_the_object_flapped_before() {
    let world = World::start(By::BotToken, RULES).await;
    for n in 0..4 {
        world.one(FAILED, "Sales", n * 20).await;
        world.one(SUCCEEDED, "Sales", n * 20 + 10).await;
    }
    let before = world.new_messages().len();
    assert!(matches!(world.one(FAILED, "Sales", 100).await, Outcome::Skipped(_)));
    assert_eq!(world.one(FAILED, "Sales", 180).await, Outcome::Done);
    world.one(SUCCEEDED, "Sales", 200).await;
    assert_eq!(world.new_messages().len(), before + 2);
}

#[tokio::test]
async fn one_channel_keeps_no_other_from_hearing_of_a_recovery() {
    let rules = format!(
        "{RULES}  - name: successes\n    on: [DatasourceRefreshSucceeded]\n    do: [{{ notify-slack: {{ channel: data-news }} }}]\n"
    );
    let world = World::start(By::BotToken, &rules).await;
    world.one(FAILED, "Sales", 0).await;
    world.slack.fail_next(1, SlackFault::ServerError);
    let event = world.event(SUCCEEDED, "Sales", at(5));
    assert!(world.attempt(&event, at(5)).await.is_err());
    let news = world.said().iter().filter(|message| message.channel_name == "data-news").count();
    assert_eq!(news, 1, "data-news was told although data-alerts could not be");
    world.run(vec![(at(6), event)]).await;
    let news = world.said().iter().filter(|message| message.channel_name == "data-news").count();
    assert_eq!((news, world.new_messages().len()), (1, 3));
}

#[tokio::test]
async fn an_object_that_is_deleted_fails_no_more() {
    for by in [By::BotToken, By::WebhookUrls] {
        let world = World::start(by, RULES).await;
        world.one(FAILED, "Sales", 0).await;
        assert_eq!(world.one("DatasourceDeleted", "Sales", 60).await, Outcome::Done);
        let said = world.new_messages();
        assert!(said[1].contains("Deleted, 1 h after it began to fail: Sales"), "{by:?}: {said:#?}");
        let other = world.one("DatasourceDeleted", "Orders", 61).await;
        assert_eq!(other, Outcome::skipped("no rule sends DatasourceDeleted to Slack"));
    }
}

#[tokio::test]
async fn a_recovery_that_waits_for_slack_finds_its_streak_however_many_followed() {
    let world = World::start(By::BotToken, RULES).await;
    world.one(FAILED, "Sales", 0).await;
    world.slack.fail_next(1, SlackFault::RateLimited { retry_after: 1 });
    let first = world.event(SUCCEEDED, "Sales", at(10));
    assert!(world.attempt(&first, at(10)).await.is_err());
    for n in 1..12 {
        world.one(FAILED, "Sales", n * 20).await;
        world.one(SUCCEEDED, "Sales", n * 20 + 10).await;
    }
    world.attempt(&first, at(300)).await.unwrap();
    let seen = world.slack.channel("data-alerts");
    assert!(seen.iter().all(|message| !render(message).contains('🔴')), "{seen:#?}");
}

#[tokio::test]
async fn who_was_told_nothing_of_a_failure_is_told_of_the_success_if_a_rule_says_so() {
    let rules = "
rules:
  - name: all
    on: [DatasourceRefreshFailed, DatasourceRefreshSucceeded]
    do: [{ notify-slack: { channel: data-alerts } }]
";
    let world = World::start(By::BotToken, rules).await;
    world.one(FAILED, "Orders", 0).await;
    let second = SignedDuration::from_secs(1);
    let (failed, succeeded) =
        (world.event(FAILED, "Sales", at(0) + second), world.event(SUCCEEDED, "Sales", at(0) + second * 3));
    assert!(matches!(world.attempt(&failed, at(0) + second * 2).await.unwrap(), Outcome::Deferred { .. }));
    assert_eq!(world.attempt(&succeeded, at(0) + second * 4).await.unwrap(), Outcome::Done);
    assert!(world.new_messages()[1].contains("Extract refresh succeeded: Sales"));
}

#[tokio::test]
async fn nobody_hears_of_the_recovery_from_a_failure_that_surely_did_not_arrive() {
    let world = World::start(By::BotToken, RULES).await;
    let (failed, there) = (world.event(FAILED, "Sales", at(0)), world.slack.api_url());
    let world = world.with_slack_at("http://127.0.0.1:1/api".to_owned());
    assert!(world.attempt(&failed, at(0)).await.is_err());
    let world = world.with_slack_at(there);
    assert!(matches!(world.one(SUCCEEDED, "Sales", 5).await, Outcome::Skipped(_)));
    assert!(world.said().is_empty());
}

// 11-B4
#[tokio::test]
async fn neither_an_event_from_the_future_nor_a_worker_with_a_wrong_clock_hides_later_failures() {
    const YEARS: i64 = 2 * 365 * 24 * 60;
    let world = World::start(By::BotToken, RULES).await;
    let from_the_future = world.event(SUCCEEDED, "Sales", at(YEARS));
    world.attempt(&from_the_future, at(0)).await.unwrap();
    assert_eq!(world.one(FAILED, "Sales", 1).await, Outcome::Done);

    let seen_by_a_wrong_clock = world.event(SUCCEEDED, "Orders", at(YEARS));
    world.attempt(&seen_by_a_wrong_clock, at(YEARS)).await.unwrap();
    assert_eq!(world.one(FAILED, "Orders", 20).await, Outcome::Done);
    assert_eq!(world.new_messages().len(), 2, "{:#?}", world.new_messages());
}

// 12-C
#[tokio::test]
async fn every_time_in_every_message_is_in_the_sites_zone() {
    let quiet = RULES.replacen("    do:", "    quiet: { from: 17:00, to: 23:00 }\n    do:", 1);
    for (by, rules) in [(By::BotToken, RULES), (By::WebhookUrls, RULES), (By::BotToken, &quiet)] {
        let world = World::start(by, rules).await;
        let site = world.tableau.site();
        let sites =
            format!("sites: [{{ luid: {}, name: Marketing, timezone: Europe/Berlin }}]", site.as_str());
        let world = world.with_rules(&format!("{sites}{rules}"));
        let objects: Vec<String> = (0..8).map(|n| format!("Sales-{n}")).collect();
        let mut events = Vec::new();
        for (minute, name) in [(0, FAILED), (30, FAILED), (90, SUCCEEDED)] {
            events.extend(objects.iter().map(|object| (at(minute), world.event(name, object, at(minute)))));
        }
        // One by itself, which fails twice.
        for (minute, name) in [(2_000, FAILED), (2_010, FAILED), (2_020, SUCCEEDED)] {
            events.push((at(minute), world.event(name, "Orders", at(minute))));
        }
        world.run(events).await;

        let said: Vec<String> = world.said().iter().map(render).collect();
        assert!(said.len() >= 3, "{said:#?}");
        let since = said.iter().filter(|text| text.contains("since ")).count();
        assert!(since > 0, "no message says since when: {said:#?}");
        for text in &said {
            // The time of the event is followed by that in UTC, which logs have.
            let in_utc = text.matches("UTC").count();
            let beside = text.matches(" UTC)").count();
            assert_eq!(in_utc, beside, "{text}");
            for part in text.split("since ").skip(1) {
                assert!(part.chars().take(30).collect::<String>().contains(" CET"), "{text}");
            }
        }
        if rules == quiet {
            let digest = said.iter().find(|text| text.contains("in quiet hours")).unwrap();
            assert!(digest.contains(" CET"), "{digest}");
        }
    }
}
