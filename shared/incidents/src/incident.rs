//! The incident of one object: a streak of failures from the first to the recovery.

use crate::documents::Document;
use crate::telling::{Lease, Message, Next, give_back, take};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An object whose streaks begin so often within a [`DAY`] flaps: it is told once, and then not before it has been quiet.
const FLAPPING: usize = 4;
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// As many events are remembered, so that one that comes again is not counted again.
const REMEMBERED: usize = 32;

/// What an event tells of an object. Times are Tableau's own, to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observation {
    /// A refresh began.
    Started(Timestamp),
    /// A refresh failed.
    Failed(Timestamp),
    /// A refresh succeeded.
    Succeeded(Timestamp),
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
    /// The streak before, with those who are still to be told that it is over.
    pub closed: Option<Closed>,
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
    /// The streak.
    pub streak: Streak,
    /// The success that ended it.
    pub at: Timestamp,
}

/// How a channel was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Where.
    pub how: How,
    /// Of how many failures; 0 before the first message.
    pub failures: u32,
    /// Whether it was told of the recovery.
    pub recovery: bool,
    /// The message, if it can be changed.
    pub message: Option<Message>,
    lease: Option<Lease>,
}

/// Where a channel is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum How {
    /// In a message of its own.
    Alone,
    /// In the messages of a burst.
    Burst(String),
    /// In the digest of that time.
    Digest(Timestamp),
    /// Not at all, since the object flaps.
    Damped,
}

impl Document for Incident {
    const KIND: &'static str = "incident";
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

    /// Whether nothing is told of it any more.
    pub fn is_damped(&self) -> bool {
        self.nth > FLAPPING
    }
}

