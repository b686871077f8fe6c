//! The head of a group: the document that says what was sent and when the next message is due. Members are separate
//! items.

use super::{Member, Placement};
use crate::capabilities::Capabilities;
use crate::incident::{MessageRef, REMINDER};
use crate::lease::{Acquired, Lease, LeaseOwner, acquire, is_held_by, release};
use crate::notifier::Delivered;
use crate::time::{is_credible, later};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How long the members of a new group wait for each other; twice as long while more members join.
const GATHER: SignedDuration = SignedDuration::from_secs(10);
/// This many waiting members are announced in one message. The incident that came first, announced alone, counts too.
pub(crate) const MANY_WAITING: usize = 3;
const MANY: usize = 5;
/// The shortest time between two edits of a group's message.
const EDIT_INTERVAL: SignedDuration = SignedDuration::from_secs(10);
/// For destinations that cannot edit messages: the group is announced when no incident has joined for this long.
const CALM: SignedDuration = SignedDuration::from_secs(15);
/// For destinations that cannot edit messages: the longest wait before a group is announced, although incidents still
/// join.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_secs(120);
/// For destinations that cannot edit messages: the time between two messages of one group.
const POST_INTERVAL: SignedDuration = SignedDuration::from_secs(300);

/// How long a timer can still be on its way when it fails: the queue retries it for about eight hours. Only a refused
/// credential is retried for longer.
const LONGEST_RETRIED: SignedDuration = SignedDuration::from_hours(12);

/// How far ahead a timer can be due: the end of the daily quiet hours, on a day that has 25 hours, and one hour of
/// reserve.
const FURTHEST_DUE: SignedDuration = SignedDuration::from_hours(26);

/// The head of a group: what was sent and when the next message is due. One document per group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GroupHead {
    /// When the first member joined.
    pub opened_at: Option<Timestamp>,
    /// When the last member joined, to the second.
    pub last_join: Option<Timestamp>,
    /// The timer that will send what has changed since the last message; `None` if nothing has changed.
    pub pending: Option<Pending>,
    /// The number of the last timer that was requested. A timer with a lower number was replaced and does nothing.
    pub generation: u64,
    /// The number of the last timer whose work is done.
    pub done_generation: u64,
    /// The numbers of the timers that have sent a digest, newest last.
    pub sent_generations: Vec<u64>,
    /// The key of the target.
    pub target: String,
    /// The payload of one event of this group, against which the rules are evaluated when a timer fires.
    pub sample: String,
    /// The group's message, if it can be edited.
    pub message: Option<MessageRef>,
    /// How many notifications the group has sent.
    pub sent: u32,
    /// When the group's last notification was sent.
    pub last_sent: Option<Timestamp>,
    /// When the group last sent a new message (an edit of an existing message does not count).
    pub last_audible: Option<Timestamp>,
    /// How many members the group's last notification listed.
    pub shown_members: usize,
    /// Whether the message that all members have recovered was sent.
    pub closed: bool,
    /// Whether a message may have arrived although its answer was lost, so that its id is unknown.
    pub maybe_sent: bool,
    /// Whether the members are single events, which have no end, and not incidents.
    pub is_of_events: bool,
    /// When a timer of this group last began its work.
    pub begun_at: Option<Timestamp>,
    /// The sweep has nothing to send for this group before this time.
    pub looks_again: Option<Timestamp>,
    lease: Option<Lease>,
}

/// A timer that a head has requested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// When the timer fires.
    pub due: Timestamp,
    /// The timer's number.
    pub generation: u64,
    /// Whether the timer exists: the queue or EventBridge Scheduler has confirmed it.
    pub armed: bool,
}

/// What a group does when its timer fires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupStep {
    /// Nothing has changed.
    Nothing,
    /// The timer fired too early: set it again for this time.
    WaitUntil(Timestamp),
    /// Too few members joined for a group message. Announce these members, given by key, with messages of their own.
    Separate(Vec<String>),
    /// Send the group's first message, or edit it; or send a further message where messages cannot be edited.
    Announce,
    /// All members have recovered: send the group's end.
    Close,
}

