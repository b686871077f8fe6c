//! The incident of one object, from the first failure to the recovery.

mod known_cause;
mod log;
mod signal;

pub use known_cause::KnownCause;
pub use log::{LogEntry, MessageRef, REMINDER, Receipt, Route};
pub use signal::{RefreshKind, Signal, Transition};

use crate::impact::ImpactLookup;
use crate::lease::LeaseOwner;
use crate::time::{is_credible, later};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// An object that opens this many incidents within 24 hours is flapping: further incidents are suppressed, until a
/// day has passed in which the object opened fewer.
pub const FLAPPING: usize = 4;
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// A suppressed incident that lasts this long is announced after all: it is a lasting failure and not flapping.
pub const LASTING: SignedDuration = SignedDuration::from_hours(1);
/// A resolution that was not sent within this time is overdue, and the sweep sends it.
const OVERDUE: SignedDuration = SignedDuration::from_mins(10);
/// A resolution that could not be sent within this time is given up.
const LONGEST_AWAITED: SignedDuration = SignedDuration::from_hours(72);
/// How many resolved incidents are kept, for targets that have not been notified of the recovery yet.
const RESOLVED_LIMIT: usize = 16;
/// How many events are remembered, so that a redelivered event does not count twice.
const APPLIED_LIMIT: usize = 32;

/// What is known about the refreshes of one object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Incident {
    /// The incident that is open.
    pub open: Option<Open>,
    /// The incidents before the open one, newest last.
    resolved: Vec<Resolved>,
    last_failure: Option<Timestamp>,
    last_success: Option<Timestamp>,
    /// When each incident of the last day opened.
    openings: Vec<Timestamp>,
    /// The last events, newest last, with what each of them changed.
    applied: Vec<(String, Transition)>,
    /// No target has to be reminded before this time, so the sweep skips the incident until then.
    pub looks_again: Option<Timestamp>,
}

/// An open incident: failures without a success between them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// The incident's id: the short id of the event that opened it.
    pub id: String,
    /// When the first failure happened.
    pub since: Timestamp,
    /// When the last failure happened.
    pub last: Timestamp,
    /// How many refreshes failed.
    pub failures: u32,
    /// Which kinds of refresh fail: full, incremental or unknown.
    pub kinds: BTreeSet<RefreshKind>,
    /// The number of this incident among the object's incidents within a day, starting at 1.
    pub nth: usize,
    /// The notification log: what was sent to each target, by target key.
    pub log: BTreeMap<String, LogEntry>,
    /// The payload of the last failure. Timers use it, since a timer brings no event.
    #[serde(default)]
    pub sample: String,
    /// Set if the incident is suppressed because the object flaps: when a timer decides again whether to announce it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppressed_until: Option<Timestamp>,
    /// Which workbooks use the data source. `None`: not asked, or not answered. Dropped when the incident ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impact: Option<ImpactLookup>,
    /// The last success before the incident opened, if one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_success: Option<Timestamp>,
    /// Why it fails, as far as a failure's cause was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<KnownCause>,
}

/// An incident that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    /// The short id of the event that ended the incident.
    pub by: String,
    /// When the incident ended.
    pub at: Timestamp,
    /// When the end was recorded: later than the end if the event came late or the sweep found the success.
    #[serde(default)]
    pub noted_at: Option<Timestamp>,
    /// How it ended.
    pub end: End,
    /// The incident as it was when it ended.
    pub incident: Open,
}

/// How an incident ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// A refresh succeeded.
    #[default]
    Recovered,
    /// The object was deleted.
    Deleted,
    /// Tableau's job list shows a successful refresh, but no success event arrived.
    RecoveredWithoutEvent,
}

impl Open {
    /// How long the incident has lasted, from its first failure to `end`.
    pub fn lasted(&self, end: Timestamp) -> SignedDuration {
        end.duration_since(self.since).max(SignedDuration::ZERO)
    }

