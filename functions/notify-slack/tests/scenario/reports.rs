//! Weekly reports, one and many.

use crate::environment::{By, Environment, at};
use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use tableau::{CauseFigures, Event, FailingObject, LongIncident, ReportedObject, WeekFigures, WeeklyReport};
use workflow::Outcome;

const RULES: &str = "
rules:
  - name: reports
    on: [WeeklyReport]
    do: [{ notify-slack: { channel: data-news } }]
";

/// The report of a site.
fn event(site: &str, name: &str, ended_at: Timestamp) -> Event {
    let object = ReportedObject {
        kind: "workbook".to_owned(),
        luid: "w-1".to_owned(),
        name: format!("Sales of {name}"),
        owner: Some("Bea Costa".to_owned()),
    };
    let report = WeeklyReport {
        first_day: date(2025, 11, 17),
        timezone: "Europe/Berlin".to_owned(),
        week: WeekFigures { events: 1_640, failed: 41, succeeded: 771, ..WeekFigures::default() },
        week_before: Some(WeekFigures { failed: 38, succeeded: 752, ..WeekFigures::default() }),
        failed_most: vec![FailingObject {
            object: object.clone(),
            failures: 9,
            cause: Some("Credentials".to_owned()),
        }],
        causes: vec![CauseFigures { cause: "Credentials".to_owned(), failures: 12 }],
        longest_incidents: vec![LongIncident {
            object,
            since: "2025-11-19T04:10:00Z".parse().unwrap(),
            seconds: 90_000,
            is_open: true,
        }],
        ..WeeklyReport::default()
    };
    Event::try_from(&report.payload(&site.parse().unwrap(), name, ended_at)).unwrap()
}

/// A report a second for so many sites.
fn events(count: i64) -> Vec<(Timestamp, Event)> {
    let of = |second: i64| {
        let ended_at = at(0) + SignedDuration::from_secs(second);
        (ended_at, event(&format!("site-{second}"), &format!("Team {second}"), ended_at))
    };
    (0..count).map(of).collect()
}

#[tokio::test]
async fn a_report_is_one_message_with_figures_and_lists_and_nothing_is_asked_about_the_site() {
    for by in By::ALL {
        let environment = Environment::start(by, RULES).await;
        let site = environment.tableau.site();
        let report = event(site.as_str(), "Marketing", at(0));
        assert_eq!(environment.attempt(&report, at(0)).await.unwrap(), Outcome::Done, "{by:?}");
        // The same report again is the same message.
        let again = environment.attempt(&report, at(1)).await.unwrap();
        assert!(matches!(again, Outcome::Done | Outcome::Skipped(_)), "{by:?}: {again:?}");
        environment.settle().await;
        let said = environment.said();
        assert_eq!(said.len(), 1, "{by:?}: {said:#?}");
        for part in [
            "Weekly report, 17 to 23 Nov 2025: Marketing",
            "41 of 812 refreshes failed",
            "week before: 38 of 790",
            "9 failures, Credentials refused",
            "Causes",
            "still open · Wed 19 Nov 2025, 05:10 CET (04:10 UTC)",
        ] {
            assert!(said[0].text.contains(part), "{by:?}: no {part} in\n{}", said[0].text);
        }
        assert_eq!(environment.tableau.calls("*"), 0, "{by:?}");
    }
}

#[tokio::test]
async fn reports_of_many_sites_are_two_messages() {
    for by in By::ALL {
        let environment = Environment::start(by, RULES).await;
        environment.run(events(12)).await;
        let said = environment.new_messages();
        assert_eq!(said.len(), 2, "{by:?}: {said:#?}");
        assert!(said[0].contains("Weekly report, 17 to 23 Nov 2025: Team 0"), "{}", said[0]);
        let many = environment.said().last().unwrap().text.clone();
        assert!(many.contains("11 weekly reports") && many.contains("Team 11"), "{by:?}: {many}");
        assert_eq!(environment.tableau.calls("*"), 0, "{by:?}");
    }
}

/// Too few for a group: each message has what the report says, although it is made of what was stored.
#[tokio::test]
async fn reports_of_two_sites_are_two_messages_with_all_figures() {
    for by in By::ALL {
        let environment = Environment::start(by, RULES).await;
        environment.run(events(2)).await;
        let said = environment.new_messages();
        assert_eq!(said.len(), 2, "{by:?}: {said:#?}");
        for (n, text) in said.iter().enumerate() {
            let title = format!("Weekly report, 17 to 23 Nov 2025: Team {n}");
            assert!(text.contains(&title), "{by:?}: {text}");
            assert!(text.contains("9 failures, Credentials refused"), "{by:?}: {text}");
        }
    }
}

/// A digest would show its title alone.
#[tokio::test]
async fn a_report_waits_for_the_end_of_quiet_hours() {
    let rules = RULES.replace("    on:", "    quiet: { from: 15:00, to: 23:00 }\n    on:");
    for by in By::ALL {
        let environment = Environment::start(by, &rules).await;
        let report = event(environment.tableau.site().as_str(), "Marketing", at(0));
        let outcome = environment.attempt(&report, at(0)).await.unwrap();
        assert!(matches!(&outcome, Outcome::Deferred { until, .. } if *until == at(420)), "{outcome:?}");
        assert!(environment.new_messages().is_empty(), "{by:?}");
        assert_eq!(environment.attempt(&report, at(421)).await.unwrap(), Outcome::Done, "{by:?}");
        let said = environment.new_messages();
        assert_eq!(said.len(), 1, "{by:?}: {said:#?}");
        assert!(said[0].contains("Weekly report, 17 to 23 Nov 2025: Marketing"), "{}", said[0]);
    }
}

/// A site is in no project, has no owner and no tags. A condition on its name holds.
#[tokio::test]
async fn conditions_on_content_do_not_hold_and_ask_nothing() {
    for (condition, holds) in [
        ("project: Finance", false),
        ("owner: ana", false),
        ("tags: { any: [critical] }", false),
        ("certified: true", false),
        ("tags: { none: [critical] }", true),
        ("name: \"Mark*\"", true),
        ("name: Sales", false),
    ] {
        let on = "on: [WeeklyReport, WorkbookUpdated, DatasourceUpdated]";
        let rules = RULES.replace("on: [WeeklyReport]", &format!("{on}\n    where: {{ {condition} }}"));
        let environment = Environment::start(By::RecorderOfPosts, &rules).await;
        let report = event(environment.tableau.site().as_str(), "Marketing", at(0));
        let outcome = environment.attempt(&report, at(0)).await.unwrap();
        assert_eq!(outcome == Outcome::Done, holds, "{condition}: {outcome:?}");
        assert_eq!(environment.tableau.calls("*"), 0, "{condition}");
    }
}
