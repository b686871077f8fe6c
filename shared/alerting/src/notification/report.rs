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
mod tests;
