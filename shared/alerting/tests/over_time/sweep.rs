//! The hourly sweep: reminders, successes whose events were lost, and timers that never fired.

use crate::doubles::Message;
use crate::environment::{EDITS, Environment, FAILED, POSTS, SUCCEEDED, UPDATED, at, event};
use crate::incidents::{HOUR, NIGHT, each, quiet, run};
use alerting::notification::Status;
use std::collections::BTreeMap;

const DAY: i64 = 24 * HOUR;

// An incident that never resolves sends a reminder once a day.
#[tokio::test(start_paused = true)]
async fn an_incident_that_stays_open_is_announced_again_once_a_day() {
    let mut environment = Environment::new(EDITS);
    environment.one(FAILED, "Sales", 0).await;
    for hour in 1..=50 {
        environment.sweep(hour * HOUR).await.unwrap();
    }
    let messages = environment.messages();
    assert_eq!(messages.len(), 3, "{:?}", environment.headlines());
    assert!(
        messages[1..]
            .iter()
            .all(|message| { matches!(message.shown.status.first(), Some(Status::StillOpen { .. })) })
    );
    environment.one(SUCCEEDED, "Sales", 51 * HOUR).await;
    assert!(environment.messages()[0].is_closed, "the first message shows the end");
    environment.sweep(100 * HOUR).await.unwrap();
    assert_eq!(environment.messages().len(), 3);
}

// Tableau is asked for the last refresh first; a success whose event was lost resolves the incident.
#[tokio::test(start_paused = true)]
async fn a_success_whose_event_was_lost_resolves_its_incident_before_a_reminder_is_sent() {
    let mut environment = Environment::new(EDITS);
    environment.one(FAILED, "Sales", 0).await;
    environment.lost_success(2 * HOUR);
    environment.sweep(DAY + HOUR).await.unwrap();
    let messages = environment.messages();
    assert_eq!((messages.len(), messages[0].is_closed), (1, true), "{:?}", environment.headlines());
    assert_eq!(messages[0].shown.headline(), "Recovered after 2 h: Sales");
    assert!(messages[0].shown.status.contains(&Status::SuccessEventMissing));
}

// When success events of a site never arrive, the message's small print says so.
#[tokio::test(start_paused = true)]
async fn a_site_whose_success_events_do_not_arrive_says_so_in_the_small_print_until_one_arrives() {
    let mut environment = Environment::new(EDITS);
    let says_so = |environment: &Environment| {
        let message = environment.messages().last().unwrap().clone();
        message.shown.footnotes.iter().any(|note| note.starts_with("success events do not arrive"))
    };
    environment.one(FAILED, "Sales", 0).await;
    assert!(!says_so(&environment));
    environment.lost_success(2 * HOUR);
    environment.sweep(DAY + HOUR).await.unwrap();
    environment.one(FAILED, "Orders", DAY + 2 * HOUR).await;
    assert!(says_so(&environment), "{:?}", environment.messages().last());

    environment.one(SUCCEEDED, "Orders", DAY + 3 * HOUR).await;
    environment.one(FAILED, "Returns", DAY + 4 * HOUR).await;
    assert!(!says_so(&environment), "an event arrived");

    environment.lost_success(DAY + 5 * HOUR);
    environment.sweep(2 * DAY + 5 * HOUR).await.unwrap();
    environment.one(FAILED, "Orders", 2 * DAY + 6 * HOUR).await;
    assert!(says_so(&environment), "{:?}", environment.messages().last());
    environment.one(SUCCEEDED, "Invoices", 2 * DAY + 7 * HOUR).await;
    environment.one(FAILED, "Stock", 2 * DAY + 8 * HOUR).await;
    assert!(!says_so(&environment), "also a success of an object that did not fail is an event that arrived");
}

#[tokio::test(start_paused = true)]
async fn a_group_that_stays_open_is_announced_again_once_a_day() {
    let mut environment = Environment::new(EDITS);
    run(&mut environment, each(FAILED, 6, 0)).await;
    let before = environment.messages().len();
    for hour in 1..=50 {
        environment.sweep(hour * HOUR).await.unwrap();
    }
    assert_eq!(environment.messages().len(), before + 2, "{:?}", environment.headlines());
    run(&mut environment, each(SUCCEEDED, 6, 51 * HOUR)).await;
    environment.sweep(100 * HOUR).await.unwrap();
    assert_eq!(environment.messages().len(), before + 2, "{:?}", environment.headlines());
}

