//! The time of a run.

use crate::error::Error;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use tokio::time::Instant;

/// The time of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    pub(crate) began: Instant,
    now: Timestamp,
    end: Instant,
}

impl Clock {
    pub(crate) fn new(now: Timestamp, budget: Duration) -> Self {
        let began = Instant::now();
        Self { began, now, end: began + budget }
    }

    pub(crate) fn now(&self) -> Timestamp {
        let gone = SignedDuration::try_from(self.began.elapsed()).unwrap_or_default();
        self.now.checked_add(gone).unwrap_or(self.now)
    }

    pub(crate) fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    /// When the time is over, and so much more.
    pub(crate) fn end_after(&self, reserve: Duration) -> Timestamp {
        let left = SignedDuration::try_from(self.left() + reserve).unwrap_or_default();
        self.now().checked_add(left).unwrap_or(Timestamp::MAX)
    }
}

/// Does the work, unless the time of the run is over before.
pub(crate) async fn within<T>(
    clock: Clock,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    tokio::time::timeout(clock.left(), work).await.unwrap_or(Err(Error::OutOfTime))
}
