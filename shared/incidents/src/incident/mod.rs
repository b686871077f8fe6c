//! The incident of one object: a streak of failures from the first to the recovery.

mod told;

pub use told::{How, Told};

use crate::burst::is_burst_id;
use crate::telling::{is_credible, later};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::Document;

/// An object whose streaks begin so often within a [`DAY`] flaps: it is told once, and then not before it has been quiet.
const FLAPPING: usize = 4;
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// A streak that lasts for so long is no flapping.
const STEADY: SignedDuration = SignedDuration::from_hours(1);
/// As many streaks are remembered that are over, for those who are still to be told.
const CLOSED: usize = 16;
/// As many events are remembered, so that one that comes again is not counted again.
const REMEMBERED: usize = 32;
/// Quiet hours are daily, and a day has 25 hours at most: a digest beyond that is none.
const LATEST_DIGEST: SignedDuration = SignedDuration::from_hours(26);

/// What an event tells of an object. Times are Tableau's own, to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observation {
    /// A refresh began.
    Started(Timestamp),
    /// A refresh failed.
    Failed(Timestamp),
    /// A refresh succeeded.
    Succeeded(Timestamp),
    /// The object was deleted: nothing of it fails any more.
    Deleted(Timestamp),
}

/// What an observation changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing, and there is nothing to close.
    Nothing,
    /// A streak began, or goes on.
    Failing,
    /// A streak ended.
    Recovered,
    /// Something later is known already.
    Late,
}

/// What is known of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Incident {
    /// The streak that goes on.
    pub streak: Option<Streak>,
    /// The streaks before, newest last.
    closed: Vec<Closed>,
    last_failure: Option<Timestamp>,
    last_success: Option<Timestamp>,
    /// When the streaks of the last day began.
    openings: Vec<Timestamp>,
    /// The last events, newest last, and what they changed.
    applied: Vec<(String, Remembered)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Remembered {
    Nothing,
    Failing,
    Recovered,
}

/// Failures without a success between them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Streak {
    /// The first.
    pub since: Timestamp,
    /// The last.
    pub last: Timestamp,
    /// How many.
    pub failures: u32,
    /// Which streak within a day this is, from 1.
    pub nth: usize,
    /// Who was told, by channel.
    pub told: BTreeMap<String, Told>,
}

/// A streak that is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// The event that ended it.
    by: String,
    /// The streak.
    pub streak: Streak,
    /// When it ended.
    pub at: Timestamp,
}

impl Document for Incident {
    const KIND: &'static str = "incident";
    /// Beyond what runs once a year.
    const KEPT_DAYS: i64 = 400;
}

impl Streak {
    /// How long it has lasted, from the first failure to `end`.
    pub fn lasted(&self, end: Timestamp) -> SignedDuration {
        end.duration_since(self.since).max(SignedDuration::ZERO)
    }

    /// Whether streaks begin so often that only this is told.
    pub fn begins_to_flap(&self) -> bool {
        self.nth == FLAPPING
    }

    /// Whether nothing is told of it: it is one of too many, unless it turns out to last.
    pub fn is_damped(&self) -> bool {
        self.nth > FLAPPING && self.lasted(self.last) < STEADY
    }
}

impl Incident {
    /// Forgets instants that a clock which was wrong has written: with a success in the future every failure would count
    /// as an old one. Forgets as well what this crate never writes, and what would keep every later event of the object
    /// out: a digest that never comes, the name of a burst that no key can hold, more than is remembered.
    pub fn forget_future(&mut self, now: Timestamp) {
        let closed = self.closed.iter_mut().map(|closed| &mut closed.streak);
        for streak in self.streak.iter_mut().chain(closed) {
            for told in streak.told.values_mut() {
                let is_credible = match &told.how {
                    How::Alone => true,
                    How::Burst(id) => is_burst_id(id),
                    How::Digest(until) => *until <= later(now, LATEST_DIGEST),
                };
                if !is_credible {
                    told.how = How::Alone;
                }
            }
        }
        self.applied.drain(..self.applied.len().saturating_sub(REMEMBERED));
        self.closed.drain(..self.closed.len().saturating_sub(CLOSED));
        self.last_failure = self.last_failure.filter(|at| is_credible(*at, now));
        self.last_success = self.last_success.filter(|at| is_credible(*at, now));
        self.openings.retain(|at| is_credible(*at, now));
        if let Some(streak) = &mut self.streak {
            streak.since = if is_credible(streak.since, now) { streak.since } else { now };
            streak.last = if is_credible(streak.last, now) { streak.last } else { now };
        }
    }

    /// Takes in what `event` tells. The same event changes nothing more when it comes again, and answers alike.
    pub fn observe(&mut self, event: &str, observation: Observation) -> Change {
        if let Some((_, change)) = self.applied.iter().find(|(id, _)| id == event) {
            return match change {
                Remembered::Nothing => Change::Nothing,
                Remembered::Failing if self.streak.is_none() => Change::Late,
                Remembered::Failing => Change::Failing,
                Remembered::Recovered => Change::Recovered,
            };
        }
        let change = match observation {
            Observation::Started(at) => {
                let ended = self.last_failure.max(self.last_success);
                return if ended.is_some_and(|ended| at <= ended) { Change::Late } else { Change::Nothing };
            }
            // In the same second nobody knows which was first: an alert too many is better than one too few.
            Observation::Failed(at) if self.last_success.is_some_and(|success| at < success) => {
                return Change::Late;
            }
            Observation::Failed(at) => {
                self.last_failure = self.last_failure.max(Some(at));
                self.fail(at);
                Remembered::Failing
            }
            Observation::Succeeded(at) | Observation::Deleted(at) => {
                self.last_success = self.last_success.max(Some(at));
                if self.last_failure.is_some_and(|failure| at < failure) {
                    // It was good between two failures, of which the later is known: what counts is now.
                    return Change::Late;
                }
                match self.streak.take() {
                    None => Remembered::Nothing,
                    Some(streak) => {
                        self.closed.push(Closed { by: event.to_owned(), streak, at });
                        self.forget_one();
                        Remembered::Recovered
                    }
                }
            }
        };
        self.applied.push((event.to_owned(), change));
        if self.applied.len() > REMEMBERED {
            self.applied.remove(0);
        }
        match change {
            Remembered::Nothing => Change::Nothing,
            Remembered::Failing => Change::Failing,
            Remembered::Recovered => Change::Recovered,
        }
    }

    /// Forgets a streak if there are too many: first one of which nothing is left to tell.
    fn forget_one(&mut self) {
        if self.closed.len() > CLOSED {
            let told = |closed: &Closed| closed.streak.told.values().all(|told| told.recovery);
            self.closed.remove(self.closed.iter().position(told).unwrap_or(0));
        }
    }

    fn fail(&mut self, at: Timestamp) {
        if let Some(streak) = &mut self.streak {
            streak.failures = streak.failures.saturating_add(1);
            streak.since = streak.since.min(at);
            streak.last = streak.last.max(at);
            return;
        }
        self.openings.retain(|opening| at.duration_since(*opening) < DAY);
        self.openings.push(at);
        let nth = self.openings.len();
        self.streak = Some(Streak { since: at, last: at, failures: 1, nth, told: BTreeMap::new() });
    }
}

#[cfg(test)]
mod tests;
