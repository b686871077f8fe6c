//! How many requests a key has left: a number a minute, all of which may come at once. No I/O.
//!
//! One time is enough for that, as in the generic cell rate algorithm: until when the requests so far are paid for.
//!
//! Source: <https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm>

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::Document;

/// The largest rate, in requests a minute.
pub const LARGEST_RATE: u32 = 6_000;
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// The requests of a key so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Spent {
    paid_until: Option<Timestamp>,
}

impl Document for Spent {
    const KIND: &'static str = "key-rate";
    const KEPT_DAYS: i64 = 1;
}

/// Whether a request may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It may.
    Granted,
    /// It may not before so many whole seconds have passed.
    TooMany {
        /// At least 1.
        retry_after_seconds: i64,
    },
}

impl Spent {
    /// Uses one request of so many a minute.
    pub(crate) fn take(&mut self, per_minute: u32, now: Timestamp) -> Turn {
        let price = MINUTE / i32::try_from(per_minute.clamp(1, LARGEST_RATE)).unwrap_or(1);
        // A time beyond what this rate can reach was written by another clock, or at another rate.
        let latest = later(now, MINUTE);
        let paid_until = self.paid_until.unwrap_or(now).clamp(now, latest);
        let next = later(paid_until, price);
        if next > latest {
            let wait = next.duration_since(latest);
            let seconds = wait.as_secs() + i64::from(wait.subsec_nanos() > 0);
            return Turn::TooMany { retry_after_seconds: seconds.max(1) };
        }
        self.paid_until = Some(next);
        Turn::Granted
    }
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(1_764_000_000_000 + milliseconds).unwrap()
    }

    fn granted(spent: &mut Spent, rate: u32, now: Timestamp) -> bool {
        spent.take(rate, now) == Turn::Granted
    }

    #[test]
    fn as_many_as_the_rate_come_at_once_and_then_one_after_the_other() {
        let mut spent = Spent::default();
        for _ in 0..30 {
            assert!(granted(&mut spent, 30, at(0)));
        }
        assert_eq!(spent.take(30, at(0)), Turn::TooMany { retry_after_seconds: 2 });
        assert_eq!(spent.take(30, at(1_500)), Turn::TooMany { retry_after_seconds: 1 });
        assert!(granted(&mut spent, 30, at(2_000)));
        assert!(!granted(&mut spent, 30, at(2_000)));
    }

    #[test]
    fn in_any_hour_there_are_at_most_as_many_as_the_rate_allows_and_one_burst() {
        let mut spent = Spent::default();
        let count = (0..3_600_000).step_by(100).filter(|time| granted(&mut spent, 7, at(*time))).count();
        assert_eq!(count, 7 * 60 + 6);
    }

    #[test]
    fn a_refused_request_costs_nothing_and_a_clock_that_was_ahead_blocks_no_one_for_long() {
        let mut spent = Spent::default();
        while granted(&mut spent, 10, at(0)) {}
        for _ in 0..1_000 {
            assert!(!granted(&mut spent, 10, at(0)));
        }
        assert!(granted(&mut spent, 10, at(6_000)));
        let mut ahead = Spent { paid_until: Some(at(86_400_000)) };
        assert_eq!(ahead.take(10, at(0)), Turn::TooMany { retry_after_seconds: 6 });
        assert!(granted(&mut spent, 10, at(60_000)));
    }
}
