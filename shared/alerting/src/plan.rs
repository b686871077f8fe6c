//! Decides what to do for one target after an incident changed. Pure: no I/O, no clock, no random numbers.

use crate::capabilities::Capabilities;
use crate::group::OpenGroup;
use crate::incident::{LASTING, LogEntry, Open, Route, Transition};
use crate::lease::LeaseOwner;
use crate::time::later;
use jiff::Timestamp;
use rules::Schedule;

/// Everything that the decision for one target depends on.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// What the signal changed.
    pub transition: Transition,
    /// The incident: as it is if open, or as it was when it was resolved.
    pub incident: &'a Open,
    /// The target's entry in the notification log. `None` if nothing was decided for the target yet.
    pub entry: Option<&'a LogEntry>,
    /// The group that takes new members for this target.
    pub window: Option<&'a OpenGroup>,
    /// The state of the digest that [`Route::Digest`] names.
    pub digest: DigestState,
    /// When the target's rule allows a notification.
    pub schedule: Schedule,
    /// What the destination can do.
    pub capabilities: Capabilities,
    /// Whether updates are sent to the destination, and not only the beginning and the end.
    pub sends_updates: bool,
    /// Whether an end finds its message by the key alone.
    pub ends_by_key: bool,
    /// After how many failures in a row Tableau probably suspends the refresh.
    pub suspends_after: Option<u32>,
    /// Whether timers are available. Without timers (inline mode) nothing can be sent later.
    pub has_timers: bool,
    /// The attempt that decides.
    pub owner: LeaseOwner,
    /// The time of the decision.
    pub now: Timestamp,
}

/// The state of the digest that contains an incident.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DigestState {
    /// The digest has not been sent.
    #[default]
    Waiting,
    /// The digest was sent and named only a few failing objects; each incident continues alone.
    Sent,
    /// The digest was sent and named many failing objects; the incident continues in their group.
    SentAsGroup {
        /// The number of the timer that sent the digest.
        generation: u64,
    },
}

/// One thing to do for a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Send a notification of this incident.
    Send {
        /// How the notification is sent: new message, edit or end.
        operation: Operation,
        /// Whether a new message may be sent, also when the message to edit is gone.
        audible: bool,
    },
    /// Write the incident into the alert group with this id. The group's timer sends the message.
    Group {
        /// The group's id.
        id: String,
    },
    /// Write the event into the digest of the quiet hours that end at `until`. The digest's timer sends the digest.
    Digest {
        /// When the quiet hours end.
        until: Timestamp,
    },
    /// Set a timer that decides again about this incident.
    LookAgain {
        /// When the timer fires.
        at: Timestamp,
    },
    /// Send nothing, for this reason.
    Suppress(Suppression),
}

/// How a notification is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Send a new message.
    Post,
    /// Replace the text of the existing message.
    Edit,
    /// Announce the end: edit the message and, if audible, also send a reply to it.
    Close,
}

/// The reason why nothing is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suppression {
    /// The rule is muted until this time.
    Muted(Timestamp),
    /// It is maintenance until then.
    Maintenance(Timestamp),
    /// The object flaps; this is its incident of that number within a day.
    Flapping(usize),
    /// The target already knows of the incident, and this failure adds nothing important.
    AlreadyAnnounced,
    /// The target was not notified of the failure, so it is not notified of the recovery.
    NotAnnounced,
    /// Another worker is sending, and will include this change.
    BeingSent,
}

