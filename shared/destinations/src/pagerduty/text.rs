//! The words of an alert: one line for the person who is paged, and the whole text. Nothing is escaped, since PagerDuty shows texts as
//! they are; there are no control characters but line breaks.

use alerting::notification::clock::{span, time};
use alerting::notification::{Cause, Fact, Item, Kind, List, Notification, Severity, Status, Value};
use jiff::tz::TimeZone;
use plain_text::{is_blank, one_line, visible};

/// The longest link, in bytes.
const LINK_LIMIT: usize = 2_000;

/// What happened, to what, where and why, in one line of any length. A further trigger of an alert says that it still fails.
pub(super) fn summary(shown: &Notification) -> String {
    let line = match as_repeat(shown) {
        Some(still) if shown.own_title.is_none() && shown.subject.is_some() => {
            one_line(&Notification { title: still, ..shown.clone() }.summary())
        }
        Some(still) => format!("{still}: {}", one_line(&shown.summary())),
        None => one_line(&shown.summary()),
    };
    if line.is_empty() { one_line(&shown.title) } else { line }
}

/// `Still failing, 3 failures in a row`.
fn as_repeat(shown: &Notification) -> Option<String> {
    let is_repeat = matches!(shown.kind, Kind::Updated | Kind::GroupUpdated);
    if !is_repeat || shown.severity != Severity::Error {
        return None;
    }
    let more = shown.status.iter().find_map(|status| match status {
        Status::StillOpen { lasted } => Some(format!(" after {lasted}")),
        Status::Failures { count, .. } if *count > 1 => Some(format!(", {count} failures in a row")),
        _ => None,
    });
    Some(format!("Still failing{}", more.unwrap_or_default()))
}

/// Cuts a line to `limit` characters, at the end of a word if there is one.
pub(super) fn cut_at_word(line: &str, limit: usize) -> String {
    if line.chars().count() <= limit {
        return line.to_owned();
    }
    let short: String = line.chars().take(limit.saturating_sub(1)).collect();
    let follows_space = line.chars().nth(limit.saturating_sub(1)).is_some_and(char::is_whitespace);
    let end = if follows_space { None } else { short.rfind(char::is_whitespace) };
    // A part of a long word says more than nothing.
    let end = end.filter(|end| end * 4 > short.len()).unwrap_or(short.len());
    format!("{}…", short[..end].trim_end())
}

/// Everything as lines, what helps most first. The lists are last, because they are the longest.
pub(super) fn lines(shown: &Notification) -> Vec<String> {
    let zone = shown.timezone.as_ref();
    let mut lines = vec![summary(shown)];
    if let Some(own) = shown.own_text.as_deref().filter(|text| !is_blank(text)) {
        lines.extend(visible(own).lines().map(one_line).filter(|line| !line.is_empty()));
    }
    lines.extend(cause(shown).map(|cause| format!("{} – {cause}", cause_label(shown))));
    lines.extend(detail(shown));
    lines.extend(shown.next_step.as_deref().map(|step| format!("Next step – {}", one_line(step))));
    lines.extend(shown.facts.iter().map(|fact| format!("{}: {}", fact.label, value(fact, zone))));
    lines.extend(standing(shown));
    lines.extend(impact(shown));
    lines.extend(link(shown).map(|(label, url)| format!("{label}: {url}")));
    lines.extend(shown.status.iter().filter_map(|status| status.members(zone)));
    lines.extend(footnotes(shown));
    for list in &shown.lists {
        lines.extend(list_lines(list, shown.kind, zone));
    }
    lines
}

/// The word before a cause: a recovery says what it was.
fn cause_label(shown: &Notification) -> &'static str {
    if shown.kind == Kind::Resolved { "It was" } else { "Cause" }
}

