//! The parts of a mail, in their order: unescaped texts.

use crate::headers::line;
use crate::target::MailTarget;
use crate::words::{sentence, used_by};
use alerting::notification::clock::{span, time};
use alerting::notification::{Cause, Fact, Item, Kind, List, Notification, Severity, Value};
use jiff::tz::TimeZone;
use plain_text::{is_blank, visible};

/// The title of a mail, and what follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) severity: Severity,
    /// Decoration: the title says the same in words.
    pub(crate) symbol: &'static str,
    pub(crate) title: String,
    pub(crate) parts: Vec<Part>,
}

/// One part of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// A paragraph; may have several lines.
    Paragraph(String),
    /// A heading.
    Heading(String),
    /// Technical text, as Tableau wrote it.
    Quote(String),
    /// Labels and values.
    Facts(Vec<(String, String)>),
    /// A list, and how many items it leaves out.
    List(Vec<ListItem>, usize),
    /// A link: label and address.
    Link(String, String),
    /// A link that is a credential: label and address. No service may rewrite it.
    Credential(String, String),
    /// Small print, a paragraph each.
    Small(Vec<String>),
}

/// One item of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListItem {
    pub(crate) text: String,
    /// How many it stands for, if it does not fit.
    pub(crate) count: usize,
}

// For a person who is woken by it, the order is: what and why, what to do, whose it is, how bad it is.
/// The parts of a mail about a notification.
pub(super) fn parts(shown: &Notification, target: &MailTarget) -> Parts {
    let zone = shown.timezone.as_ref();
    let mut parts = Vec::new();
    if let Some(text) = shown.own_text.as_deref().filter(|text| !is_blank(text)) {
        parts.push(Part::Paragraph(visible(text).trim().to_owned()));
    }
    parts.extend(cause(shown));
    if let Some(step) = &shown.next_step {
        parts.push(Part::Heading("Next step".to_owned()));
        parts.push(Part::Paragraph(line(step)));
    }
    let facts: Vec<(String, String)> = shown.facts.iter().map(|fact| labelled(fact, zone)).collect();
    if !facts.is_empty() {
        parts.push(Part::Heading("Details".to_owned()));
        parts.push(Part::Facts(facts));
    }
    let status: Vec<String> = shown.status.iter().filter_map(|status| sentence(status, zone)).collect();
    if !status.is_empty() {
        parts.push(Part::Paragraph(status.join("\n")));
    }
    parts.extend(shown.impact.iter().map(|impact| Part::Paragraph(used_by(impact, named))));
    for list in &shown.lists {
        parts.extend(heading(list, shown.kind).map(Part::Heading));
        let item = |item: &Item| listed(item, shown.kind, zone);
        parts.push(Part::List(list.items.iter().map(item).collect(), list.more));
    }
    let is_web = |url: &str| url.starts_with("https://") || url.starts_with("http://");
    let links =
        shown.links.iter().filter(|link| is_web(&link.url) && !link.url.contains(char::is_whitespace));
    parts.extend(links.map(|link| Part::Link(link.label.to_owned(), link.url.clone())));
    parts.push(Part::Small(small_print(shown, target)));
    Parts { severity: shown.severity, symbol: shown.symbol, title: named(&shown.headline()), parts }
}

/// Why the refresh fails, or why it failed.
fn cause(shown: &Notification) -> Vec<Part> {
    let label = if shown.kind == Kind::Resolved { "It was" } else { "Cause" };
    let heading = Part::Heading(label.to_owned());
    match &shown.cause {
        Some(Cause::Known { title, line: quoted }) => {
            let quoted = visible(quoted).trim().to_owned();
            let quoted = (!is_blank(&quoted)).then_some(Part::Quote(quoted));
            [heading, Part::Paragraph(named(title))].into_iter().chain(quoted).collect()
        }
        Some(Cause::Unknown { why }) => {
            vec![heading, Part::Paragraph(format!("Not available: {}.", line(why)))]
        }
        None => Vec::new(),
    }
}

/// How many objects the mail is about, the ids that support needs, and why its readers get it.
fn small_print(shown: &Notification, target: &MailTarget) -> Vec<String> {
    let zone = shown.timezone.as_ref();
    let counts = shown.status.iter().filter_map(|status| status.members(zone));
    let footnotes = shown.footnotes.iter().filter(|text| !is_blank(text)).map(|text| line(text));
    let ids: Vec<String> = counts.chain(footnotes).collect();
    let ids = (!ids.is_empty()).then(|| ids.join(" · "));
    let left_out = target.left_out.iter().map(|text| line(text));
    ids.into_iter().chain(left_out).chain([target.reason.sentence().to_owned()]).collect()
}

/// A name on one line; a placeholder for one without visible characters.
fn named(name: &str) -> String {
    let line = line(name);
    if line.is_empty() { "(no name)".to_owned() } else { line }
}

/// The heading of a list: in a group a cause and its count; in a digest and a report no count, or it says it itself.
fn heading(list: &List, kind: Kind) -> Option<String> {
    let heading = named(list.heading.as_deref()?);
    let size: usize = list.items.iter().map(times).sum::<usize>() + list.more;
    Some(if kind.lists_lines() { heading } else { format!("{heading} – {size}") })
}

fn times(item: &Item) -> usize {
    item.times.max(1)
}

fn listed(item: &Item, kind: Kind, zone: Option<&TimeZone>) -> ListItem {
    let what = item.what.as_deref().map(|what| format!("{}: ", named(what))).unwrap_or_default();
    let known = [&item.place.project, &item.place.owner].into_iter().flatten();
    let known: Vec<String> = known.map(|name| named(name)).collect();
    let place = if known.is_empty() { String::new() } else { format!(" ({})", known.join(", ")) };
    let cause = item.cause.as_deref().map(|cause| format!(" – {}", named(cause))).unwrap_or_default();
    let when = match (item.when, item.times) {
        (Some((first, _)), 0 | 1) => format!(" · {}", time(first, zone)),
        (Some((first, last)), times) => format!(" · {times} times, {}", span(first, last, zone)),
        (None, times) if times > 1 && kind != Kind::Digest => format!(" ({times} times)"),
        (None, _) => String::new(),
    };
    // In a digest repeated events count; in a group each object counts once.
    let count = if kind == Kind::Digest { times(item) } else { 1 };
    ListItem { text: format!("{what}{}{place}{cause}{when}", named(&item.name)), count }
}

fn labelled(fact: &Fact, zone: Option<&TimeZone>) -> (String, String) {
    let value = match &fact.value {
        Value::Text(text) => named(text),
        Value::Person { name, email } => match email.as_deref().filter(|email| !is_blank(email)) {
            Some(email) => format!("{} ({})", named(name), line(email)),
            None => named(name),
        },
        Value::Time(at) => time(*at, zone),
    };
    (fact.label.clone().into_owned(), value)
}