/// Decides what to do for one target. The returned decisions must be carried out in order.
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

    /// Whether Tableau has probably suspended the refresh since this number of failures.
    fn is_suspended_since(&self, failures: u32) -> bool {
        self.suspends_after.is_some_and(|after| failures < after && after <= self.incident.failures)
    }

    /// Whether the target has an editable message about this incident.
    fn can_edit(&self) -> bool {
        self.capabilities.edit && self.entry.is_some_and(|entry| entry.message.is_some())
    }

    /// Whether the end of the incident can change a message that is there, and so calls no one.
    fn finds_message(&self) -> bool {
        let is_announced = |entry: &LogEntry| {
            let by_digest = matches!(entry.route, Route::Digest(_)) && self.digest == DigestState::Sent;
            by_digest || entry.closes_by_key || !entry.is_certainly_unsent()
        };
        self.can_edit() || (self.ends_by_key && self.entry.is_some_and(is_announced))
    }

    fn send(operation: Operation, audible: bool) -> Vec<Decision> {
        vec![Decision::Send { operation, audible }]
    }

    /// The first notification of the incident: alone, or with the open group.
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
        // The digest has announced the incident, so its end must be announced too. A group could end before it is
        // announced, so the incident is announced alone; at most two incidents of a digest take this path.
        (Route::Digest(_), DigestState::Sent) => Situation::send(Operation::Post, true),
    }
}

/// Decides about a further failure of an incident that is announced alone.
fn next_of_own_message(situation: &Situation<'_>, entry: &LogEntry) -> Vec<Decision> {
    if situation.is_being_sent() {
        return suppress(Suppression::BeingSent);
    }
    let failures = situation.incident.failures;
    match entry.notified_failures {
        0 => Situation::send(Operation::Post, true),
        _ if !situation.sends_updates => suppress(Suppression::AlreadyAnnounced),
        notified if situation.can_edit() && failures > notified => Situation::send(Operation::Edit, true),
        // Where messages cannot be edited, each update is a further message, so one is sent only when the number of
        // failures has doubled, and when Tableau has probably suspended the refresh: no event comes after that.
        notified
            if !situation.can_edit()
                && (failures >= notified.saturating_mul(2) || situation.is_suspended_since(notified)) =>
        {
            Situation::send(Operation::Post, true)
        }
        _ => suppress(Suppression::AlreadyAnnounced),
    }
}

/// Decides about a failure in quiet hours: an existing message may be edited, but a new message waits for the digest.
fn failure_in_quiet_hours(situation: &Situation<'_>, until: Timestamp) -> Vec<Decision> {
    let notified = situation.entry.map_or(0, |entry| entry.notified_failures);
    match situation.entry.map(|entry| &entry.route) {
        Some(Route::Alone) if situation.is_being_sent() => suppress(Suppression::BeingSent),
        Some(Route::Alone) if notified >= situation.incident.failures => {
            suppress(Suppression::AlreadyAnnounced)
        }
        Some(Route::Alone) if notified > 0 && !situation.sends_updates => {
            suppress(Suppression::AlreadyAnnounced)
        }
        Some(Route::Alone) if situation.can_edit() => Situation::send(Operation::Edit, false),
        // The incident's group has not been announced; the group takes all its members into the digest.
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

/// Lets a group or digest announce the incident's end. If the incident also has a message of its own, that message is
/// edited too.
fn hand_over(situation: &Situation<'_>, entry: &LogEntry, to: Decision) -> Vec<Decision> {
    let mut decisions = Vec::new();
    if situation.finds_message() && !entry.resolution_sent && !situation.is_being_sent() {
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
        // A digest has announced the end in the meantime.
        _ if entry.resolution_handed_over && !situation.finds_message() => {
            suppress(Suppression::AlreadyAnnounced)
        }
        Schedule::Muted(until) if !situation.finds_message() => suppress(Suppression::Muted(until)),
        schedule => {
            let audible = !matches!(schedule, Schedule::Muted(_)) && !entry.resolution_handed_over;
            Situation::send(Operation::Close, audible)
        }
    }
}

/// The id of the group of objects that the digest of `until` named as failing. `generation` is the number of the
/// timer that sent the digest; so a group written by an attempt that did not send is never mistaken for it.
pub fn digest_group(until: Timestamp, generation: u64) -> String {
    format!("digest-{}-{generation}", until.as_second())
}

#[cfg(test)]
mod tests;