/// The class of the cause, or why it is not known.
pub(super) fn cause(shown: &Notification) -> Option<String> {
    match shown.cause.as_ref()? {
        Cause::Known { title, .. } => Some(one_line(title)),
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

/// How the incident or group stands.
pub(super) fn standing(shown: &Notification) -> impl Iterator<Item = String> {
    shown.status.iter().filter_map(|status| Some(status.sentence(shown.timezone.as_ref())?.to_string()))
}

/// Which workbooks use the failing data source.
pub(super) fn impact(shown: &Notification) -> Option<String> {
    let impact = shown.impact.as_ref()?;
    let sentence = impact.sentence();
    let named: Vec<String> = impact.workbooks.iter().map(|name| named(name)).collect();
    Some(match (named.is_empty(), impact.total() - named.len()) {
        (true, _) => sentence,
        (false, 0) => format!("{sentence}: {}", named.join(", ")),
        (false, more) => format!("{sentence}: {} … and {more} more", named.join(", ")),
    })
}

/// The value of a fact on one line.
pub(super) fn value(fact: &Fact, zone: Option<&TimeZone>) -> String {
    match &fact.value {
        Value::Text(text) => one_line(text),
        Value::Person { name, email: Some(email) } if !is_blank(email) => {
            format!("{} ({})", named(name), one_line(email))
        }
        Value::Person { name, .. } => named(name),
        Value::Time(at) => time(*at, zone),
    }
}

/// The first link, without its query if it is too long with it. Half a link does not work, so one that is still longer is none.
pub(super) fn link(shown: &Notification) -> Option<(&'static str, &str)> {
    shown.links.iter().find_map(|link| {
        let without_query = || link.url.split_once('?').map(|(page, _)| page);
        let fits = |url: &&str| url.len() <= LINK_LIMIT && is_https(url);
        let url = Some(link.url.as_str()).filter(fits).or_else(|| without_query().filter(fits))?;
        Some((link.label, url))
    })
}

fn is_https(url: &str) -> bool {
    let is_odd = |c: char| c.is_whitespace() || c.is_control();
    url.strip_prefix("https://").is_some_and(|rest| !rest.is_empty()) && !url.contains(is_odd)
}

fn footnotes(shown: &Notification) -> impl Iterator<Item = String> {
    shown.footnotes.iter().map(|note| one_line(note)).filter(|note| !is_blank(note))
}

fn named(name: &str) -> String {
    let line = one_line(name);
    if line.is_empty() { "(no name)".to_owned() } else { line }
}

fn list_lines(list: &List, kind: Kind, zone: Option<&TimeZone>) -> Vec<String> {
    let mut lines: Vec<String> = list.heading.as_deref().map(named).into_iter().collect();
    if !kind.lists_lines() {
        let size = list.items.len() + list.more;
        lines.iter_mut().for_each(|heading| *heading = format!("{heading} – {size}"));
    }
    lines.extend(list.items.iter().map(|item| format!("- {}", item_line(item, zone))));
    lines.extend((list.more > 0).then(|| format!("- … and {} more", list.more)));
    lines
}

/// An object of a group, what happened in quiet hours, or a line of a report.
fn item_line(item: &Item, zone: Option<&TimeZone>) -> String {
    let what = item.what.as_deref().map(|what| format!("{}: ", one_line(what))).unwrap_or_default();
    let place = [&item.place.project, &item.place.owner].into_iter().flatten().map(|name| named(name));
    let place: Vec<String> = place.collect();
    let place = if place.is_empty() { String::new() } else { format!(" ({})", place.join(", ")) };
    let cause = item.cause.as_deref().map(|cause| format!(" – {}", one_line(cause))).unwrap_or_default();
    let times = match (item.when, item.times) {
        (Some((first, _)), 0 | 1) => format!(" · {}", time(first, zone)),
        (Some((first, last)), times) => format!(" · {times} times, {}", span(first, last, zone)),
        (None, 0 | 1) => String::new(),
        (None, times) => format!(" · {times} times"),
    };
    format!("{what}{}{place}{cause}{times}", named(&item.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    // D117
    #[test]
    fn a_line_is_cut_at_a_word_and_a_long_word_in_the_middle() {
        for (line, limit, expected) in [
            ("Sales Orders", 12, "Sales Orders"),
            ("Sales Orders of the year", 12, "Sales…"),
            ("Sales Orders of the year", 13, "Sales Orders…"),
            ("Sales Orders of the year", 16, "Sales Orders of…"),
            ("S OrdersOfTheYear", 10, "S OrdersO…"),
            ("売上売上売上売上", 5, "売上売上…"),
        ] {
            let cut = cut_at_word(line, limit);
            assert_eq!(cut, expected, "{limit}");
            assert!(cut.chars().count() <= limit);
        }
    }
}
