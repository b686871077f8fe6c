//! Quiet hours, muted rules and critical ones.

use crate::environment::{By, Environment, FAILED, SUCCEEDED, at};
use workflow::Outcome;

/// The time of minute 0 is 16:00 UTC.
const QUIET: &str = "
rules:
  - name: quiet
    quiet: { from: 17:00, to: 23:00 }
    on: [DatasourceRefreshFailed, WorkbookUpdated]
    do: [{ notify-slack: { channel: data-alerts } }]
";
const MORNING: i64 = 421;

#[tokio::test]
async fn a_muted_rule_sends_nothing_and_a_critical_one_notifies_in_quiet_hours() {
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
    for by in By::ALL {
        let environment = Environment::start(by, rules).await;
        assert_eq!(environment.one(FAILED, "Sales", 0).await, Outcome::Done);
        assert_eq!(environment.one("WorkbookCreated", "Sales", 1).await, Outcome::Done);
        let muted = environment.one("SiteUpdated", "Sales", 2).await;
        let reason = "every rule for SiteUpdated is muted, until 2027-01-01T00:00:00Z at most";
        assert_eq!(muted, Outcome::skipped(reason));
        environment.settle().await;
        assert!(environment.said().iter().all(|said| said.channel == "data-alerts"));
        assert_eq!(environment.said().len(), 2, "{by:?}");
    }
}

#[tokio::test]
async fn what_happens_in_quiet_hours_is_one_digest_in_the_morning() {
    let rules = "
rules:
  - name: quiet
    quiet: { from: 15:00, to: 23:00 }
    on: [DatasourceRefreshFailed, DatasourceRefreshSucceeded, WorkbookCreated]
    do: [{ notify-slack: { channel: data-alerts } }]
";
    for by in By::ALL {
        let environment = Environment::start(by, rules).await;
        for (name, luid, minute) in [
            (FAILED, "Sales", 0),
            (FAILED, "Sales", 30),
            (FAILED, "Orders", 31),
            (SUCCEEDED, "Sales", 40),
            ("WorkbookCreated", "Board", 50),
        ] {
            let outcome = environment.one(name, luid, minute).await;
            assert!(
                matches!(&outcome, Outcome::Skipped(why) if why.contains("digest")),
                "{name}: {outcome:?}"
            );
        }
        assert!(environment.said().is_empty());
        assert_eq!(environment.timers.armed().len(), 1, "{by:?}: one timer for the digest");
        environment.wait_until(at(MORNING)).await;

        let said = environment.new_messages();
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
        // Orders still fails, so its recovery is announced.
        environment.one(SUCCEEDED, "Orders", 8 * 60).await;
        let said = environment.new_messages();
        assert!(said.last().unwrap().contains("Recovered after 7 h 29 min: Orders"), "{by:?}: {said:#?}");
    }
}

#[tokio::test]
async fn an_open_incident_calls_no_one_in_quiet_hours_and_ends_in_the_digest() {
    for by in By::ALL {
        let changes = if by.edits() { 2 } else { 0 };
        let environment = Environment::start(by, QUIET).await;
        assert_eq!(environment.one(FAILED, "Sales", 0).await, Outcome::Done);
        environment.one(FAILED, "Sales", 90).await;
        environment.one(SUCCEEDED, "Sales", 120).await;
        assert_eq!(environment.new_messages().len(), 1, "{by:?}");
        assert_eq!(environment.said().len() - 1, changes, "{by:?}: changed in place");
        environment.wait_until(at(MORNING)).await;
        let said = environment.new_messages();
        assert_eq!(said.len(), 2, "{by:?}: {said:#?}");
        assert!(said[1].contains("in quiet hours") && said[1].contains("succeeded"), "{}", said[1]);
    }
}

#[tokio::test]
async fn a_digest_of_a_bad_night_is_taken_by_slack_and_counts_what_it_cannot_name() {
    for by in By::ALL {
        let environment = Environment::start(by, QUIET).await;
        let name = |n| format!("Выручка по региону и очень длинное название {n:03} {}", "ю".repeat(60));
        for minute in [90, 150] {
            for n in 0..120 {
                let name = name(n);
                let event =
                    environment.named_event("WorkbookUpdated", &format!("luid-{n}"), &name, at(minute));
                assert!(matches!(
                    environment.attempt(&event, at(minute)).await.unwrap(),
                    Outcome::Skipped(_)
                ));
            }
        }
        environment.settle().await;
        let said = environment.new_messages();
        assert_eq!(said.len(), 1, "{by:?}: {:?}", environment.slack.refusals());
        assert!(said[0].contains("240 events in quiet hours") && said[0].contains(" more"), "{}", said[0]);
    }
}

/// A digest, and a message about many, would not show the link.
#[tokio::test]
async fn a_published_pdf_waits_for_the_end_of_quiet_hours_and_is_always_a_message_of_its_own() {
    let rules = "
rules:
  - name: reports
    quiet: { from: 17:00, to: 23:00 }
    on: [PdfPublished]
    do: [{ notify-slack: { channel: data-alerts } }]
";
    for by in By::ALL {
        let environment = Environment::start(by, rules).await;
        for luid in ["Sales", "Orders", "Board"] {
            assert_eq!(environment.one("PdfPublished", luid, 0).await, Outcome::Done, "{by:?}");
        }
        assert_eq!(environment.new_messages().len(), 3, "{by:?}: no group");
        let outcome = environment.one("PdfPublished", "Night", 90).await;
        assert!(matches!(&outcome, Outcome::Deferred { until, .. } if *until == at(420)), "{outcome:?}");
        assert_eq!(environment.new_messages().len(), 3, "{by:?}: it waits");
        assert_eq!(environment.one("PdfPublished", "Night", MORNING).await, Outcome::Done);
        assert_eq!(environment.new_messages().len(), 4, "{by:?}");
    }
}
