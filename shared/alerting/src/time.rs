//! Arithmetic with instants, some of which a wrong clock may have written.

use jiff::{SignedDuration, Timestamp};

/// By how much the clocks of two machines may differ, and how late a request may arrive that was sent at the last moment.
pub(crate) const CLOCK_SKEW: SignedDuration = SignedDuration::from_secs(15);
/// The longest time that Lambda gives an invocation, and so the furthest that a stored instant may lie ahead of this
/// machine's clock. An instant further ahead was written by a wrong clock and does not count.
const FURTHEST_AHEAD: SignedDuration = SignedDuration::from_mins(15);

/// `at` and `by` more; the last instant there is, if the sum is beyond it.
pub(crate) fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// Whether a correct clock can have written an instant.
pub(crate) fn is_credible(at: Timestamp, now: Timestamp) -> bool {
    at <= later(now, FURTHEST_AHEAD)
}
