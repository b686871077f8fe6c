//! When a document is looked at next. No I/O.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use timer::TimerMessage;

/// The time of a document's next look. A timer that was set for an earlier one is out of date.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Wake {
    pub(crate) at: Option<Timestamp>,
    pub(crate) generation: u64,
    /// When a process wrote last that it sets the timer. It may have died before it did.
    set_at: Option<Timestamp>,
}

pub(crate) fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

impl Wake {
    /// Looks at the document at `at`, and at no other time.
    pub(crate) fn set(&mut self, at: Option<Timestamp>, now: Timestamp) {
        if self.at != at {
            self.at = at;
            self.generation = self.generation.saturating_add(1);
            self.set_at = Some(now);
        }
    }

    /// Looks at the document at `at`, or before. A timer that fires before is enough.
    pub(crate) fn by(&mut self, at: Timestamp, now: Timestamp) {
        if self.at.is_none_or(|wake| wake > at || wake <= now) {
            self.set(Some(at), now);
        }
    }

    /// Sets the present timer once more, if it was said to be set `age` ago or earlier: an earlier one may be on its way.
    pub(crate) fn again(&mut self, age: SignedDuration, now: Timestamp) {
        let is_old = |set_at: Timestamp| later(set_at, age) <= now;
        if self.at.is_some() && self.set_at.is_none_or(is_old) {
            self.set_at = Some(now);
        }
    }

    /// The timer of a document with this key, if `before` did not have it, or did not say so as late.
    pub(crate) fn timer_since(&self, before: &Self, key: &str) -> Option<TimerMessage> {
        self.at.filter(|_| self != before).map(|at| TimerMessage::new(key.to_owned(), at, self.generation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_796_000_000 + second).unwrap()
    }

    #[test]
    fn a_timer_is_set_for_each_change_and_again_only_after_a_while() {
        let none = Wake::default();
        let mut wake = none.clone();
        wake.again(SignedDuration::ZERO, at(0));
        assert_eq!(wake, none, "there is none to set");
        wake.set(Some(at(100)), at(0));
        assert_eq!(wake.timer_since(&none, "k"), Some(TimerMessage::new("k".to_owned(), at(100), 1)));
        let first = wake.clone();
        wake.set(Some(at(100)), at(1));
        wake.by(at(120), at(1));
        wake.again(SignedDuration::from_secs(10), at(9));
        assert_eq!(wake.timer_since(&first, "k"), None);
        wake.again(SignedDuration::from_secs(10), at(10));
        assert_eq!(wake.timer_since(&first, "k"), Some(TimerMessage::new("k".to_owned(), at(100), 1)));
        let again = wake.clone();
        wake.again(SignedDuration::from_secs(10), at(19));
        assert_eq!(wake.timer_since(&again, "k"), None);
        wake.by(at(50), at(19));
        assert_eq!(wake.timer_since(&again, "k"), Some(TimerMessage::new("k".to_owned(), at(50), 2)));
        wake.by(at(300), at(60));
        assert_eq!(wake.at, Some(at(300)), "the one before has passed");
    }
}
