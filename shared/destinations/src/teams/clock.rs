//! How messages show times: in the site's time zone, or in UTC. A flow knows no reader's clock.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A time in the site's time zone or, if none is known, in UTC.
pub(super) fn clock(at: Timestamp, zone: Option<&TimeZone>) -> String {
    match zone.filter(|zone| **zone != TimeZone::UTC) {
        Some(zone) => at.to_zoned(zone.clone()).strftime("%a %-d %b %Y, %H:%M %Z").to_string(),
        None => at.strftime("%a %-d %b %Y, %H:%M UTC").to_string(),
    }
}

/// A time as above, with the time in UTC, which is the one in logs.
pub(super) fn clock_and_utc(at: Timestamp, zone: Option<&TimeZone>) -> String {
    match zone.filter(|zone| **zone != TimeZone::UTC) {
        Some(_) => format!("{} ({})", clock(at, zone), at.strftime("%H:%M UTC")),
        None => clock(at, zone),
    }
}
