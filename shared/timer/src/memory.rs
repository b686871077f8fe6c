//! Timers in memory, for tests, where the test decides how time passes.

use crate::route::{Route, route};
use crate::{Timer, TimerError, TimerMessage};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Timers in memory that behave like those on AWS: a timer that is set twice fires twice, except beyond 15 minutes,
/// where a schedule of the same name already exists.
#[derive(Debug, Default)]
pub struct MemoryTimer(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The timers that have not fired, with their due times, in the order in which they were set.
    waiting: Vec<(Timestamp, TimerMessage)>,
    armed: Vec<TimerMessage>,
    failures: usize,
    lost_answers: usize,
}

impl MemoryTimer {
    /// Makes the next calls fail before they set their timers.
    pub fn fail_next(&self, times: usize) {
        self.state().failures = times;
    }

    /// Makes the next calls set their timers and fail all the same, as when an answer is lost.
    pub fn lose_answers(&self, times: usize) {
        self.state().lost_answers = times;
    }

    /// All timers that were ever set, oldest first.
    pub fn armed(&self) -> Vec<TimerMessage> {
        self.state().armed.clone()
    }

    /// The timers that have not fired, in the order in which they will fire.
    pub fn waiting(&self) -> Vec<TimerMessage> {
        let mut waiting = self.state().waiting.clone();
        waiting.sort_by_key(|(at, _)| *at);
        waiting.into_iter().map(|(_, timer)| timer).collect()
    }

    /// When the next timer fires.
    pub fn next_at(&self) -> Option<Timestamp> {
        self.state().waiting.iter().map(|(at, _)| *at).min()
    }

    /// Removes and returns the timers that are due by `now`, in the order in which they fire.
    pub fn fire(&self, now: Timestamp) -> Vec<TimerMessage> {
        let mut fired: Vec<_> = self.state().waiting.extract_if(.., |(at, _)| *at <= now).collect();
        fired.sort_by_key(|(at, _)| *at);
        fired.into_iter().map(|(_, timer)| timer).collect()
    }

    /// Loses all waiting timers, as when a queue is replaced.
    pub fn lose_all(&self) {
        self.state().waiting.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Timer for MemoryTimer {
    async fn ensure(&self, timer: &TimerMessage, now: Timestamp) -> Result<(), TimerError> {
        let mut state = self.state();
        if state.failures > 0 {
            state.failures -= 1;
            return Err(TimerError::not_confirmed("the test lets this call fail"));
        }
        let at = match route("memory", timer, now, true)? {
            Route::Message { delay_seconds } => now + SignedDuration::from_secs(delay_seconds.into()),
            Route::Schedule { .. } => timer.due,
        };
        let is_schedule = at.duration_since(now) > crate::LONGEST_DELAY;
        let is_there = is_schedule && state.waiting.iter().any(|(_, waiting)| waiting == timer);
        if !is_there {
            state.waiting.push((at, timer.clone()));
            state.armed.push(timer.clone());
        }
        if state.lost_answers > 0 {
            state.lost_answers -= 1;
            return Err(TimerError::not_confirmed("the test loses this answer"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn timer(key: &str, seconds: i64) -> TimerMessage {
        TimerMessage::new(key, at(seconds), 1)
    }

    #[tokio::test]
    async fn timers_fire_in_the_order_of_their_times_and_once() {
        let timers = MemoryTimer::default();
        for (key, due) in [("later", 5_000), ("soon", 10), ("past", -10)] {
            timers.ensure(&timer(key, due), at(0)).await.unwrap();
        }
        let keys = |fired: Vec<TimerMessage>| fired.into_iter().map(|timer| timer.key).collect::<Vec<_>>();

        assert_eq!(timers.next_at(), Some(at(0)));
        assert_eq!(keys(timers.waiting()), ["past", "soon", "later"]);
        assert_eq!(keys(timers.fire(at(9))), ["past"]);
        assert_eq!(keys(timers.fire(at(6_000))), ["soon", "later"]);
        assert!(timers.fire(at(60_000)).is_empty());
    }

    #[tokio::test]
    async fn a_call_that_fails_arms_nothing_and_one_whose_answer_is_lost_does() {
        let timers = MemoryTimer::default();
        timers.fail_next(1);
        assert!(timers.ensure(&timer("a", 10), at(0)).await.is_err());
        assert!(timers.armed().is_empty());
        timers.lose_answers(1);
        assert!(timers.ensure(&timer("a", 10), at(0)).await.is_err());
        assert_eq!(timers.armed().len(), 1);
        timers.ensure(&timer("a", 10), at(0)).await.unwrap();
        assert_eq!(timers.fire(at(10)).len(), 2, "at least once");
    }

    #[tokio::test]
    async fn a_schedule_that_is_there_is_not_made_again() {
        let timers = MemoryTimer::default();
        for _ in 0..3 {
            timers.ensure(&timer("a", 5_000), at(0)).await.unwrap();
        }
        assert_eq!(timers.fire(at(5_000)).len(), 1);
    }
}
