//! Many objects that begin to fail together.

use crate::world::{By, FAILED, RULES, SUCCEEDED, World, at};
use jiff::{SignedDuration, Timestamp};
use tableau::Event;
use testkit::simulator::{Datasource, SlackFault, notes, render};
use workflow::Outcome;

#[tokio::test]
async fn a_storm_of_five_hundred_failures_is_three_messages_and_accounts_for_each() {
    for (by, count) in [(By::BotToken, 500), (By::WebhookUrls, 150)] {
        let world = World::start(by, RULES).await;
        world.tableau.clear_faults();
        let names: Vec<String> = (0..count).map(|n| format!("Sales of region {n:03}")).collect();
        let luids: Vec<_> = names.iter().map(|name| world.tableau.add(Datasource::named(name))).collect();
        for luid in &luids {
            world.tableau.fail_refresh(luid, notes::SNOWFLAKE_LOGIN).unwrap();
        }
        // After the jobs have ended.
        let now = Timestamp::now() + SignedDuration::from_secs(1);
        let storm = luids.iter().zip(&names).zip(0_i64..).map(|((luid, name), n)| {
            let happened = now + SignedDuration::from_millis(n * 120);
            (happened, world.named_event(FAILED, luid.as_str(), name, happened))
        });
        let storm: Vec<_> = storm.collect();

        let (end, attempts) = world.run(storm.clone()).await;

        let told = world.new_messages();
        assert_eq!(told.len(), 2, "{by:?}: {}", told.join("\n---\n"));
        let seconds = end.duration_since(now).as_secs();
        assert!(seconds < 300, "{by:?}: all is told after {seconds} s");
        let last = world.said().iter().rev().map(render).next().unwrap();
        assert!(last.contains(&format!("{count} extract refreshes failed")), "{last}");
        assert!(last.contains(&format!("Credentials refused – {count}")), "{last}");
        let named = names.iter().filter(|name| last.contains(*name)).count();
        let more = last.split("… and ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
        assert_eq!(named + more.unwrap_or(0), count, "{last}");

        let recovery = storm.iter().zip(0_i64..).map(|((_, event), n)| {
            let happened = end + SignedDuration::from_secs(600) + SignedDuration::from_millis(n * 50);
            (happened, world.event(SUCCEEDED, event.subject.luid(), happened))
        });
        world.run(recovery.collect()).await;
        let told = world.new_messages();
        assert_eq!(told.len(), 3, "{by:?}: {}", told.join("\n---\n"));
        assert!(told[2].contains(&format!("All {count} recovered after")), "{}", told[2]);
        println!(
            "{by:?}: {count} failures, {} messages, {} changes, {attempts} attempts",
            told.len(),
            world.said().len() - told.len()
        );
    }
}

/// The same of these objects, one a second.
fn of(world: &World, name: &str, objects: &[usize], from: Timestamp) -> Vec<(Timestamp, Event)> {
    let event = |(n, object): (i64, &usize)| {
        let happened = from + SignedDuration::from_secs(n);
        (happened, world.event(name, &format!("object-{object}"), happened))
    };
    (0..).zip(objects).map(event).collect()
}

#[tokio::test]
async fn an_object_that_fails_anew_while_its_recovery_waits_is_shown_as_failing() {
    let world = World::start(By::BotToken, RULES).await;
    let (end, _) = world.run(of(&world, FAILED, &[0, 1, 2, 3, 4, 5], at(0))).await;
    let soon = |seconds| end + SignedDuration::from_secs(seconds);
    let recovery = world.event(SUCCEEDED, "object-3", soon(2));
    assert!(matches!(world.attempt(&recovery, soon(2)).await.unwrap(), Outcome::Deferred { .. }));
    let again = world.event(FAILED, "object-3", soon(5));
    world.attempt(&again, soon(5)).await.unwrap();
    let (end, _) = world.run(vec![(soon(12), recovery), (soon(13), again)]).await;
    world.run(of(&world, SUCCEEDED, &[0, 1, 2, 4, 5], end + SignedDuration::from_secs(60))).await;
    let seen = world.slack.channel("data-alerts");
    let failing = seen.iter().map(render).find(|text| text.contains("1 extract refresh fails"));
    assert!(failing.is_some_and(|text| text.contains("object-3")), "{seen:#?}");
}

#[tokio::test]
async fn those_who_come_when_a_message_is_full_get_another() {
    let world = World::start(By::WebhookUrls, RULES).await;
    let name = "ю".repeat(60);
    let storm = (0..700_i64).map(|n| {
        let happened = at(0) + SignedDuration::from_millis(n * 50);
        (happened, world.named_event(FAILED, &format!("{n:0>60}"), &format!("{n} {name}"), happened))
    });
    let storm: Vec<_> = storm.collect();
    let luids: Vec<String> = storm.iter().map(|(_, event)| event.subject.luid().to_owned()).collect();
    let (end, _) = world.run(storm).await;
    let failing = world.new_messages().len();
    let later = end + SignedDuration::from_secs(600);
    let recoveries = luids.iter().zip(0_i64..).map(|(luid, n)| {
        let happened = later + SignedDuration::from_millis(n * 20);
        (happened, world.event(SUCCEEDED, luid, happened))
    });
    world.run(recoveries.collect()).await;
    let said = world.new_messages();
    let counts = said[failing..].iter().filter_map(|text| {
        let (_, rest) = text.split_once("All ")?;
        rest.split(' ').next()?.parse::<usize>().ok()
    });
    let counts: Vec<usize> = counts.collect();
    assert!(counts.len() > 1, "{counts:?}");
    // The first of each is told alone as well, and belongs to it.
    assert_eq!(counts.iter().sum::<usize>(), 700, "{counts:?}");
}

#[tokio::test]
async fn the_end_of_a_message_of_its_own_is_not_posted_anew_when_somebody_deleted_it() {
    let world = World::start(By::BotToken, RULES).await;
    let (end, _) = world.run(of(&world, FAILED, &[0, 1, 2, 3, 4, 5], at(0))).await;
    let alone = world.said()[0].clone();
    world.slack.delete(&alone.channel, &alone.ts);
    let before = world.new_messages().len();
    world.run(of(&world, SUCCEEDED, &[0, 1], end + SignedDuration::from_secs(1))).await;
    assert_eq!(world.new_messages().len(), before);
}

#[tokio::test]
async fn a_storm_whose_message_never_came_through_ends_for_whom_it_began() {
    for by in [By::BotToken, By::WebhookUrls] {
        let world = World::start(by, RULES).await;
        let mut waiting = Vec::new();
        for (time, event) in of(&world, FAILED, &[0, 1, 2, 3, 4, 5], at(0)) {
            if let Outcome::Deferred { .. } = world.attempt(&event, time).await.unwrap() {
                waiting.push(event);
            }
        }
        world.slack.fail_next(1, SlackFault::RateLimited { retry_after: 1 });
        assert!(world.attempt(&waiting[0], at(1)).await.is_err());
        world.run(of(&world, SUCCEEDED, &[0, 1, 2, 3, 4, 5], at(2))).await;
        world.run(waiting.into_iter().map(|event| (at(4), event)).collect()).await;
        let said = world.new_messages();
        assert_eq!(said.len(), 2, "{by:?}: {said:#?}");
        assert!(said[1].contains("Recovered after 2 min: object-0"), "{by:?}: {}", said[1]);
    }
}

#[tokio::test]
async fn a_storm_that_goes_on_is_told_anew() {
    let world = World::start(By::BotToken, RULES).await;
    let storm = (0..40).map(|n| {
        let happened = at(0) + SignedDuration::from_secs(n * 50);
        (happened, world.event(FAILED, &format!("object-{n}"), happened))
    });
    world.run(storm.collect()).await;
    // In 33 minutes; a burst takes ten.
    assert!((4..=20).contains(&world.new_messages().len()), "{:#?}", world.new_messages());
}

#[tokio::test]
async fn what_is_critical_does_not_drown_in_a_storm() {
    let rules = format!(
        "{RULES}  - name: promised\n    critical: true\n    on: [WorkbookRefreshFailed]\n    do: [{{ notify-slack: {{ channel: data-alerts }} }}]\n"
    );
    for by in [By::BotToken, By::WebhookUrls] {
        let world = World::start(by, &rules).await;
        let (end, _) = world.run(of(&world, FAILED, &[0, 1, 2, 3, 4, 5], at(0))).await;
        let soon = end + SignedDuration::from_secs(5);
        let promised = world.event("WorkbookRefreshFailed", "Promised", soon);
        assert_eq!(world.attempt(&promised, soon).await.unwrap(), Outcome::Done);
        assert!(world.new_messages().last().unwrap().contains("Promised"), "{by:?}");
    }
}
