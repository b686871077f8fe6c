//! Incidents over time: which messages a channel gets, from the first failure to the recovery. Each test runs with a
//! recording destination and with the Slack simulator over HTTP.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod environment;
mod hours;
mod mentions;
mod nights;
mod recorder;
mod reports;
mod storm;
mod trouble;
mod webhooks;

use crate::environment::{By, Environment, FAILED, RULES, STARTED, SUCCEEDED, at};
use jiff::SignedDuration;
use testkit::simulator::SlackFault;
use workflow::Outcome;

#[tokio::test]
async fn an_incident_is_one_message_that_follows_it_and_says_how_long_it_took() {
    for by in By::EDITING {
        let environment = Environment::start(by, RULES).await;
        for minute in [0, 60, 120] {
            assert_eq!(environment.one(FAILED, "Sales", minute).await, Outcome::Done);
        }
        assert_eq!(environment.one(SUCCEEDED, "Sales", 130).await, Outcome::Done);
        environment.settle().await;

        let said = environment.said();
        let edits: Vec<bool> = said.iter().map(|said| said.is_edit).collect();
        assert_eq!(edits, [false, true, true, true, false], "{by:?}: {said:#?}");
        assert!(said[1..4].iter().all(|edit| edit.id == said[0].id));
        assert!(said[2].text.contains("3 failures in a row"), "{}", said[2].text);
        for said in &said[3..] {
            assert!(said.text.contains("Recovered after 3 failures in 2 h 10 min: Sales"), "{}", said.text);
            assert!(said.text.contains("It had 3 failures, from "), "{}", said.text);
        }
        assert_eq!((said[4].reply_to.as_ref(), said[4].is_broadcast), (Some(&said[0].id), true));
    }
}

#[tokio::test]
async fn where_messages_cannot_be_changed_there_are_more_when_failures_have_doubled() {
    for by in By::POSTING {
        let environment = Environment::start(by, RULES).await;
        // The fifth is the one after which Tableau suspends the refresh.
        for (n, is_sent) in (0..7).zip([true, true, false, true, true, false, false]) {
            let outcome = environment.one(FAILED, "Sales", n * 10).await;
            assert_eq!(outcome == Outcome::Done, is_sent, "{outcome:?}");
        }
        environment.one(SUCCEEDED, "Sales", 80).await;
        let said = environment.new_messages();
        assert_eq!(said.len(), 5, "{said:#?}");
        assert!(
            said[1].contains("2 failures in a row") && said[2].contains("4 failures in a row"),
            "{by:?}: {said:#?}"
        );
        assert!(said[4].contains("Recovered after 7 failures in 1 h 20 min: Sales"), "{said:#?}");
    }
}

#[tokio::test]
async fn an_outdated_event_changes_nothing() {
    for by in By::ALL {
        let environment = Environment::start(by, RULES).await;
        environment.one(SUCCEEDED, "Sales", 10).await;
        let failed = environment.event(FAILED, "Sales", at(5));
        let started = environment.event(STARTED, "Sales", at(4));
        for (event, reason) in
            [(failed, "a later refresh has succeeded since"), (started, "the refresh has already ended")]
        {
            assert_eq!(environment.attempt(&event, at(11)).await.unwrap(), Outcome::skipped(reason));
        }
        assert_eq!(environment.one(FAILED, "Orders", 20).await, Outcome::Done);
        let late = environment.event(SUCCEEDED, "Orders", at(19));
        let skipped = Outcome::skipped("a later refresh has failed since");
        assert_eq!(environment.attempt(&late, at(21)).await.unwrap(), skipped);
        environment.settle().await;
        assert_eq!(environment.said().len(), 1, "only the failure of Orders is announced");
    }
}

#[tokio::test]
async fn an_event_that_is_tried_again_is_announced_once() {
    for by in By::ALL {
        let environment = Environment::start(by, RULES).await;
        let failed = environment.event(FAILED, "Sales", at(0));
        let succeeded = environment.event(SUCCEEDED, "Sales", at(5));
        for event in [&failed, &failed, &succeeded, &succeeded, &failed] {
            environment.attempt(event, at(6)).await.unwrap();
        }
        environment.settle().await;
        assert_eq!(environment.new_messages().len(), 2, "{by:?}");
    }
}

#[tokio::test]
async fn what_a_destination_could_not_take_is_sent_by_a_later_attempt() {
    for by in By::ALL {
        let environment = Environment::start(by, RULES).await;
        environment.fail_next(2, &SlackFault::RateLimited { retry_after: 1 });
        let event = environment.event(FAILED, "Sales", at(0));
        environment.run(vec![(at(0), event)]).await;
        assert_eq!(environment.new_messages().len(), 1, "{by:?}");
    }
}

