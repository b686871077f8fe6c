//! The hourly sweep: reminders, successes whose events were lost, and timers that never came.

use crate::doubles::Message;
use crate::incidents::{HOUR, NIGHT, each, quiet, run};
use crate::world::{EDITS, FAILED, POSTS, SUCCEEDED, UPDATED, World, at, event};
use alerting::notification::Status;
use std::collections::BTreeMap;

const DAY: i64 = 24 * HOUR;

// 13: an incident that never resolves sends a reminder once a day.
#[tokio::test(start_paused = true)]
async fn an_incident_that_stays_open_is_announced_again_once_a_day() {
    let mut world = World::new(EDITS);
    world.one(FAILED, "Sales", 0).await;
    for hour in 1..=50 {
        world.sweep(hour * HOUR).await.unwrap();
    }
    let messages = world.messages();
    assert_eq!(messages.len(), 3, "{:?}", world.headlines());
    assert!(
        messages[1..]
            .iter()
            .all(|message| { matches!(message.shown.status.first(), Some(Status::StillOpen { .. })) })
    );
    world.one(SUCCEEDED, "Sales", 51 * HOUR).await;
    assert!(world.messages()[0].is_closed, "the first message shows the end");
    world.sweep(100 * HOUR).await.unwrap();
    assert_eq!(world.messages().len(), 3);
}

// 13: Tableau is asked for the last refresh first; a success whose event was lost resolves the incident.
#[tokio::test(start_paused = true)]
async fn a_success_whose_event_was_lost_resolves_its_incident_before_a_reminder_is_sent() {
    let mut world = World::new(EDITS);
    world.one(FAILED, "Sales", 0).await;
    world.lost_success(2 * HOUR);
    world.sweep(DAY + HOUR).await.unwrap();
    let messages = world.messages();
    assert_eq!((messages.len(), messages[0].is_closed), (1, true), "{:?}", world.headlines());
    assert_eq!(messages[0].shown.headline(), "Recovered after 2 h: Sales");
    assert!(messages[0].shown.status.contains(&Status::SuccessEventMissing));
}

// 13: a site whose success events never arrive says so in the small print.
#[tokio::test(start_paused = true)]
async fn a_site_whose_success_events_do_not_arrive_says_so_in_the_small_print_until_one_arrives() {
    let mut world = World::new(EDITS);
    let says_so = |world: &World| {
        let message = world.messages().last().unwrap().clone();
        message.shown.footnotes.iter().any(|note| note.starts_with("success events do not arrive"))
    };
    world.one(FAILED, "Sales", 0).await;
    assert!(!says_so(&world));
    world.lost_success(2 * HOUR);
    world.sweep(DAY + HOUR).await.unwrap();
    world.one(FAILED, "Orders", DAY + 2 * HOUR).await;
    assert!(says_so(&world), "{:?}", world.messages().last());

    world.one(SUCCEEDED, "Orders", DAY + 3 * HOUR).await;
    world.one(FAILED, "Returns", DAY + 4 * HOUR).await;
    assert!(!says_so(&world), "an event arrived");

    world.lost_success(DAY + 5 * HOUR);
    world.sweep(2 * DAY + 5 * HOUR).await.unwrap();
    world.one(FAILED, "Orders", 2 * DAY + 6 * HOUR).await;
    assert!(says_so(&world), "{:?}", world.messages().last());
    world.one(SUCCEEDED, "Invoices", 2 * DAY + 7 * HOUR).await;
    world.one(FAILED, "Stock", 2 * DAY + 8 * HOUR).await;
    assert!(!says_so(&world), "also a success of an object that did not fail is an event that arrived");
}

#[tokio::test(start_paused = true)]
async fn a_group_that_stays_open_is_announced_again_once_a_day() {
    let mut world = World::new(EDITS);
    run(&mut world, each(FAILED, 6, 0)).await;
    let before = world.messages().len();
    for hour in 1..=50 {
        world.sweep(hour * HOUR).await.unwrap();
    }
    assert_eq!(world.messages().len(), before + 2, "{:?}", world.headlines());
    run(&mut world, each(SUCCEEDED, 6, 51 * HOUR)).await;
    world.sweep(100 * HOUR).await.unwrap();
    assert_eq!(world.messages().len(), before + 2, "{:?}", world.headlines());
}

