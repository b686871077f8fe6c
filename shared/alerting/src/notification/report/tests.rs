use super::*;
use crate::context::Context;
use crate::group::Member;
use crate::notification::{About, Notification, Severity, event, group_announced};
use jiff::Timestamp;
use jiff::civil::date;
use rules::Site;
use tableau::{CauseFigures, Event, FlappingObject, OwnerFigures, Payload, SlowRefresh, WebhookFigures};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn object(name: &str) -> ReportedObject {
    let owner = Some("Bea Costa".to_owned());
    ReportedObject { kind: "workbook".to_owned(), luid: "w-1".to_owned(), name: name.to_owned(), owner }
}

fn week() -> WeekFigures {
    WeekFigures {
        events: 1_640,
        failed: 41,
        succeeded: 771,
        opened: 14,
        resolved: 12,
        recovery_seconds: Some(5_400),
        messages: 310,
        messages_in_time: 308,
        message_p99_ms: Some(11_200),
        given_up: 2,
        webhook_outages: 1,
        sign_ins: Some(21),
    }
}

fn report() -> WeeklyReport {
    let sales = || object("Sales");
    WeeklyReport {
        first_day: date(2026, 11, 23),
        timezone: "Europe/Berlin".to_owned(),
        week: week(),
        week_before: Some(WeekFigures {
            failed: 38,
            succeeded: 752,
            recovery_seconds: Some(7_200),
            messages: 0,
            given_up: 0,
            ..week()
        }),
        failed_most: vec![FailingObject {
            object: sales(),
            failures: 9,
            cause: Some("Credentials".to_owned()),
        }],
        causes: vec![
            CauseFigures { cause: "Credentials".to_owned(), failures: 12 },
            CauseFigures { cause: "Solar flare".to_owned(), failures: 1 },
        ],
        longest_incidents: vec![
            LongIncident {
                object: sales(),
                since: at("2026-11-25T04:10:00Z"),
                seconds: 90_000,
                is_open: true,
            },
            LongIncident { object: sales(), since: at("2026-11-24T04:10:00Z"), seconds: 60, is_open: false },
        ],
        slowest_refreshes: vec![SlowRefresh {
            object: object("Orders"),
            seconds: 7_200,
            ended_at: at("2026-11-25T04:10:00Z"),
        }],
        flapping: vec![FlappingObject { object: sales(), incidents: 5 }],
        owners: vec![OwnerFigures { owner: "Bea Costa".to_owned(), failures: 9, objects: 1 }],
        without_owner: vec![ReportedObject { owner: None, ..object("Budget") }],
        owners_unknown: None,
        webhooks: Some(WebhookFigures { registered: 9, disabled: 1 }),
    }
}

fn event_of(report: &WeeklyReport) -> Event {
    let payload = report.payload(&"s-1".parse().unwrap(), "Marketing", at("2026-11-29T23:00:00Z"));
    Event::try_from(&payload).unwrap()
}

fn shown(report: &WeeklyReport) -> Notification {
    let site = Site {
        luid: "s-1".parse().unwrap(),
        name: "Marketing".to_owned(),
        timezone: TimeZone::get("Asia/Tokyo").unwrap(),
        suspends_after: None,
    };
    event(&About { event: &event_of(report), site: Some(&site), context: &Context::default() })
}

fn facts_of(report: &WeeklyReport) -> Vec<String> {
    let facts = shown(report).facts.into_iter().map(|fact| match fact.value {
        Value::Text(text) => format!("{}: {text}", fact.label),
        other => panic!("{other:?}"),
    });
    facts.collect()
}

fn sentences(report: &WeeklyReport) -> Vec<String> {
    let shown = shown(report);
    shown.status.iter().map(|status| status.sentence(None).unwrap().to_string()).collect()
}

fn list_lines(report: &WeeklyReport) -> Vec<String> {
    let shown = shown(report);
    let lists = shown.lists.into_iter().flat_map(|list| {
        let items: Vec<String> = list.items.iter().map(|item| words(item, shown.timezone.as_ref())).collect();
        std::iter::once(list.heading.unwrap()).chain(items)
    });
    lists.collect()
}