#[tokio::test]
async fn an_object_that_flaps_is_announced_so_and_then_suppressed() {
    for by in By::ALL {
        let environment = Environment::start(by, RULES).await;
        for n in 0..8 {
            environment.one(FAILED, "Sales", n * 20).await;
            environment.one(SUCCEEDED, "Sales", n * 20 + 10).await;
        }
        environment.settle().await;
        let said = environment.new_messages();
        assert_eq!(said.len(), 8, "{by:?}: four failures, four recoveries: {said:#?}");
        assert!(said[6].contains("Flapping"), "{}", said[6]);
        environment.one(FAILED, "Sales", 48 * 60).await;
        assert_eq!(environment.new_messages().len(), 9, "after a quiet day it is announced again");
    }
}

#[tokio::test]
async fn a_message_that_was_deleted_is_posted_anew_once() {
    for by in By::EDITING {
        let environment = Environment::start(by, RULES).await;
        environment.one(FAILED, "Sales", 0).await;
        environment.delete(&environment.said()[0]);
        for minute in [10, 20, 30] {
            environment.one(FAILED, "Sales", minute).await;
        }
        assert_eq!(environment.new_messages().len(), 2, "{by:?}: {:#?}", environment.new_messages());
    }
}

// A suppressed failure that persists is announced, without a further event.
#[tokio::test]
async fn an_incident_that_lasts_is_announced_although_the_object_flapped_before() {
    for by in By::ALL {
        let environment = Environment::start(by, RULES).await;
        for n in 0..4 {
            environment.one(FAILED, "Sales", n * 20).await;
            environment.one(SUCCEEDED, "Sales", n * 20 + 10).await;
        }
        let before = environment.new_messages().len();
        assert!(matches!(environment.one(FAILED, "Sales", 100).await, Outcome::Skipped(_)));
        environment.wait_until(at(150)).await;
        assert_eq!(environment.new_messages().len(), before, "{by:?}");
        environment.wait_until(at(165)).await;
        assert_eq!(environment.new_messages().len(), before + 1, "{by:?}");
        environment.one(SUCCEEDED, "Sales", 200).await;
        assert_eq!(environment.new_messages().len(), before + 2, "{by:?}");
    }
}

#[tokio::test]
async fn one_channel_keeps_no_other_from_hearing_of_a_recovery() {
    let rules = format!(
        "{RULES}  - name: successes\n    on: [DatasourceRefreshSucceeded]\n    do: [{{ notify-slack: {{ channel: data-news }} }}]\n"
    );
    for by in By::EDITING {
        let environment = Environment::start(by, &rules).await;
        environment.one(FAILED, "Sales", 0).await;
        environment.fail_next(1, &SlackFault::ServerError);
        let event = environment.event(SUCCEEDED, "Sales", at(5));
        assert!(environment.attempt(&event, at(5)).await.is_err());
        let news = || environment.said().iter().filter(|said| said.channel == "data-news").count();
        assert_eq!(news(), 1, "data-news heard of it although data-alerts could not");
        environment.run(vec![(at(6), event)]).await;
        assert_eq!((news(), environment.new_messages().len()), (1, 3), "{by:?}");
    }
}

#[tokio::test]
async fn an_object_that_is_deleted_fails_no_more() {
    for by in By::ALL {
        let environment = Environment::start(by, RULES).await;
        environment.one(FAILED, "Sales", 0).await;
        assert_eq!(environment.one("DatasourceDeleted", "Sales", 60).await, Outcome::Done);
        let said = environment.new_messages();
        assert!(said[1].contains("Deleted 1 h after the first failure: Sales"), "{by:?}: {said:#?}");
        let other = environment.one("DatasourceDeleted", "Orders", 61).await;
        assert_eq!(other, Outcome::skipped("no rule matches this DatasourceDeleted"));
    }
}

#[tokio::test]
async fn a_recovery_that_waits_for_its_destination_finds_its_incident_however_many_followed() {
    for by in By::EDITING {
        let environment = Environment::start(by, RULES).await;
        environment.one(FAILED, "Sales", 0).await;
        environment.fail_next(1, &SlackFault::RateLimited { retry_after: 1 });
        let first = environment.event(SUCCEEDED, "Sales", at(10));
        assert!(environment.attempt(&first, at(10)).await.is_err());
        for n in 1..12 {
            environment.one(FAILED, "Sales", n * 20).await;
            environment.one(SUCCEEDED, "Sales", n * 20 + 10).await;
        }
        environment.attempt(&first, at(300)).await.unwrap();
        environment.settle().await;
        let seen = environment.seen("data-alerts");
        assert!(seen.iter().all(|text| !text.contains('🔴')), "{by:?}: {seen:#?}");
    }
}

