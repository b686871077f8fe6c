//! Calculations with timestamps. Some stored timestamps come from a machine with a wrong clock.

use jiff::{SignedDuration, Timestamp};

/// The tolerance for clock differences between machines and for requests that arrive late.
pub(crate) const CLOCK_SKEW: SignedDuration = SignedDuration::from_secs(15);
/// The furthest that a stored timestamp may be ahead of this machine's clock: the longest Lambda invocation. A
/// timestamp further ahead was written by a wrong clock and is ignored.
const FURTHEST_AHEAD: SignedDuration = SignedDuration::from_mins(15);

/// `at` plus `by`; the last possible timestamp if the sum is out of range.
pub(crate) fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// Whether a timestamp can have been written by a correct clock.
pub(crate) fn is_credible(at: Timestamp, now: Timestamp) -> bool {
    at <= later(now, FURTHEST_AHEAD)
}
