//! Quiet hours, muted rules and critical ones.

use crate::world::{By, FAILED, SUCCEEDED, World, at};
use workflow::Outcome;

const QUIET: &str = "
rules:
  - name: quiet
    quiet: { from: 17:00, to: 23:00 }
    on: [DatasourceRefreshFailed, WorkbookUpdated]
    do: [{ notify-slack: { channel: data-alerts } }]
";

#[tokio::test]
async fn a_muted_rule_says_nothing_and_a_critical_one_speaks_in_quiet_hours() {
    let rules = "
rules:
  - name: muted
    mute_until: 2027-01-01T00:00:00Z
    on: [DatasourceRefreshFailed]
    do: [{ notify-slack: { channel: data-news } }]
  - name: critical
    critical: true
    quiet: { from: 00:00, to: 23:59 }
    on: [DatasourceRefreshFailed, WorkbookCreated]
    do: [{ notify-slack: { channel: data-alerts } }]
  - name: muted too
    mute_until: 2027-01-01T00:00:00Z
    on: [SiteUpdated]
    do: [{ notify-slack: { channel: data-news } }]
";
    let world = World::start(By::WebhookUrls, rules).await;
    assert_eq!(world.one(FAILED, "Sales", 0).await, Outcome::Done);
    assert_eq!(world.one("WorkbookCreated", "Sales", 1).await, Outcome::Done);
    let muted = world.one("SiteUpdated", "Sales", 2).await;
    let reason = "every rule for SiteUpdated is muted, until 2027-01-01T00:00:00Z at most";
    assert_eq!(muted, Outcome::skipped(reason));
    assert!(world.said().iter().all(|message| message.channel_name == "data-alerts"));
    assert_eq!(world.said().len(), 2);
}

#[tokio::test]
async fn what_happens_in_quiet_hours_is_one_digest_in_the_morning() {
    // 2025-11-24T16:00:00Z is minute 0.
    let rules = "
rules:
  - name: quiet
    quiet: { from: 15:00, to: 23:00 }
    on: [DatasourceRefreshFailed, DatasourceRefreshSucceeded, WorkbookCreated]
    do: [{ notify-slack: { channel: data-alerts } }]
";
    for by in [By::BotToken, By::WebhookUrls] {
        let world = World::start(by, rules).await;
        let happened = [
            (FAILED, "Sales", 0),
            (FAILED, "Sales", 30),
            (FAILED, "Orders", 31),
            (SUCCEEDED, "Sales", 40),
            ("WorkbookCreated", "Board", 50),
        ];
        let events: Vec<_> = happened
            .iter()
            .map(|(name, luid, minute)| (at(*minute), world.event(name, luid, at(*minute))))
            .collect();
        for (now, event) in &events {
            let outcome = world.attempt(event, *now).await.unwrap();
            assert!(
                matches!(outcome, Outcome::Deferred { until, .. } if until == at(6 * 60 + 60)),
                "{outcome:?}"
            );
        }
        assert!(world.said().is_empty());
        world.run(events.into_iter().map(|(_, event)| (at(7 * 60), event)).collect()).await;

        let said = world.new_messages();
        assert_eq!(said.len(), 1, "{said:#?}");
        for part in [
            "5 events in quiet hours",
            "Extract refresh failed: Sales",
            "2 times",
            "Orders",
            "Board",
            "succeeded",
        ] {
            assert!(said[0].contains(part), "no {part} in\n{}", said[0]);
        }
        // Orders still fails: its recovery is told.
        world.one(SUCCEEDED, "Orders", 8 * 60).await;
        assert!(world.new_messages().last().unwrap().contains("Recovered after 7 h 29 min: Orders"));
    }
}

#[tokio::test]
async fn a_story_that_is_open_calls_nobody_in_quiet_hours_and_ends_in_the_digest() {
    // 2025-11-24T16:00:00Z is minute 0.
    for (by, changes) in [(By::BotToken, 2), (By::WebhookUrls, 0)] {
        let world = World::start(by, QUIET).await;
        assert_eq!(world.one(FAILED, "Sales", 0).await, Outcome::Done);
        let events =
            [(90, world.event(FAILED, "Sales", at(90))), (120, world.event(SUCCEEDED, "Sales", at(120)))];
        for (minute, event) in &events {
            world.attempt(event, at(*minute)).await.unwrap();
        }
        assert_eq!(world.new_messages().len(), 1, "{by:?}");
        assert_eq!(world.said().len() - 1, changes, "{by:?}: changed in place");
        world.run(events.into_iter().map(|(_, event)| (at(421), event)).collect()).await;
        let said = world.new_messages();
        assert_eq!(said.len(), 2, "{by:?}: {said:#?}");
        assert!(said[1].contains("in quiet hours") && said[1].contains("succeeded"), "{}", said[1]);
    }
}

#[tokio::test]
async fn a_digest_of_a_bad_night_is_taken_by_slack_and_counts_what_it_cannot_name() {
    let world = World::start(By::BotToken, QUIET).await;
    let names =
        (0..120).map(|n| format!("Выручка по региону и очень длинное название {n:03} {}", "ю".repeat(60)));
    let mut events = Vec::new();
    for (name, n) in names.zip(0..) {
        for minute in [90, 150] {
            let event = world.named_event("WorkbookUpdated", &format!("luid-{n}"), &name, at(minute));
            assert!(matches!(world.attempt(&event, at(minute)).await.unwrap(), Outcome::Deferred { .. }));
            events.push((at(421), event));
        }
    }
    world.run(events).await;
    let said = world.new_messages();
    assert_eq!(said.len(), 1, "{:?}", world.slack.refusals());
    assert!(said[0].contains("240 events in quiet hours") && said[0].contains(" more"), "{}", said[0]);
}
