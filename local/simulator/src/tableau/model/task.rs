//! Extract refresh tasks. A task runs only when a caller or a test runs it; the clock starts none.

use super::Target;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use tableau::SiteLuid;

#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) luid: String,
    pub(crate) site: SiteLuid,
    pub(crate) target: Target,
    pub(crate) priority: u32,
}

/// The hour of the day, in UTC, at which tasks run.
pub(crate) const STARTS_AT_HOUR: i8 = 4;

impl Task {
    /// When the task runs next: its first start after `now`.
    pub(crate) fn next_run_at(&self, now: Timestamp) -> Timestamp {
        let now = now.to_zoned(TimeZone::UTC);
        let today = now.date().at(STARTS_AT_HOUR, 0, 0, 0);
        let start = if today > now.datetime() { today } else { today.saturating_add(1.day()) };
        start.to_zoned(TimeZone::UTC).map_or(now.timestamp(), |start| start.timestamp())
    }
}
