//! The parts of a card other than its title and its lists.

use super::element::{code, fact, fact_set, line, paragraph};
use super::limits::{Left, Limits};
use crate::teams::text::{cut, escape};
use crate::teams::words::{self, footnotes};
use alerting::notification::{Notification, Sentence};
use plain_text::{is_blank, one_line};
use serde_json::Value;

/// The longest footnote, which explains why something is missing.
const FOOTNOTE_LIMIT: usize = 300;

/// The rule's own words, cause and next step.
pub(super) fn above(shown: &Notification, limits: Limits) -> Vec<Value> {
    let own = shown.own_text.as_deref().filter(|text| !is_blank(text));
    let own = own.map(|text| paragraph(&escape(&cut(text, limits.own_text))));
    let cause = words::cause(shown).map(|cause| {
        let cause = cut(&cause, limits.detail);
        paragraph(&format!("**{}** – {}", words::cause_label(shown), escape(&cause)))
    });
    let detail = words::detail(shown).map(|line| code(&escape(&cut(&line, limits.detail))));
    let step = shown
        .next_step
        .as_deref()
        .map(|step| paragraph(&format!("**Next step** – {}", escape(&cut(&one_line(step), limits.step)))));
    [own, cause, detail, step].into_iter().flatten().collect()
}

/// How the incident or group stands, and which workbooks use a failing data source.
pub(super) fn standing(shown: &Notification, limits: Limits) -> Vec<Value> {
    let zone = shown.timezone.as_ref();
    let sentences = shown.status.iter().filter_map(|status| status.sentence(zone));
    let sentences = sentences.enumerate().map(|(n, Sentence { bold, rest })| {
        let bold = if bold.is_empty() { bold } else { format!("**{}**", escape(&bold)) };
        let text = format!("{bold}{}", escape(&rest));
        if n == 0 { paragraph(&text) } else { line(&text) }
    });
    let impact = shown.impact.as_ref().map(|impact| words::impact(impact, limits.workbooks));
    let impact = impact.map(|impact| paragraph(&escape(&impact)));
    sentences.chain(impact).collect()
}

/// Further facts in two columns.
pub(super) fn facts(shown: &Notification, limits: Limits) -> Option<Value> {
    let zone = shown.timezone.as_ref();
    let facts = shown.facts.iter().take(limits.facts);
    let facts =
        facts.map(|shown| fact(&shown.label, &escape(&cut(&words::value(shown, zone), limits.value))));
    let facts: Vec<Value> = facts.collect();
    (!facts.is_empty()).then(|| fact_set(facts))
}

/// The small print: how many objects the message is about, the ids that support needs, and what the card leaves out.
pub(super) fn small_print(shown: &Notification, limits: Limits, left: &Left) -> Option<String> {
    let zone = shown.timezone.as_ref();
    let members = shown.status.iter().filter_map(|status| status.members(zone));
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
