//! How mails show times: a mail cannot know its reader's clock.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A time by the site's clock; in UTC if the site has no time zone.
pub(super) fn clock(at: Timestamp, zone: Option<&TimeZone>) -> String {
    match zone.filter(|zone| **zone != TimeZone::UTC) {
        Some(zone) => at.to_zoned(zone.clone()).strftime("%a %-d %b %Y, %H:%M %Z").to_string(),
        None => at.strftime("%a %-d %b %Y, %H:%M UTC").to_string(),
    }
}

/// A time as above, with the time in UTC, which is the one in logs.
pub(super) fn clock_and_utc(at: Timestamp, zone: Option<&TimeZone>) -> String {
    let clock = clock(at, zone);
    if clock.ends_with(" UTC") { clock } else { format!("{clock} ({})", at.strftime("%H:%M UTC")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_by_the_sites_clock_and_in_utc() {
        let at: Timestamp = "2025-01-15T17:14:45Z".parse().unwrap();
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        assert_eq!(clock_and_utc(at, Some(&berlin)), "Wed 15 Jan 2025, 18:14 CET (17:14 UTC)");
        for zone in [None, Some(&TimeZone::UTC)] {
            assert_eq!(clock_and_utc(at, zone), "Wed 15 Jan 2025, 17:14 UTC");
        }
    }
}