// 13: a lost timer is impossible to lose a notification with.
#[tokio::test(start_paused = true)]
async fn the_sweep_does_the_work_of_timers_that_were_lost() {
    let mut world = World::new(EDITS);
    for n in 0..5 {
        world.one(FAILED, &format!("object-{n}"), n).await;
    }
    world.lose_timers();
    world.sweep(60).await.unwrap();
    assert_eq!(world.messages().len(), 1, "a timer may still be on its way");
    world.sweep(400).await.unwrap();
    run(&mut world, Vec::new()).await;
    assert_eq!(world.shown_failing(|_| false).len(), 5, "{:?}", world.headlines());

    let mut world = quiet(EDITS);
    world.one(FAILED, "Sales", 2 * HOUR).await;
    world.lose_timers();
    world.sweep(NIGHT.1 + HOUR).await.unwrap();
    run(&mut world, Vec::new()).await;
    assert_eq!(world.headlines(), ["1 event in quiet hours"]);
}

// 13: nothing repeats a sweep, and it calls no one in quiet hours all the same.
#[tokio::test(start_paused = true)]
async fn a_sweep_in_quiet_hours_calls_no_one() {
    let mut world = World::new(POSTS);
    world.one(FAILED, "Sales", 0).await;
    world.rules(|rules| rules.quiet = Some((at(DAY), at(DAY + 10 * HOUR))));
    world.lost_success(2 * HOUR);
    world.sweep(DAY + HOUR).await.unwrap();
    assert_eq!(world.messages().len(), 1, "{:?}", world.headlines());
    run(&mut world, Vec::new()).await;
    assert_eq!(world.messages().len(), 2, "{:?}", world.headlines());
    let digest = world.messages()[1].shown.clone();
    let entry = &digest.lists[0].items[0];
    assert_eq!((entry.what.as_deref(), entry.when), (Some("Recovered"), Some((at(2 * HOUR), at(2 * HOUR)))));
}

pub(crate) async fn sweep_for(world: &mut World, hours: std::ops::RangeInclusive<i64>) {
    for hour in hours {
        let _ = world.sweep(hour * HOUR).await;
        world.run(Vec::new(), &BTreeMap::new(), at((hour + 1) * HOUR)).await;
    }
}

/// Messages that only remind of what was announced before.
fn reminders(world: &World) -> Vec<Message> {
    let is_reminder =
        |message: &Message| matches!(message.shown.status.first(), Some(Status::StillOpen { .. }));
    world.messages().into_iter().filter(is_reminder).collect()
}

// 13: what a digest names as failing is in a group only when the digest was sent.
#[tokio::test(start_paused = true)]
async fn a_digest_that_could_not_be_sent_reminds_of_nothing_that_has_recovered_before_it_was() {
    for (recovered, reminded) in [(4, 0), (1, 1)] {
        let mut world = quiet(EDITS);
        world.rules(|rules| rules.names.push(SUCCEEDED));
        world.fail_next_deliveries(1);
        // The digest's first attempt fails at the end of the night, and they recover before its second.
        let failed = each(FAILED, 4, 2 * HOUR);
        let succeeded = each(SUCCEEDED, recovered, NIGHT.1 + 2);
        run(&mut world, failed.into_iter().chain(succeeded).collect()).await;
        let before = world.messages().len();
        sweep_for(&mut world, 17..=39).await;
        assert_eq!(
            world.messages().len() - before,
            reminded,
            "{recovered} recovered: {:?}",
            world.headlines()
        );
    }
}

// 13: Tableau is asked first, also about those that a digest or a group has announced.
#[tokio::test(start_paused = true)]
async fn lost_successes_of_all_that_a_digest_or_a_group_has_announced_are_found() {
    for (at_night, count) in [(true, 1), (true, 2), (true, 30), (false, 1), (false, 6), (false, 40)] {
        for capabilities in [EDITS, POSTS] {
            let mut world = quiet(capabilities);
            let second = if at_night { 2 * HOUR } else { 0 };
            run(&mut world, each(FAILED, count, second)).await;
            world.lost_success(20 * HOUR);
            // At most 20 of a group are asked about in one sweep.
            sweep_for(&mut world, 25..=45).await;
            let context = format!("at night: {at_night}, {count}, {capabilities:?}: {:?}", world.headlines());
            assert!(reminders(&world).is_empty(), "{context}");
            assert!(world.shown_failing(|_| false).is_empty(), "{context}");
        }
    }
}

