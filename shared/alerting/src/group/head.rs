//! What a group has sent, and when it sends next. The members are items of their own.

use super::{Member, Placement};
use crate::capabilities::Capabilities;
use crate::incident::{MessageRef, REMINDER};
use crate::lease::{Acquired, Lease, LeaseOwner, acquire, is_held_by, release};
use crate::notifier::Delivered;
use crate::time::{is_credible, later};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How long members wait for each other before the group is announced; twice as long while more of them join.
const GATHER: SignedDuration = SignedDuration::from_secs(10);
/// So many that wait become one message, or so many altogether with the first.
pub(crate) const MANY_WAITING: usize = 3;
const MANY: usize = 5;
/// A message is edited at most so often.
const EDIT_INTERVAL: SignedDuration = SignedDuration::from_secs(10);
/// Where messages cannot be edited, the group waits until no incident has joined for so long,
const CALM: SignedDuration = SignedDuration::from_secs(15);
/// but not longer than this,
const LONGEST_WAIT: SignedDuration = SignedDuration::from_secs(120);
/// and sends the next message so much later.
const POST_INTERVAL: SignedDuration = SignedDuration::from_secs(300);

/// A timer that fails is retried by its queue for about eight hours; only a refused credential is waited for longer.
const LONGEST_RETRIED: SignedDuration = SignedDuration::from_hours(12);

/// The furthest a timer can be ahead: the end of quiet hours, which are daily, on a day of 25 hours.
const FURTHEST_DUE: SignedDuration = SignedDuration::from_hours(26);

/// What a group has sent, and when it sends next. One document a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GroupHead {
    /// When the first member joined.
    pub opened_at: Option<Timestamp>,
    /// When the last member joined, to the second.
    pub last_join: Option<Timestamp>,
    /// The timer that will send what has changed.
    pub pending: Option<Pending>,
    /// Counts timers, so that one that was replaced does nothing.
    pub generation: u64,
    /// The last timer that has done its work.
    pub done_generation: u64,
    /// The timers that have sent a digest, newest last.
    pub sent_generations: Vec<u64>,
    /// The key of the target.
    pub target: String,
    /// The payload of an event of this group: what the rules are asked about.
    pub sample: String,
    /// The group's message, if it can be edited.
    pub message: Option<MessageRef>,
    /// How many notifications were sent.
    pub sent: u32,
    /// When the last one was sent.
    pub last_sent: Option<Timestamp>,
    /// When the last one was sent that was a new message, as against an edited one.
    pub last_audible: Option<Timestamp>,
    /// How many members the last notification showed.
    pub shown_members: usize,
    /// Whether the resolution was sent.
    pub closed: bool,
    /// Whether a message may have arrived whose reference is unknown.
    pub maybe_sent: bool,
    /// Whether its members are events, which have no end, and not incidents.
    pub is_of_events: bool,
    /// When a timer last began its work.
    pub begun_at: Option<Timestamp>,
    /// The sweep has nothing to send now, and looks again then.
    pub looks_again: Option<Timestamp>,
    lease: Option<Lease>,
}

/// A timer that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// When it fires.
    pub due: Timestamp,
    /// Which one it is.
    pub generation: u64,
    /// Whether it exists: the queue or the scheduler has confirmed it.
    pub armed: bool,
}

/// What a group does when its timer fires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupStep {
    /// Nothing has changed.
    Nothing,
    /// It is too early: the timer is to be set again.
    WaitUntil(Timestamp),
    /// Too few for a message of their own. These members are announced alone, by key.
    Separate(Vec<String>),
    /// Send the first message, or edit the one that there is, or send one more where messages cannot be edited.
    Announce,
    /// All are resolved: send the end.
    Close,
}

impl GroupHead {
    /// Forgets instants that a wrong clock wrote: everything would wait for them.
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

    /// Whether its target has certainly received nothing, and nothing is on its way.
    pub fn is_unannounced(&self) -> bool {
        self.sent == 0 && !self.maybe_sent && self.lease.is_none()
    }

    /// Notes that a member has joined or changed, and asks for a timer, unless one is pending.
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

    /// Asks for a timer in place of the pending one.
    pub fn set_pending(&mut self, due: Timestamp) {
        self.generation = self.generation.saturating_add(1);
        self.pending = Some(Pending { due, generation: self.generation, armed: false });
    }

    /// Notes that the timer of this generation exists.
    pub fn armed(&mut self, generation: u64) {
        if let Some(pending) = self.pending.as_mut().filter(|pending| pending.generation == generation) {
            pending.armed = true;
        }
    }

    /// What to do at `now`, with all members as they are. Pure.
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
            // Without any member its documents are gone, and no one knows whether they recovered.
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

    /// Takes the lease to send what the timer of `generation` is for: not if another worker has it or the timer was
    /// replaced. Whatever changes from now on asks for a timer of its own.
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

    /// Notes what was sent and gives the lease back.
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

    /// Notes that another message, a digest, has named `shown` members.
    pub fn announced_elsewhere(&mut self, shown: usize, now: Timestamp) {
        self.sent = self.sent.max(1);
        self.last_sent = self.last_sent.or(Some(now));
        self.last_audible = self.last_audible.or(Some(now));
        self.shown_members = shown;
    }

    /// When the target is to be reminded of members that still fail.
    pub fn next_reminder(&self) -> Option<Timestamp> {
        let last = self.last_audible.or(self.last_sent);
        let last = last.filter(|_| self.sent > 0 && !self.closed && !self.is_of_events)?;
        Some(later(last, REMINDER))
    }

    /// When the sweep is to look at it.
    pub fn due(&self) -> Option<Timestamp> {
        let reminder = self.next_reminder().max(self.next_reminder().and(self.looks_again));
        let pending = self.pending.as_ref().map(|pending| pending.due);
        pending.or(self.gives_up_at()).or(reminder)
    }

    /// When a timer that has not done its work is sent again: by then it is a dead letter, or its message is lost.
    pub fn gives_up_at(&self) -> Option<Timestamp> {
        let is_unfinished = self.generation > self.done_generation;
        self.begun_at.filter(|_| is_unfinished).map(|at| later(at, LONGEST_RETRIED))
    }

    /// Whether the target is to be reminded now.
    pub fn is_reminder_due(&self, now: Timestamp) -> bool {
        self.next_reminder().is_some_and(|at| at <= now)
    }

    /// Notes which timer has sent a digest. A digest is sent once, or a few times more for entries that came too late.
    pub fn digest_sent(&mut self, generation: u64) {
        const LIMIT: usize = 8;
        self.done_generation = self.done_generation.max(generation);
        // A digest ends with itself; those that still fail are in a group of their own.
        self.closed = true;
        if !self.sent_generations.contains(&generation) {
            self.sent_generations.push(generation);
        }
        self.sent_generations.drain(..self.sent_generations.len().saturating_sub(LIMIT));
    }

    /// Gives the lease back. Returns whether the owner still had it.
    pub fn end(&mut self, owner: LeaseOwner) -> bool {
        let is_held = is_held_by(self.lease.as_ref(), owner);
        release(&mut self.lease, owner);
        is_held
    }

    /// Notes that nothing was sent and gives the lease back.
    pub fn unsent(&mut self, owner: LeaseOwner, maybe_sent: bool) {
        if is_held_by(self.lease.as_ref(), owner) {
            release(&mut self.lease, owner);
            self.maybe_sent |= maybe_sent;
        }
    }
}