#[test]
fn a_report_has_each_figure_beside_that_of_the_week_before() {
    let shown = shown(&report());
    assert_eq!((shown.severity, shown.symbol), (Severity::Info, "📊"));
    assert_eq!(shown.headline(), "Weekly report, 23 to 29 Nov 2026: Marketing");
    assert_eq!(sentences(&report()), ["41 of 812 refreshes failed (week before: 38 of 790)"]);
    assert_eq!(
        facts_of(&report()),
        [
            "Incidents: 14 opened, 12 ended (week before: 14 opened, 12 ended)",
            "Mean time to recovery: 1 h 30 min (week before: 2 h)",
            "Messages within 60 s: 99.3 % of 310, p99 12 s (objective: 99 %; week before: no messages)",
            "Deliveries given up: 2 (week before: 0)",
            "Webhooks: 9 registered, 1 disabled; found disabled 1 time (week before: 1 time)",
            "Sign-ins: 21 (week before: 21)",
            "Events: 1640 (week before: 1640)",
            "Time zone: Europe/Berlin",
        ]
    );
    assert_eq!(shown.next_step.as_deref(), Some(LIST));
    assert_eq!(shown.timezone, TimeZone::get("Europe/Berlin").ok());
    assert_eq!(shown.footnotes.len(), 2, "{:?}", shown.footnotes);
}

#[test]
fn lists_name_what_to_look_at_with_causes_in_words_and_times_of_the_report() {
    assert_eq!(
        list_lines(&report()),
        [
            "Failed most",
            "Sales (Bea Costa) – workbook, 9 failures, Credentials refused",
            "Causes",
            "Credentials refused – 12 failures",
            "Solar flare – 1 failure",
            "Longest incidents, and when they began",
            "Sales (Bea Costa) – workbook, 1 d 1 h, still open · Wed 25 Nov 2026, 05:10 CET (04:10 UTC)",
            "Sales (Bea Costa) – workbook, 1 min · Tue 24 Nov 2026, 05:10 CET (04:10 UTC)",
            "Slowest refreshes, and when they ended",
            "Orders (Bea Costa) – workbook, 2 h · Wed 25 Nov 2026, 05:10 CET (04:10 UTC)",
            "Failed and recovered again and again",
            "Sales (Bea Costa) – workbook, 5 incidents",
            "Owners to talk to",
            "Bea Costa – 9 failures, 1 object",
            "Content that fails and has no owner",
            "Budget – workbook",
        ]
    );
}

#[test]
fn what_is_not_known_is_named_and_what_is_empty_is_left_out() {
    let little = WeeklyReport {
        week: WeekFigures { events: 3, succeeded: 1, ..WeekFigures::default() },
        first_day: date(2026, 11, 23),
        owners_unknown: Some("Tableau does not answer".to_owned()),
        ..WeeklyReport::default()
    };
    let said = shown(&little);
    assert_eq!(facts_of(&little), ["Events: 3", "Owners: not known: Tableau does not answer"]);
    assert_eq!(sentences(&little), ["0 of 1 refreshes failed"]);
    assert!(said.lists.is_empty() && said.next_step.is_none());
    let unknown = "the week before is not known: the history does not reach back so far";
    assert!(said.footnotes.contains(&unknown.to_owned()), "{:?}", said.footnotes);
    // The report does not name a time zone, so the site's counts.
    assert_eq!(said.timezone, TimeZone::get("Asia/Tokyo").ok());
    let nameless = WeeklyReport { failed_most: vec![FailingObject::default()], ..little };
    assert_eq!(list_lines(&nameless), ["Failed most", "(no name) – 0 failures"]);
}

#[test]
fn a_week_without_events_says_so() {
    let empty = WeeklyReport { week_before: Some(week()), ..WeeklyReport::default() };
    assert_eq!(sentences(&empty), ["No events came in this week."]);
    assert_eq!(
        facts_of(&empty),
        [
            "Incidents: 0 opened, 0 ended (week before: 14 opened, 12 ended)",
            "Mean time to recovery: no incident ended (week before: 1 h 30 min)",
            "Messages within 60 s: no messages; week before: 99.3 %, p99 12 s",
            "Deliveries given up: 0 (week before: 2)",
            "Webhooks: found disabled 0 times (week before: 1 time)",
            "Sign-ins: not recorded (week before: 21)",
            "Events: 0 (week before: 1640)",
        ]
    );
    assert!(
        sentences(&WeeklyReport { week: WeekFigures { events: 2, ..WeekFigures::default() }, ..empty })[0]
            .starts_with("No refresh ended in this week (week before: 41 of 812)")
    );
    assert_eq!(sentences(&WeeklyReport::default()), ["No events came in this week."]);
    assert!(facts_of(&WeeklyReport::default()).is_empty());
    // Another sender may leave out all of it.
    let payload = Payload {
        other: Default::default(),
        ..WeeklyReport::default().payload(&"s-1".parse().unwrap(), "Marketing", at("2026-11-29T23:00:00Z"))
    };
    let bare = Event::try_from(&payload).unwrap();
    let shown = event(&About { event: &bare, site: None, context: &Context::default() });
    assert_eq!(shown.headline(), "Weekly report: Marketing");
    assert_eq!((shown.facts.len(), shown.status, shown.lists), (1, Vec::new(), Vec::new()));
}