// 13: an incident that never resolves is announced again, also if only a digest has announced it.
#[tokio::test(start_paused = true)]
async fn what_only_a_digest_has_announced_is_announced_again_once_a_day_and_ends() {
    for count in [1, 2, 5] {
        for capabilities in [EDITS, POSTS] {
            let mut world = quiet(capabilities);
            run(&mut world, each(FAILED, count, 2 * HOUR)).await;
            assert_eq!(world.messages().len(), 1);
            // Quiet hours are one night in this test, so that a reminder may be sent at any time after.
            sweep_for(&mut world, 15..=37).await;
            assert_eq!(world.messages().len(), 1, "{count}, {capabilities:?}: {:?}", world.headlines());
            sweep_for(&mut world, 38..=39).await;
            let reminders = if count < 3 { count } else { 1 };
            let sent = world.messages().len();
            assert_eq!(sent - 1, usize::try_from(reminders).unwrap(), "{:?}", world.headlines());
            run(&mut world, each(SUCCEEDED, count, 40 * HOUR)).await;
            let context = format!("{count}, {capabilities:?}: {:?}", world.headlines());
            assert!(world.shown_failing(|_| false).is_empty(), "{context}");
        }
    }
}

// 13: a reminder whose answer was lost may have arrived.
#[tokio::test(start_paused = true)]
async fn a_reminder_whose_answer_was_lost_is_not_repeated_every_hour() {
    for count in [1, 6] {
        let mut world = World::new(EDITS);
        run(&mut world, each(FAILED, count, 0)).await;
        let before = world.messages().len();
        world.lose_next_answers(1);
        sweep_for(&mut world, 25..=47).await;
        assert_eq!(world.messages().len(), before + 1, "{:?}", world.headlines());
    }
}

