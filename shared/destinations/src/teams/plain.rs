//! The plain form, for a flow with the trigger *When an HTTP request is received*: one object of texts. The first six are those of
//! Tableau's own webhooks, so that a flow that took these takes ours.
//!
//! Every field is always there and always a text, empty if there is nothing to say: the trigger refuses `null`.
//! `functions/notify-teams/power-automate.schema.json` is the schema to paste into the flow.

use super::lists;
use super::mentions::called;
use super::text::cut;
use super::words::{self, footnotes, headline};
use alerting::notification::{Fact, Kind, Notification, Severity, Value};
use plain_text::{is_blank, one_line};
use serde::Serialize;
use tableau::{Action, Event, Subject};

/// The longest `text`: in characters, of which those other than ASCII count twice, and emoji four times. A flow posts it, and Teams
/// takes 28 KB, in which such a character may have six bytes or twelve.
const TEXT_LIMIT: usize = 6_000;
/// The longest other field.
const FIELD_LIMIT: usize = 1_000;
/// How many workbooks are named.
const WORKBOOKS: usize = 5;
/// What a list in `text` takes besides its texts, with its `… and 1,000 more`.
const FRAME: usize = 50;

/// The fields. Texts are not escaped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the README of notify-teams and the schema describe each field")]
pub struct Plain {
    pub resource: String,
    pub event_type: String,
    pub resource_name: String,
    pub site_luid: String,
    pub resource_luid: String,
    pub created_at: String,
    pub kind: String,
    pub status: String,
    pub title: String,
    pub text: String,
    pub cause: String,
    pub cause_detail: String,
    pub next_step: String,
    pub failures: String,
    pub impact: String,
    pub project: String,
    pub owner: String,
    pub owner_email: String,
    pub mention: String,
    pub site: String,
    pub link: String,
    pub event_id: String,
    pub notes: String,
}

/// The fields of a notification.
pub fn fields(shown: &Notification) -> Plain {
    let event = shown.event.as_deref();
    // Of a group, only its kind and its site are those of one event.
    let of_one = event.filter(|_| shown.subject.is_some());
    let (owner, owner_email) = person(shown, "Owner");
    let short = |text: String| cut(&text, FIELD_LIMIT);
    Plain {
        resource: of_one.map(resource).unwrap_or_default().to_owned(),
        event_type: event.map(|event| event_type(shown, event)).unwrap_or_default(),
        resource_name: of_one
            .and_then(|event| event.resource_name.as_deref())
            .map(one_line)
            .map(short)
            .unwrap_or_default(),
        site_luid: event.map(|event| event.site.as_str().to_owned()).unwrap_or_default(),
        resource_luid: of_one.map(|event| event.subject.luid().to_owned()).unwrap_or_default(),
        created_at: of_one.and_then(|event| event.created_at).map(|at| at.to_string()).unwrap_or_default(),
        kind: kind(shown.kind).to_owned(),
        status: status(shown.severity).to_owned(),
        title: format!("{} {}", shown.symbol, headline(shown)),
        text: text(shown),
        cause: short(words::cause(shown).unwrap_or_default()),
        cause_detail: short(words::detail(shown).unwrap_or_default()),
        next_step: short(shown.next_step.as_deref().map(one_line).unwrap_or_default()),
        failures: short(failures(shown).collect::<Vec<_>>().join(" · ")),
        impact: short(impact(shown).unwrap_or_default()),
        project: short(fact(shown, &["Project", "Was in"])),
        owner: short(owner),
        owner_email,
        mention: called(shown).addresses.join(";"),
        site: short(fact(shown, &["Site"])),
        link: words::link(shown).map(|(_, url)| url.to_owned()).unwrap_or_default(),
        event_id: of_one.map(|event| event.id.short().to_owned()).unwrap_or_default(),
        notes: short(footnotes(shown).collect::<Vec<_>>().join(" · ")),
    }
}

/// Tableau's word for what the event is about: `EXTRACTS` for a refresh, otherwise the object's kind.
fn resource(event: &Event) -> &'static str {
    match (event.name.action(), &event.subject) {
        (Some(Action::RefreshFailed | Action::RefreshStarted | Action::RefreshSucceeded), _) => "EXTRACTS",
        (_, Subject::Other(_)) => "",
        (_, subject) => subject.resource(),
    }
}

/// The event's name. Empty for an end that Tableau sent no event about: the failure's name would say the opposite.
fn event_type(shown: &Notification, event: &Event) -> String {
    let is_failure = event.name.action() == Some(Action::RefreshFailed);
    if shown.kind == Kind::Resolved && is_failure { String::new() } else { event.name.as_str().to_owned() }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Event => "event",
        Kind::Opened => "opened",
        Kind::Updated => "updated",
        Kind::Resolved => "resolved",
        Kind::GroupOpened => "group_opened",
        Kind::GroupUpdated => "group_updated",
        Kind::GroupResolved => "group_resolved",
        Kind::Digest => "digest",
    }
}