// A lost timer never loses a notification.
#[tokio::test(start_paused = true)]
async fn the_sweep_does_the_work_of_timers_that_were_lost() {
    let mut environment = Environment::new(EDITS);
    for n in 0..5 {
        environment.one(FAILED, &format!("object-{n}"), n).await;
    }
    environment.lose_timers();
    environment.sweep(60).await.unwrap();
    assert_eq!(environment.messages().len(), 1, "a timer may still be on its way");
    environment.sweep(400).await.unwrap();
    run(&mut environment, Vec::new()).await;
    assert_eq!(environment.shown_failing(|_| false).len(), 5, "{:?}", environment.headlines());

    let mut environment = quiet(EDITS);
    environment.one(FAILED, "Sales", 2 * HOUR).await;
    environment.lose_timers();
    environment.sweep(NIGHT.1 + HOUR).await.unwrap();
    run(&mut environment, Vec::new()).await;
    assert_eq!(environment.headlines(), ["1 event in quiet hours"]);
}

// A failed sweep is not retried, and a sweep mentions no users in quiet hours.
#[tokio::test(start_paused = true)]
async fn a_sweep_in_quiet_hours_calls_no_one() {
    let mut environment = Environment::new(POSTS);
    environment.one(FAILED, "Sales", 0).await;
    environment.rules(|rules| rules.quiet = Some((at(DAY), at(DAY + 10 * HOUR))));
    environment.lost_success(2 * HOUR);
    environment.sweep(DAY + HOUR).await.unwrap();
    assert_eq!(environment.messages().len(), 1, "{:?}", environment.headlines());
    run(&mut environment, Vec::new()).await;
    assert_eq!(environment.messages().len(), 2, "{:?}", environment.headlines());
    let digest = environment.messages()[1].shown.clone();
    let entry = &digest.lists[0].items[0];
    assert_eq!((entry.what.as_deref(), entry.when), (Some("Recovered"), Some((at(2 * HOUR), at(2 * HOUR)))));
}

pub(crate) async fn sweep_for(environment: &mut Environment, hours: std::ops::RangeInclusive<i64>) {
    for hour in hours {
        let _ = environment.sweep(hour * HOUR).await;
        environment.run(Vec::new(), &BTreeMap::new(), at((hour + 1) * HOUR)).await;
    }
}

/// Messages that only remind of incidents announced before.
fn reminders(environment: &Environment) -> Vec<Message> {
    let is_reminder =
        |message: &Message| matches!(message.shown.status.first(), Some(Status::StillOpen { .. }));
    environment.messages().into_iter().filter(is_reminder).collect()
}

// Objects that a digest names as failing join a group only once the digest is sent.
#[tokio::test(start_paused = true)]
async fn a_digest_that_could_not_be_sent_reminds_of_nothing_that_has_recovered_before_it_was() {
    for (recovered, reminded) in [(4, 0), (1, 1)] {
        let mut environment = quiet(EDITS);
        environment.rules(|rules| rules.names.push(SUCCEEDED));
        environment.fail_next_deliveries(1);
        // The digest's first attempt fails at the end of the night, and the objects recover before the second attempt.
        let failed = each(FAILED, 4, 2 * HOUR);
        let succeeded = each(SUCCEEDED, recovered, NIGHT.1 + 2);
        run(&mut environment, failed.into_iter().chain(succeeded).collect()).await;
        let before = environment.messages().len();
        sweep_for(&mut environment, 17..=39).await;
        assert_eq!(
            environment.messages().len() - before,
            reminded,
            "{recovered} recovered: {:?}",
            environment.headlines()
        );
    }
}

// The sweep asks Tableau first, also about objects that a digest or group announced.
#[tokio::test(start_paused = true)]
async fn lost_successes_of_all_that_a_digest_or_a_group_has_announced_are_found() {
    for (at_night, count) in [(true, 1), (true, 2), (true, 30), (false, 1), (false, 6), (false, 40)] {
        for capabilities in [EDITS, POSTS] {
            let mut environment = quiet(capabilities);
            let second = if at_night { 2 * HOUR } else { 0 };
            run(&mut environment, each(FAILED, count, second)).await;
            environment.lost_success(20 * HOUR);
            // A sweep asks about at most 20 objects of a group.
            sweep_for(&mut environment, 25..=45).await;
            let context =
                format!("at night: {at_night}, {count}, {capabilities:?}: {:?}", environment.headlines());
            assert!(reminders(&environment).is_empty(), "{context}");
            assert!(environment.shown_failing(|_| false).is_empty(), "{context}");
        }
    }
}

