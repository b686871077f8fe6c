//! What messages say about a week of a site.

use super::clock::time;
use super::duration::duration;
use super::webhook::LIST;
use super::{Fact, Item, List, NO_NAME, Place, Status, Value};
use jiff::SignedDuration;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use plain_text::{is_blank, one_line};
use tableau::{FailingObject, LongIncident, ReportedObject, WeekFigures, WeeklyReport};
use tableau_client::CauseClass;

/// The service objective for messages that are sent at once: so many of them within 60 seconds after the event.
const OBJECTIVE: &str = "objective: 99 %";
/// How many items of a list a message names.
const PLACES: usize = 10;

/// The title of an event; without a report the event does not say of which week it is.
pub fn report_title(report: Option<&WeeklyReport>) -> String {
    match report {
        Some(report) => format!("Weekly report, {}", days(report.first_day, report.last_day())),
        None => "Weekly report".to_owned(),
    }
}

/// `23 to 29 Nov 2026`: the month and the year stand once if both days have the same.
fn days(first: Date, last: Date) -> String {
    let form = match (first.year() == last.year(), first.month() == last.month()) {
        (true, true) => "%-d",
        (true, false) => "%-d %b",
        (false, _) => "%-d %b %Y",
    };
    format!("{} to {}", first.strftime(form), last.strftime("%-d %b %Y"))
}

/// The time zone of the report's days.
pub(super) fn timezone(report: &WeeklyReport) -> Option<TimeZone> {
    TimeZone::get(&report.timezone).ok()
}

/// What a reader can do about the state of the stack itself.
pub(super) fn next_step(report: &WeeklyReport) -> Option<&'static str> {
    report.webhooks.is_some_and(|webhooks| webhooks.disabled > 0).then_some(LIST)
}

/// The most important sentence. `None` if there were events, but no refresh ended in this week and the week before.
pub(super) fn status(report: &WeeklyReport) -> Option<Status> {
    let (failed, ended) = refreshes(&report.week);
    let before = report.week_before.as_ref().map(refreshes);
    if report.week.events == 0 && ended == 0 {
        return Some(Status::NoEventsInWeek);
    }
    let has_ended = ended > 0 || before.is_some_and(|(_, ended)| ended > 0);
    has_ended.then_some(Status::FailedInWeek { failed, ended, before })
}

/// How many refreshes failed, and how many ended.
fn refreshes(week: &WeekFigures) -> (u64, u64) {
    (week.failed, week.failed.saturating_add(week.succeeded))
}

