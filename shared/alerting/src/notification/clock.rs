//! How messages show times. Every destination shows a time in the same words, so that colleagues who talk about a message see
//! the same: in the site's time zone, with the time in UTC, which is the one in logs.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// A time in a message: `Mon 24 Nov 2025, 17:00 CET (16:00 UTC)`, or only UTC if no time zone is known.
pub fn time(at: Timestamp, zone: Option<&TimeZone>) -> String {
    match local(at, zone) {
        Some(local) => format!("{} ({})", local.strftime("%a %-d %b %Y, %H:%M %Z"), in_utc(at, &local)),
        None => at.strftime("%a %-d %b %Y, %H:%M UTC").to_string(),
    }
}

/// A time span in a message: `Mon 24 Nov 2025, 17:00 to 17:10 CET (16:00 to 16:10 UTC)`.
pub fn span(first: Timestamp, last: Timestamp, zone: Option<&TimeZone>) -> String {
    let zone = zone.unwrap_or(const { &TimeZone::UTC });
    let of = |at: Timestamp, zone: &TimeZone| at.to_zoned(zone.clone());
    let is_one_day = |zone: &TimeZone| {
        let first = of(first, zone);
        let last = of(last, zone);
        first.date() == last.date() && first.offset() == last.offset()
    };
    let is_short = is_one_day(zone)
        && is_one_day(&TimeZone::UTC)
        && of(first, zone).date() == of(first, &TimeZone::UTC).date();
    if !is_short {
        return format!("{} to {}", time(first, Some(zone)), time(last, Some(zone)));
    }
    let day = of(first, zone).strftime("%a %-d %b %Y").to_string();
    let hours = |zone: &TimeZone, name: &str| {
        format!("{} to {} {name}", of(first, zone).strftime("%H:%M"), of(last, zone).strftime("%H:%M"))
    };
    let utc = hours(&TimeZone::UTC, "UTC");
    match local(first, Some(zone)) {
        Some(local) => format!("{day}, {} ({utc})", hours(zone, &local.strftime("%Z").to_string())),
        None => format!("{day}, {utc}"),
    }
}

/// The time in the site's zone; `None` if that is UTC or not known.
fn local(at: Timestamp, zone: Option<&TimeZone>) -> Option<Zoned> {
    let zone = zone.filter(|zone| **zone != TimeZone::UTC)?;
    Some(at.to_zoned(zone.clone()))
}

/// The time in UTC, with its day if that is another one than in the site's zone.
fn in_utc(at: Timestamp, local: &Zoned) -> String {
    let utc = at.to_zoned(TimeZone::UTC);
    let form = if utc.date() == local.date() { "%H:%M UTC" } else { "%a %-d %b, %H:%M UTC" };
    utc.strftime(form).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    // 16, item 5
    #[test]
    fn a_time_is_in_the_sites_zone_and_in_utc() {
        let zone = |name| TimeZone::get(name).unwrap();
        for (name, shown) in [
            ("Europe/Berlin", "Wed 15 Jan 2025, 18:14 CET (17:14 UTC)"),
            ("Asia/Tokyo", "Thu 16 Jan 2025, 02:14 JST (Wed 15 Jan, 17:14 UTC)"),
            ("UTC", "Wed 15 Jan 2025, 17:14 UTC"),
        ] {
            assert_eq!(time(at("2025-01-15T17:14:45Z"), Some(&zone(name))), shown);
        }
        assert_eq!(time(at("2025-01-15T17:14:45Z"), None), "Wed 15 Jan 2025, 17:14 UTC");
        // Summer time counts.
        let summer = time(at("2025-07-15T17:14:45Z"), Some(&zone("Europe/Berlin")));
        assert_eq!(summer, "Tue 15 Jul 2025, 19:14 CEST (17:14 UTC)");
    }

    // 16, item 5
    #[test]
    fn a_span_says_its_day_once_if_there_is_one() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let of = |first, last, zone| span(at(first), at(last), zone);
        for (first, last, shown) in [
            (
                "2025-01-15T17:14:45Z",
                "2025-01-15T19:20:00Z",
                "Wed 15 Jan 2025, 18:14 to 20:20 CET (17:14 to 19:20 UTC)",
            ),
            (
                "2025-01-15T22:50:00Z",
                "2025-01-15T23:10:00Z",
                "Wed 15 Jan 2025, 23:50 CET (22:50 UTC) to Thu 16 Jan 2025, 00:10 CET (Wed 15 Jan, 23:10 UTC)",
            ),
            (
                "2025-03-30T00:30:00Z",
                "2025-03-30T01:30:00Z",
                "Sun 30 Mar 2025, 01:30 CET (00:30 UTC) to Sun 30 Mar 2025, 03:30 CEST (01:30 UTC)",
            ),
        ] {
            assert_eq!(of(first, last, Some(&berlin)), shown);
        }
        let utc = "Wed 15 Jan 2025, 17:14 to 19:20 UTC";
        assert_eq!(of("2025-01-15T17:14:45Z", "2025-01-15T19:20:00Z", None), utc);
    }
}
