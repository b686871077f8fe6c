//! Weeks of a site, from Monday to Sunday in its time zone. No I/O.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// A week.
#[derive(Clone, Debug, PartialEq)]
pub struct Week {
    /// Its Monday.
    pub first_day: Date,
    /// The site's time zone.
    pub timezone: TimeZone,
}

impl Week {
    /// The last week that is over at `now`.
    pub fn last(now: Timestamp, timezone: TimeZone) -> Self {
        Self::of(now.to_zoned(timezone.clone()).date(), timezone).before()
    }

    /// The week of a day.
    pub fn of(day: Date, timezone: TimeZone) -> Self {
        let since_monday = i64::from(day.weekday().to_monday_zero_offset());
        Self { first_day: day.saturating_sub(since_monday.days()), timezone }
    }

    /// The week before.
    #[must_use]
    pub fn before(&self) -> Self {
        Self { first_day: self.first_day.saturating_sub(7.days()), timezone: self.timezone.clone() }
    }

    /// When it begins.
    pub fn begins(&self) -> Timestamp {
        self.midnight(self.first_day)
    }

    /// When it ends, and the next one begins.
    pub fn ends(&self) -> Timestamp {
        self.midnight(self.first_day.saturating_add(7.days()))
    }

    /// Whether a time is in it.
    pub fn contains(&self, at: Timestamp) -> bool {
        (self.begins()..self.ends()).contains(&at)
    }

    fn midnight(&self, day: Date) -> Timestamp {
        day.to_zoned(self.timezone.clone()).map_or(Timestamp::MAX, |zoned| zoned.timestamp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(now: &str, zone: &str) -> String {
        let week = Week::last(now.parse().unwrap(), TimeZone::get(zone).unwrap());
        format!("{} to {}", week.begins(), week.ends())
    }

    #[test]
    fn a_week_begins_on_monday_in_the_sites_time_zone() {
        assert_eq!(last("2026-11-30T00:00:00Z", "UTC"), "2026-11-23T00:00:00Z to 2026-11-30T00:00:00Z");
        assert_eq!(last("2026-11-29T23:59:59Z", "UTC"), "2026-11-16T00:00:00Z to 2026-11-23T00:00:00Z");
        assert_eq!(
            last("2026-11-29T23:00:00Z", "Europe/Berlin"),
            "2026-11-22T23:00:00Z to 2026-11-29T23:00:00Z"
        );
        assert_eq!(
            last("2026-12-03T12:00:00Z", "Pacific/Auckland"),
            "2026-11-22T11:00:00Z to 2026-11-29T11:00:00Z"
        );
    }

    #[test]
    fn the_week_in_which_the_clock_changes_has_an_hour_more() {
        let week = Week::of("2026-10-25".parse().unwrap(), TimeZone::get("Europe/Berlin").unwrap());
        assert_eq!(week.ends().duration_since(week.begins()).as_hours(), 169);
        assert!(week.contains(week.begins()) && !week.contains(week.ends()));
        assert_eq!(week.before().ends(), week.begins());
    }
}