    /// Whether this is the incident whose message announces that the object flaps.
    pub fn begins_to_flap(&self) -> bool {
        self.nth == FLAPPING
    }

    /// Whether the object flaps, so that this incident is suppressed unless it lasts for an hour.
    pub fn is_flapping(&self, now: Timestamp) -> bool {
        self.nth > FLAPPING && self.lasted(now.max(self.last)) < LASTING
    }
}

impl Incident {
    /// The incident that the event with the id `by` has resolved.
    pub fn resolved_by(&self, by: &str) -> Option<&Resolved> {
        self.resolved.iter().find(|resolved| resolved.by == by)
    }

    /// When the first target must be reminded of the open incident.
    pub fn next_reminder(&self) -> Option<Timestamp> {
        let open = self.open.as_ref()?;
        open.log.values().filter_map(|entry| entry.next_reminder(open.since)).min()
    }

    /// When the hourly sweep should look at this incident.
    pub fn due(&self) -> Option<Timestamp> {
        let reminder = self.next_reminder().max(self.next_reminder().and(self.looks_again));
        reminder.into_iter().chain(self.next_resolution()).chain(self.next_look()).min()
    }

    /// When the sweep should check whether a suppressed incident still lasts. Normally a timer does so earlier; the
    /// sweep covers a timer that was lost or failed for good.
    pub fn next_look(&self) -> Option<Timestamp> {
        let until = self.open.as_ref()?.suppressed_until?;
        Some(later(until, OVERDUE))
    }

    /// When the sweep should check whether the resolution was sent to every target that awaits it. Normally the
    /// attempt that was to send it is retried earlier; an attempt by the sweep itself is not.
    pub fn next_resolution(&self) -> Option<Timestamp> {
        self.awaited().map(|resolved| later(resolved.at, OVERDUE)).min()
    }

    fn awaited(&self) -> impl Iterator<Item = &Resolved> {
        let is_awaited =
            |resolved: &&Resolved| resolved.incident.log.values().any(LogEntry::awaits_resolution);
        self.resolved.iter().filter(is_awaited)
    }

    /// The payload of a failure: of the open incident, or else of the last incident whose resolution a target still
    /// awaits.
    pub fn sample(&self) -> Option<&str> {
        let awaited = self.awaited().last().map(|resolved| &resolved.incident);
        self.open.as_ref().or(awaited).map(|incident| incident.sample.as_str())
    }

    /// Records when this service learned of the resolution (the refresh may have succeeded earlier). Only the first
    /// time counts: the same event may be delivered again.
    pub fn note_resolved_at(&mut self, now: Timestamp) {
        if let Some(resolved) = self.resolved.last_mut() {
            resolved.noted_at.get_or_insert(now);
        }
    }

    /// Whether the incident `id`, open since `since`, has ended. False if nothing is known about it.
    pub fn has_ended(&self, id: &str, since: Timestamp) -> bool {
        let is_other_open = self.open.as_ref().is_some_and(|open| open.id != id);
        let is_open = self.open.as_ref().is_some_and(|open| open.id == id);
        let is_resolved = self.resolved.iter().any(|resolved| resolved.incident.id == id);
        is_other_open || is_resolved || (!is_open && self.last_success.is_some_and(|at| at >= since))
    }

    /// Gives up resolutions that could not be sent for three days.
    pub fn give_up_resolutions(&mut self, now: Timestamp) {
        let is_old = |resolved: &&mut Resolved| {
            now.duration_since(resolved.noted_at.unwrap_or(resolved.at)) > LONGEST_AWAITED
        };
        let old = self.resolved.iter_mut().filter(is_old);
        for entry in old.flat_map(|resolved| resolved.incident.log.values_mut()) {
            entry.resolution_sent |= entry.awaits_resolution();
        }
    }

    /// The incidents that have ended, oldest first.
    pub fn resolved(&self) -> &[Resolved] {
        &self.resolved
    }

