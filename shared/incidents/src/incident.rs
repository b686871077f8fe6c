//! The incident of one object: a streak of failures from the first to the recovery.

use crate::documents::Document;
use crate::telling::{Lease, Message, Next, give_back, holds, take};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An object whose streaks begin so often within a [`DAY`] flaps: it is told once, and then not before it has been quiet.
const FLAPPING: usize = 4;
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// A streak that lasts for so long is no flapping.
const STEADY: SignedDuration = SignedDuration::from_hours(1);
/// As many streaks are remembered that are over, for those who are still to be told.
const CLOSED: usize = 4;
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
    /// Whether a message may have arrived of which nobody knows.
    perhaps: bool,
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
                        self.closed.push(Closed { by: event.to_owned(), streak, at });
                        if self.closed.len() > CLOSED {
                            self.closed.remove(0);
                        }
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
        let new = || Told { how, failures: 0, recovery: false, message: None, perhaps: false, lease: None };
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
        if let Some(told) = self.held(channel, holder) {
            give_back(&mut told.lease, holder);
            told.failures = told.failures.max(failures);
            told.message = message.or(told.message.take());
        }
    }

    /// Gives back the right to tell. `perhaps`: whether a message may have arrived all the same.
    pub fn untold(&mut self, channel: &str, holder: u64, perhaps: bool) {
        if let Some(told) = self.held(channel, holder) {
            give_back(&mut told.lease, holder);
            told.perhaps |= perhaps;
        }
    }

    /// What the holder of a lease tells of. The streak may be over by now, and its recovery must find the message.
    fn held(&mut self, channel: &str, holder: u64) -> Option<&mut Told> {
        let closed = self.closed.iter_mut().map(|closed| &mut closed.streak);
        let streaks = self.streak.iter_mut().chain(closed);
        let mut told = streaks.filter_map(|streak| streak.told.get_mut(channel));
        told.find(|told| holds(told.lease.as_ref(), holder))
    }

    /// The streak that `event` has ended.
    pub fn closed_by(&self, event: &str) -> Option<&Closed> {
        self.closed.iter().find(|closed| closed.by == event)
    }

    fn recovery(&mut self, event: &str, channel: &str) -> Option<&mut Told> {
        let closed = self.closed.iter_mut().find(|closed| closed.by == event)?;
        closed.streak.told.get_mut(channel)
    }

    /// What a channel that was told alone has to be told of the recovery that `event` brought. Who was surely told nothing
    /// needs not know that it is over; while somebody tells of the failure, nobody knows.
    pub fn next_of_recovery(&mut self, event: &str, channel: &str, holder: u64, now: Timestamp) -> Next {
        let Some(told) = self.recovery(event, channel) else { return Next::Told };
        let surely_untold = told.failures == 0 && !told.perhaps && told.lease.is_none();
        if told.recovery || (surely_untold && !matches!(told.how, How::Digest(_))) {
            return Next::Told;
        }
        take(&mut told.lease, holder, now).map_or_else(Next::Wait, |()| Next::Close)
    }

    /// Notes that the channel was told of the recovery.
    pub fn recovery_told(&mut self, event: &str, channel: &str, holder: u64) {
        if let Some(told) = self.recovery(event, channel) {
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
        let closed = incident.closed_by("e3").unwrap();
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
        incident.observe("fifth", Failed(at(6 * 60)));
        assert!(incident.streak.as_ref().unwrap().is_damped());
        incident.observe("still", Failed(at(7 * 60)));
        assert!(!incident.streak.as_ref().unwrap().is_damped(), "what lasts is no flapping");
        incident.observe("s", Succeeded(at(7 * 60 + 1)));
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
        assert_eq!(incident.next_of_recovery("b", "untold", 2, at(1)), Next::Told);
        assert_eq!(incident.next_of_recovery("b", "told", 2, at(1)), Next::Close);
        incident.recovery_told("b", "told", 2);
        assert_eq!(incident.next_of_recovery("b", "told", 3, at(2)), Next::Told);
    }

    #[test]
    fn a_recovery_waits_for_a_failure_that_is_being_told_and_closes_one_that_may_have_been() {
        for died in [true, false] {
            let mut incident = Incident::default();
            incident.observe("a", Failed(at(0)));
            incident.settle("c", How::Alone);
            assert_eq!(incident.next("c", 1, at(0), true), Next::Tell);
            incident.observe("b", Succeeded(at(0)));
            assert!(matches!(incident.next_of_recovery("b", "c", 2, at(0)), Next::Wait(_)));
            if !died {
                incident.untold("c", 1, true);
            }
            assert_eq!(incident.next_of_recovery("b", "c", 2, at(2)), Next::Close);
        }
    }

    #[test]
    fn each_streak_has_its_own_end() {
        let mut incident = Incident::default();
        for n in 0..2 {
            incident.observe(&format!("f{n}"), Failed(at(n * 10)));
            incident.settle("c", How::Alone);
            assert_eq!(incident.next("c", 1, at(n * 10), false), Next::Tell);
            incident.told("c", 1, 1, None);
            incident.observe(&format!("s{n}"), Succeeded(at(n * 10 + 5)));
        }
        for n in 0..2 {
            assert_eq!(incident.next_of_recovery(&format!("s{n}"), "c", 2, at(30)), Next::Close);
            incident.recovery_told(&format!("s{n}"), "c", 2);
        }
    }

    #[test]
    fn a_message_that_had_to_be_posted_anew_takes_the_place_of_the_one_that_is_gone() {
        let mut incident = Incident::default();
        let message = |id: &str| Some(Message { channel: "C".to_owned(), id: id.to_owned() });
        for (n, id) in [(0, "1"), (1, "2")] {
            incident.observe(&format!("e{n}"), Failed(at(n)));
            incident.settle("c", How::Alone);
            assert_eq!(incident.next("c", 1, at(n), true), Next::Tell);
            incident.told("c", 1, u32::try_from(n).unwrap() + 1, message(id));
        }
        assert_eq!(incident.streak.unwrap().told["c"].message, message("2"));
    }
}
