//! The outcome of one event in one workflow, by its delivery record at a given time. No I/O.

use crate::events::dead_letters::DeadLetter;
use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use deliveries::{Record, State};
use jiff::Timestamp;
use serde::Serialize;
use std::borrow::Cow;
use workflow::SharedMessage;

/// Where a workflow is with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::events) enum Outcome {
    /// Will be retried: it failed temporarily, was deferred, or waits until a person fixes a secret or the rules
    Waiting,
    /// A worker is handling it
    Working,
    /// The worker timed out or crashed; the event will be retried
    Interrupted,
    /// Done
    Done,
    /// Handed to an alert group or a digest, which sends one message for many events. If there are only a few, each gets its own message
    Grouped,
    /// No message or action: no rule matches it, it came too late, or its incident needs no new message
    Skipped,
    /// Cannot be acted on: its body cannot be read, or `sites` does not list its site
    Ignored,
    /// Failed permanently: a dead letter waits until a person replays or drops it
    Failed,
    /// Failed permanently, and a person dropped its dead letter
    Dropped,
}

impl Outcome {
    /// The outcome of the event of `record` at `now`.
    pub(super) fn of(record: &Record, now: Timestamp) -> Self {
        match &record.state {
            Some(State::Done) => Self::Done,
            Some(State::Skipped) if SharedMessage::has_event(&record.last_reason) => Self::Grouped,
            Some(State::Skipped) => Self::Skipped,
            Some(State::Ignored) => Self::Ignored,
            Some(State::Failed) => Self::Failed,
            Some(State::Dropped) => Self::Dropped,
            Some(State::Released | State::Misconfigured | State::Deferred) => Self::Waiting,
            Some(State::Claimed | State::Other(_)) | None if record.is_claimed_at(now) => Self::Working,
            Some(State::Claimed | State::Other(_)) | None => Self::Interrupted,
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Working => "working",
            Self::Interrupted => "interrupted",
            Self::Done => "done",
            Self::Grouped => "grouped",
            Self::Skipped => "skipped",
            Self::Ignored => "ignored",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }

    /// The colour of an outcome: green is finished, red waits for a person, yellow will be retried.
    pub(super) fn style(self) -> Style {
        match self {
            Self::Done => AnsiColor::Green.on_default(),
            Self::Failed => AnsiColor::Red.on_default(),
            Self::Waiting | Self::Interrupted => AnsiColor::Yellow.on_default(),
            Self::Working => AnsiColor::Cyan.on_default(),
            Self::Grouped => AnsiColor::Blue.on_default(),
            Self::Skipped | Self::Ignored | Self::Dropped => Style::new().dimmed(),
        }
    }

    /// The colour of the outcome with this name.
    pub(super) fn style_of(name: &str) -> Style {
        let outcome = Self::value_variants().iter().find(|outcome| outcome.as_str() == name);
        outcome.map(|outcome| outcome.style()).unwrap_or_default()
    }

    /// Whether the outcome is final: no further attempt follows, and no person has to act.
    pub(super) fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Grouped | Self::Skipped | Self::Ignored | Self::Dropped)
    }
}

/// The word for an attempt's outcome, the same as for its event.
pub(super) fn word(state: Option<&State>, reason: &str) -> String {
    match state {
        Some(State::Skipped) if SharedMessage::has_event(reason) => Outcome::Grouped.as_str().to_owned(),
        state => state.map(State::to_string).unwrap_or_default(),
    }
}

/// A delivery record as a JSON object.
#[derive(Debug, Serialize)]
pub(super) struct Facts<'a> {
    event_id: &'a str,
    workflow: &'a str,
    event_name: &'a str,
    outcome: Outcome,
    attempts: u64,
    reason: Option<Cow<'a, str>>,
    cause: Option<&'a str>,
    resource: &'a str,
    resource_name: Cow<'a, str>,
    site: &'a str,
    created_at: &'a str,
    #[serde(serialize_with = "crate::events::instant")]
    first_seen_at: Option<Timestamp>,
    #[serde(serialize_with = "crate::events::instant")]
    updated_at: Option<Timestamp>,
    #[serde(serialize_with = "crate::events::instant")]
    next_at: Option<Timestamp>,
}