// 13: nothing brings back a sweep that fails, and the next one does its work.
#[tokio::test(start_paused = true)]
async fn a_worker_that_dies_in_a_sweep_loses_no_reminder() {
    for count in [1, 6] {
        for calls in 0..14 {
            for happens in [false, true] {
                let mut world = World::new(EDITS);
                run(&mut world, each(FAILED, count, 0)).await;
                let before = world.messages().len();
                world.die_after(calls, happens);
                let _ = world.sweep(25 * HOUR).await;
                world.revive();
                sweep_for(&mut world, 26..=47).await;
                let sent = world.messages().len() - before;
                let context = format!("{count}, {calls} calls, happens: {happens}: {:?}", world.headlines());
                assert!((1..=2).contains(&sent), "{context}");
                run(&mut world, each(SUCCEEDED, count, 48 * HOUR)).await;
                assert!(world.messages()[0].is_closed, "{context}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_reminder_that_could_not_be_sent_is_tried_again_six_hours_later() {
    for count in [1, 6] {
        let mut world = World::new(EDITS);
        run(&mut world, each(FAILED, count, 0)).await;
        let before = world.messages().len();
        world.fail_next_deliveries(1);
        sweep_for(&mut world, 25..=30).await;
        assert_eq!(world.messages().len(), before);
        sweep_for(&mut world, 31..=33).await;
        assert_eq!(world.messages().len(), before + 1, "{:?}", world.headlines());
    }
}

// 13: a Tableau that is down holds a reminder back for three hours, and is asked once a sweep.
#[tokio::test(start_paused = true)]
async fn a_reminder_waits_three_hours_for_tableau_and_then_goes_out() {
    let mut world = World::new(EDITS);
    for n in 0..3 {
        world.one(FAILED, &format!("object-{n}"), n * 300).await;
    }
    world.tableau_is_down(true);
    world.sweep(25 * HOUR).await.unwrap_err();
    assert_eq!((world.messages().len(), world.asked().last_refreshes), (3, 1));
    world.sweep(28 * HOUR).await.unwrap_err();
    assert_eq!((world.messages().len(), world.asked().last_refreshes), (6, 2));
}

// 13: incidents of which no one is reminded keep no lost timer from being sent again.
#[tokio::test(start_paused = true)]
async fn a_thousand_incidents_of_a_muted_rule_cost_tableau_one_question_a_day_and_hide_no_lost_timer() {
    let mut world = World::new(EDITS);
    for n in 0..1_100 {
        world.one(FAILED, &format!("object-{n}"), n * 61).await;
    }
    for n in 0..4 {
        world.one(FAILED, &format!("last-{n}"), 19 * HOUR + n).await;
    }
    world.lose_timers();
    world.rules(|rules| rules.muted_until = Some(at(30 * 24 * HOUR)));
    let before = world.messages().len();
    // The first incidents are a day old at the sweep of hour 24.
    world.sweep(43 * HOUR).await.unwrap();
    assert!(world.timers() > 0, "the group's timer is sent again");
    for hour in 44..=66 {
        world.sweep(hour * HOUR).await.unwrap();
    }
    let asked = world.asked().last_refreshes;
    assert!((1_100..=1_110).contains(&asked), "{asked}");
    assert_eq!(world.messages().len(), before);
    world.rules(|rules| rules.muted_until = None);
    for hour in 67..=92 {
        world.sweep(hour * HOUR).await.unwrap();
    }
    assert_eq!(reminders(&world).len(), 1_101, "and they are reminded of when it is over");
}

// 13: events have no end of which anybody could be reminded.
#[tokio::test(start_paused = true)]
async fn a_group_of_events_is_never_sent_again() {
    for capabilities in [EDITS, POSTS] {
        for arrival in 0..14 {
            for calls in 0..8 {
                let mut world = World::new(capabilities);
                world.rules(|rules| rules.names.push(UPDATED));
                let deaths = BTreeMap::from([(arrival, (calls, calls % 2 == 0))]);
                // Members join until the group has been announced, and after.
                let flood = (0..12).map(|n| (n * 3, event(UPDATED, &format!("object-{n:03}"), n * 3)));
                world.run(flood.collect(), &deaths, at(HOUR)).await;
                let before = world.headlines();
                sweep_for(&mut world, 1..=60).await;
                let context = format!("{capabilities:?}, arrival {arrival} dies after {calls} calls");
                assert_eq!(world.headlines(), before, "{context}");
            }
        }
    }
}

// 13: a timer that failed for good is a dead letter, and no later event comes.
#[tokio::test(start_paused = true)]
async fn the_sweep_sends_a_timer_again_that_failed_for_good() {
    for night in [false, true] {
        let mut world = if night { quiet(EDITS) } else { World::new(EDITS) };
        let second = if night { 2 * HOUR } else { 0 };
        let fires = if night { NIGHT.1 } else { 15 };
        let sent = usize::from(!night);
        if !night {
            world.one(FAILED, "object-000", 0).await;
        }
        world.fail_next_deliveries(1);
        let failed = each(FAILED, 5, second).into_iter().skip(usize::from(!night));
        // The timer's message is gone after its first attempt.
        world.run(failed.collect(), &BTreeMap::new(), at(fires + 5)).await;
        world.lose_timers();
        assert_eq!(world.messages().len(), sent, "{:?}", world.headlines());
        let hour = fires / HOUR;
        sweep_for(&mut world, hour + 1..=hour + 11).await;
        assert_eq!(world.messages().len(), sent, "its queue still retries it");
        sweep_for(&mut world, hour + 12..=hour + 14).await;
        assert_eq!(world.shown_failing(|_| false).len(), 5, "night: {night}: {:?}", world.headlines());
    }
}

// 13: a suppressed failure that lasts is announced, also if its timer was lost.
#[tokio::test(start_paused = true)]
async fn the_sweep_announces_a_suppressed_incident_that_lasts_when_its_timer_was_lost() {
    let mut world = World::new(EDITS);
    for n in 0..4 {
        world.one(FAILED, "Sales", n * 600).await;
        world.one(SUCCEEDED, "Sales", n * 600 + 300).await;
    }
    world.one(FAILED, "Sales", 2_400).await;
    world.lose_timers();
    let before = world.messages().len();
    world.sweep(2_400 + HOUR).await.unwrap();
    assert_eq!(world.messages().len(), before, "its timer may be on its way");
    world.sweep(2_400 + 2 * HOUR).await.unwrap();
    assert_eq!(world.messages().len(), before + 1, "{:?}", world.headlines());
    sweep_for(&mut world, 3..=20).await;
    assert_eq!(world.messages().len(), before + 1, "{:?}", world.headlines());
}
