//! The lane of a site: the queue in front of Tableau's hourly quota, and of what may run at once. No I/O.

use crate::say::{moment, refreshes};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// How long after an hour a start is counted, so that clocks which differ do not exceed the quota.
const MARGIN: SignedDuration = SignedDuration::from_secs(5);
/// When the lane is looked at again, though the process that changed it goes on with it: that process may die.
const NET: SignedDuration = SignedDuration::from_secs(20);
/// How long the answer to a start may take before it is looked after.
const UNANSWERED: SignedDuration = SignedDuration::from_secs(10);
/// When it is looked at again while as many run as may, though each end goes on with it.
const NET_OF_ENDS: SignedDuration = SignedDuration::from_mins(15);
/// The pauses after refusals in a row, for which Tableau names no time.
const PAUSES: [SignedDuration; 6] = [
    SignedDuration::from_secs(30),
    SignedDuration::from_mins(1),
    SignedDuration::from_mins(2),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(10),
    SignedDuration::from_mins(20),
];
/// The longest pause that Tableau may ask for: its quota is of an hour.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(2);

/// What may be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many refreshes may be started within an hour. `None`: as many as Tableau takes.
    pub per_hour: Option<u32>,
    /// How many may run at the same time.
    pub at_once: u32,
}

/// A run in the lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// The object's LUID, in small letters.
    pub luid: String,
    /// The run's number.
    pub run: u64,
}

/// A run that was started and has not ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// The run.
    pub ticket: Ticket,
    /// When its start was written.
    pub at: Timestamp,
    /// Whether Tableau's answer to it is known.
    pub answered: bool,
}

/// Why nothing starts for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Until when.
    pub until: Timestamp,
    /// What is waited for, as the end of "waits for …".
    pub why: String,
}

/// What the lane does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing waits.
    Empty,
    /// This run may start.
    Start(Ticket),
    /// No run may start.
    Wait {
        /// From when on one may; `None` if that is when a running one ends.
        until: Option<Timestamp>,
        /// What is waited for.
        why: String,
    },
}

/// The lane of a site.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lane {
    /// What waits, in the order of the requests.
    pub queue: Vec<Ticket>,
    /// When refreshes were started, within the last hour.
    pub starts: Vec<Timestamp>,
    /// What was started and has not ended.
    pub running: Vec<Started>,
    /// Until when nothing starts.
    pub pause: Option<Pause>,
    /// Refusals in a row for which Tableau named no time.
    pub refusals: u32,
    pub(crate) wake_at: Option<Timestamp>,
    pub(crate) generation: u64,
}

pub(crate) fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

impl Lane {
    /// What happens next.
    pub fn next(&self, limits: Limits, now: Timestamp) -> Next {
        let Some(first) = self.queue.first() else { return Next::Empty };
        if let Some(pause) = self.pause.as_ref().filter(|pause| pause.until > now) {
            return Next::Wait { until: Some(pause.until), why: pause.why.clone() };
        }
        if let Some((until, per_hour)) = self.free_again(limits, now) {
            let why = format!(
                "the hourly limit: {} started within an hour, the next may from {} on",
                refreshes(usize::try_from(per_hour).unwrap_or(usize::MAX)),
                moment(until)
            );
            return Next::Wait { until: Some(until), why };
        }
        if self.running.len() >= usize::try_from(limits.at_once).unwrap_or(usize::MAX) {
            let why = format!("one of {} that run to end", refreshes(self.running.len()));
            return Next::Wait { until: None, why };
        }
        Next::Start(first.clone())
    }

    /// From when on the quota has room, if it has none.
    fn free_again(&self, limits: Limits, now: Timestamp) -> Option<(Timestamp, u32)> {
        let per_hour = limits.per_hour?;
        let quota = usize::try_from(per_hour).unwrap_or(usize::MAX);
        let counted: Vec<Timestamp> = self.starts.iter().copied().filter(|at| is_counted(*at, now)).collect();
        if counted.len() < quota {
            return None;
        }
        let oldest_counted = counted.len().saturating_sub(quota);
        let at = counted.get(oldest_counted).copied().unwrap_or(now);
        Some((later(at, HOUR + MARGIN), per_hour))
    }