impl<'a> Facts<'a> {
    /// The record as JSON for other programs. The names of the fields never change.
    pub(super) fn of(record: &'a Record, now: Timestamp) -> Self {
        let Record { event, .. } = record;
        let reason = record.reason();
        Self {
            event_id: &record.event_id,
            workflow: &record.workflow,
            event_name: &event.name,
            outcome: Outcome::of(record, now),
            attempts: record.attempts,
            reason: (!reason.is_empty()).then_some(reason.into()),
            cause: (!record.cause.is_empty()).then_some(record.cause.as_str()),
            resource: &event.resource,
            resource_name: event.resource_name.as_str().into(),
            site: &event.site,
            created_at: &event.created_at,
            first_seen_at: record.first_seen_at,
            updated_at: record.updated_at,
            next_at: record.next_at(),
        }
    }

    /// A failed timer as the same JSON object. A timer has no record, so the fields that only events have are empty.
    pub(super) fn of_timer(workflow: &'a str, letter: &'a DeadLetter) -> Self {
        let reason = letter.why();
        let timer = letter.timer();
        Self {
            event_id: "",
            workflow,
            event_name: "timer",
            outcome: Outcome::Failed,
            attempts: 0,
            reason: (!reason.is_empty()).then(|| reason.into()),
            cause: None,
            resource: timer.map(|timer| timer.key.as_str()).unwrap_or_default(),
            resource_name: timer.map(|timer| timer.to_string().into()).unwrap_or_default(),
            site: "",
            created_at: "",
            first_seen_at: letter.sent_at,
            updated_at: letter.sent_at,
            next_at: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    #[test]
    fn what_a_group_or_digest_has_is_grouped_and_nothing_else_that_was_skipped() {
        for (reason, expected) in [
            (
                "grouped with other incidents of the same time: group 64c87bd200d1 in data-alerts",
                Outcome::Grouped,
            ),
            ("grouped with its failure: group 64c87bd200d1 in data-alerts", Outcome::Grouped),
            ("grouped with other events of its kind: group 64c87bd200d1 in data-news", Outcome::Grouped),
            ("in the digest of the quiet hours until 2026-11-29T07:00:00Z in data-alerts", Outcome::Grouped),
            ("recorded with its incident, which needs no new message now", Outcome::Skipped),
            ("no rule matches this SiteUpdated", Outcome::Skipped),
            ("", Outcome::Skipped),
        ] {
            let state = Some(State::Skipped);
            let record = Record { state: state.clone(), last_reason: reason.to_owned(), ..Record::default() };
            assert_eq!(Outcome::of(&record, Timestamp::UNIX_EPOCH), expected, "{reason}");
            assert_eq!(word(state.as_ref(), reason), expected.as_str(), "{reason}");
        }
    }

    #[test]
    fn a_claim_is_work_until_its_deadline_and_interrupted_after_it() {
        let now = Timestamp::from_second(1_764_000_000).unwrap();
        let at = |seconds| now.checked_add(SignedDuration::from_secs(seconds)).ok();
        let outcome = |state: &str, deadline| {
            Outcome::of(&Record { state: Some(state.into()), deadline, ..Record::default() }, now)
        };
        for state in ["claimed", "a state of a newer version"] {
            assert_eq!(outcome(state, at(0)), Outcome::Working);
            assert_eq!(outcome(state, at(-1)), Outcome::Interrupted);
            assert_eq!(outcome(state, None), Outcome::Interrupted);
        }
        for (state, expected) in [
            ("released", Outcome::Waiting),
            ("misconfigured", Outcome::Waiting),
            ("deferred", Outcome::Waiting),
            ("done", Outcome::Done),
            ("skipped", Outcome::Skipped),
            ("ignored", Outcome::Ignored),
            ("failed", Outcome::Failed),
            ("dropped", Outcome::Dropped),
        ] {
            assert_eq!(outcome(state, None), expected);
            let name = expected.to_possible_value().map(|value| value.get_name().to_owned());
            assert_eq!(name.as_deref(), Some(expected.as_str()));
        }
    }
}
