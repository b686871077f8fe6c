//! A delivery record, read: one workflow's dealings with one event. No I/O.

use aws_sdk_dynamodb::types::AttributeValue;
use clap::ValueEnum;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::collections::HashMap;

pub(super) type Item = HashMap<String, AttributeValue>;

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
    /// Nothing to do: no rule takes it, it came late, or it belongs to an incident that was announced
    Skipped,
    /// Cannot be acted on: its body cannot be read, or `sites` does not list its site
    Ignored,
    /// Failed for good: its dead letter waits for a person
    Failed,
    /// Failed for good, and a person deleted its dead letter
    Dropped,
}

impl Outcome {
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

/// Whether a claim until `deadline` still runs. One for longer than Lambda gives an invocation was made by a clock that is
/// wrong, and does not count.
fn runs(deadline: Timestamp, now: Timestamp) -> bool {
    (SignedDuration::ZERO..=SignedDuration::from_mins(15)).contains(&deadline.duration_since(now))
}

/// What the index has of a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) event_id: String,
    pub(super) workflow: String,
    pub(super) event_name: String,
    pub(super) site: String,
    pub(super) resource: String,
    pub(super) resource_name: String,
    /// When Tableau says that it happened, as it wrote it.
    pub(super) created_at: String,
    pub(super) first_seen_at: Option<Timestamp>,
    pub(super) updated_at: Option<Timestamp>,
    /// As the runtime calls it.
    pub(super) state: String,
    /// Until when its state lasts: how long whoever is at it has time, or what waits waits.
    pub(super) deadline: Option<Timestamp>,
    /// Of the last attempt, if that has ended.
    pub(super) reason: String,
    pub(super) attempts: u64,
}

pub(super) fn text(item: &Item, name: &str) -> String {
    item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default()
}

pub(super) fn number<T: std::str::FromStr>(item: &Item, name: &str) -> Option<T> {
    item.get(name).and_then(|value| value.as_n().ok()).and_then(|number| number.parse().ok())
}

impl Record {
    pub(super) fn read(item: &Item) -> Self {
        let instant = |name| text(item, name).parse().ok();
        let deadline = number(item, "deadline_ms").and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let state = text(item, "state");
        // What a claim still has is the reason of the attempt before.
        let reason = if state == "claimed" { String::new() } else { text(item, "reason") };
        Self {
            event_id: text(item, "event_id"),
            workflow: text(item, "workflow"),
            event_name: text(item, "event_name"),
            site: text(item, "site"),
            resource: text(item, "resource"),
            resource_name: text(item, "resource_name"),
            created_at: text(item, "created_at"),
            first_seen_at: instant("first_seen_at"),
            updated_at: instant("updated_at"),
            state,
            deadline,
            reason,
            attempts: number(item, "attempts").unwrap_or_default(),
        }
    }

    /// Where the workflow is with it at `now`.
    pub(super) fn outcome(&self, now: Timestamp) -> Outcome {
        match self.state.as_str() {
            "done" => Outcome::Done,
            "skipped" => Outcome::Skipped,
            "ignored" => Outcome::Ignored,
            "failed" => Outcome::Failed,
            "dropped" => Outcome::Dropped,
            "released" | "misconfigured" | "deferred" => Outcome::Waiting,
            _ if self.deadline.is_some_and(|deadline| runs(deadline, now)) => Outcome::Working,
            _ => Outcome::Interrupted,
        }
    }

    /// Whether it waits for a person to fix a secret, a setting or the rules.
    pub(super) fn waits_for_a_person(&self) -> bool {
        self.state == "misconfigured"
    }

    /// Whether it waits because its time has not come, and not because it failed.
    pub(super) fn is_put_off(&self) -> bool {
        self.state == "deferred"
    }

    /// When it is tried again, if it waits and that is known.
    pub(super) fn next_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.deadline.filter(|_| self.outcome(now) == Outcome::Waiting)
    }

    /// What other programs read of it. The names of the fields stay as they are.
    pub(super) fn facts(&self, now: Timestamp) -> Facts<'_> {
        Facts {
            event_id: &self.event_id,
            workflow: &self.workflow,
            event_name: &self.event_name,
            outcome: self.outcome(now),
            attempts: self.attempts,
            reason: (!self.reason.is_empty()).then_some(self.reason.as_str()),
            resource: &self.resource,
            resource_name: &self.resource_name,
            site: &self.site,
            created_at: &self.created_at,
            first_seen_at: self.first_seen_at,
            updated_at: self.updated_at,
            next_at: self.next_at(now),
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    #[test]
    fn a_claim_is_work_until_its_deadline_and_interrupted_after_it() {
        let now = Timestamp::from_second(1_764_000_000).unwrap();
        let at = |seconds| now.checked_add(SignedDuration::from_secs(seconds)).ok();
        let outcome = |state: &str, deadline| {
            Record { state: state.to_owned(), deadline, ..Record::default() }.outcome(now)
        };
        assert_eq!(outcome("claimed", at(0)), Outcome::Working);
        assert_eq!(outcome("claimed", at(-1)), Outcome::Interrupted);
        assert_eq!(outcome("claimed", None), Outcome::Interrupted);
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

    #[test]
    fn what_waits_is_tried_again_at_its_deadline_and_nothing_else_is() {
        let now = Timestamp::UNIX_EPOCH;
        let next = |state: &str| {
            Record { state: state.to_owned(), deadline: Some(now), ..Record::default() }.next_at(now)
        };
        assert_eq!(["released", "deferred"].map(next), [Some(now); 2]);
        assert_eq!(["claimed", "done", "failed", "dropped"].map(next), [None; 4]);
    }

    #[test]
    fn an_item_that_lacks_something_is_read_all_the_same() {
        let item = Item::from([("event_id".to_owned(), AttributeValue::S("ab".to_owned()))]);
        assert_eq!(Record::read(&item), Record { event_id: "ab".to_owned(), ..Record::default() });
    }
}