/// For a condition in the flow: members who want failures only take `failed` and `recovered`.
fn status(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "failed",
        Severity::Resolved => "recovered",
        Severity::Notice => "notice",
        Severity::Info => "information",
    }
}

fn fact(shown: &Notification, labels: &[&str]) -> String {
    let found = shown.facts.iter().find(|fact| labels.contains(&fact.label.as_ref()));
    found.map(|fact| words::value(fact, shown.timezone.as_ref())).unwrap_or_default()
}

/// Name and address of the person in a fact.
fn person(shown: &Notification, label: &str) -> (String, String) {
    let found = shown.facts.iter().find(|fact| fact.label == label);
    match found.map(|Fact { value, .. }| value) {
        Some(Value::Person { name, email }) => {
            let email = email.as_deref().filter(|email| !is_blank(email));
            (words::short(name), email.map(words::short).unwrap_or_default())
        }
        _ => (String::new(), String::new()),
    }
}

/// Everything as lines, for a flow that posts them as they are.
fn text(shown: &Notification) -> String {
    text_within(shown, TEXT_LIMIT)
}

/// Everything as lines, which count at most `limit`. The lists are cut to the room that the other lines leave.
pub(crate) fn text_within(shown: &Notification, limit: usize) -> String {
    let zone = shown.timezone.as_ref();
    let own = shown.own_text.as_deref().filter(|text| !is_blank(text));
    let sentence = |text: String| cut(&text, FIELD_LIMIT);
    let mut above = vec![format!("{} {}", shown.symbol, headline(shown))];
    above.extend(own.map(|text| cut(text, FIELD_LIMIT)));
    above.extend(
        words::cause(shown).map(|cause| sentence(format!("{} – {cause}", words::cause_label(shown)))),
    );
    above.extend(words::detail(shown).map(sentence));
    above.extend(shown.next_step.as_deref().map(|step| sentence(format!("Next step – {}", one_line(step)))));
    above.extend(
        shown.facts.iter().map(|fact| sentence(format!("{}: {}", fact.label, words::value(fact, zone)))),
    );
    above.extend(failures(shown));
    above.extend(impact(shown));
    let mut below: Vec<String> =
        words::link(shown).map(|(label, url)| format!("{label}: {url}")).into_iter().collect();
    below.extend(shown.status.iter().filter_map(|status| status.members(zone)));
    let below = below.join("\n");
    // The link is the last that is left out.
    let above = cut_to_size(&above.join("\n"), limit.saturating_sub(size(&below) + FRAME));
    let room = limit.saturating_sub(size(&above) + size(&below));
    let lists = list_lines(shown, room).join("\n");
    let parts = [above, lists, below].into_iter().filter(|part| !part.is_empty());
    cut_to_size(&parts.collect::<Vec<_>>().join("\n"), limit)
}

/// What a text counts against [`TEXT_LIMIT`].
fn size(text: &str) -> usize {
    text.chars().map(size_of).sum()
}

fn size_of(c: char) -> usize {
    if c.is_ascii() { 1 } else { 2 * c.len_utf16() }
}

fn cut_to_size(text: &str, limit: usize) -> String {
    if size(text) <= limit {
        return text.to_owned();
    }
    let mut left = limit.saturating_sub(size_of('…'));
    let fits = text.chars().take_while(|c| {
        let fits = size_of(*c) <= left;
        left = left.saturating_sub(size_of(*c));
        fits
    });
    fits.chain(['…']).collect()
}

/// How often it failed in a row, the last success, and what else there is to say about the incident or group.
fn failures(shown: &Notification) -> impl Iterator<Item = String> {
    shown.status.iter().filter_map(|status| Some(status.sentence(shown.timezone.as_ref())?.to_string()))
}

/// Which workbooks use the failing data source.
fn impact(shown: &Notification) -> Option<String> {
    shown.impact.as_ref().map(|impact| words::impact(impact, WORKBOOKS))
}

/// The lines of the lists that fit into `room` characters.
fn list_lines(shown: &Notification, room: usize) -> Vec<String> {
    const SEPARATOR: &str = " · ";
    let fitted = lists::fit(shown, room, FRAME, |text| size(text) + size(SEPARATOR));
    let mut lines = Vec::new();
    for list in &fitted.lists {
        lines.extend(list.heading.clone());
        let texts: Vec<String> = list.items.iter().cloned().chain(list.more()).collect();
        match shown.kind.lists_lines() {
            true => lines.extend(texts),
            false => lines.extend((!texts.is_empty()).then(|| texts.join(SEPARATOR))),
        }
    }
    lines.extend(fitted.others());
    lines
}
