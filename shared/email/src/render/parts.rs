//! The parts of a mail, in their order: unescaped texts.

use super::clock::{clock, clock_and_utc};
use crate::headers::line;
use crate::target::MailTarget;
use crate::words::{members, sentence};
use alerting::notification::{Cause, Fact, Item, Kind, List, Notification, Severity, Value};
use jiff::Timestamp;
use plain_text::{is_blank, visible};

/// The title of a mail, and what follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) severity: Severity,
    /// Decoration: the title says the same in words.
    pub(super) symbol: &'static str,
    pub(super) title: String,
    pub(super) parts: Vec<Part>,
}

/// One part of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// A paragraph; may have several lines.
    Paragraph(String),
    /// A heading.
    Heading(String),
    /// Technical text, as Tableau wrote it.
    Quote(String),
    /// Labels and values.
    Facts(Vec<(String, String)>),
    /// A list, and how many items it leaves out.
    List(Vec<String>, usize),
    /// A link: label and address.
    Link(String, String),
    /// Small print, a paragraph each.
    Small(Vec<String>),
}

/// The parts of a mail about a notification.
pub(super) fn parts(shown: &Notification, target: &MailTarget) -> Parts {
    let by_clock = |at: Timestamp| clock(at, shown.timezone.as_ref());
    let mut parts = Vec::new();
    if let Some(text) = shown.own_text.as_deref().filter(|text| !is_blank(text)) {
        parts.push(Part::Paragraph(visible(text).trim().to_owned()));
    }
    let status = shown.status.iter().filter_map(|status| sentence(status, by_clock));
    parts.extend(status.map(Part::Paragraph));
    match &shown.cause {
        Some(Cause::Known { title, line: quoted }) => {
            parts.push(Part::Heading("Cause".to_owned()));
            parts.push(Part::Paragraph(named(title)));
            if !is_blank(quoted) {
                parts.push(Part::Quote(visible(quoted).trim().to_owned()));
            }
        }
        Some(Cause::Unknown { why }) => {
            parts.push(Part::Heading("Cause".to_owned()));
            parts.push(Part::Paragraph(format!("Not available: {}.", line(why))));
        }
        None => {}
    }
    if let Some(step) = &shown.next_step {
        parts.push(Part::Heading("Next step".to_owned()));
        parts.push(Part::Paragraph(line(step)));
    }
    for list in &shown.lists {
        parts.extend(heading(list, shown.kind).map(Part::Heading));
        let item = |item: &Item| listed(item, shown.kind, by_clock);
        parts.push(Part::List(list.items.iter().map(item).collect(), list.more));
    }
    let facts: Vec<(String, String)> = shown.facts.iter().map(|fact| labelled(fact, shown)).collect();
    if !facts.is_empty() {
        parts.push(Part::Heading("Details".to_owned()));
        parts.push(Part::Facts(facts));
    }
    let is_web = |url: &str| url.starts_with("https://") || url.starts_with("http://");
    let links =
        shown.links.iter().filter(|link| is_web(&link.url) && !link.url.contains(char::is_whitespace));
    parts.extend(links.map(|link| Part::Link(link.label.to_owned(), link.url.clone())));
    let counts = shown.status.iter().filter_map(|status| members(status, by_clock));
    let footnotes = shown.footnotes.iter().filter(|text| !is_blank(text)).map(|text| line(text));
    let ids: Vec<String> = counts.chain(footnotes).collect();
    let left_out = target.left_out.iter().map(|text| line(text));
    let why = target.reason.sentence().to_owned();
    let ids = (!ids.is_empty()).then(|| ids.join(" · "));
    parts.push(Part::Small(ids.into_iter().chain(left_out).chain([why]).collect()));
    Parts { severity: shown.severity, symbol: shown.symbol, title: named(&shown.headline()), parts }
}

/// A name on one line; a placeholder for one without visible characters.
fn named(name: &str) -> String {
    let line = line(name);
    if line.is_empty() { "(no name)".to_owned() } else { line }
}

/// The heading of a list: in a group a cause and its count; a digest's says its count itself.
fn heading(list: &List, kind: Kind) -> Option<String> {
    let heading = named(list.heading.as_deref()?);
    let size: usize = list.items.iter().map(|item| item.times.max(1)).sum::<usize>() + list.more;
    Some(if kind == Kind::Digest { heading } else { format!("{heading} – {size}") })
}

fn listed(item: &Item, kind: Kind, clock: impl Fn(Timestamp) -> String) -> String {
    let what = item.what.as_deref().map(|what| format!("{}: ", named(what))).unwrap_or_default();
    let cause = item.cause.as_deref().map(|cause| format!(" – {}", named(cause))).unwrap_or_default();
    let when = match (item.when, item.times) {
        (Some((first, _)), 0 | 1) => format!(" ({})", clock(first)),
        (Some((first, last)), times) => format!(" ({times} times, {} to {})", clock(first), clock(last)),
        (None, times) if times > 1 && kind != Kind::Digest => format!(" ({times} times)"),
        (None, _) => String::new(),
    };
    format!("{what}{}{cause}{when}", named(&item.name))
}

fn labelled(fact: &Fact, shown: &Notification) -> (String, String) {
    let value = match &fact.value {
        Value::Text(text) => named(text),
        Value::Person { name, email } => match email.as_deref().filter(|email| !is_blank(email)) {
            Some(email) => format!("{} ({})", named(name), line(email)),
            None => named(name),
        },
        Value::Time(at) => clock_and_utc(*at, shown.timezone.as_ref()),
    };
    (fact.label.to_owned(), value)
}