/// The figures of the week, each with that of the week before. A figure that is 0 in both weeks is left out.
pub(super) fn facts(report: &WeeklyReport) -> Vec<Fact> {
    let week = &report.week;
    let before = report.week_before.as_ref();
    let webhooks = webhooks(report);
    let owners = report.owners_unknown.as_deref().filter(|why| !is_blank(why));
    let facts = [
        (
            "Incidents",
            compared(week, before, |week| of(incidents(week), week.opened > 0 || week.resolved > 0)),
        ),
        ("Mean time to recovery", recovery(report)),
        ("Messages within 60 s", messages(report)),
        (
            "Deliveries given up",
            compared(week, before, |week| of(week.given_up.to_string(), week.given_up > 0)),
        ),
        ("Webhooks", webhooks),
        ("Sign-ins", sign_ins(report)),
        ("Events", compared(week, before, |week| of(week.events.to_string(), week.events > 0))),
        ("Owners", owners.map(|why| format!("not known: {why}"))),
        ("Time zone", Some(report.timezone.clone()).filter(|zone| !is_blank(zone))),
    ];
    let fact = |(label, text): (&'static str, Option<String>)| Some(Fact::new(label, Value::Text(text?)));
    facts.into_iter().filter_map(fact).collect()
}

/// A figure, and whether it says anything.
struct Figure {
    text: String,
    says_something: bool,
}

fn of(text: String, says_something: bool) -> Figure {
    Figure { text, says_something }
}

/// `41 (week before: 38)`. `None` if the figure says nothing in both weeks.
fn compared(
    week: &WeekFigures,
    before: Option<&WeekFigures>,
    figure: impl Fn(&WeekFigures) -> Figure,
) -> Option<String> {
    let this = figure(week);
    let before = before.map(figure);
    let says_something = this.says_something || before.as_ref().is_some_and(|before| before.says_something);
    let before = before.map(|before| format!(" (week before: {})", before.text)).unwrap_or_default();
    says_something.then(|| format!("{}{before}", this.text))
}

fn incidents(week: &WeekFigures) -> String {
    format!("{} opened, {} ended", week.opened, week.resolved)
}

/// `1 h 30 min (week before: 2 h)`.
fn recovery(report: &WeeklyReport) -> Option<String> {
    compared(&report.week, report.week_before.as_ref(), |week| match week.recovery_seconds {
        Some(lasted) => of(seconds(lasted), true),
        None => of("no incident ended".to_owned(), false),
    })
}

/// `99.4 % of 310, p99 12 s (objective: 99 %; week before: 98.1 %, p99 40 s)`.
fn messages(report: &WeeklyReport) -> Option<String> {
    let p99 = |week: &WeekFigures| week.message_p99_ms.map(|ms| format!(", p99 {}", milliseconds(ms)));
    let before =
        report.week_before.as_ref().map(|week| match percent(week.messages_in_time, week.messages) {
            Some(percent) => format!("; week before: {percent}{}", p99(week).unwrap_or_default()),
            None => "; week before: no messages".to_owned(),
        });
    let before_had_some = report.week_before.as_ref().is_some_and(|week| week.messages > 0);
    let week = &report.week;
    match percent(week.messages_in_time, week.messages) {
        Some(percent) => Some(format!(
            "{percent} of {}{} ({OBJECTIVE}{})",
            week.messages,
            p99(week).unwrap_or_default(),
            before.unwrap_or_default()
        )),
        None => before.filter(|_| before_had_some).map(|before| format!("no messages{before}")),
    }
}

/// `9 registered, 1 disabled; found disabled 2 times (week before: 0 times)`.
fn webhooks(report: &WeeklyReport) -> Option<String> {
    let outages = |week: &WeekFigures| of(counted(week.webhook_outages, "time"), week.webhook_outages > 0);
    let outages = compared(&report.week, report.week_before.as_ref(), outages)
        .map(|times| format!("found disabled {times}"));
    let now = report
        .webhooks
        .map(|webhooks| format!("{} registered, {} disabled", webhooks.registered, webhooks.disabled));
    let parts: Vec<String> = now.into_iter().chain(outages).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn sign_ins(report: &WeeklyReport) -> Option<String> {
    compared(&report.week, report.week_before.as_ref(), |week| match week.sign_ins {
        Some(count) => of(count.to_string(), true),
        None => of("not recorded".to_owned(), false),
    })
}

/// What the report cannot say.
pub(super) fn footnote(report: &WeeklyReport) -> Option<String> {
    let is_unknown = report.week_before.is_none();
    is_unknown.then(|| "the week before is not known: the history does not reach back so far".to_owned())
}

/// What failed most, and so on: each item is a line. Empty lists are left out.
pub(super) fn lists(report: &WeeklyReport) -> Vec<List> {
    let causes = report.causes.iter().map(|of| item(cause(&of.cause), None, vec![failures(of.failures)]));
    let slowest = report.slowest_refreshes.iter().map(|refresh| {
        let ended = Some((refresh.ended_at, refresh.ended_at));
        Item { when: ended, ..object(&refresh.object, vec![seconds(refresh.seconds)]) }
    });
    let flapping =
        report.flapping.iter().map(|of| object(&of.object, vec![counted(of.incidents, "incident")]));
    let owners = report.owners.iter().map(|of| {
        let parts = vec![failures(of.failures), counted(of.objects, "object")];
        item(of.owner.clone(), None, parts)
    });
    let without_owner = report.without_owner.iter().map(|of| object(of, Vec::new()));
    let lists = [
        list("Failed most", report.failed_most.iter().map(failing)),
        list("Causes", causes),
        list("Longest incidents, and when they began", report.longest_incidents.iter().map(long)),
        list("Slowest refreshes, and when they ended", slowest),
        list("Failed and recovered again and again", flapping),
        list("Owners to talk to", owners),
        list("Content that fails and has no owner", without_owner),
    ];
    lists.into_iter().flatten().collect()
}

/// The first places; the others are counted, so that a long list leaves room for the next one.
fn list(heading: &str, mut items: impl ExactSizeIterator<Item = Item>) -> Option<List> {
    let first: Vec<Item> = items.by_ref().take(PLACES).collect();
    let heading = Some(heading.to_owned());
    (!first.is_empty()).then(|| List { heading, items: first, more: items.len() })
}

fn failing(failing: &FailingObject) -> Item {
    let why = failing.cause.as_deref().filter(|cause| !is_blank(cause)).map(cause);
    let parts = std::iter::once(failures(failing.failures)).chain(why);
    object(&failing.object, parts.collect())
}

fn long(incident: &LongIncident) -> Item {
    let open = incident.is_open.then(|| "still open".to_owned());
    let parts = std::iter::once(seconds(incident.seconds)).chain(open);
    Item { when: Some((incident.since, incident.since)), ..object(&incident.object, parts.collect()) }
}

/// A line about an object.
fn object(object: &ReportedObject, parts: Vec<String>) -> Item {
    let kind = Some(object.kind.clone()).filter(|kind| !is_blank(kind));
    item(object.name.clone(), object.owner.as_deref(), kind.into_iter().chain(parts).collect())
}

/// A line: name and owner, then the parts.
fn item(name: String, owner: Option<&str>, parts: Vec<String>) -> Item {
    Item {
        id: None,
        what: None,
        name,
        place: Place::new(None, owner),
        cause: Some(parts.join(", ")).filter(|parts| !parts.is_empty()),
        times: 1,
        when: None,
    }
}

/// The class of a cause in words. A later version may have more classes.
fn cause(class: &str) -> String {
    CauseClass::named(class).map_or_else(|| class.to_owned(), |class| class.title().to_owned())
}

fn failures(count: u64) -> String {
    counted(count, "failure")
}

fn counted(count: u64, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}

fn seconds(count: u64) -> String {
    duration(SignedDuration::from_secs(i64::try_from(count).unwrap_or(i64::MAX)))
}

/// A short duration, rounded up: `0.8 s`, `12 s`, `2 min 10 s`.
fn milliseconds(ms: u64) -> String {
    let whole = ms.div_ceil(1_000);
    if ms < 10_000 {
        let tenths = ms.div_ceil(100);
        return format!("{} s", decimal(tenths.into()));
    }
    match (whole / 60, whole % 60) {
        (0, rest) => format!("{rest} s"),
        (minutes, 0) if minutes < 60 => format!("{minutes} min"),
        (minutes, rest) if minutes < 60 => format!("{minutes} min {rest} s"),
        _ => seconds(whole),
    }
}

/// A number of tenths, without `.0`.
fn decimal(tenths: u128) -> String {
    match (tenths / 10, tenths % 10) {
        (whole, 0) => whole.to_string(),
        (whole, rest) => format!("{whole}.{rest}"),
    }
}

/// `99.4 %`, rounded down: 100 % means all. `None` of nothing.
fn percent(part: u64, all: u64) -> Option<String> {
    let tenths = (u128::from(part) * 1_000).checked_div(u128::from(all))?;
    Some(format!("{} %", decimal(tenths)))
}

/// What failed most, a text for each object, most first: ten at most.
pub fn failed_most(report: &WeeklyReport) -> Vec<String> {
    report.failed_most.iter().take(PLACES).map(|of| words(&failing(of), None)).collect()
}

/// Everything that the report says, by label: one text, or one for each place of a list. Times are in the report's time zone.
pub fn report_sections(report: &WeeklyReport) -> Vec<(String, Vec<String>)> {
    let zone = timezone(report);
    let zone = zone.as_ref();
    let status = status(report).and_then(|status| status.sentence(zone));
    let status = status.map(|sentence| ("Week".to_owned(), vec![sentence.to_string()]));
    let facts = facts(report).into_iter().filter_map(|fact| match fact.value {
        Value::Text(text) => Some((fact.label.into_owned(), vec![text])),
        Value::Person { .. } | Value::Time(_) => None,
    });
    let lists = lists(report).into_iter().map(|list| {
        let items = list.items.iter().map(|item| words(item, zone)).collect();
        (list.heading.unwrap_or_default(), items)
    });
    status.into_iter().chain(facts).chain(lists).collect()
}

/// Everything that the report says, each label with one text.
pub fn report_lines(report: &WeeklyReport) -> Vec<(String, String)> {
    report_sections(report).into_iter().map(|(label, texts)| (label, texts.join("; "))).collect()
}

/// A line of a list as text.
fn words(item: &Item, zone: Option<&TimeZone>) -> String {
    let name = one_line(&item.name);
    let name = if name.is_empty() { NO_NAME } else { name.as_str() };
    let owner = item.place.owner.as_deref().map(|owner| format!(" ({})", one_line(owner)));
    let says = item.cause.as_deref().map(|says| format!(" – {}", one_line(says)));
    let when = item.when.map(|(at, _)| format!(" · {}", time(at, zone)));
    [Some(name.to_owned()), owner, says, when].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
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
                LongIncident {
                    object: sales(),
                    since: at("2026-11-24T04:10:00Z"),
                    seconds: 60,
                    is_open: false,
                },
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
            let items: Vec<String> =
                list.items.iter().map(|item| words(item, shown.timezone.as_ref())).collect();
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
            sentences(&WeeklyReport { week: WeekFigures { events: 2, ..WeekFigures::default() }, ..empty })
                [0]
            .starts_with("No refresh ended in this week (week before: 41 of 812)")
        );
        assert_eq!(sentences(&WeeklyReport::default()), ["No events came in this week."]);
        assert!(facts_of(&WeeklyReport::default()).is_empty());
        // Another sender may leave out all of it.
        let payload = Payload {
            other: Default::default(),
            ..WeeklyReport::default().payload(
                &"s-1".parse().unwrap(),
                "Marketing",
                at("2026-11-29T23:00:00Z"),
            )
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
}
