//! What to do about a transition for one target. Pure: no I/O, no clock, no random numbers.

use crate::capabilities::Capabilities;
use crate::group::OpenGroup;
use crate::incident::{LASTING, LogEntry, Open, Route, Transition};
use crate::lease::LeaseOwner;
use crate::time::later;
use jiff::Timestamp;
use rules::Schedule;

/// What is known when a decision is due.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// What the signal changed.
    pub transition: Transition,
    /// The incident: open, or as it was when it was resolved.
    pub incident: &'a Open,
    /// What the target has received. `None` before anything was decided for it.
    pub entry: Option<&'a LogEntry>,
    /// The group that takes new members for this target.
    pub window: Option<&'a OpenGroup>,
    /// What became of the digest that [`Route::Digest`] names.
    pub digest: DigestState,
    /// When the target's rule lets a notification out.
    pub schedule: Schedule,
    /// What the destination can do.
    pub capabilities: Capabilities,
    /// Whether a timer can bring the incident back. Inline mode has none, so nothing waits there.
    pub has_timers: bool,
    /// Who decides.
    pub owner: LeaseOwner,
    /// When.
    pub now: Timestamp,
}

/// What became of the digest that an incident was put into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DigestState {
    /// It has not been sent.
    #[default]
    Waiting,
    /// It was sent and the incident was one of a few: it goes on alone.
    Sent,
    /// It was sent by this timer, and the incident goes on in the group of those that it named.
    SentAsGroup {
        /// Which timer of the digest.
        generation: u64,
    },
}

/// One thing to do for a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Send a notification of this incident.
    Send {
        /// How.
        operation: Operation,
        /// Whether it may call people: with a new message, also in place of one that is gone.
        audible: bool,
    },
    /// Write the incident into this alert group. The group's timer sends.
    Group {
        /// The group's id.
        id: String,
    },
    /// Write the event into the digest of the quiet hours that end then. The digest's timer sends.
    Digest {
        /// When the quiet hours end.
        until: Timestamp,
    },
    /// Look at the incident again then.
    LookAgain {
        /// When.
        at: Timestamp,
    },
    /// Send nothing.
    Suppress(Suppression),
}

/// How a notification is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A new message.
    Post,
    /// The same message with another text.
    Edit,
    /// The end: in place of the message and, if audible, as an answer to it.
    Close,
}

/// Why nothing is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suppression {
    /// The rule is muted until then.
    Muted(Timestamp),
    /// It is maintenance until then.
    Maintenance(Timestamp),
    /// The object flaps; this is its incident of that number within a day.
    Flapping(usize),
    /// The target knows of the incident, and this failure adds nothing that it must know now.
    AlreadyAnnounced,
    /// The target was never notified of the failure, so it is not notified of the end.
    NotAnnounced,
    /// Another worker is sending. It also sends what has happened meanwhile.
    BeingSent,
}

/// Decides what to do for one target, in this order.
pub fn plan(situation: &Situation<'_>) -> Vec<Decision> {
    match situation.transition {
        Transition::Opened | Transition::FailedAgain => failure(situation),
        Transition::Resolved => resolution(situation),
        Transition::Unchanged | Transition::Outdated => Vec::new(),
    }
}

/// Whether a target is to be reminded of an incident that is still open.
pub fn is_reminder_due(
    incident: &Open,
    target: &str,
    schedule: Schedule,
    owner: LeaseOwner,
    now: Timestamp,
) -> bool {
    let entry = incident.log.get(target).filter(|entry| entry.route == Route::Alone);
    let reminder = entry.and_then(|entry| entry.next_reminder(incident.since));
    let is_being_sent = entry.is_some_and(|entry| entry.is_being_sent(owner, now));
    matches!(schedule, Schedule::Now | Schedule::Critical)
        && reminder.is_some_and(|at| at <= now)
        && !is_being_sent
}

impl Situation<'_> {
    fn is_being_sent(&self) -> bool {
        self.entry.is_some_and(|entry| entry.is_being_sent(self.owner, self.now))
    }

    /// Whether the target has a message of this incident that can be edited.
    fn can_edit(&self) -> bool {
        self.capabilities.edit && self.entry.is_some_and(|entry| entry.message.is_some())
    }

    fn send(operation: Operation, audible: bool) -> Vec<Decision> {
        vec![Decision::Send { operation, audible }]
    }

    /// The first notification of the incident: alone, or with the group that is open.
    fn announce(&self) -> Vec<Decision> {
        let takes_groups = self.capabilities.grouping && self.has_timers;
        match self.window.filter(|_| takes_groups) {
            Some(group) if group.id != self.incident.id => vec![Decision::Group { id: group.id.clone() }],
            _ => Self::send(Operation::Post, true),
        }
    }
}

fn suppress(reason: Suppression) -> Vec<Decision> {
    vec![Decision::Suppress(reason)]
}

