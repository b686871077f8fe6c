//! The lane of a site: the queue in front of Tableau's hourly quota, and of what may run at once. No I/O.

use crate::say::{moment, refreshes};
use crate::wake::{Wake, later};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// How long after an hour a start is counted, so that clocks which differ do not exceed the quota.
const MARGIN: SignedDuration = SignedDuration::from_secs(5);
/// When the lane is looked at again, though the process that changed it goes on with it: that process may die.
pub(crate) const NET: SignedDuration = SignedDuration::from_secs(20);
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
/// How many runs wait at most: the list has to fit into the document.
const MOST_QUEUED: usize = 2_000;
/// How long after it was said to be set the timer of a lane that waits is set once more.
const TIMER_AGAIN: SignedDuration = SignedDuration::from_mins(1);
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
    /// When Tableau refused a start last. A start that was written before says nothing about it.
    pub since: Timestamp,
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
    /// When refreshes were started within the last hour, in seconds since 1970. Kept only where there is an hourly limit.
    pub starts: Vec<i64>,
    /// What was started and has not ended.
    pub running: Vec<Started>,
    /// Until when nothing starts.
    pub pause: Option<Pause>,
    /// Refusals in a row for which Tableau named no time.
    pub refusals: u32,
    pub(crate) wake: Wake,
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
        let counted: Vec<i64> = self.starts.iter().copied().filter(|at| is_counted(*at, now)).collect();
        if counted.len() < quota {
            return None;
        }
        let oldest_counted = counted.len().saturating_sub(quota);
        Some((counted.get(oldest_counted).map_or(now, |at| counted_until(*at)), per_hour))
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

    /// Lets a run wait at the front, where it was before.
    pub(crate) fn enqueue_first(&mut self, ticket: Ticket) {
        self.queue.retain(|other| *other != ticket);
        self.queue.insert(0, ticket);
    }

    /// Whether no more runs may wait.
    pub(crate) fn is_full(&self) -> bool {
        self.queue.len() >= MOST_QUEUED
    }

    /// Takes a run out of the queue and counts its start.
    pub(crate) fn start(&mut self, ticket: &Ticket, limits: Limits, now: Timestamp) {
        self.queue.retain(|other| other != ticket);
        self.starts.retain(|at| limits.per_hour.is_some() && is_counted(*at, now));
        if limits.per_hour.is_some() {
            self.starts.push(now.as_second());
            self.starts.sort_unstable();
        }
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

    /// Does not count a start that Tableau has certainly not taken.
    pub(crate) fn uncount(&mut self, started: Timestamp) {
        if let Some(at) = self.starts.iter().position(|at| *at == started.as_second()) {
            self.starts.remove(at);
        }
    }

    /// The runs that were started `age` ago or earlier.
    pub fn started_before(&self, age: SignedDuration, now: Timestamp) -> impl Iterator<Item = &Ticket> {
        self.running
            .iter()
            .filter(move |started| later(started.at, age) <= now)
            .map(|started| &started.ticket)
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
        match &mut self.pause {
            Some(pause) if pause.until >= until => pause.since = now,
            pause => *pause = Some(Pause { until, since: now, why: why.to_owned() }),
        }
    }

    /// Tableau has taken a start that was written at `started`. A refusal since then counts all the same.
    pub(crate) fn resume(&mut self, started: Timestamp) {
        if self.pause.as_ref().is_none_or(|pause| pause.since <= started) {
            self.refusals = 0;
            self.pause = None;
        }
    }

    /// When the lane is to be looked at. A timer that fires before is enough.
    pub(crate) fn plan(&mut self, limits: Limits, now: Timestamp) {
        let wanted = match self.next(limits, now) {
            Next::Empty => return,
            Next::Start(_) => later(now, NET),
            Next::Wait { until: Some(until), .. } => until,
            Next::Wait { until: None, .. } => later(now, NET_OF_ENDS),
        };
        self.wake.by(wanted, now);
        self.wake.again(TIMER_AGAIN, now);
    }

    /// Lets the lane be looked at by `at`.
    pub(crate) fn wake_by(&mut self, at: Timestamp, now: Timestamp) {
        self.wake.by(at, now);
    }
}

fn is_counted(start: i64, now: Timestamp) -> bool {
    counted_until(start) > now
}