impl GroupHead {
    /// Clears timestamps in the future, which only a wrong clock can have written and which would delay every
    /// message.
    pub fn sanitize(&mut self, now: Timestamp) {
        for at in [
            &mut self.opened_at,
            &mut self.last_join,
            &mut self.last_sent,
            &mut self.last_audible,
            &mut self.begun_at,
        ] {
            *at = at.filter(|at| is_credible(*at, now));
        }
        let longest = later(now, FURTHEST_DUE);
        self.looks_again = self.looks_again.filter(|at| *at <= longest);
        self.pending = self.pending.take().filter(|pending| pending.due <= longest);
    }

    /// Whether the target has certainly received nothing from this group, and no worker is sending.
    pub fn is_unannounced(&self) -> bool {
        self.sent == 0 && !self.maybe_sent && self.lease.is_none()
    }

    /// Records that a member has joined or changed, and requests a timer unless one is pending.
    pub fn changed(&mut self, now: Timestamp, joined: bool, capabilities: Capabilities) {
        if joined {
            self.opened_at = self.opened_at.or(Some(now));
            if self.last_join.is_none_or(|last| last.as_second() < now.as_second()) {
                self.last_join = Some(now);
            }
        }
        self.closed &= !joined;
        if self.pending.is_none() {
            let interval = if capabilities.edit || !joined { EDIT_INTERVAL } else { POST_INTERVAL };
            let due = match (self.sent, self.last_sent) {
                (0, _) | (_, None) => later(now, GATHER),
                (_, Some(last)) => later(last, interval).max(now),
            };
            self.set_pending(due);
        }
    }

    /// Requests a timer that replaces the pending one.
    pub fn set_pending(&mut self, due: Timestamp) {
        self.generation = self.generation.saturating_add(1);
        self.pending = Some(Pending { due, generation: self.generation, armed: false });
    }

    /// Records that the timer with this number exists.
    pub fn armed(&mut self, generation: u64) {
        if let Some(pending) = self.pending.as_mut().filter(|pending| pending.generation == generation) {
            pending.armed = true;
        }
    }

    /// Decides what the group does at `now`, given all its members. Pure: reads and writes nothing.
    pub fn step(
        &self,
        members: &[(String, Member)],
        first_is_open: bool,
        now: Timestamp,
        capabilities: Capabilities,
    ) -> GroupStep {
        let grouped = || members.iter().filter(|(_, member)| member.placement == Placement::Grouped);
        let firing = grouped().filter(|(_, member)| member.is_firing()).count();
        let may_be_announced = self.maybe_sent && firing == 0 && grouped().count() > 0;
        if self.sent == 0 && !may_be_announced {
            return self.first_step(members, firing, first_is_open, now, capabilities);
        }
        if firing == 0 {
            // Without members the group's items were deleted, so it is unknown whether the objects recovered: the
            // group has ended.
            let has_ended = self.closed || grouped().count() == 0;
            return if has_ended { GroupStep::Nothing } else { GroupStep::Close };
        }
        let has_joined = grouped().count() > self.shown_members;
        if capabilities.edit || has_joined { GroupStep::Announce } else { GroupStep::Nothing }
    }

    fn first_step(
        &self,
        members: &[(String, Member)],
        firing: usize,
        first_is_open: bool,
        now: Timestamp,
        capabilities: Capabilities,
    ) -> GroupStep {
        let counted = members.iter().filter(|(_, member)| member.placement != Placement::Left);
        let altogether = counted.count() + usize::from(first_is_open);
        let is_many = firing >= MANY_WAITING || (firing > 0 && altogether >= MANY);
        let opened = self.opened_at.unwrap_or(now);
        let last = self.last_join.unwrap_or(now);
        let due = if is_many && !capabilities.edit {
            later(last, CALM).min(later(opened, LONGEST_WAIT))
        } else {
            later(opened, GATHER).max(later(last, GATHER).min(later(opened, GATHER * 2)))
        };
        if due > now {
            return GroupStep::WaitUntil(due);
        }
        if is_many {
            return GroupStep::Announce;
        }
        let waiting =
            members.iter().filter(|(_, member)| member.is_firing() && member.placement == Placement::Grouped);
        let waiting: Vec<String> = waiting.map(|(key, _)| key.clone()).collect();
        if waiting.is_empty() { GroupStep::Nothing } else { GroupStep::Separate(waiting) }
    }