    /// Takes over the time of a later success, which was written beside the document without rewriting it.
    pub fn raise_last_success(&mut self, at: Timestamp) {
        self.last_success = self.last_success.max(Some(at));
    }

    /// The open incident and the resolved ones that targets may still have to be notified about.
    pub(crate) fn all_mut(&mut self) -> impl Iterator<Item = &mut Open> {
        self.open.iter_mut().chain(self.resolved.iter_mut().map(|resolved| &mut resolved.incident))
    }

    /// Finds an incident by its id, open or resolved.
    pub fn find_mut(&mut self, id: &str) -> Option<&mut Open> {
        self.all_mut().find(|open| open.id == id)
    }

    /// Writes a receipt into an incident's notification log and gives the lease back. Works for resolved incidents
    /// too, because the resolution has to edit the message that the receipt names. Returns false if the owner had
    /// lost the lease.
    pub fn record(&mut self, id: &str, target: &str, owner: LeaseOwner, receipt: &Receipt) -> bool {
        let entry = self.find_mut(id).and_then(|open| open.log.get_mut(target));
        entry.is_some_and(|entry| entry.record(owner, receipt))
    }

    /// Keeps which workbooks use the data source, if the incident `id` is open and does not know it.
    pub(crate) fn keep_impact(&mut self, id: &str, impact: &ImpactLookup) {
        if matches!(impact, ImpactLookup::Unanswered(_)) {
            return;
        }
        if let Some(open) = self.open.as_mut().filter(|open| open.id == id) {
            open.impact.get_or_insert_with(|| impact.clone());
        }
    }

    /// How many times the refresh has failed in a row, with the failure of this event.
    pub fn failures_with(&self, event: &str) -> u32 {
        let failures = self.open.as_ref().map_or(0, |open| open.failures);
        let is_counted = self.applied.iter().any(|(id, transition)| {
            id == event && matches!(transition, Transition::Opened | Transition::FailedAgain)
        });
        if is_counted { failures.max(1) } else { failures.saturating_add(1) }
    }

    /// The kinds of refresh that fail. Empty when no incident is open.
    pub fn failing_kinds(&self) -> BTreeSet<RefreshKind> {
        self.open.as_ref().map(|open| open.kinds.clone()).unwrap_or_default()
    }

    /// Clears what this crate never writes: timestamps in the future, routes to groups and digests that cannot exist,
    /// lists longer than their limits. A success in the future would make every failure look outdated.
    pub fn sanitize(&mut self, now: Timestamp) {
        for open in self.all_mut() {
            open.log.values_mut().for_each(|entry| entry.sanitize(now));
            open.since = if is_credible(open.since, now) { open.since } else { now };
            open.last = if is_credible(open.last, now) { open.last } else { now };
            open.suppressed_until = open.suppressed_until.filter(|at| *at <= later(now, LASTING * 2));
            open.impact.iter_mut().for_each(ImpactLookup::sanitize);
            open.last_success = open.last_success.filter(|at| is_credible(*at, now));
            open.cause.iter_mut().for_each(KnownCause::sanitize);
        }
        self.applied.drain(..self.applied.len().saturating_sub(APPLIED_LIMIT));
        self.resolved.drain(..self.resolved.len().saturating_sub(RESOLVED_LIMIT));
        self.last_failure = self.last_failure.filter(|at| is_credible(*at, now));
        self.last_success = self.last_success.filter(|at| is_credible(*at, now));
        self.openings.retain(|at| is_credible(*at, now));
        self.looks_again = self.looks_again.filter(|at| *at <= later(now, REMINDER));
    }

