//! One Lambda invocation: its id, the time, and how much time is left.

use deliveries::LONGEST_CLAIM;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use tokio::time::Instant;

/// The least time that an invocation has when it begins: half of the shortest `Timeout` in template.yaml. If by the
/// machine's clock less is left, that clock is ahead.
const LEAST_AT_START: SignedDuration = SignedDuration::from_secs(5);

/// One Lambda invocation.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) id: String,
    started: Timestamp,
    started_at: Instant,
    pub(crate) deadline: Instant,
}

impl Request {
    /// The invocation that Lambda ends at `deadline_ms` (Unix time, by Lambda's clock), begun at `now` by this
    /// machine's clock.
    ///
    /// The machine's clock is corrected with Lambda's deadline: a new invocation has at least five seconds and at
    /// most 15 minutes left. Without the correction, a clock that is ahead would leave no time for any message, and
    /// one that is behind would make the claims of other workers look invalid.
    pub(crate) fn of_lambda(id: String, deadline_ms: u64, now: Timestamp) -> Self {
        let deadline = i64::try_from(deadline_ms).ok().filter(|ms| *ms > 0);
        let deadline = deadline.and_then(|ms| Timestamp::from_millisecond(ms).ok());
        // Some Lambda emulators set no deadline.
        let Some(deadline) = deadline else { return Self::new(id, now, LEAST_AT_START.unsigned_abs()) };
        let before = |left: SignedDuration| deadline.checked_sub(left).unwrap_or(Timestamp::MIN);
        let credible = now.clamp(before(LONGEST_CLAIM), before(LEAST_AT_START));
        let off_seconds = now.duration_since(credible).as_secs();
        if off_seconds != 0 {
            tracing::warn!(
                request.id = id,
                off_seconds,
                "this machine's clock is wrong; Lambda's deadline is used"
            );
        }
        Self::new(id, credible, deadline.duration_since(credible).unsigned_abs())
    }

    pub(crate) fn new(id: String, now: Timestamp, timeout: Duration) -> Self {
        let started_at = Instant::now();
        Self { id, started: now, started_at, deadline: started_at + timeout }
    }

    pub(crate) fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.started_at.elapsed()).unwrap_or_default();
        self.started.checked_add(passed).unwrap_or(self.started)
    }

    pub(crate) fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60;
    const DAY: i64 = 24 * 60 * MINUTE;
    const YEAR: i64 = 365 * DAY;

    /// Begins an invocation of a function with a `Timeout` of 60 s, on a machine whose clock is `off` seconds ahead.
    /// Returns by how many seconds the corrected time is wrong, and how many seconds are left.
    fn begun(off: i64) -> (i64, u64) {
        let truly = Timestamp::from_second(1_795_000_000).unwrap();
        let deadline_ms = u64::try_from(truly.as_millisecond()).unwrap() + 60_000;
        let request = Request::of_lambda("r".to_owned(), deadline_ms, truly + SignedDuration::from_secs(off));
        (request.now().duration_since(truly).as_secs(), request.remaining().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_ahead_leaves_an_invocation_time_and_one_that_is_behind_no_more_than_lambda_gives()
     {
        for (off, expected) in [
            (0, (0, 60)),
            (-10, (-10, 70)),
            (30, (30, 30)),
            (57, (55, 5)),
            (MINUTE, (55, 5)),
            (15 * MINUTE, (55, 5)),
            (DAY, (55, 5)),
            (YEAR, (55, 5)),
            (-MINUTE, (-MINUTE, 120)),
            (-15 * MINUTE, (-14 * MINUTE, 15 * 60)),
            (-DAY, (-14 * MINUTE, 15 * 60)),
            (-YEAR, (-14 * MINUTE, 15 * 60)),
        ] {
            assert_eq!(begun(off), expected, "a clock {off} s ahead");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_that_cannot_be_leaves_the_machines_own_clock() {
        let now = Timestamp::from_second(1_795_000_000).unwrap();
        for deadline_ms in [0, u64::MAX, 9_999_999_999_999_999] {
            let request = Request::of_lambda("r".to_owned(), deadline_ms, now);
            assert_eq!((request.now(), request.remaining().as_secs()), (now, 5), "{deadline_ms}");
        }
    }
}
