//! The sentences of a message as plain text, for cards and for plain fields alike. Nothing here is escaped.

use super::text::cut;
use alerting::impact::Impact;
use alerting::notification::clock::time;
use alerting::notification::{Cause, Fact, Kind, Notification, Value};
use jiff::tz::TimeZone;
use plain_text::{is_blank, one_line};

/// The longest name that is shown; names in Tableau may have 255 characters and more.
const NAME_LIMIT: usize = 120;
/// The longest link, in bytes.
const LINK_LIMIT: usize = 2_000;
/// The longest name in a list.
pub(super) const LISTED_LIMIT: usize = 60;

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

/// The word before a cause: a recovery says what it was.
pub(super) fn cause_label(shown: &Notification) -> &'static str {
    if shown.kind == Kind::Resolved { "It was" } else { "Cause" }
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

/// Which workbooks use the data source. At most `names` of them are named.
pub(super) fn impact(impact: &Impact, names: usize) -> String {
    let named: Vec<String> =
        impact.workbooks.iter().take(names).map(|name| named(name, LISTED_LIMIT)).collect();
    let sentence = impact.sentence();
    if named.is_empty() {
        return sentence;
    }
    let more = match impact.total() - named.len() {
        0 => String::new(),
        more => format!(" … and {more} more"),
    };
    format!("{sentence}: {}{more}", named.join(", "))
}

/// The value of a fact on one line.
pub(super) fn value(fact: &Fact, zone: Option<&TimeZone>) -> String {
    match &fact.value {
        Value::Text(text) => one_line(text),
        Value::Person { name, email: Some(email) } if !is_blank(email) => {
            format!("{} ({})", short(name), short(email))
        }
        Value::Person { name, .. } => short(name),
        Value::Time(at) => time(*at, zone),
    }
}

/// The first link, without its query if it is too long with it. Half a link does not work, so one that is still longer is none.
pub(super) fn link(shown: &Notification) -> Option<(&'static str, &str)> {
    shown.links.iter().find_map(|link| {
        let without_query = || link.url.split_once('?').map(|(page, _)| page);
        let fits = |url: &&str| url.len() <= LINK_LIMIT;
        let url = Some(link.url.as_str()).filter(fits).or_else(|| without_query().filter(fits))?;
        Some((link.label, url))
    })
}

/// The footnotes that have something to say.
pub(super) fn footnotes(shown: &Notification) -> impl Iterator<Item = String> {
    shown.footnotes.iter().map(|note| one_line(note)).filter(|note| !is_blank(note))
}