    /// Applies a signal to the incident. The same event, delivered again, changes nothing and returns the same
    /// answer.
    pub fn apply(&mut self, event: &str, signal: Signal) -> Transition {
        // A success found by the sweep has no event: the sweep passes the id of the failure event.
        let applied = self.applied.iter().find(|(id, _)| id == event);
        let applied = applied.filter(|_| !matches!(signal, Signal::FoundSucceeded(..)));
        if let Some((_, transition)) = applied {
            let is_of_open = |at| self.open.as_ref().is_some_and(|open| open.since <= at);
            return match (transition, signal) {
                // The failure's incident has ended, or another incident has opened since.
                (_, Signal::Failed(at, _)) if !is_of_open(at) => Transition::Outdated,
                (transition, _) => *transition,
            };
        }
        let transition = match signal {
            Signal::Started(at) => {
                let ended = self.last_failure.max(self.last_success);
                // A `…RefreshStarted` event is not remembered, because it changes nothing.
                return if ended.is_some_and(|ended| at <= ended) {
                    Transition::Outdated
                } else {
                    Transition::Unchanged
                };
            }
            Signal::Failed(at, kind) => self.fail(event, at, kind),
            Signal::Succeeded(at, kind) => self.succeed(event, at, kind, End::Recovered),
            Signal::FoundSucceeded(at, kind) => self.succeed(event, at, kind, End::RecoveredWithoutEvent),
            Signal::Deleted(at) => self.succeed(event, at, RefreshKind::Unknown, End::Deleted),
        };
        if transition != Transition::Outdated {
            self.applied.push((event.to_owned(), transition));
            if self.applied.len() > APPLIED_LIMIT {
                self.applied.remove(0);
            }
        }
        transition
    }

    fn fail(&mut self, event: &str, at: Timestamp, kind: RefreshKind) -> Transition {
        // Timestamps are whole seconds. A success and a failure in the same second count as a failure: an alert too
        // many is better than none.
        if self.last_success.is_some_and(|success| at < success) {
            return Transition::Outdated;
        }
        self.last_failure = self.last_failure.max(Some(at));
        if let Some(open) = &mut self.open {
            open.failures = open.failures.saturating_add(1);
            open.suppressed_until = None;
            open.since = open.since.min(at);
            open.last = open.last.max(at);
            open.kinds.insert(kind);
            return Transition::FailedAgain;
        }
        self.openings.retain(|opening| at.duration_since(*opening) < DAY);
        self.openings.push(at);
        self.open = Some(Open {
            id: event.to_owned(),
            since: at,
            last: at,
            failures: 1,
            kinds: BTreeSet::from([kind]),
            nth: self.openings.len(),
            log: BTreeMap::new(),
            sample: String::new(),
            suppressed_until: None,
            impact: None,
            last_success: self.last_success,
            cause: None,
        });
        Transition::Opened
    }

    fn succeed(&mut self, event: &str, at: Timestamp, kind: RefreshKind, end: End) -> Transition {
        let ends_all = match &self.open {
            Some(open) => open.kinds.iter().all(|failed| kind.resolves(*failed)),
            None => true,
        };
        if ends_all {
            self.last_success = self.last_success.max(Some(at));
        }
        if self.last_failure.is_some_and(|failure| at < failure) {
            if let Some(open) = self.open.as_mut().filter(|open| at < open.since) {
                open.last_success = open.last_success.max(Some(at));
            }
            return Transition::Outdated;
        }
        let Some(mut open) = self.open.take() else { return Transition::Unchanged };
        if !ends_all {
            open.kinds.retain(|failed| !kind.resolves(*failed));
            self.open = Some(open);
            return Transition::Unchanged;
        }
        open.impact = None;
        self.resolved.push(Resolved { by: event.to_owned(), at, noted_at: None, end, incident: open });
        self.forget_one();
        Transition::Resolved
    }

    /// Drops one resolved incident if there are too many: preferably one that no target has to be notified about.
    fn forget_one(&mut self) {
        if self.resolved.len() > RESOLVED_LIMIT {
            let is_finished =
                |resolved: &Resolved| !resolved.incident.log.values().any(LogEntry::awaits_resolution);
            self.resolved.remove(self.resolved.iter().position(is_finished).unwrap_or(0));
        }
    }
}

#[cfg(test)]
mod tests;
