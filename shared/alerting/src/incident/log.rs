//! The notification log: what was sent about an incident to each target. It is the only place that says so.

use crate::group::is_group_id;
use crate::lease::{Acquired, Lease, LeaseOwner, acquire, is_held_by, is_held_by_another, release};
use crate::time::later;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Quiet hours are daily, and a day has 25 hours at most. A digest further ahead cannot exist.
const FURTHEST_DIGEST: SignedDuration = SignedDuration::from_hours(26);

/// A target is reminded of an incident that stays open after so long without a new message.
pub const REMINDER: SignedDuration = SignedDuration::from_hours(24);

/// A message that was sent and can be edited, as its destination names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRef {
    /// Where it is: for Slack the channel's id.
    pub conversation: String,
    /// What names it there.
    pub id: String,
}

/// How a target is notified of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Route {
    /// With messages of its own.
    Alone,
    /// With the messages of an alert group.
    Group(String),
    /// With the digest of the quiet hours that end then.
    Digest(Timestamp),
}

/// What was sent about an incident to one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// How the target is notified.
    pub route: Route,
    /// How many failures the last notification announced; 0 before the first.
    pub notified_failures: u32,
    /// Whether the resolution was sent: to its own message, if it has one.
    pub resolution_sent: bool,
    /// Whether a group or digest has the resolution and sends it.
    #[serde(default)]
    pub resolution_handed_over: bool,
    /// The message, if it can be edited.
    pub message: Option<MessageRef>,
    /// When the target was last notified with a new message, as against an edited one.
    pub last_audible: Option<Timestamp>,
    /// Whether a message may have arrived whose reference is unknown: its answer was lost, or its sender timed out.
    pub maybe_sent: bool,
    pub(crate) lease: Option<Lease>,
}

impl LogEntry {
    /// An entry before the first notification.
    pub fn new(route: Route) -> Self {
        Self {
            route,
            notified_failures: 0,
            resolution_sent: false,
            resolution_handed_over: false,
            message: None,
            last_audible: None,
            maybe_sent: false,
            lease: None,
        }
    }

    pub(super) fn sanitize(&mut self, now: Timestamp) {
        let is_possible = match &self.route {
            Route::Alone => true,
            Route::Group(id) => is_group_id(id),
            Route::Digest(until) => *until <= later(now, FURTHEST_DIGEST),
        };
        if !is_possible {
            self.route = Route::Alone;
        }
        self.last_audible = self.last_audible.filter(|at| *at <= now);
    }

    /// Notes that the digest of `until` has announced the incident, which goes on alone.
    pub fn announced_by_digest(&mut self, until: Timestamp) {
        self.route = Route::Alone;
        self.notified_failures = self.notified_failures.max(1);
        self.last_audible = self.last_audible.max(Some(until));
    }

    /// When the target is to be reminded, if the incident stays open. `since`: when the incident opened. A group reminds of
    /// its members.
    pub fn next_reminder(&self, since: Timestamp) -> Option<Timestamp> {
        let last = self.last_audible.unwrap_or(since);
        match &self.route {
            Route::Alone => (self.notified_failures > 0).then(|| later(last, REMINDER)),
            Route::Digest(until) => Some(later(last.max(*until), REMINDER)),
            Route::Group(_) => None,
        }
    }

    /// Whether the target has certainly received nothing, and nothing is on its way.
    pub fn is_certainly_unsent(&self) -> bool {
        self.notified_failures == 0 && !self.maybe_sent && self.lease.is_none()
    }

    /// Whether something of the resolution may be left to do.
    pub fn awaits_resolution(&self) -> bool {
        let is_handed_over = self.resolution_handed_over && self.message.is_none();
        let is_known = !self.is_certainly_unsent() || self.route != Route::Alone;
        is_known && !self.resolution_sent && !is_handed_over
    }

    /// Takes the lease to send, unless another worker has it. An owner that timed out may have sent.
    pub fn acquire(&mut self, owner: LeaseOwner, now: Timestamp) -> bool {
        match acquire(&mut self.lease, owner, now) {
            Acquired::HeldUntil(_) => return false,
            Acquired::FromExpired => self.maybe_sent = true,
            Acquired::Free => {}
        }
        true
    }

    /// Whether another worker is sending. The owner also sends what has happened meanwhile.
    pub fn is_being_sent(&self, owner: LeaseOwner, now: Timestamp) -> bool {
        is_held_by_another(self.lease.as_ref(), owner, now)
    }

    /// Writes a receipt and gives the lease back. Returns whether the owner still had the lease.
    pub(super) fn record(&mut self, owner: LeaseOwner, receipt: &Receipt) -> bool {
        if !is_held_by(self.lease.as_ref(), owner) {
            return false;
        }
        release(&mut self.lease, owner);
        match receipt {
            Receipt::Sent { failures, resolution, message, audible_at } => {
                self.notified_failures = self.notified_failures.max(*failures);
                self.resolution_sent |= resolution;
                self.message = message.clone().or(self.message.take());
                self.last_audible = self.last_audible.max(*audible_at);
            }
            Receipt::Unsent { maybe_sent } => self.maybe_sent |= maybe_sent,
        }
        true
    }
}

/// What a sender writes into the log when it is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It was sent.
    Sent {
        /// How many failures it announced.
        failures: u32,
        /// Whether it was the resolution.
        resolution: bool,
        /// The message to edit from now on, if there is a new one.
        message: Option<MessageRef>,
        /// When, if it was a new message.
        audible_at: Option<Timestamp>,
    },
    /// It was not sent.
    Unsent {
        /// Whether it may have arrived all the same.
        maybe_sent: bool,
    },
}