fn failure(situation: &Situation<'_>) -> Vec<Decision> {
    let incident = situation.incident;
    match situation.schedule {
        Schedule::Muted(until) => return suppress(Suppression::Muted(until)),
        Schedule::Maintenance(until) => return suppress(Suppression::Maintenance(until)),
        Schedule::Critical => {}
        _ if incident.is_flapping(situation.now) => {
            let mut decisions = suppress(Suppression::Flapping(incident.nth));
            if situation.has_timers {
                decisions.push(Decision::LookAgain { at: later(incident.since, LASTING) });
            }
            return decisions;
        }
        Schedule::DeferUntil(until) if situation.has_timers => {
            return failure_in_quiet_hours(situation, until);
        }
        Schedule::DeferUntil(_) | Schedule::Now => {}
    }
    let Some(entry) = situation.entry else { return situation.announce() };
    match (&entry.route, situation.digest) {
        (Route::Alone, _) => next_of_own_message(situation, entry),
        (Route::Group(_), _) | (Route::Digest(_), DigestState::SentAsGroup { .. }) => {
            suppress(Suppression::AlreadyAnnounced)
        }
        (Route::Digest(until), DigestState::Waiting) => vec![Decision::Digest { until: *until }],
        // The digest has announced it, so its end must be announced too: a group that ends before it is announced would
        // not. At most two incidents of a digest come this way.
        (Route::Digest(_), DigestState::Sent) => Situation::send(Operation::Post, true),
    }
}

/// A failure of an incident that has messages of its own.
fn next_of_own_message(situation: &Situation<'_>, entry: &LogEntry) -> Vec<Decision> {
    if situation.is_being_sent() {
        return suppress(Suppression::BeingSent);
    }
    let failures = situation.incident.failures;
    match entry.notified_failures {
        0 => Situation::send(Operation::Post, true),
        notified if situation.can_edit() && failures > notified => Situation::send(Operation::Edit, true),
        // Each is one more message, so they come when the failures have doubled.
        notified if !situation.can_edit() && failures >= notified.saturating_mul(2) => {
            Situation::send(Operation::Post, true)
        }
        _ => suppress(Suppression::AlreadyAnnounced),
    }
}

/// Quiet hours allow no audible message: a message may be edited, everything else waits for the digest.
fn failure_in_quiet_hours(situation: &Situation<'_>, until: Timestamp) -> Vec<Decision> {
    let notified = situation.entry.map_or(0, |entry| entry.notified_failures);
    match situation.entry.map(|entry| &entry.route) {
        Some(Route::Alone) if situation.is_being_sent() => suppress(Suppression::BeingSent),
        Some(Route::Alone) if notified >= situation.incident.failures => {
            suppress(Suppression::AlreadyAnnounced)
        }
        Some(Route::Alone) if situation.can_edit() => Situation::send(Operation::Edit, false),
        // Its members reach the digest with the group, if the group has not been announced.
        Some(Route::Group(_)) => suppress(Suppression::AlreadyAnnounced),
        Some(Route::Digest(_)) if matches!(situation.digest, DigestState::SentAsGroup { .. }) => {
            suppress(Suppression::AlreadyAnnounced)
        }
        _ => vec![Decision::Digest { until }],
    }
}

fn resolution(situation: &Situation<'_>) -> Vec<Decision> {
    let Some(entry) = situation.entry else { return suppress(Suppression::NotAnnounced) };
    match (&entry.route, situation.digest) {
        (Route::Group(id), _) => hand_over(situation, entry, Decision::Group { id: id.clone() }),
        (Route::Digest(until), DigestState::SentAsGroup { generation }) => {
            hand_over(situation, entry, Decision::Group { id: digest_group(*until, generation) })
        }
        (Route::Digest(until), DigestState::Waiting) => match situation.schedule {
            Schedule::Muted(muted) => suppress(Suppression::Muted(muted)),
            _ => hand_over(situation, entry, Decision::Digest { until: *until }),
        },
        (Route::Alone, _) if situation.is_being_sent() => suppress(Suppression::BeingSent),
        (Route::Alone, _) if entry.is_certainly_unsent() => suppress(Suppression::NotAnnounced),
        (Route::Digest(_), DigestState::Sent) | (Route::Alone, _) => close(situation, entry),
    }
}

/// A group or digest announces the end. A message of the incident's own, from before there were many, shows it too.
fn hand_over(situation: &Situation<'_>, entry: &LogEntry, to: Decision) -> Vec<Decision> {
    let mut decisions = Vec::new();
    if situation.can_edit() && !entry.resolution_sent && !situation.is_being_sent() {
        decisions.push(Decision::Send { operation: Operation::Close, audible: false });
    }
    if !entry.resolution_handed_over {
        decisions.push(to);
    }
    if decisions.is_empty() { suppress(Suppression::AlreadyAnnounced) } else { decisions }
}

fn close(situation: &Situation<'_>, entry: &LogEntry) -> Vec<Decision> {
    if entry.resolution_sent {
        return suppress(Suppression::AlreadyAnnounced);
    }
    match situation.schedule {
        Schedule::DeferUntil(until) if situation.has_timers => {
            hand_over(situation, entry, Decision::Digest { until })
        }
        // A digest has announced it in the meantime.
        _ if entry.resolution_handed_over && !situation.can_edit() => suppress(Suppression::AlreadyAnnounced),
        Schedule::Muted(until) if !situation.can_edit() => suppress(Suppression::Muted(until)),
        schedule => {
            let audible = !matches!(schedule, Schedule::Muted(_)) && !entry.resolution_handed_over;
            Situation::send(Operation::Close, audible)
        }
    }
}

/// The group of the incidents that the digest of `until` named as still failing when this timer of it sent it. What an
/// attempt wrote that ended before it sent is a group of another timer, or is written again.
pub fn digest_group(until: Timestamp, generation: u64) -> String {
    format!("digest-{}-{generation}", until.as_second())
}

#[cfg(test)]
mod tests;