// An incident that never resolves is announced again, even if only a digest announced it.
#[tokio::test(start_paused = true)]
async fn what_only_a_digest_has_announced_is_announced_again_once_a_day_and_ends() {
    for count in [1, 2, 5] {
        for capabilities in [EDITS, POSTS] {
            let mut environment = quiet(capabilities);
            run(&mut environment, each(FAILED, count, 2 * HOUR)).await;
            assert_eq!(environment.messages().len(), 1);
            // Quiet hours cover one night in this test, so a reminder may be sent at any time afterwards.
            sweep_for(&mut environment, 15..=37).await;
            assert_eq!(
                environment.messages().len(),
                1,
                "{count}, {capabilities:?}: {:?}",
                environment.headlines()
            );
            sweep_for(&mut environment, 38..=39).await;
            let reminders = if count < 3 { count } else { 1 };
            let sent = environment.messages().len();
            assert_eq!(sent - 1, usize::try_from(reminders).unwrap(), "{:?}", environment.headlines());
            run(&mut environment, each(SUCCEEDED, count, 40 * HOUR)).await;
            let context = format!("{count}, {capabilities:?}: {:?}", environment.headlines());
            assert!(environment.shown_failing(|_| false).is_empty(), "{context}");
        }
    }
}

// A reminder whose answer was lost may have arrived.
#[tokio::test(start_paused = true)]
async fn a_reminder_whose_answer_was_lost_is_not_repeated_every_hour() {
    for count in [1, 6] {
        let mut environment = Environment::new(EDITS);
        run(&mut environment, each(FAILED, count, 0)).await;
        let before = environment.messages().len();
        environment.lose_next_answers(1);
        sweep_for(&mut environment, 25..=47).await;
        assert_eq!(environment.messages().len(), before + 1, "{:?}", environment.headlines());
    }
}

