//! Many objects that begin to fail at about the same time: one message for most of them, which grows and ends.
//!
//! The first is told at once. Those that follow wait a moment to see how many they are: a few are told one by one, many
//! are told together, by cause.

mod board;
mod member;

pub use board::Board;
pub use member::{Member, Place, Recovery};

use crate::telling::{Holder, Lease, Message, Next, give_back, is_credible, later, take_for};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::Document;

/// How long those that follow the first wait for each other.
const GATHER: SignedDuration = SignedDuration::from_secs(10);
/// So many that wait are told together, or so many altogether.
pub(crate) const MANY_WAITING: usize = 3;
const MANY: usize = 5;
/// How often a message is changed at most.
const EVERY: SignedDuration = SignedDuration::from_secs(10);
/// A message that cannot be changed waits for the burst to calm down, but not for longer than this.
const CALM: SignedDuration = SignedDuration::from_secs(15);
const LONGEST: SignedDuration = SignedDuration::from_secs(120);
/// And the next one waits for this.
const AGAIN: SignedDuration = SignedDuration::from_secs(300);
/// Room for members, in bytes as written when they begin to fail. What is added until they have recovered leaves the
/// document below the 400 KB that DynamoDB takes.
const ROOM: usize = 200_000;
/// What else is written of a member, in bytes.
const MEMBER: usize = 110;

/// Whether it can be a burst's name, which is the id of an event: anything else may make a key that no table takes.
pub(crate) fn is_burst_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Objects that began to fail at about the same time, as one channel is told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Burst {
    /// By the object's LUID.
    pub members: BTreeMap<String, Member>,
    /// The message of those that are told together, if it can be changed.
    pub message: Option<Message>,
    /// How often a message of it was posted or changed.
    pub tellings: u32,
    /// When the first of those came that wait.
    gathers: Option<Timestamp>,
    last: Option<Timestamp>,
    told: Option<Timestamp>,
    over: bool,
    /// Whether a message may have arrived of which nobody knows.
    perhaps: bool,
    lease: Option<Lease>,
}

impl Document for Burst {
    const KIND: &'static str = "burst";
}

impl Burst {
    /// Takes an object in; `false` when the burst is over or full. The first is told alone.
    pub fn admit(&mut self, luid: &str, member: Member, first: bool, now: Timestamp) -> bool {
        if self.over {
            return false;
        }
        if let Some(known) = self.members.get_mut(luid) {
            known.fail(member);
            return true;
        }
        if self.is_full() {
            return false;
        }
        self.last = self.last.max(Some(now));
        let place = if first { Place::Alone } else { Place::Waiting };
        if !first && !self.members.values().any(|member| member.place == Place::Waiting) {
            self.gathers = Some(now);
        }
        self.members.insert(luid.to_owned(), Member { place, shown: first, ..member });
        true
    }

    /// Takes objects in that were told together elsewhere: from now on their recoveries are told here.
    pub fn adopt(&mut self, members: impl IntoIterator<Item = (String, Member)>) {
        for (luid, member) in members {
            if self.is_full() {
                break;
            }
            let member = Member { place: Place::Together, shown: true, ..member };
            self.members.entry(luid).or_insert(member);
        }
        self.tellings = self.tellings.max(1);
        self.over &= self.is_recovered();
    }

    /// What is known of an object that failed at `at`; nothing while that failure was not taken in.
    pub fn failing(&self, luid: &str, at: Timestamp) -> Option<&Member> {
        let is_earlier = |member: &&Member| member.recovered.is_some_and(|recovered| recovered <= at);
        self.members.get(luid).filter(|member| !is_earlier(member))
    }

    /// Lets an object go that is not told here yet.
    pub fn leave(&mut self, luid: &str) {
        let goes = |member: &Member| member.place != Place::Together || !member.shown;
        if self.members.get(luid).is_some_and(goes) {
            self.members.remove(luid);
        }
    }

    /// Forgets instants that a clock which was wrong has written: everything would wait for them, and no recovery would be
    /// later than such a failure.
    pub fn forget_future(&mut self, now: Timestamp) {
        for member in self.members.values_mut() {
            member.forget_future(now);
        }
        for at in [&mut self.gathers, &mut self.last, &mut self.told] {
            *at = at.filter(|at| is_credible(*at, now));
        }
    }

    fn is_full(&self) -> bool {
        let written =
            |(luid, member): (&String, &Member)| luid.len() + member.name.len() + member.cause.len() + MEMBER;
        self.members.iter().map(written).sum::<usize>() > ROOM
    }

    /// What is to be done so that an object's failure is told. `changes`: whether messages can be changed.
    pub fn next(&mut self, luid: &str, holder: Holder, now: Timestamp, changes: bool) -> Next {
        self.forget_future(now);
        let Some(member) = self.members.get(luid) else { return Next::Alone };
        match member.place {
            Place::Alone => return Next::Alone,
            Place::Waiting if self.tellings > 0 => self.together(),
            Place::Waiting => {
                let (ready, many) = self.ready(now, changes);
                match ready {
                    Some(at) => return Next::Wait(at),
                    None if many => self.together(),
                    None => {
                        self.alone(luid);
                        return Next::Alone;
                    }
                }
            }
            Place::Together => {}
        }
        if self.members.get(luid).is_some_and(|member| member.shown) {
            return Next::Told;
        }
        self.tell(holder, now, changes)
    }