    /// What a waiting run waits for, as the end of "waits for …".
    pub fn waits_for(&self, ticket: &Ticket, limits: Limits, now: Timestamp) -> String {
        let before = self.queue.iter().take_while(|other| *other != ticket).count();
        let queue = match before {
            0 => String::new(),
            before => format!("{} before it in the queue", refreshes(before)),
        };
        match self.next(limits, now) {
            Next::Wait { why, .. } if queue.is_empty() => why,
            Next::Wait { why, .. } => format!("{queue}, and for {why}"),
            Next::Start(_) | Next::Empty if queue.is_empty() => "its start".to_owned(),
            Next::Start(_) | Next::Empty => queue,
        }
    }

    pub(crate) fn enqueue(&mut self, ticket: Ticket) {
        if !self.queue.contains(&ticket) {
            self.queue.push(ticket);
        }
    }

    /// Takes a run out of the queue and counts its start.
    pub(crate) fn start(&mut self, ticket: &Ticket, now: Timestamp) {
        self.queue.retain(|other| other != ticket);
        self.starts.retain(|at| is_counted(*at, now));
        self.starts.push(now);
        self.starts.sort_unstable();
        self.running.push(Started { ticket: ticket.clone(), at: now, answered: false });
    }

    /// Notes that Tableau's answer to a start is known.
    pub(crate) fn answered(&mut self, ticket: &Ticket) {
        for started in self.running.iter_mut().filter(|started| started.ticket == *ticket) {
            started.answered = true;
        }
    }

    /// The starts whose answer should have been known for a while: the process that sent them may have died.
    pub fn unanswered(&self, now: Timestamp) -> impl Iterator<Item = &Ticket> {
        let is_old = move |started: &&Started| !started.answered && later(started.at, UNANSWERED) <= now;
        self.running.iter().filter(is_old).map(|started| &started.ticket)
    }

    /// Forgets a run that has ended, or that will not start.
    pub(crate) fn remove(&mut self, ticket: &Ticket) {
        self.queue.retain(|other| other != ticket);
        self.running.retain(|started| started.ticket != *ticket);
    }

    /// Puts a run that was to start at `started` back to the front. `was_sent`: Tableau may have counted it.
    pub(crate) fn put_back(&mut self, ticket: &Ticket, started: Timestamp, was_sent: bool) {
        self.remove(ticket);
        self.queue.insert(0, ticket.clone());
        if let Some(at) = self.starts.iter().position(|at| *at == started).filter(|_| !was_sent) {
            self.starts.remove(at);
        }
    }

    /// Starts nothing for a while: for as long as Tableau asks, or for longer each time.
    pub(crate) fn pause(&mut self, wait: Option<SignedDuration>, why: &str, now: Timestamp) {
        let wait = wait.unwrap_or_else(|| {
            let step = usize::try_from(self.refusals).unwrap_or(usize::MAX);
            let wait = PAUSES[step.min(PAUSES.len() - 1)];
            self.refusals = self.refusals.saturating_add(1);
            wait
        });
        let until = later(now, wait.clamp(SignedDuration::from_secs(1), LONGEST_PAUSE));
        if self.pause.as_ref().is_none_or(|pause| pause.until < until) {
            self.pause = Some(Pause { until, why: why.to_owned() });
        }
    }

    /// Tableau takes refreshes again.
    pub(crate) fn resume(&mut self) {
        self.refusals = 0;
        self.pause = None;
    }

    /// When the lane is to be looked at. A timer that fires before is enough.
    pub(crate) fn plan(&mut self, limits: Limits, now: Timestamp) {
        let wanted = match self.next(limits, now) {
            Next::Empty => return,
            Next::Start(_) => later(now, NET),
            Next::Wait { until: Some(until), .. } => until,
            Next::Wait { until: None, .. } => later(now, NET_OF_ENDS),
        };
        self.wake_by(wanted, now);
    }

    pub(crate) fn wake_by(&mut self, at: Timestamp, now: Timestamp) {
        if self.wake_at.is_none_or(|wake| wake > at || wake <= now) {
            self.wake_at = Some(at);
            self.generation = self.generation.saturating_add(1);
        }
    }
}