impl Incident {
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
            Observation::Succeeded(at) => {
                self.last_success = self.last_success.max(Some(at));
                if self.last_failure.is_some_and(|failure| at < failure) {
                    // It was good between two failures, of which the later is known: what counts is now.
                    return Change::Late;
                }
                match self.streak.take() {
                    None => Remembered::Nothing,
                    Some(streak) => {
                        self.closed = Some(Closed { streak, at });
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

    fn fail(&mut self, at: Timestamp) {
        if let Some(streak) = &mut self.streak {
            streak.failures += 1;
            streak.since = streak.since.min(at);
            streak.last = streak.last.max(at);
            return;
        }
        self.openings.retain(|opening| at.duration_since(*opening) < DAY);
        self.openings.push(at);
        let nth = self.openings.len();
        self.streak = Some(Streak { since: at, last: at, failures: 1, nth, told: BTreeMap::new() });
    }

    /// Notes how a channel is told of the streak, unless that is settled. What holds then.
    pub fn settle(&mut self, channel: &str, how: How) -> Option<How> {
        let told = &mut self.streak.as_mut()?.told;
        let new = || Told { how, failures: 0, recovery: false, message: None, lease: None };
        Some(told.entry(channel.to_owned()).or_insert_with(new).how.clone())
    }

    /// Changes how a channel is told, when a burst turned out to be none.
    pub fn settle_anew(&mut self, channel: &str, how: &How) {
        if let Some(told) = self.streak.as_mut().and_then(|streak| streak.told.get_mut(channel)) {
            told.how = how.clone();
        }
    }

    /// What a channel that is told alone has to be told next. `changes`: whether its messages can be changed; otherwise
    /// each is one more, and comes when the failures have doubled.
    pub fn next(&mut self, channel: &str, holder: u64, now: Timestamp, changes: bool) -> Next {
        let Some(streak) = &mut self.streak else { return Next::Told };
        let failures = streak.failures;
        let Some(told) = streak.told.get_mut(channel) else { return Next::Told };
        let due = match told.failures {
            0 => true,
            before if changes && told.message.is_some() => failures > before,
            before => failures >= before.saturating_mul(2),
        };
        if !due {
            return Next::Told;
        }
        take(&mut told.lease, holder, now).map_or_else(Next::Wait, |()| Next::Tell)
    }

    /// Notes that the channel was told of so many failures, with a message.
    pub fn told(&mut self, channel: &str, holder: u64, failures: u32, message: Option<Message>) {
        // The streak may be over by now, and its recovery must find the message.
        let closed = self.closed.as_mut().map(|closed| &mut closed.streak);
        for streak in self.streak.iter_mut().chain(closed) {
            if let Some(told) = streak.told.get_mut(channel).filter(|told| told.lease.is_some()) {
                give_back(&mut told.lease, holder);
                told.failures = told.failures.max(failures);
                told.message = told.message.take().or_else(|| message.clone());
                return;
            }
        }
    }

    /// Gives back the right to tell without having told.
    pub fn untold(&mut self, channel: &str, holder: u64) {
        let closed = self.closed.as_mut().map(|closed| &mut closed.streak);
        for streak in self.streak.iter_mut().chain(closed) {
            if let Some(told) = streak.told.get_mut(channel) {
                give_back(&mut told.lease, holder);
            }
        }
    }

    /// What a channel that was told alone has to be told of the recovery.
    pub fn next_of_recovery(&mut self, channel: &str, holder: u64, now: Timestamp) -> Next {
        let Some(closed) = &mut self.closed else { return Next::Told };
        match closed.streak.told.get_mut(channel) {
            // Who was told nothing needs not know that it is over.
            None => Next::Told,
            Some(told) if told.recovery || told.how == How::Damped => Next::Told,
            Some(told) if told.failures == 0 && !matches!(told.how, How::Digest(_)) => Next::Told,
            Some(told) => take(&mut told.lease, holder, now).map_or_else(Next::Wait, |()| Next::Close),
        }
    }

    /// Notes that the channel was told of the recovery.
    pub fn recovery_told(&mut self, channel: &str, holder: u64) {
        if let Some(told) = self.closed.as_mut().and_then(|closed| closed.streak.told.get_mut(channel)) {
            give_back(&mut told.lease, holder);
            told.recovery = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Observation::{Failed, Started, Succeeded};

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_764_000_000 + minute * 60).unwrap()
    }

    fn observed(observations: &[Observation]) -> (Incident, Vec<Change>) {
        let mut incident = Incident::default();
        let changes = observations.iter().enumerate();
        let changes = changes.map(|(n, observation)| incident.observe(&format!("e{n}"), *observation));
        let changes = changes.collect();
        (incident, changes)
    }

    #[test]
    fn a_streak_goes_from_the_first_failure_to_the_success() {
        let (incident, changes) =
            observed(&[Failed(at(0)), Failed(at(10)), Failed(at(20)), Succeeded(at(30)), Succeeded(at(40))]);
        use Change::{Failing, Nothing, Recovered};
        assert_eq!(changes, [Failing, Failing, Failing, Recovered, Nothing]);
        let closed = incident.closed.unwrap();
        assert_eq!((closed.streak.failures, closed.streak.since, closed.at), (3, at(0), at(30)));
        assert_eq!(closed.streak.lasted(closed.at), SignedDuration::from_mins(30));
    }

    #[test]
    fn an_event_that_comes_again_counts_once_and_answers_alike() {
        let mut incident = Incident::default();
        for _ in 0..3 {
            assert_eq!(incident.observe("a", Failed(at(0))), Change::Failing);
        }
        assert_eq!(incident.streak.as_ref().unwrap().failures, 1);
        for _ in 0..2 {
            assert_eq!(incident.observe("b", Succeeded(at(1))), Change::Recovered);
        }
        assert_eq!(incident.observe("a", Failed(at(0))), Change::Late, "the streak is over");
    }

    #[test]
    fn a_failure_older_than_the_last_success_opens_nothing() {
        let (incident, changes) = observed(&[Succeeded(at(10)), Failed(at(9))]);
        assert_eq!(changes, [Change::Nothing, Change::Late]);
        assert_eq!(incident.streak, None);
        let (_, changes) = observed(&[Succeeded(at(10)), Failed(at(10))]);
        assert_eq!(changes[1], Change::Failing, "in the same second an alert is better than none");
    }

    #[test]
    fn a_success_older_than_the_last_failure_closes_nothing() {
        let (incident, changes) = observed(&[Failed(at(0)), Failed(at(10)), Succeeded(at(5))]);
        assert_eq!(changes[2], Change::Late);
        assert_eq!(incident.streak.unwrap().failures, 2);
    }

    #[test]
    fn a_start_after_its_end_changes_nothing() {
        for end in [Succeeded(at(5)), Failed(at(5))] {
            let (before, _) = observed(&[end]);
            let (after, changes) = observed(&[end, Started(at(4)), Started(at(5))]);
            assert_eq!((after, &changes[1..]), (before, &[Change::Late, Change::Late][..]));
        }
        assert_eq!(observed(&[Succeeded(at(5)), Started(at(6))]).1[1], Change::Nothing);
    }

    #[test]
    fn the_fourth_streak_of_a_day_begins_to_flap_and_those_after_it_are_damped() {
        let mut incident = Incident::default();
        for n in 0..6 {
            incident.observe(&format!("f{n}"), Failed(at(n * 60)));
            let streak = incident.streak.clone().unwrap();
            assert_eq!((streak.begins_to_flap(), streak.is_damped()), (n == 3, n > 3), "streak {n}");
            incident.observe(&format!("s{n}"), Succeeded(at(n * 60 + 1)));
        }
        incident.observe("f", Failed(at(40 * 60)));
        assert_eq!(incident.streak.unwrap().nth, 1, "a quiet day later it is told again");
    }

    #[test]
    fn a_message_that_can_be_changed_follows_each_failure_and_others_come_when_failures_double() {
        for (changes, expected) in [(true, vec![1, 2, 3, 4, 5, 6, 7, 8]), (false, vec![1, 2, 4, 8])] {
            let (mut incident, mut told) = (Incident::default(), Vec::new());
            for n in 0..8 {
                incident.observe(&format!("e{n}"), Failed(at(n)));
                incident.settle("c", How::Alone);
                if incident.next("c", 7, at(n), changes) == Next::Tell {
                    let failures = incident.streak.as_ref().unwrap().failures;
                    told.push(failures);
                    let message = changes.then(|| Message { channel: "C".to_owned(), id: "1".to_owned() });
                    incident.told("c", 7, failures, message);
                }
            }
            assert_eq!(told, expected);
        }
    }

    #[test]
    fn one_tells_at_a_time_and_whoever_died_over_it_is_followed() {
        let mut incident = Incident::default();
        incident.observe("a", Failed(at(0)));
        incident.settle("c", How::Alone);
        assert_eq!(incident.next("c", 1, at(0), true), Next::Tell);
        assert!(matches!(incident.next("c", 2, at(0), true), Next::Wait(_)));
        assert_eq!(incident.next("c", 2, at(2), true), Next::Tell);
    }

    #[test]
    fn a_recovery_is_told_to_those_who_were_told_of_the_failure_and_once() {
        let mut incident = Incident::default();
        incident.observe("a", Failed(at(0)));
        for channel in ["told", "untold"] {
            incident.settle(channel, How::Alone);
        }
        assert_eq!(incident.next("told", 1, at(0), true), Next::Tell);
        // The success comes before the message is noted.
        incident.observe("b", Succeeded(at(1)));
        incident.told("told", 1, 1, None);
        assert_eq!(incident.next_of_recovery("untold", 2, at(1)), Next::Told);
        assert_eq!(incident.next_of_recovery("told", 2, at(1)), Next::Close);
        incident.recovery_told("told", 2);
        assert_eq!(incident.next_of_recovery("told", 3, at(2)), Next::Told);
    }
}
