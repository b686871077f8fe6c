//! The notification log of an incident: what was sent to each target. No other document records that.

use crate::group::is_group_id;
use crate::lease::{Acquired, Lease, LeaseOwner, acquire, is_held_by, is_held_by_another, release};
use crate::time::later;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How far ahead a digest can be: quiet hours are daily, and a day has at most 25 hours (and one hour of reserve).
const FURTHEST_DIGEST: SignedDuration = SignedDuration::from_hours(26);

/// How long after the last new message a target is reminded of an incident that is still open.
pub const REMINDER: SignedDuration = SignedDuration::from_hours(24);

/// A reference to a sent message that can be edited, in the destination's own terms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRef {
    /// Where the message is: for Slack, the channel's id.
    pub conversation: String,
    /// The message's id there: for Slack, its timestamp.
    pub id: String,
}

/// How a target is notified of an incident: alone, by a group or by a digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Route {
    /// By messages about this incident only.
    Alone,
    /// By the messages of the alert group with this id.
    Group(String),
    /// By the digest of the quiet hours that end at this time.
    Digest(Timestamp),
}

/// The notification log's entry for one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// How the target is notified.
    pub route: Route,
    /// How many failures the last notification mentioned; 0 before the first notification.
    pub notified_failures: u32,
    /// Whether the target has received the incident's resolution.
    pub resolution_sent: bool,
    /// Whether a group or digest has taken over the resolution and will send it.
    #[serde(default)]
    pub resolution_handed_over: bool,
    /// Whether the end changes a message that the destination finds by its key. Then it is due until that has happened, although a
    /// group or digest announces it.
    #[serde(default)]
    pub closes_by_key: bool,
    /// The incident's message, if it can be edited.
    pub message: Option<MessageRef>,
    /// When the target last received a new message (an edit of an existing message does not count).
    pub last_audible: Option<Timestamp>,
    /// Whether a message may have arrived although its id is unknown: the answer was lost, or the worker timed out.
    pub maybe_sent: bool,
    pub(crate) lease: Option<Lease>,
}

impl LogEntry {
    /// Creates the entry of a target that has received nothing yet.
    pub fn new(route: Route) -> Self {
        Self {
            route,
            notified_failures: 0,
            resolution_sent: false,
            resolution_handed_over: false,
            closes_by_key: false,
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

    /// Records that the digest of `until` has announced the incident. Further messages are about this incident only.
    pub fn announced_by_digest(&mut self, until: Timestamp) {
        self.route = Route::Alone;
        self.notified_failures = self.notified_failures.max(1);
        self.last_audible = self.last_audible.max(Some(until));
    }

    /// When the target must be reminded if the incident stays open. `since` is when the incident opened. Never for an
    /// incident in a group: the group reminds of its members.
    pub fn next_reminder(&self, since: Timestamp) -> Option<Timestamp> {
        let last = self.last_audible.unwrap_or(since);
        match &self.route {
            Route::Alone => (self.notified_failures > 0).then(|| later(last, REMINDER)),
            Route::Digest(until) => Some(later(last.max(*until), REMINDER)),
            Route::Group(_) => None,
        }
    }

    /// Whether the target has certainly received nothing, and no worker is sending.
    pub fn is_certainly_unsent(&self) -> bool {
        self.notified_failures == 0 && !self.maybe_sent && self.lease.is_none()
    }

    /// Whether the resolution may still have to be sent to this target.
    pub fn awaits_resolution(&self) -> bool {
        let is_handed_over = self.resolution_handed_over && self.message.is_none() && !self.closes_by_key;
        let is_known = !self.is_certainly_unsent() || self.route != Route::Alone;
        is_known && !self.resolution_sent && !is_handed_over
    }

    /// Takes the lease to send, unless another worker holds it. If an earlier owner timed out, its message may have
    /// arrived.
    pub fn acquire(&mut self, owner: LeaseOwner, now: Timestamp) -> bool {
        match acquire(&mut self.lease, owner, now) {
            Acquired::HeldUntil(_) => return false,
            Acquired::FromExpired => self.maybe_sent = true,
            Acquired::Free => {}
        }
        true
    }

    /// Whether another worker is sending. That worker also sends changes made meanwhile.
    pub fn is_being_sent(&self, owner: LeaseOwner, now: Timestamp) -> bool {
        is_held_by_another(self.lease.as_ref(), owner, now)
    }

    /// Writes a receipt and gives the lease back. Returns false if the owner had lost the lease.
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

/// The receipt that a worker writes into the notification log after it tried to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// The notification was sent.
    Sent {
        /// How many failures the notification mentioned.
        failures: u32,
        /// Whether the notification was the incident's resolution.
        resolution: bool,
        /// The message to edit from now on, if a new one was sent.
        message: Option<MessageRef>,
        /// When the message was sent, if it was a new one.
        audible_at: Option<Timestamp>,
    },
    /// The notification was not sent.
    Unsent {
        /// Whether the notification may have arrived all the same, because its answer was lost.
        maybe_sent: bool,
    },
}