#[tokio::test]
async fn a_target_that_was_not_notified_of_a_failure_is_notified_of_the_success_if_a_rule_says_so() {
    let rules = "
rules:
  - name: all
    on: [DatasourceRefreshFailed, DatasourceRefreshSucceeded]
    do: [{ notify-slack: { channel: data-alerts } }]
";
    for by in By::ALL {
        let environment = Environment::start(by, rules).await;
        environment.one(FAILED, "Orders", 0).await;
        let second = SignedDuration::from_secs(1);
        let failed = environment.event(FAILED, "Sales", at(0) + second);
        let succeeded = environment.event(SUCCEEDED, "Sales", at(0) + second * 3);
        // The failure is grouped with failures that follow within ten seconds.
        assert!(matches!(
            environment.attempt(&failed, at(0) + second * 2).await.unwrap(),
            Outcome::Skipped(_)
        ));
        assert_eq!(environment.attempt(&succeeded, at(0) + second * 4).await.unwrap(), Outcome::Done);
        environment.settle().await;
        let said = environment.new_messages();
        assert!(said[1].contains("Extract refresh succeeded: Sales"), "{by:?}: {said:#?}");
        assert_eq!(said.len(), 2, "{by:?}: {said:#?}");
    }
}

#[tokio::test]
async fn a_failure_that_certainly_did_not_arrive_has_no_end() {
    for by in [By::BotToken, By::WebhookUrls] {
        let environment = Environment::start(by, RULES).await;
        let failed = environment.event(FAILED, "Sales", at(0));
        let there = environment.slack.api_url();
        let environment = environment.with_slack_at("http://127.0.0.1:1/api".to_owned());
        if by == By::WebhookUrls {
            // The URLs of the webhooks are in the secret.
            environment.fail_next(1, &SlackFault::RateLimited { retry_after: 1 });
        }
        assert!(environment.attempt(&failed, at(0)).await.is_err());
        let environment = environment.with_slack_at(there);
        let outcome = environment.one(SUCCEEDED, "Sales", 5).await;
        assert!(matches!(outcome, Outcome::Skipped(_)), "{by:?}: {outcome:?}");
        environment.settle().await;
        assert!(environment.said().is_empty(), "{by:?}");
    }
}

#[tokio::test]
async fn neither_an_event_from_the_future_nor_a_worker_with_a_wrong_clock_hides_later_failures() {
    const YEARS: i64 = 2 * 365 * 24 * 60;
    for by in By::ALL {
        let environment = Environment::start(by, RULES).await;
        let from_the_future = environment.event(SUCCEEDED, "Sales", at(YEARS));
        environment.attempt(&from_the_future, at(0)).await.unwrap();
        assert_eq!(environment.one(FAILED, "Sales", 1).await, Outcome::Done);

        let seen_by_a_wrong_clock = environment.event(SUCCEEDED, "Orders", at(YEARS));
        environment.attempt(&seen_by_a_wrong_clock, at(YEARS)).await.unwrap();
        assert_eq!(environment.one(FAILED, "Orders", 20).await, Outcome::Done);
        assert_eq!(environment.new_messages().len(), 2, "{by:?}: {:#?}", environment.new_messages());
    }
}

#[tokio::test]
async fn every_time_in_every_message_is_in_the_sites_zone() {
    let quiet = RULES.replacen("    do:", "    quiet: { from: 17:00, to: 23:00 }\n    do:", 1);
    for (by, rules) in [(By::BotToken, RULES), (By::WebhookUrls, RULES), (By::BotToken, &quiet)] {
        let environment = Environment::start(by, rules).await;
        let site = environment.tableau.site();
        let sites =
            format!("sites: [{{ luid: {}, name: Marketing, timezone: Europe/Berlin }}]", site.as_str());
        let environment = environment.with_rules(&format!("{sites}{rules}"));
        let objects: Vec<String> = (0..8).map(|n| format!("Sales-{n}")).collect();
        let mut events = Vec::new();
        for (minute, name) in [(0, FAILED), (30, FAILED), (90, SUCCEEDED)] {
            events.extend(
                objects.iter().map(|object| (at(minute), environment.event(name, object, at(minute)))),
            );
        }
        // One single object, whose refresh fails twice.
        for (minute, name) in [(2_000, FAILED), (2_010, FAILED), (2_020, SUCCEEDED)] {
            events.push((at(minute), environment.event(name, "Orders", at(minute))));
        }
        environment.run(events).await;

        let said: Vec<String> = environment.said().into_iter().map(|said| said.text).collect();
        assert!(said.len() >= 3, "{said:#?}");
        let since = said.iter().filter(|text| text.contains("since ")).count();
        assert!(since > 0, "no message says since when: {said:#?}");
        for text in &said {
            // The message shows the event's time in the rule's zone, followed by UTC, which logs use.
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
