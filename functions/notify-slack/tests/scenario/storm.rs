//! Storms: many objects begin to fail together.

use crate::environment::{By, Environment, FAILED, RULES, SUCCEEDED, at};
use jiff::{SignedDuration, Timestamp};
use tableau::Event;
use testkit::simulator::{Datasource, Fault, SlackFault, notes};
use workflow::Outcome;

#[tokio::test]
async fn a_storm_of_five_hundred_failures_is_three_messages_and_accounts_for_each() {
    for by in By::ALL {
        // Each failure looks for its cause in Tableau's list of jobs.
        let count = if by == By::BotToken { 500 } else { 120 };
        let environment = Environment::start(by, RULES).await;
        environment.tableau.clear_faults();
        let names: Vec<String> = (0..count).map(|n| format!("Sales of region {n:03}")).collect();
        let luids: Vec<_> =
            names.iter().map(|name| environment.tableau.add(Datasource::named(name))).collect();
        for luid in &luids {
            environment.tableau.fail_refresh(luid, notes::SNOWFLAKE_LOGIN).unwrap();
        }
        // The failure events come after the jobs have ended.
        let now = Timestamp::now() + SignedDuration::from_secs(1);
        let storm = luids.iter().zip(&names).zip(0_i64..).map(|((luid, name), n)| {
            let happened = now + SignedDuration::from_millis(n * 120);
            (happened, environment.named_event(FAILED, luid.as_str(), name, happened))
        });
        let storm: Vec<_> = storm.collect();

        let (end, timers) = environment.run(storm.clone()).await;

        let sent = environment.new_messages();
        assert_eq!(sent.len(), 2, "{by:?}: {}", sent.join("\n---\n"));
        let seconds = end.duration_since(now).as_secs();
        assert!(seconds < 300, "{by:?}: all is announced after {seconds} s");
        let last = environment.said().last().unwrap().text.clone();
        assert!(last.contains(&format!("{count} extract refreshes failed")), "{last}");
        assert!(last.contains(&format!("Credentials refused – {count}")), "{last}");
        let named = names.iter().filter(|name| last.contains(*name)).count();
        let more = last.split("… and ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
        assert_eq!(named + more.unwrap_or(0), count, "{last}");

        // Otherwise each success without a job at Tableau waits for a second lookup.
        environment.tableau.fail_always("GET */jobs*", Fault::Error("403000"));
        let recovery = storm.iter().zip(0_i64..).map(|((_, event), n)| {
            let happened = end + SignedDuration::from_secs(600) + SignedDuration::from_millis(n * 50);
            (happened, environment.event(SUCCEEDED, event.subject.luid(), happened))
        });
        environment.run(recovery.collect()).await;
        let sent = environment.new_messages();
        assert_eq!(sent.len(), 3, "{by:?}: {}", sent.join("\n---\n"));
        assert!(sent[2].contains(&format!("All {count} recovered after")), "{}", sent[2]);
        println!(
            "{by:?}: {count} failures, {} messages, {} changes, {timers} timers",
            sent.len(),
            environment.said().len() - sent.len()
        );
    }
}

/// Successes of these objects, one per second.
fn of(environment: &Environment, name: &str, objects: &[usize], from: Timestamp) -> Vec<(Timestamp, Event)> {
    let event = |(n, object): (i64, &usize)| {
        let happened = from + SignedDuration::from_secs(n);
        (happened, environment.event(name, &format!("object-{object}"), happened))
    };
    (0..).zip(objects).map(event).collect()
}

#[tokio::test]
async fn an_object_that_fails_anew_after_its_recovery_is_shown_as_failing() {
    for by in By::EDITING {
        let environment = Environment::start(by, RULES).await;
        let (end, _) = environment.run(of(&environment, FAILED, &[0, 1, 2, 3, 4, 5], at(0))).await;
        let soon = |seconds| end + SignedDuration::from_secs(seconds);
        let recovery = environment.event(SUCCEEDED, "object-3", soon(2));
        environment.attempt(&recovery, soon(2)).await.unwrap();
        let again = environment.event(FAILED, "object-3", soon(5));
        environment.attempt(&again, soon(5)).await.unwrap();
        environment.settle().await;
        environment
            .run(of(&environment, SUCCEEDED, &[0, 1, 2, 4, 5], end + SignedDuration::from_secs(300)))
            .await;
        let seen = environment.seen("data-alerts");
        let is_failing = |text: &String| text.contains('🔴') && text.contains("object-3");
        assert!(seen.iter().any(is_failing), "{by:?}: {seen:#?}");
        assert!(!seen.iter().any(|text| text.contains('🔴') && !is_failing(text)), "{by:?}: {seen:#?}");
    }
}

#[tokio::test]
async fn names_without_end_are_counted_and_each_object_recovers() {
    for by in [By::WebhookUrls] {
        let environment = Environment::start(by, RULES).await;
        let name = "ю".repeat(60);
        let storm = (0..700_i64).map(|n| {
            let happened = at(0) + SignedDuration::from_millis(n * 50);
            (
                happened,
                environment.named_event(FAILED, &format!("{n:0>60}"), &format!("{n} {name}"), happened),
            )
        });
        let storm: Vec<_> = storm.collect();
        let luids: Vec<String> = storm.iter().map(|(_, event)| event.subject.luid().to_owned()).collect();
        let (end, _) = environment.run(storm).await;
        let failing = environment.new_messages();
        assert_eq!(failing.len(), 2, "{by:?}: {failing:#?}");
        assert!(failing[1].contains("700 extract refreshes failed"), "{}", failing[1]);
        let later = end + SignedDuration::from_secs(600);
        let recoveries = luids.iter().zip(0_i64..).map(|(luid, n)| {
            let happened = later + SignedDuration::from_millis(n * 20);
            (happened, environment.event(SUCCEEDED, luid, happened))
        });
        environment.run(recoveries.collect()).await;
        let said = environment.new_messages();
        assert_eq!(said.len(), 3, "{by:?}: {said:#?}");
        assert!(said[2].contains("All 700 recovered"), "{}", said[2]);
    }
}

#[tokio::test]
async fn the_end_of_a_message_of_its_own_is_not_posted_anew_when_a_person_deleted_it() {
    for by in By::EDITING {
        let environment = Environment::start(by, RULES).await;
        let (end, _) = environment.run(of(&environment, FAILED, &[0, 1, 2, 3, 4, 5], at(0))).await;
        environment.delete(&environment.said()[0]);
        let before = environment.new_messages().len();
        environment.run(of(&environment, SUCCEEDED, &[0, 1], end + SignedDuration::from_secs(1))).await;
        assert_eq!(environment.new_messages().len(), before, "{by:?}");
    }
}

#[tokio::test]
async fn a_storm_whose_message_could_not_be_sent_before_its_end_ends_for_those_who_saw_its_beginning() {
    for by in By::ALL {
        let environment = Environment::start(by, RULES).await;
        for (time, event) in of(&environment, FAILED, &[0, 1, 2, 3, 4, 5], at(0)) {
            environment.attempt(&event, time).await.unwrap();
        }
        let successes =
            of(&environment, SUCCEEDED, &[0, 1, 2, 3, 4, 5], at(0) + SignedDuration::from_secs(6));
        environment.fail_next(1, &SlackFault::RateLimited { retry_after: 1 });
        environment.run(successes).await;
        let said = environment.new_messages();
        assert_eq!(said.len(), 2, "{by:?}: {said:#?}");
        assert!(said[1].contains("Recovered after less than a minute: object-0"), "{by:?}: {}", said[1]);
        let seen = environment.seen("data-alerts");
        assert!(!by.edits() || seen.iter().all(|text| !text.contains('🔴')), "{by:?}: {seen:#?}");
    }
}

#[tokio::test]
async fn a_storm_that_goes_on_is_announced_anew() {
    for by in By::EDITING {
        let environment = Environment::start(by, RULES).await;
        let storm = (0..40).map(|n| {
            let happened = at(0) + SignedDuration::from_secs(n * 50);
            (happened, environment.event(FAILED, &format!("object-{n}"), happened))
        });
        environment.run(storm.collect()).await;
        // Failures over 33 minutes; a group accepts members for ten minutes.
        let said = environment.new_messages();
        assert!((4..=20).contains(&said.len()), "{by:?}: {said:#?}");
    }
}

// A flood of any kind of event is grouped.
#[tokio::test]
async fn five_hundred_updated_workbooks_are_two_messages() {
    let rules =
        "rules: [{ name: all, on: [WorkbookUpdated], do: [{ notify-slack: { channel: data-news } }] }]\n";
    for by in By::ALL {
        let environment = Environment::start(by, rules).await;
        let flood = (0..500_i64).map(|n| {
            let happened = at(0) + SignedDuration::from_millis(n * 100);
            (happened, environment.event("WorkbookUpdated", &format!("Board-{n:03}"), happened))
        });
        environment.run(flood.collect()).await;
        let said = environment.new_messages();
        assert_eq!(said.len(), 2, "{by:?}: {said:#?}");
        let last = environment.said().last().unwrap().text.clone();
        assert!(last.contains("499") && last.contains("Board-001"), "{by:?}: {last}");
    }
}

#[tokio::test]
async fn what_is_critical_does_not_drown_in_a_storm() {
    let rules = format!(
        "{RULES}  - name: promised\n    critical: true\n    on: [WorkbookRefreshFailed]\n    do: [{{ notify-slack: {{ channel: data-alerts }} }}]\n"
    );
    for by in By::ALL {
        let environment = Environment::start(by, &rules).await;
        let (end, _) = environment.run(of(&environment, FAILED, &[0, 1, 2, 3, 4, 5], at(0))).await;
        let soon = end + SignedDuration::from_secs(5);
        let promised = environment.event("WorkbookRefreshFailed", "Promised", soon);
        assert_eq!(environment.attempt(&promised, soon).await.unwrap(), Outcome::Done);
        assert!(environment.new_messages().last().unwrap().contains("Promised"), "{by:?}");
    }
}