    /// Notes that an object recovered at `at`.
    pub fn recover(&mut self, luid: &str, at: Timestamp) -> Recovery {
        // Nobody has told it here, and perhaps nobody will.
        let untold = self.is_untold();
        let Some(member) = self.members.get_mut(luid) else { return Recovery::Alone };
        if at < member.failed_last() {
            return Recovery::FailsAgain;
        }
        if member.recovered.is_none() {
            member.recovered = Some(at);
            member.shown &= member.place != Place::Together;
        }
        if member.place == Place::Together && !untold { Recovery::Together } else { Recovery::Alone }
    }

    /// What is to be done so that an object's recovery is told: the last one closes the story, the others show where
    /// `shows`: the message can be changed, or another may be posted that can.
    pub fn next_of_recovery(&mut self, luid: &str, holder: Holder, now: Timestamp, shows: bool) -> Next {
        self.forget_future(now);
        if self.over || self.is_untold() {
            return Next::Told;
        }
        if self.is_recovered() {
            return take_for(Next::Close, &mut self.lease, &mut self.perhaps, holder, now);
        }
        let shown = self.members.get(luid).is_none_or(|member| member.shown);
        if shown || !shows { Next::Told } else { self.tell(holder, now, true) }
    }

    /// Those that are told together.
    pub fn together_members(&self) -> impl Iterator<Item = &Member> {
        self.members.values().filter(|member| member.place == Place::Together)
    }

    /// When the first of them began to fail.
    pub fn since(&self) -> Option<Timestamp> {
        self.together_members().map(|member| member.since).min()
    }

    /// Notes that what `shown` holds was told, with a message.
    pub fn told(&mut self, holder: Holder, shown: &Self, now: Timestamp, message: Option<Message>) {
        give_back(&mut self.lease, holder);
        (self.told, self.tellings) = (Some(now), self.tellings.max(shown.tellings.saturating_add(1)));
        self.message = message.or(self.message.take());
        for (luid, as_shown) in &shown.members {
            if let Some(member) = self.members.get_mut(luid)
                && (member.place, member.recovered) == (as_shown.place, as_shown.recovered)
                && member.place == Place::Together
            {
                member.shown = true;
            }
        }
    }

    /// Notes that the end was told, unless something of it has failed again meanwhile.
    pub fn closed(&mut self, holder: Holder) {
        give_back(&mut self.lease, holder);
        self.over = self.is_recovered();
    }

    /// Whether all have recovered that are told together, or may yet be.
    pub fn is_recovered(&self) -> bool {
        let alone = |member: &Member| member.place == Place::Alone;
        self.members.values().all(|member| alone(member) || member.recovered.is_some())
    }

    /// Whether it is left to tell that all have recovered.
    pub fn is_to_be_closed(&self) -> bool {
        !self.over && !self.is_untold() && self.is_recovered()
    }

    /// Whether surely nobody was told. While somebody posts for the first time nobody knows.
    fn is_untold(&self) -> bool {
        self.tellings == 0 && !self.perhaps && self.lease.is_none()
    }

    /// Gives back the right to tell. `perhaps`: whether a message may have arrived all the same.
    pub fn not_told(&mut self, holder: Holder, perhaps: bool) {
        give_back(&mut self.lease, holder);
        self.perhaps |= perhaps;
    }

    /// When those that wait have waited enough, if not yet; and whether they are many.
    fn ready(&self, now: Timestamp, changes: bool) -> (Option<Timestamp>, bool) {
        let waiting = self.members.values().filter(|member| member.place == Place::Waiting).count();
        let many = waiting >= MANY_WAITING || self.members.len() >= MANY;
        let (began, last) = (self.gathers.unwrap_or(now), self.last.unwrap_or(now));
        let at = match (changes, many) {
            (false, true) => later(last, CALM).min(later(began, LONGEST)),
            _ => later(began, GATHER).max(later(last, GATHER).min(later(began, GATHER * 2))),
        };
        (Some(at).filter(|at| *at > now), many)
    }

    /// All are told together from now on, also those that had a message of their own, unless that has its end.
    fn together(&mut self) {
        let has_ended = |member: &Member| member.place == Place::Alone && member.recovered.is_some();
        let others = self.members.values_mut().filter(|member| member.place != Place::Together);
        for member in others.filter(|member| !has_ended(member)) {
            (member.place, member.shown) = (Place::Together, false);
        }
    }

    fn alone(&mut self, luid: &str) {
        if let Some(member) = self.members.get_mut(luid) {
            (member.place, member.shown) = (Place::Alone, true);
        }
    }

    fn tell(&mut self, holder: Holder, now: Timestamp, changes: bool) -> Next {
        let due = self.told.map(|told| later(told, if changes { EVERY } else { AGAIN }));
        match due.filter(|due| *due > now) {
            Some(due) => Next::Wait(due),
            None => take_for(Next::Tell, &mut self.lease, &mut self.perhaps, holder, now),
        }
    }
}
