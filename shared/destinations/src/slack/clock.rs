//! How messages show times.

use super::mrkdwn::date;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A time in a message: in the site's time zone or, if no zone is known, in each reader's own time zone.
pub(super) fn clock(at: Timestamp, zone: Option<&TimeZone>) -> String {
    match zone.filter(|zone| **zone != TimeZone::UTC) {
        Some(zone) => at.to_zoned(zone.clone()).strftime("%a %-d %b %Y, %H:%M %Z").to_string(),
        None => date(at, &in_utc(at)),
    }
}

/// A time with its date, in UTC.
fn in_utc(at: Timestamp) -> String {
    at.strftime("%a %-d %b %Y, %H:%M UTC").to_string()
}

/// A time as above, followed by the time in UTC, which is the one in logs.
pub(super) fn clock_and_utc(at: Timestamp, zone: Option<&TimeZone>) -> String {
    let utc = match zone.filter(|zone| **zone != TimeZone::UTC) {
        Some(_) => at.strftime("%H:%M UTC").to_string(),
        None => in_utc(at),
    };
    format!("{} ({utc})", clock(at, zone))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_in_the_sites_zone_or_by_the_readers_clock() {
        let at: Timestamp = "2025-01-15T17:14:45Z".parse().unwrap();
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        assert_eq!(clock_and_utc(at, Some(&berlin)), "Wed 15 Jan 2025, 18:14 CET (17:14 UTC)");
        for zone in [None, Some(&TimeZone::UTC)] {
            assert_eq!(
                clock(at, zone),
                "<!date^1736961285^{date_short_pretty} {time}|Wed 15 Jan 2025, 17:14 UTC>"
            );
        }
    }
}
