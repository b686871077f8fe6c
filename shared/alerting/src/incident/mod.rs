//! The incident of one object: from the first failure to the recovery.

mod log;
mod signal;

pub use log::{LogEntry, MessageRef, REMINDER, Receipt, Route};
pub use signal::{RefreshKind, Signal, Transition};

use crate::lease::LeaseOwner;
use crate::time::{is_credible, later};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// An object that opens so many incidents within a [`DAY`] flaps: further incidents are suppressed until it is stable.
const FLAPPING: usize = 4;
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// An incident that lasts for so long is no flapping and is announced after all.
pub const LASTING: SignedDuration = SignedDuration::from_hours(1);
/// A resolution that was not sent after so long is overdue.
const OVERDUE: SignedDuration = SignedDuration::from_mins(10);
/// After so long it is not worth sending.
const LONGEST_AWAITED: SignedDuration = SignedDuration::from_hours(72);
/// How many resolved incidents are remembered, for targets that are still to be notified of the recovery.
const RESOLVED_LIMIT: usize = 16;
/// How many events are remembered, so that a redelivered event does not count twice.
const APPLIED_LIMIT: usize = 32;

/// What is known of an object's refreshes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Incident {
    /// The incident that is open.
    pub open: Option<Open>,
    /// The incidents before it, newest last.
    resolved: Vec<Resolved>,
    last_failure: Option<Timestamp>,
    last_success: Option<Timestamp>,
    /// When the incidents of the last day opened.
    openings: Vec<Timestamp>,
    /// The last events, newest last, and what each changed.
    applied: Vec<(String, Transition)>,
    /// The sweep has no one to remind now, and looks again then.
    pub looks_again: Option<Timestamp>,
}

/// An incident that is open: failures without a success between them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// The short id of the event that opened it. Names the incident.
    pub id: String,
    /// When the first failure happened.
    pub since: Timestamp,
    /// When the last failure happened.
    pub last: Timestamp,
    /// How many failures.
    pub failures: u32,
    /// Which kinds of refresh fail.
    pub kinds: BTreeSet<RefreshKind>,
    /// Which incident of the object within a day this is, from 1.
    pub nth: usize,
    /// What was sent to each target, by target key.
    pub log: BTreeMap<String, LogEntry>,
    /// The payload of the last failure, for timers, which bring no event.
    #[serde(default)]
    pub sample: String,
    /// It is suppressed because the object flaps, and a timer looks at it again then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppressed_until: Option<Timestamp>,
}

/// An incident that is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    /// The short id of the event that ended it.
    pub by: String,
    /// When it ended.
    pub at: Timestamp,
    /// When this was noted: later, if the event came late or the sweep found it.
    #[serde(default)]
    pub noted_at: Option<Timestamp>,
    /// How it ended.
    pub end: End,
    /// The incident as it was.
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
    /// Tableau's job list shows that a refresh succeeded; its event never came.
    RecoveredWithoutEvent,
}

impl Open {
    /// How long it has lasted, from the first failure to `end`.
    pub fn lasted(&self, end: Timestamp) -> SignedDuration {
        end.duration_since(self.since).max(SignedDuration::ZERO)
    }

    /// Whether this incident is the one whose message says that the object flaps.
    pub fn begins_to_flap(&self) -> bool {
        self.nth == FLAPPING
    }

    /// Whether the object flaps, so that this incident is suppressed unless it lasts.
    pub fn is_flapping(&self, now: Timestamp) -> bool {
        self.nth > FLAPPING && self.lasted(now.max(self.last)) < LASTING
    }
}

impl Incident {
    /// The incident that the event `by` has resolved.
    pub fn resolved_by(&self, by: &str) -> Option<&Resolved> {
        self.resolved.iter().find(|resolved| resolved.by == by)
    }

    /// When the first target is to be reminded of the open incident.
    pub fn next_reminder(&self) -> Option<Timestamp> {
        let open = self.open.as_ref()?;
        open.log.values().filter_map(|entry| entry.next_reminder(open.since)).min()
    }

    /// When the sweep is to look at it.
    pub fn due(&self) -> Option<Timestamp> {
        let reminder = self.next_reminder().max(self.next_reminder().and(self.looks_again));
        reminder.into_iter().chain(self.next_resolution()).chain(self.next_look()).min()
    }

    /// When the sweep is to look whether an incident that was suppressed lasts. Its timer has done so before, unless it was
    /// lost or failed for good.
    pub fn next_look(&self) -> Option<Timestamp> {
        let until = self.open.as_ref()?.suppressed_until?;
        Some(later(until, OVERDUE))
    }

    /// When the sweep is to look whether a resolution that a target awaits was sent. The attempt that was to send it comes back
    /// before, unless it was the sweep itself.
    pub fn next_resolution(&self) -> Option<Timestamp> {
        self.awaited().map(|resolved| later(resolved.at, OVERDUE)).min()
    }

    fn awaited(&self) -> impl Iterator<Item = &Resolved> {
        let is_awaited =
            |resolved: &&Resolved| resolved.incident.log.values().any(LogEntry::awaits_resolution);
        self.resolved.iter().filter(is_awaited)
    }

    /// The payload of a failure of the incident that is open, or else of the last one whose resolution a target awaits.
    pub fn sample(&self) -> Option<&str> {
        let awaited = self.awaited().last().map(|resolved| &resolved.incident);
        self.open.as_ref().or(awaited).map(|incident| incident.sample.as_str())
    }

