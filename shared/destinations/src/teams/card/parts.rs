//! The parts of a card other than its title and its lists.

use super::element::{code, fact, fact_set, paragraph};
use super::limits::{Left, Limits};
use crate::teams::text::{cut, escape};
use crate::teams::words::{self, footnotes, members, sentence};
use alerting::notification::{Notification, Status};
use plain_text::{is_blank, one_line};
use serde_json::Value;

/// The longest footnote, which explains why something is missing.
const FOOTNOTE_LIMIT: usize = 300;

/// What is above the lists: the rule's own words, cause and next step, and how the incident stands.
pub(super) fn above(shown: &Notification, limits: Limits) -> Vec<Value> {
    let own = shown.own_text.as_deref().filter(|text| !is_blank(text));
    let own = own.map(|text| paragraph(&escape(&cut(text, limits.own_text))));
    let cause = words::cause(shown).map(|cause| {
        let cause = cut(&cause, limits.detail);
        paragraph(&format!("**Cause** – {}", escape(&cause)))
    });
    let detail = words::detail(shown).map(|line| code(&escape(&cut(&line, limits.detail))));
    let step = shown
        .next_step
        .as_deref()
        .map(|step| paragraph(&format!("**Next step** – {}", escape(&cut(&one_line(step), limits.step)))));
    let zone = shown.timezone.as_ref();
    let status = shown.status.iter().filter_map(|status| {
        let text = escape(&sentence(status, zone)?);
        let is_urgent = matches!(status, Status::StillOpen { .. } | Status::Flapping { .. });
        Some(paragraph(&if is_urgent { format!("**{text}**") } else { text }))
    });
    [own, cause, detail, step].into_iter().flatten().chain(status).collect()
}

/// Further facts in two columns.
pub(super) fn facts(shown: &Notification, limits: Limits) -> Option<Value> {
    let zone = shown.timezone.as_ref();
    let facts = shown.facts.iter().take(limits.facts);
    let facts = facts.map(|shown| fact(shown.label, &escape(&cut(&words::value(shown, zone), limits.value))));
    let facts: Vec<Value> = facts.collect();
    (!facts.is_empty()).then(|| fact_set(facts))
}

/// The small print: how many objects the message is about, the ids that support needs, and what the card leaves out.
pub(super) fn small_print(shown: &Notification, limits: Limits, left: &Left) -> Option<String> {
    let zone = shown.timezone.as_ref();
    let members = shown.status.iter().filter_map(|status| members(status, zone));
    let notes = footnotes(shown).take(limits.footnotes).map(|note| cut(&note, FOOTNOTE_LIMIT));
    let parts: Vec<String> = members.chain(notes).chain(left_out(left)).map(|part| escape(&part)).collect();
    (!parts.is_empty()).then(|| parts.join(" · "))
}

/// What a card leaves out besides items of lists, which the lists count themselves.
fn left_out(left: &Left) -> Option<String> {
    let count = |count: usize, one: &str, many: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        more => Some(format!("{more} {many}")),
    };
    let texts = left.shortened.then(|| "parts of texts".to_owned());
    let parts = [count(left.facts, "fact", "facts"), count(left.footnotes, "note", "notes"), texts];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| format!("left out, since the card is full: {}", parts.join(", ")))
}