fn is_counted(start: Timestamp, now: Timestamp) -> bool {
    later(start, HOUR + MARGIN) > now
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMITS: Limits = Limits { per_hour: Some(3), at_once: 2 };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_796_000_000 + second).unwrap()
    }

    fn ticket(n: usize) -> Ticket {
        Ticket { luid: format!("w-{n}"), run: 1 }
    }

    fn queued(count: usize) -> Lane {
        Lane { queue: (0..count).map(ticket).collect(), ..Lane::default() }
    }

    #[test]
    fn runs_start_in_their_order_while_fewer_run_than_may() {
        let mut lane = queued(4);
        for n in 0..2 {
            assert_eq!(lane.next(LIMITS, at(0)), Next::Start(ticket(n)));
            lane.start(&ticket(n), at(0));
        }
        let Next::Wait { until: None, why } = lane.next(LIMITS, at(0)) else { panic!() };
        assert_eq!(why, "one of 2 refreshes that run to end");
        assert_eq!(
            lane.waits_for(&ticket(3), LIMITS, at(0)),
            "1 refresh before it in the queue, and for one of 2 refreshes that run to end"
        );
        lane.remove(&ticket(0));
        assert_eq!(lane.next(LIMITS, at(0)), Next::Start(ticket(2)));
    }

    #[test]
    fn the_hourly_limit_opens_an_hour_after_the_oldest_start_that_counts() {
        let mut lane = queued(5);
        for n in 0..3 {
            lane.start(&ticket(n), at(60 * i64::try_from(n).unwrap()));
            lane.remove(&ticket(n));
        }
        let Next::Wait { until, why } = lane.next(LIMITS, at(180)) else { panic!() };
        assert_eq!(until, Some(at(3_605)));
        assert!(
            why.starts_with("the hourly limit: 3 refreshes started within an hour, the next may from 20"),
            "{why}"
        );
        assert!(matches!(lane.next(LIMITS, at(3_604)), Next::Wait { .. }));
        assert_eq!(lane.next(LIMITS, at(3_605)), Next::Start(ticket(3)));
        let no_quota = Limits { per_hour: None, ..LIMITS };
        assert_eq!(lane.next(no_quota, at(180)), Next::Start(ticket(3)));
    }

    #[test]
    fn a_pause_is_as_long_as_tableau_asks_or_longer_each_time_and_never_shorter() {
        let mut lane = queued(1);
        lane.pause(Some(SignedDuration::from_mins(12)), "a", at(0));
        assert_eq!(lane.pause.as_ref().unwrap().until, at(720));
        lane.pause(None, "b", at(0));
        assert_eq!(lane.pause.as_ref().unwrap(), &Pause { until: at(720), why: "a".to_owned() });
        assert!(matches!(lane.next(LIMITS, at(719)), Next::Wait { until: Some(_), .. }));
        assert_eq!(lane.next(LIMITS, at(720)), Next::Start(ticket(0)));
        for seconds in [60, 120, 300, 600, 1_200, 1_200] {
            lane.pause = None;
            lane.pause(None, "b", at(0));
            assert_eq!(lane.pause.as_ref().unwrap().until, at(seconds));
        }
        lane.resume();
        lane.pause(None, "b", at(0));
        assert_eq!(lane.pause.as_ref().unwrap().until, at(30));
    }

    #[test]
    fn a_run_that_is_put_back_is_the_first_and_its_start_counts_only_if_it_was_sent() {
        for was_sent in [true, false] {
            let mut lane = queued(2);
            lane.start(&ticket(0), at(0));
            lane.put_back(&ticket(0), at(0), was_sent);
            assert_eq!(lane.queue, [ticket(0), ticket(1)]);
            assert_eq!((lane.starts.len(), lane.running.len()), (usize::from(was_sent), 0));
        }
    }

    #[test]
    fn one_timer_serves_all_that_come_before_it_fires() {
        let mut lane = queued(1);
        lane.plan(LIMITS, at(0));
        assert_eq!((lane.wake_at, lane.generation), (Some(at(20)), 1));
        lane.plan(LIMITS, at(10));
        assert_eq!((lane.wake_at, lane.generation), (Some(at(20)), 1));
        lane.plan(LIMITS, at(20));
        assert_eq!((lane.wake_at, lane.generation), (Some(at(40)), 2));
        lane.wake_by(at(30), at(25));
        assert_eq!((lane.wake_at, lane.generation), (Some(at(30)), 3));
    }

    proptest! {
        #[test]
        fn no_hour_has_more_starts_than_the_quota(
            quota in 1u32..8,
            steps in proptest::collection::vec(0i64..900, 1..200),
        ) {
            let limits = Limits { per_hour: Some(quota), at_once: 1_000 };
            let mut lane = queued(200);
            let mut now = 0;
            let mut starts = Vec::new();
            for step in steps {
                now += step;
                if let Next::Start(ticket) = lane.next(limits, at(now)) {
                    lane.start(&ticket, at(now));
                    starts.push(now);
                }
            }
            for first in &starts {
                let within = starts.iter().filter(|at| (*first..*first + 3_600).contains(*at)).count();
                prop_assert!(within <= usize::try_from(quota).unwrap());
            }
        }
    }
}