    /// Notes when the last incident was resolved, as against when its refresh succeeded. Once: the same event may come again.
    pub fn note_resolved_at(&mut self, now: Timestamp) {
        if let Some(resolved) = self.resolved.last_mut() {
            resolved.noted_at.get_or_insert(now);
        }
    }

    /// Whether the incident of this id, open since then, has ended. Not if nothing is known of it.
    pub fn has_ended(&self, id: &str, since: Timestamp) -> bool {
        let is_other_open = self.open.as_ref().is_some_and(|open| open.id != id);
        let is_open = self.open.as_ref().is_some_and(|open| open.id == id);
        let is_resolved = self.resolved.iter().any(|resolved| resolved.incident.id == id);
        is_other_open || is_resolved || (!is_open && self.last_success.is_some_and(|at| at >= since))
    }

    /// Gives up resolutions that could not be sent for days.
    pub fn give_up_resolutions(&mut self, now: Timestamp) {
        let is_old = |resolved: &&mut Resolved| {
            now.duration_since(resolved.noted_at.unwrap_or(resolved.at)) > LONGEST_AWAITED
        };
        let old = self.resolved.iter_mut().filter(is_old);
        for entry in old.flat_map(|resolved| resolved.incident.log.values_mut()) {
            entry.resolution_sent |= entry.awaits_resolution();
        }
    }

    /// The incidents that are over, oldest first.
    pub fn resolved(&self) -> &[Resolved] {
        &self.resolved
    }

    /// Takes in the time of a success that was written beside the document.
    pub fn raise_last_success(&mut self, at: Timestamp) {
        self.last_success = self.last_success.max(Some(at));
    }

    /// The open incident and those before it of which a target may still be to be notified.
    pub(crate) fn all_mut(&mut self) -> impl Iterator<Item = &mut Open> {
        self.open.iter_mut().chain(self.resolved.iter_mut().map(|resolved| &mut resolved.incident))
    }

    /// The open incident with this id, or the resolved one.
    pub fn find_mut(&mut self, id: &str) -> Option<&mut Open> {
        self.all_mut().find(|open| open.id == id)
    }

    /// Writes a receipt and gives the lease back. The incident may have been resolved meanwhile, and its resolution must
    /// find the message. Returns whether the owner still had the lease.
    pub fn record(&mut self, id: &str, target: &str, owner: LeaseOwner, receipt: &Receipt) -> bool {
        let entry = self.find_mut(id).and_then(|open| open.log.get_mut(target));
        entry.is_some_and(|entry| entry.record(owner, receipt))
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

    /// Forgets what this crate never writes: instants in the future, routes to groups and digests that cannot exist,
    /// more entries than the limits. With a success in the future, every failure would count as outdated.
    pub fn sanitize(&mut self, now: Timestamp) {
        for open in self.all_mut() {
            open.log.values_mut().for_each(|entry| entry.sanitize(now));
            open.since = if is_credible(open.since, now) { open.since } else { now };
            open.last = if is_credible(open.last, now) { open.last } else { now };
            open.suppressed_until = open.suppressed_until.filter(|at| *at <= later(now, LASTING * 2));
        }
        self.applied.drain(..self.applied.len().saturating_sub(APPLIED_LIMIT));
        self.resolved.drain(..self.resolved.len().saturating_sub(RESOLVED_LIMIT));
        self.last_failure = self.last_failure.filter(|at| is_credible(*at, now));
        self.last_success = self.last_success.filter(|at| is_credible(*at, now));
        self.openings.retain(|at| is_credible(*at, now));
        self.looks_again = self.looks_again.filter(|at| *at <= later(now, REMINDER));
    }

    /// Applies what an event says. The same event changes nothing more when Tableau delivers it again, and gives the
    /// same answer.
    pub fn apply(&mut self, event: &str, signal: Signal) -> Transition {
        // What the sweep finds has no event of its own: it names the failure's.
        let applied = self.applied.iter().find(|(id, _)| id == event);
        let applied = applied.filter(|_| !matches!(signal, Signal::FoundSucceeded(..)));
        if let Some((_, transition)) = applied {
            let is_of_open = |at| self.open.as_ref().is_some_and(|open| open.since <= at);
            return match (transition, signal) {
                // Its incident is over, or another one has opened since.
                (_, Signal::Failed(at, _)) if !is_of_open(at) => Transition::Outdated,
                (transition, _) => *transition,
            };
        }
        let transition = match signal {
            Signal::Started(at) => {
                let ended = self.last_failure.max(self.last_success);
                // A start is not remembered: it changes nothing.
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
        // Times are whole seconds. In the same second the order is unknown, and an alert too many is better than none.
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
            return Transition::Outdated;
        }
        let Some(mut open) = self.open.take() else { return Transition::Unchanged };
        if !ends_all {
            open.kinds.retain(|failed| !kind.resolves(*failed));
            self.open = Some(open);
            return Transition::Unchanged;
        }
        self.resolved.push(Resolved { by: event.to_owned(), at, noted_at: None, end, incident: open });
        self.forget_one();
        Transition::Resolved
    }

    /// Forgets a resolved incident if there are too many: first one of which no target is left to be notified.
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