#[test]
fn days_have_the_month_and_the_year_once_if_they_are_the_same() {
    for (first, expected) in [
        (date(2026, 11, 23), "23 to 29 Nov 2026"),
        (date(2026, 11, 30), "30 Nov to 6 Dec 2026"),
        (date(2026, 12, 28), "28 Dec 2026 to 3 Jan 2027"),
    ] {
        let report = WeeklyReport { first_day: first, ..WeeklyReport::default() };
        assert_eq!(report_title(Some(&report)), format!("Weekly report, {expected}"));
    }
}

#[test]
fn figures_round_so_that_they_promise_nothing() {
    for (ms, expected) in [
        (0, "0 s"),
        (720, "0.8 s"),
        (2_000, "2 s"),
        (11_200, "12 s"),
        (59_000, "59 s"),
        (59_001, "1 min"),
        (130_000, "2 min 10 s"),
        (4_000_000, "1 h 6 min"),
        (u64::MAX, "213503982334 d 14 h"),
    ] {
        assert_eq!(milliseconds(ms), expected);
    }
    for (part, all, expected) in [
        (999_999, 1_000_000, Some("99.9 %")),
        (308, 310, Some("99.3 %")),
        (310, 310, Some("100 %")),
        (0, 7, Some("0 %")),
        (0, 0, None),
    ] {
        assert_eq!(percent(part, all).as_deref(), expected);
    }
}

#[test]
fn many_reports_are_one_message() {
    let member = |n: u32, object: &str| {
        let member = Member::new(&n.to_string(), object, None, at("2026-11-29T23:00:00Z"));
        (n.to_string(), Member { object: object.to_owned(), ..member })
    };
    let of_sites: Vec<_> = (0..18).map(|n| member(n, &format!("site {n}"))).collect();
    let shown = group_announced(&event_of(&report()), &of_sites, true, None);
    assert_eq!((shown.headline().as_str(), shown.symbol), ("18 weekly reports", "📊"));
    assert_eq!((shown.severity, shown.lists[0].items.len()), (Severity::Info, 18));
    let of_one = [member(0, "Marketing"), member(1, "Marketing")];
    let shown = group_announced(&event_of(&report()), &of_one, true, None);
    assert_eq!(shown.headline(), "2 weekly reports: Marketing");
    let shown = group_announced(&event_of(&report()), &of_one[..1], true, None);
    assert_eq!(shown.headline(), "Weekly report, 23 to 29 Nov 2026: Marketing");
}

#[test]
fn a_long_list_leaves_room_for_the_next_one() {
    let many = WeeklyReport { failed_most: vec![FailingObject::default(); 25], ..report() };
    let shown = shown(&many);
    assert_eq!((shown.lists[0].items.len(), shown.lists[0].more), (10, 15));
    assert_eq!(failed_most(&many).len(), 10);
}

#[test]
fn lines_for_other_systems_have_all_that_a_message_has() {
    let lines = report_lines(&report());
    let of = |label: &str| lines.iter().find(|(name, _)| name == label).map(|(_, text)| text.as_str());
    assert_eq!(of("Week"), Some("41 of 812 refreshes failed (week before: 38 of 790)"));
    assert_eq!(of("Causes"), Some("Credentials refused – 12 failures; Solar flare – 1 failure"));
    assert_eq!(lines.len(), 1 + 8 + 7);
    assert_eq!(failed_most(&report()), ["Sales (Bea Costa) – workbook, 9 failures, Credentials refused"]);
}
