//! How times are written. What happened is worded by `alerting`.

use destinations::slack::mrkdwn::date;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A time as every message shows it: in the site's time zone; without a known zone, in each reader's own.
pub(crate) fn clock(at: Timestamp, zone: Option<&TimeZone>) -> String {
    match zone.filter(|zone| **zone != TimeZone::UTC) {
        Some(zone) => at.to_zoned(zone.clone()).strftime("%a %-d %b %Y, %H:%M %Z").to_string(),
        None => date(at, &in_utc(at)),
    }
}

/// A time with its day.
fn in_utc(at: Timestamp) -> String {
    at.strftime("%a %-d %b %Y, %H:%M UTC").to_string()
}

/// The same, and the time in UTC, which logs have.
pub(crate) fn clock_and_utc(at: Timestamp, zone: Option<&TimeZone>) -> String {
    let utc = match zone.filter(|zone| **zone != TimeZone::UTC) {
        Some(_) => at.strftime("%H:%M UTC").to_string(),
        None => in_utc(at),
    };
    format!("{} ({utc})", clock(at, zone))
}