// A failed sweep is not retried; the next sweep does its work.
#[tokio::test(start_paused = true)]
async fn a_worker_that_dies_in_a_sweep_loses_no_reminder() {
    for count in [1, 6] {
        for calls in 0..14 {
            for happens in [false, true] {
                let mut environment = Environment::new(EDITS);
                run(&mut environment, each(FAILED, count, 0)).await;
                let before = environment.messages().len();
                environment.die_after(calls, happens);
                let _ = environment.sweep(25 * HOUR).await;
                environment.revive();
                sweep_for(&mut environment, 26..=47).await;
                let sent = environment.messages().len() - before;
                let context =
                    format!("{count}, {calls} calls, happens: {happens}: {:?}", environment.headlines());
                assert!((1..=2).contains(&sent), "{context}");
                run(&mut environment, each(SUCCEEDED, count, 48 * HOUR)).await;
                assert!(environment.messages()[0].is_closed, "{context}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_reminder_that_could_not_be_sent_is_tried_again_six_hours_later() {
    for count in [1, 6] {
        let mut environment = Environment::new(EDITS);
        run(&mut environment, each(FAILED, count, 0)).await;
        let before = environment.messages().len();
        environment.fail_next_deliveries(1);
        sweep_for(&mut environment, 25..=30).await;
        assert_eq!(environment.messages().len(), before);
        sweep_for(&mut environment, 31..=33).await;
        assert_eq!(environment.messages().len(), before + 1, "{:?}", environment.headlines());
    }
}

// While Tableau is down, a reminder is delayed for three hours, and Tableau is asked once per sweep.
#[tokio::test(start_paused = true)]
async fn a_reminder_waits_three_hours_for_tableau_and_then_goes_out() {
    let mut environment = Environment::new(EDITS);
    for n in 0..3 {
        environment.one(FAILED, &format!("object-{n}"), n * 300).await;
    }
    environment.tableau_is_down(true);
    environment.sweep(25 * HOUR).await.unwrap_err();
    assert_eq!((environment.messages().len(), environment.asked().last_refreshes), (3, 1));
    environment.sweep(28 * HOUR).await.unwrap_err();
    assert_eq!((environment.messages().len(), environment.asked().last_refreshes), (6, 2));
}

// Incidents without reminders do not prevent a sweep from arming lost timers again.
#[tokio::test(start_paused = true)]
async fn a_thousand_incidents_of_a_muted_rule_cost_tableau_one_question_a_day_and_hide_no_lost_timer() {
    let mut environment = Environment::new(EDITS);
    for n in 0..1_100 {
        environment.one(FAILED, &format!("object-{n}"), n * 61).await;
    }
    for n in 0..4 {
        environment.one(FAILED, &format!("last-{n}"), 19 * HOUR + n).await;
    }
    environment.lose_timers();
    environment.rules(|rules| rules.muted_until = Some(at(30 * 24 * HOUR)));
    let before = environment.messages().len();
    // The first incidents are a day old at the sweep of hour 24.
    environment.sweep(43 * HOUR).await.unwrap();
    assert!(environment.timers() > 0, "the group's timer is sent again");
    for hour in 44..=66 {
        environment.sweep(hour * HOUR).await.unwrap();
    }
    let asked = environment.asked().last_refreshes;
    assert!((1_100..=1_110).contains(&asked), "{asked}");
    assert_eq!(environment.messages().len(), before);
    environment.rules(|rules| rules.muted_until = None);
    for hour in 67..=92 {
        environment.sweep(hour * HOUR).await.unwrap();
    }
    assert_eq!(reminders(&environment).len(), 1_101, "and they are reminded of when it is over");
}

// Events that open no incident cause no reminder.
#[tokio::test(start_paused = true)]
async fn a_group_of_events_is_never_sent_again() {
    for capabilities in [EDITS, POSTS] {
        for arrival in 0..14 {
            for calls in 0..8 {
                let mut environment = Environment::new(capabilities);
                environment.rules(|rules| rules.names.push(UPDATED));
                let deaths = BTreeMap::from([(arrival, (calls, calls % 2 == 0))]);
                // Members join before and after the group is announced.
                let flood = (0..12).map(|n| (n * 3, event(UPDATED, &format!("object-{n:03}"), n * 3)));
                environment.run(flood.collect(), &deaths, at(HOUR)).await;
                let before = environment.headlines();
                sweep_for(&mut environment, 1..=60).await;
                let context = format!("{capabilities:?}, arrival {arrival} dies after {calls} calls");
                assert_eq!(environment.headlines(), before, "{context}");
            }
        }
    }
}

// A timer that failed permanently is a dead letter, and no later event comes.
#[tokio::test(start_paused = true)]
async fn the_sweep_sends_a_timer_again_that_failed_for_good() {
    for night in [false, true] {
        let mut environment = if night { quiet(EDITS) } else { Environment::new(EDITS) };
        let second = if night { 2 * HOUR } else { 0 };
        let fires = if night { NIGHT.1 } else { 15 };
        let sent = usize::from(!night);
        if !night {
            environment.one(FAILED, "object-000", 0).await;
        }
        environment.fail_next_deliveries(1);
        let failed = each(FAILED, 5, second).into_iter().skip(usize::from(!night));
        // The timer's message is gone after its first attempt.
        environment.run(failed.collect(), &BTreeMap::new(), at(fires + 5)).await;
        environment.lose_timers();
        assert_eq!(environment.messages().len(), sent, "{:?}", environment.headlines());
        let hour = fires / HOUR;
        sweep_for(&mut environment, hour + 1..=hour + 11).await;
        assert_eq!(environment.messages().len(), sent, "its queue still retries it");
        sweep_for(&mut environment, hour + 12..=hour + 14).await;
        assert_eq!(
            environment.shown_failing(|_| false).len(),
            5,
            "night: {night}: {:?}",
            environment.headlines()
        );
    }
}

// A suppressed failure that persists is announced, even if its timer was lost.
#[tokio::test(start_paused = true)]
async fn the_sweep_announces_a_suppressed_incident_that_lasts_when_its_timer_was_lost() {
    let mut environment = Environment::new(EDITS);
    for n in 0..4 {
        environment.one(FAILED, "Sales", n * 600).await;
        environment.one(SUCCEEDED, "Sales", n * 600 + 300).await;
    }
    environment.one(FAILED, "Sales", 2_400).await;
    environment.lose_timers();
    let before = environment.messages().len();
    environment.sweep(2_400 + HOUR).await.unwrap();
    assert_eq!(environment.messages().len(), before, "its timer may be on its way");
    environment.sweep(2_400 + 2 * HOUR).await.unwrap();
    assert_eq!(environment.messages().len(), before + 1, "{:?}", environment.headlines());
    sweep_for(&mut environment, 3..=20).await;
    assert_eq!(environment.messages().len(), before + 1, "{:?}", environment.headlines());
}
