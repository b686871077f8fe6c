//! What the rule adds to a notification: its own words, and what could not be looked up for it.

use super::{About, Cause, Notification, Value};
use crate::incident::Open;
use crate::notifier::Targeted;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rules::Matched;
use rules::message::Variables;

/// The rule of a notification, and the rules that its event matches.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OfRule<'a, T> {
    /// Where the notification goes, by which rule.
    pub(crate) target: &'a Targeted<T>,
    /// The rules that the event matches.
    pub(crate) matched: &'a Matched,
}

impl<T> OfRule<'_, T> {
    /// Puts the rule's words in place of the usual ones. A template that fails leaves them, and says so in a footnote.
    pub(crate) fn apply(self, shown: &mut Notification, about: &About<'_>, incident: Option<&Open>) {
        let missing = self
            .matched
            .missing
            .iter()
            .filter(|missing| missing.rule.is_empty() || missing.rule == self.target.rule);
        shown.footnotes.extend(missing.map(ToString::to_string));
        let Some(message) = &self.target.message else { return };
        let variables = variables(shown, about, &self.target.rule, incident);
        let (title, text, problems) = message.render(&variables);
        shown.own_title = title;
        shown.own_text = text.or(shown.own_text.take());
        for problem in problems {
            tracing::warn!(event.id = %about.event.id, rule = self.target.rule, reason = problem, "a message template failed");
            shown.footnotes.push(format!("the message of rule \"{}\" failed: {problem}", self.target.rule));
        }
    }
}

fn variables(shown: &Notification, about: &About<'_>, rule: &str, incident: Option<&Open>) -> Variables {
    let event = about.event;
    let zone = about.site.map_or(TimeZone::UTC, |site| site.timezone.clone());
    let at = |time: Option<Timestamp>| {
        let shown = time.map(|time| time.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string());
        shown.unwrap_or_default()
    };
    let text = |labels: &[&str]| {
        let fact = shown.facts.iter().find(|fact| labels.contains(&fact.label.as_ref()));
        match fact.map(|fact| &fact.value) {
            Some(Value::Text(text)) => text.clone(),
            Some(Value::Person { name, .. }) => name.clone(),
            Some(Value::Time(_)) | None => String::new(),
        }
    };
    let content = about.context.content.found();
    let deletion = about.context.deletion.found();
    let owner_now = content.and_then(|content| content.owner.as_ref());
    let owner = owner_now.or_else(|| deletion.and_then(|deletion| deletion.owner.as_ref()));
    let cause = about.context.cause.found();
    Variables {
        event: event.name.as_str().to_owned(),
        kind: event.subject.kind().to_owned(),
        name: about.name(),
        project: text(&[super::PROJECT, super::WAS_IN]),
        owner: text(&["Owner"]),
        owner_email: owner.and_then(|owner| owner.email.clone()).unwrap_or_default(),
        deleted_by: text(&[super::DELETED_BY]),
        tags: text(&["Tags"]),
        site: about.site.map_or_else(|| event.site.as_str().to_owned(), |site| site.name.clone()),
        url: shown.links.first().map(|link| link.url.clone()).unwrap_or_default(),
        rule: rule.to_owned(),
        cause: match &shown.cause {
            Some(Cause::Known { title, .. }) => title.clone(),
            Some(Cause::Unknown { .. }) | None => String::new(),
        },
        cause_class: cause.map(|cause| cause.class.name().to_owned()).unwrap_or_default(),
        detail: cause.map(|cause| cause.line.clone()).unwrap_or_default(),
        next_step: shown.next_step.clone().unwrap_or_default(),
        failures: incident.map_or_else(String::new, |open| open.failures.to_string()),
        since: at(incident.map(|open| open.since)),
        happened_at: at(event.created_at),
        event_id: event.id.short().to_owned(),
        resource_luid: event.subject.luid().to_owned(),
    }
}