    /// Takes the lease to do the work of the timer `generation`. Refused if another worker holds the lease or a newer
    /// timer has replaced this one. A member that joins after this requests a new timer.
    pub fn begin(&mut self, owner: LeaseOwner, now: Timestamp) -> bool {
        match acquire(&mut self.lease, owner, now) {
            Acquired::HeldUntil(_) => return false,
            Acquired::FromExpired => self.maybe_sent = true,
            Acquired::Free => {}
        }
        self.pending = None;
        self.begun_at = Some(now);
        true
    }

    /// Records that a notification was sent, and gives the lease back.
    pub fn sent(&mut self, owner: LeaseOwner, shown: usize, delivered: &Delivered, now: Timestamp) {
        if !self.end(owner) {
            return;
        }
        self.sent = self.sent.saturating_add(1);
        self.last_sent = Some(now);
        if delivered.audible {
            self.last_audible = Some(now);
        }
        self.shown_members = shown;
        self.message = delivered.message.clone().or(self.message.take());
    }

    /// Records that another message (a digest) has listed `shown` members.
    pub fn announced_elsewhere(&mut self, shown: usize, now: Timestamp) {
        self.sent = self.sent.max(1);
        self.last_sent = self.last_sent.or(Some(now));
        self.last_audible = self.last_audible.or(Some(now));
        self.shown_members = shown;
    }

    /// When the target must be reminded of members that still fail.
    pub fn next_reminder(&self) -> Option<Timestamp> {
        let last = self.last_audible.or(self.last_sent);
        let last = last.filter(|_| self.sent > 0 && !self.closed && !self.is_of_events)?;
        Some(later(last, REMINDER))
    }

    /// When the hourly sweep should look at this group.
    pub fn due(&self) -> Option<Timestamp> {
        let reminder = self.next_reminder().max(self.next_reminder().and(self.looks_again));
        let pending = self.pending.as_ref().map(|pending| pending.due);
        pending.or(self.gives_up_at()).or(reminder)
    }

    /// When the sweep sends an unfinished timer again: by then its message is in the dead-letter queue or lost.
    pub fn gives_up_at(&self) -> Option<Timestamp> {
        let is_unfinished = self.generation > self.done_generation;
        self.begun_at.filter(|_| is_unfinished).map(|at| later(at, LONGEST_RETRIED))
    }

    /// Whether the target must be reminded at `now`.
    pub fn is_reminder_due(&self, now: Timestamp) -> bool {
        self.next_reminder().is_some_and(|at| at <= now)
    }

    /// Records which timer has sent a digest. A digest is sent once, and again only for entries that came too late.
    pub fn digest_sent(&mut self, generation: u64) {
        const LIMIT: usize = 8;
        self.done_generation = self.done_generation.max(generation);
        // A digest is complete when it is sent; the objects that still fail are announced by a group of their own.
        self.closed = true;
        if !self.sent_generations.contains(&generation) {
            self.sent_generations.push(generation);
        }
        self.sent_generations.drain(..self.sent_generations.len().saturating_sub(LIMIT));
    }

    /// Gives the lease back. Returns false if the owner had lost the lease.
    pub fn end(&mut self, owner: LeaseOwner) -> bool {
        let is_held = is_held_by(self.lease.as_ref(), owner);
        release(&mut self.lease, owner);
        is_held
    }

    /// Records that sending failed, and gives the lease back.
    pub fn unsent(&mut self, owner: LeaseOwner, maybe_sent: bool) {
        if is_held_by(self.lease.as_ref(), owner) {
            release(&mut self.lease, owner);
            self.maybe_sent |= maybe_sent;
        }
    }
}