fn counted_until(start: i64) -> Timestamp {
    later(Timestamp::from_second(start).unwrap_or(Timestamp::MAX), HOUR + MARGIN)
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
            lane.start(&ticket(n), LIMITS, at(0));
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
            lane.start(&ticket(n), LIMITS, at(60 * i64::try_from(n).unwrap()));
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
        assert_eq!(
            lane.pause.as_ref().unwrap(),
            &Pause { until: at(720), since: at(0), why: "a".to_owned() }
        );
        assert!(matches!(lane.next(LIMITS, at(719)), Next::Wait { until: Some(_), .. }));
        assert_eq!(lane.next(LIMITS, at(720)), Next::Start(ticket(0)));
        for seconds in [60, 120, 300, 600, 1_200, 1_200] {
            lane.pause = None;
            lane.pause(None, "b", at(0));
            assert_eq!(lane.pause.as_ref().unwrap().until, at(seconds));
        }
        lane.resume(at(0));
        lane.pause(None, "b", at(0));
        assert_eq!(lane.pause.as_ref().unwrap().until, at(30));
    }

    #[test]
    fn a_start_that_was_taken_says_nothing_about_a_refusal_after_it() {
        let mut lane = queued(1);
        lane.pause(Some(SignedDuration::from_mins(60)), "a", at(10));
        lane.resume(at(9));
        assert!(lane.pause.is_some());
        lane.pause(None, "b", at(20));
        lane.resume(at(15));
        assert_eq!(lane.pause.as_ref().map(|pause| pause.until), Some(at(3_610)));
        lane.resume(at(20));
        assert_eq!((lane.pause, lane.refusals), (None, 0));
    }

    #[test]
    fn only_a_start_that_tableau_has_not_taken_is_not_counted() {
        let mut lane = queued(2);
        lane.start(&ticket(0), LIMITS, at(0));
        lane.start(&ticket(1), LIMITS, at(5));
        lane.uncount(at(7));
        lane.uncount(at(5));
        assert_eq!(lane.starts, [at(0).as_second()]);
        lane.enqueue_first(ticket(1));
        lane.enqueue_first(ticket(1));
        assert_eq!(lane.queue, [ticket(1)]);
        let mut lane = queued(1);
        lane.start(&ticket(0), Limits { per_hour: None, at_once: 2 }, at(0));
        assert!(lane.starts.is_empty(), "no one counts them");
    }

    #[test]
    fn one_timer_serves_all_that_come_before_it_fires() {
        let mut lane = queued(1);
        lane.plan(LIMITS, at(0));
        assert_eq!((lane.wake.at, lane.wake.generation), (Some(at(20)), 1));
        lane.plan(LIMITS, at(10));
        assert_eq!((lane.wake.at, lane.wake.generation), (Some(at(20)), 1));
        lane.plan(LIMITS, at(20));
        assert_eq!((lane.wake.at, lane.wake.generation), (Some(at(40)), 2));
        lane.wake_by(at(30), at(25));
        assert_eq!((lane.wake.at, lane.wake.generation), (Some(at(30)), 3));
    }

    proptest! {
        #[test]
        fn no_hour_has_more_starts_than_the_quota(
            quota in 1u32..8,
            steps in proptest::collection::vec((0i64..900, 0u8..5), 1..200),
        ) {
            let limits = Limits { per_hour: Some(quota), at_once: 1_000 };
            let mut lane = queued(200);
            let mut now = 0;
            let mut starts = Vec::new();
            for (step, fate) in steps {
                now += step;
                let Next::Start(ticket) = lane.next(limits, at(now)) else { continue };
                lane.start(&ticket, limits, at(now));
                match fate {
                    // Tableau refuses it, and starts nothing for a while.
                    0 => {
                        lane.remove(&ticket);
                        lane.uncount(at(now));
                        lane.enqueue_first(ticket);
                        lane.pause(None, "why", at(now));
                    }
                    // The answer is lost. Tableau may have counted it, and it is sent again.
                    1 => {
                        starts.push(now);
                        lane.remove(&ticket);
                        lane.enqueue_first(ticket);
                    }
                    _ => starts.push(now),
                }
            }
            for first in &starts {
                let within = starts.iter().filter(|at| (*first..*first + 3_600).contains(*at)).count();
                prop_assert!(within <= usize::try_from(quota).unwrap());
            }
        }
    }
}
