//! The sentences of a message as plain text, for cards and for plain fields alike. Nothing here is escaped.

use super::clock::{clock, clock_and_utc};
use super::text::cut;
use alerting::notification::{Cause, Fact, Item, Kind, List, Notification, Status, Value};
use jiff::tz::TimeZone;
use plain_text::{is_blank, one_line};

/// The longest name that is shown; names in Tableau may have 255 characters and more.
pub(super) const NAME_LIMIT: usize = 120;

/// A name on one line of at most `limit` characters. A placeholder replaces a name without visible characters.
pub(super) fn named(name: &str, limit: usize) -> String {
    let line = one_line(name);
    if line.is_empty() { "(no name)".to_owned() } else { cut(&line, limit) }
}

/// A name as messages show it.
pub(super) fn short(name: &str) -> String {
    named(name, NAME_LIMIT)
}

/// What happened, and to what: the rule's own title, or title and name.
pub(super) fn headline(shown: &Notification) -> String {
    match (&shown.own_title, &shown.subject) {
        (Some(own), _) => short(own),
        (None, Some(subject)) => format!("{}: {}", short(&shown.title), short(subject)),
        (None, None) => short(&shown.title),
    }
}

/// The class of the cause, or why it is not known.
pub(super) fn cause(shown: &Notification) -> Option<String> {
    match shown.cause.as_ref()? {
        Cause::Known { title, .. } => Some(short(title)),
        Cause::Unknown { why } => Some(format!("not available: {}", one_line(why))),
    }
}

/// The line of the job that gives the reason.
pub(super) fn detail(shown: &Notification) -> Option<String> {
    match shown.cause.as_ref()? {
        Cause::Known { line, .. } => Some(one_line(line)).filter(|line| !is_blank(line)),
        Cause::Unknown { .. } => None,
    }
}

/// The sentence of a status. `None` for the count of members, which [`members`] says.
pub(super) fn sentence(status: &Status, zone: Option<&TimeZone>) -> Option<String> {
    let failures = |count: u32| if count == 1 { "1 failure".to_owned() } else { format!("{count} failures") };
    match status {
        Status::StillOpen { lasted } => Some(format!("Still failing after {lasted}")),
        Status::Failures { count, since, lasted } => {
            Some(format!("{} in {lasted}, since {}", failures(*count), clock(*since, zone)))
        }
        Status::Total { count, since } => {
            Some(format!("It had {} since {}.", failures(*count), clock(*since, zone)))
        }
        Status::Flapping { recoveries } => Some(format!(
            "Flapping: it failed and recovered {recoveries} times within a day. Further alerts are suppressed until it is stable."
        )),
        Status::SuccessEventMissing => Some(
            "Tableau's jobs show that a later refresh succeeded. Tableau sent no event about it.".to_owned(),
        ),
        Status::New { count } => Some(format!("New since the last message: {count}")),
        Status::Members { .. } => None,
    }
}

/// How many objects the message is about.
pub(super) fn members(status: &Status, zone: Option<&TimeZone>) -> Option<String> {
    let Status::Members { count, since } = status else { return None };
    let since = since.map(|at| format!("since {} · ", clock(at, zone))).unwrap_or_default();
    let objects = if *count == 1 { "object" } else { "objects" };
    Some(format!("{since}{count} {objects} in this message"))
}

/// The value of a fact on one line.
pub(super) fn value(fact: &Fact, zone: Option<&TimeZone>) -> String {
    match &fact.value {
        Value::Text(text) => one_line(text),
        Value::Person { name, email: Some(email) } if !is_blank(email) => {
            format!("{} ({})", short(name), short(email))
        }
        Value::Person { name, .. } => short(name),
        Value::Time(at) => clock_and_utc(*at, zone),
    }
}

/// The footnotes that have something to say.
pub(super) fn footnotes(shown: &Notification) -> impl Iterator<Item = String> {
    shown.footnotes.iter().map(|note| one_line(note)).filter(|note| !is_blank(note))
}

/// The heading of a list, in a group with its size.
pub(super) fn heading(list: &List, kind: Kind) -> Option<String> {
    let heading = short(list.heading.as_deref()?);
    let size = list.items.iter().map(|item| item.times.max(1)).sum::<usize>() + list.more;
    Some(if kind == Kind::Digest { heading } else { format!("{heading} – {size}") })
}

/// How many events or objects an item of a list stands for: in a digest repeated events count.
pub(super) fn times(item: &Item, kind: Kind) -> usize {
    if kind == Kind::Digest { item.times.max(1) } else { 1 }
}

/// An item of a group's list.
pub(super) fn object(item: &Item, limit: usize) -> String {
    let name = named(&item.name, limit);
    if item.times > 1 { format!("{name} ({} times)", item.times) } else { name }
}

/// An item of a digest: what happened to what, why, and how often.
pub(super) fn happened(item: &Item, zone: Option<&TimeZone>) -> String {
    let what = item.what.as_deref().map(|what| format!("{}: ", short(what))).unwrap_or_default();
    let cause = item.cause.as_deref().map(|cause| format!(" – {}", short(cause))).unwrap_or_default();
    let times = item
        .when
        .filter(|_| item.times > 1)
        .map(|(_, last)| format!(" ({} times, the last one {})", item.times, clock(last, zone)));
    format!("{what}{}{cause}{}", short(&item.name), times.unwrap_or_default())
}
