//! What a delivery record says at a moment: one workflow's dealings with one event. No I/O.

use clap::ValueEnum;
use deliveries::{Record, State};
use jiff::Timestamp;
use serde::Serialize;

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
    /// No message or action of its own: no rule takes it, it came late, or an announced incident, a group or a digest has it
    Skipped,
    /// Cannot be acted on: its body cannot be read, or `sites` does not list its site
    Ignored,
    /// Failed for good: its dead letter waits for a person
    Failed,
    /// Failed for good, and a person deleted its dead letter
    Dropped,
}

impl Outcome {
    /// Where the workflow is with the event of `record` at `now`.
    pub(super) fn of(record: &Record, now: Timestamp) -> Self {
        match &record.state {
            Some(State::Done) => Self::Done,
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
            Self::Skipped => "skipped",
            Self::Ignored => "ignored",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }

    /// Terminal state: no attempt follows by itself, and no person has to act.
    pub(super) fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Skipped | Self::Ignored | Self::Dropped)
    }
}

/// A record as JSON has it.
#[derive(Debug, Serialize)]
pub(super) struct Facts<'a> {
    event_id: &'a str,
    workflow: &'a str,
    event_name: &'a str,
    outcome: Outcome,
    attempts: u64,
    reason: Option<&'a str>,
    resource: &'a str,
    resource_name: &'a str,
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
    /// What other programs read of a record. The names of the fields stay as they are.
    pub(super) fn of(record: &'a Record, now: Timestamp) -> Self {
        let Record { event, .. } = record;
        let reason = record.reason();
        Self {
            event_id: &record.event_id,
            workflow: &record.workflow,
            event_name: &event.name,
            outcome: Outcome::of(record, now),
            attempts: record.attempts,
            reason: (!reason.is_empty()).then_some(reason),
            resource: &event.resource,
            resource_name: &event.resource_name,
            site: &event.site,
            created_at: &event.created_at,
            first_seen_at: record.first_seen_at,
            updated_at: record.updated_at,
            next_at: record.next_at(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

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
