//! Many objects that begin to fail at about the same time: one message for most of them, which grows and ends.
//!
//! The first is told at once. Those that follow wait a moment to see how many they are: a few are told one by one, many
//! are told together, by cause.

use crate::documents::Document;
use crate::telling::{Holder, Lease, Message, Next, give_back, later, take};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An object that begins to fail so soon after another belongs to the same burst.
const WINDOW: SignedDuration = SignedDuration::from_secs(60);
/// How long those that follow the first wait for each other.
const GATHER: SignedDuration = SignedDuration::from_secs(10);
/// So many that wait are told together, or so many altogether.
const MANY_WAITING: usize = 3;
const MANY: usize = 5;
/// How often a message is changed at most.
const EVERY: SignedDuration = SignedDuration::from_secs(10);
/// A message that cannot be changed waits for the burst to calm down, but not for longer than this.
const CALM: SignedDuration = SignedDuration::from_secs(15);
const LONGEST: SignedDuration = SignedDuration::from_secs(120);
/// And the next one waits for this.
const AGAIN: SignedDuration = SignedDuration::from_secs(300);
/// More objects are only counted, so that the document stays far below the 400 KB that DynamoDB takes.
const NAMED: usize = 1_000;

/// Which burst a channel is in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Board {
    burst: String,
    last: Option<Timestamp>,
}

impl Document for Board {
    const KIND: &'static str = "board";
}

impl Board {
    /// The burst that an object which fails now belongs to, and whether it is the first: then the burst is called `new`.
    /// `over`: a burst that takes no more.
    pub fn join(&mut self, new: &str, over: Option<&str>, now: Timestamp) -> (String, bool) {
        let fresh = self.last.is_some_and(|last| now.duration_since(last) <= WINDOW);
        if fresh && over != Some(self.burst.as_str()) {
            // Not at each of them: all would wait for each other's write.
            if self.last.is_some_and(|last| now.duration_since(last) > WINDOW / 4) {
                self.last = Some(now);
            }
            let first = self.burst == new;
            return (self.burst.clone(), first);
        }
        (self.burst, self.last) = (new.to_owned(), Some(now));
        (new.to_owned(), true)
    }
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
    /// Objects that came when there were too many to name.
    pub more: u32,
    /// When the first of those came that wait.
    gathers: Option<Timestamp>,
    last: Option<Timestamp>,
    told: Option<Timestamp>,
    over: bool,
    /// Whether a message may have arrived of which nobody knows.
    perhaps: bool,
    lease: Option<Lease>,
}

/// An object in a burst.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Why it fails, in a few words.
    pub cause: String,
    /// When it began to fail.
    pub at: Timestamp,
    /// When it recovered.
    pub recovered: Option<Timestamp>,
    /// Where it is told.
    pub place: Place,
    /// Whether the message shows it as it is.
    pub shown: bool,
}

/// Where an object of a burst is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// In a message of its own.
    Alone,
    /// It is not clear yet.
    Waiting,
    /// With the others.
    Together,
}

impl Document for Burst {
    const KIND: &'static str = "burst";
}

impl Burst {
    /// Takes an object in; `false` when the burst is over. The first is told alone.
    pub fn admit(&mut self, luid: &str, member: Member, first: bool, now: Timestamp) -> bool {
        if self.over {
            return false;
        }
        if let Some(known) = self.members.get_mut(luid) {
            if known.recovered.is_some() {
                (known.recovered, known.at, known.cause, known.shown) =
                    (None, member.at, member.cause, known.place == Place::Alone);
            }
            return true;
        }
        self.last = self.last.max(Some(now));
        if self.members.len() >= NAMED {
            self.more += 1;
            return true;
        }
        let place = if first { Place::Alone } else { Place::Waiting };
        if !first && !self.members.values().any(|member| member.place == Place::Waiting) {
            self.gathers = Some(now);
        }
        self.members.insert(luid.to_owned(), Member { place, shown: first, ..member });
        true
    }

    /// What is to be done so that an object's failure is told. `changes`: whether messages can be changed.
    pub fn next(&mut self, luid: &str, holder: Holder, now: Timestamp, changes: bool) -> Next {
        let Some(member) = self.members.get(luid) else {
            return if self.more > 0 { Next::Told } else { Next::Alone };
        };
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

    /// Notes a recovery. `false` when the object is not told here.
    pub fn recover(&mut self, luid: &str, at: Timestamp) -> bool {
        match self.members.get_mut(luid) {
            Some(member) if member.place == Place::Together => {
                if member.recovered.is_none() {
                    (member.recovered, member.shown) = (Some(at), false);
                }
                true
            }
            Some(member) => {
                member.recovered = member.recovered.or(Some(at));
                false
            }
            None => false,
        }
    }

    /// What is to be done so that an object's recovery is told: the last one closes the story, the others show where the
    /// message can be changed.
    pub fn next_of_recovery(&mut self, luid: &str, holder: Holder, now: Timestamp, changes: bool) -> Next {
        // While somebody posts for the first time nobody knows.
        if self.over || (self.tellings == 0 && !self.perhaps && self.lease.is_none()) {
            return Next::Told;
        }
        if self.is_recovered() {
            return self.take(holder, now, Next::Close);
        }
        let shown = self.members.get(luid).is_none_or(|member| member.shown);
        if shown || !changes || self.message.is_none() {
            return Next::Told;
        }
        self.tell(holder, now, changes)
    }

    /// Those that are told together.
    pub fn together_members(&self) -> impl Iterator<Item = &Member> {
        self.members.values().filter(|member| member.place == Place::Together)
    }

    /// When the first of them began to fail.
    pub fn since(&self) -> Option<Timestamp> {
        self.together_members().map(|member| member.at).min()
    }

    /// Notes that what `shown` holds was told, with a message.
    pub fn told(&mut self, holder: Holder, shown: &Self, now: Timestamp, message: Option<Message>) {
        give_back(&mut self.lease, holder);
        (self.told, self.tellings) = (Some(now), self.tellings.max(shown.tellings + 1));
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

    /// Whether all that are told together have recovered.
    pub fn is_recovered(&self) -> bool {
        self.together_members().all(|member| member.recovered.is_some())
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

    /// All are told together from now on, also those that had a message of their own: they have one end.
    fn together(&mut self) {
        for member in self.members.values_mut().filter(|member| member.place != Place::Together) {
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
            None => self.take(holder, now, Next::Tell),
        }
    }

    /// `next`, if `holder` may do it. Whoever died over a lease may have posted.
    fn take(&mut self, holder: Holder, now: Timestamp, next: Next) -> Next {
        match take(&mut self.lease, holder, now) {
            Ok(died) => {
                self.perhaps |= died;
                next
            }
            Err(until) => Next::Wait(until),
        }
    }
}
