//! Times that come again: days of the week and hours of the day. No I/O.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;

/// The most days that windows may follow each other without a gap. Longer is for ever, as `days: every day`.
const LONGEST_DAYS: usize = 32;

/// Days and hours.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Window {
    pub(crate) days: Days,
    /// The beginning and the end. Without them: the whole day.
    pub(crate) hours: Option<(Time, Time)>,
    /// Its own; else the site's.
    pub(crate) timezone: Option<TimeZone>,
}

/// Days.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Days {
    #[default]
    Every,
    Some {
        weekdays: Vec<Weekday>,
        dates: Vec<Date>,
    },
}

impl Days {
    fn contain(&self, date: Date) -> bool {
        match self {
            Self::Every => true,
            Self::Some { weekdays, dates } => weekdays.contains(&date.weekday()) || dates.contains(&date),
        }
    }
}

impl Window {
    pub(crate) fn contains(&self, at: Timestamp, site: &TimeZone) -> bool {
        self.end(at, site).is_some()
    }

    /// When the window ends that `at` is in. Where clocks change, the end is what a clock on the wall shows.
    pub(crate) fn end(&self, at: Timestamp, site: &TimeZone) -> Option<Timestamp> {
        let zone = self.timezone.as_ref().unwrap_or(site);
        let local = at.to_zoned(zone.clone());
        let (date, time) = (local.date(), local.time());
        let end = match self.hours {
            None => {
                self.days.contain(date).then(|| date.tomorrow().ok()).flatten()?.to_datetime(Time::midnight())
            }
            Some((from, to)) => self.end_of_hours(date, time, from, to)?,
        };
        let end = end.to_zoned(zone.clone()).ok()?.timestamp();
        // An hour that the clocks show twice may put the end behind us.
        Some(end).filter(|end| *end > at)
    }

    fn end_of_hours(&self, date: Date, time: Time, from: Time, to: Time) -> Option<DateTime> {
        if from < to {
            return (self.days.contain(date) && from <= time && time < to).then(|| date.to_datetime(to));
        }
        // Over midnight: the day is the one on which the hours begin.
        if time >= from && self.days.contain(date) {
            return Some(date.tomorrow().ok()?.to_datetime(to));
        }
        let began = date.yesterday().ok()?;
        (time < to && self.days.contain(began)).then(|| date.to_datetime(to))
    }
}

/// When `at` is in none of the windows any more, if it is in one of them.
pub(crate) fn end_of_all<'w>(
    windows: impl Iterator<Item = &'w Window> + Clone,
    at: Timestamp,
    site: &TimeZone,
) -> Option<Timestamp> {
    let mut end = windows.clone().filter_map(|window| window.end(at, site)).max()?;
    for _ in 0..LONGEST_DAYS {
        match windows.clone().filter_map(|window| window.end(end, site)).max() {
            Some(later) => end = later,
            None => return Some(end),
        }
    }
    Some(end)
}

/// `Mon`, `Mon-Fri`, `weekdays`, `weekends` or, where dates are possible, `2026-12-24`.
pub(crate) fn days(text: &str, with_dates: bool) -> Option<Days> {
    let some = |weekdays: Vec<Weekday>| Some(Days::Some { weekdays, dates: Vec::new() });
    let folded = text.trim().to_lowercase();
    match folded.as_str() {
        "weekdays" => return some(from_to(Weekday::Monday, Weekday::Friday)),
        "weekends" | "weekend" => return some(from_to(Weekday::Saturday, Weekday::Sunday)),
        _ => {}
    }
    if with_dates && let Ok(date) = folded.parse::<Date>() {
        return Some(Days::Some { weekdays: Vec::new(), dates: vec![date] });
    }
    let (first, last) = folded.split_once(['-', '–']).unwrap_or((&folded, &folded));
    some(from_to(weekday(first.trim())?, weekday(last.trim())?))
}

fn from_to(first: Weekday, last: Weekday) -> Vec<Weekday> {
    let count = first.until(last);
    first.cycle_forward().take(usize::try_from(count).unwrap_or_default() + 1).collect()
}

fn weekday(folded: &str) -> Option<Weekday> {
    const NAMES: [(&str, Weekday); 7] = [
        ("monday", Weekday::Monday),
        ("tuesday", Weekday::Tuesday),
        ("wednesday", Weekday::Wednesday),
        ("thursday", Weekday::Thursday),
        ("friday", Weekday::Friday),
        ("saturday", Weekday::Saturday),
        ("sunday", Weekday::Sunday),
    ];
    let found = NAMES.iter().find(|(name, _)| folded.len() >= 3 && name.starts_with(folded));
    found.map(|(_, weekday)| *weekday)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::time;

    fn berlin() -> TimeZone {
        TimeZone::get("Europe/Berlin").unwrap()
    }

    fn window(text: &[&str], hours: Option<(i8, i8)>) -> Window {
        let mut weekdays = Vec::new();
        let mut dates = Vec::new();
        for text in text {
            if let Days::Some { weekdays: w, dates: d } = days(text, true).unwrap() {
                weekdays.extend(w);
                dates.extend(d);
            }
        }
        let days = if text.is_empty() { Days::Every } else { Days::Some { weekdays, dates } };
        let hours = hours.map(|(from, to)| (time(from, 0, 0, 0), time(to, 0, 0, 0)));
        Window { days, hours, timezone: None }
    }

    fn end(window: &Window, at: &str) -> Option<String> {
        let end = end_of_all([window].into_iter(), at.parse().unwrap(), &berlin());
        end.map(|end| end.to_string())
    }

    #[test]
    fn a_weekend_is_one_window_and_ends_on_monday() {
        let weekend = window(&["Sat", "Sun"], None);
        // 28 November 2026 is a Saturday.
        for (at, expected) in [
            ("2026-11-27T22:59:59Z", None),
            ("2026-11-27T23:00:00Z", Some("2026-11-29T23:00:00Z")),
            ("2026-11-29T12:00:00Z", Some("2026-11-29T23:00:00Z")),
            ("2026-11-29T23:00:00Z", None),
        ] {
            assert_eq!(end(&weekend, at).as_deref(), expected, "{at}");
        }
        assert_eq!(window(&["weekends"], None).days, window(&["saturday-sunday"], None).days);
    }

    #[test]
    fn hours_over_midnight_belong_to_the_day_on_which_they_begin() {
        let friday_night = window(&["Fri"], Some((22, 6)));
        for (at, expected) in [
            ("2026-11-27T20:59:00Z", None),
            ("2026-11-27T21:00:00Z", Some("2026-11-28T05:00:00Z")),
            ("2026-11-28T04:59:00Z", Some("2026-11-28T05:00:00Z")),
            ("2026-11-28T05:00:00Z", None),
            // The night from Thursday to Friday.
            ("2026-11-27T02:00:00Z", None),
            ("2026-11-28T21:30:00Z", None),
        ] {
            assert_eq!(end(&friday_night, at).as_deref(), expected, "{at}");
        }
    }

    #[test]
    fn windows_that_follow_each_other_end_together() {
        let night = window(&["Fri"], Some((20, 0)));
        let weekend = window(&["weekends"], None);
        let at = "2026-11-27T20:00:00Z".parse().unwrap();
        let end = end_of_all([&night, &weekend].into_iter(), at, &berlin()).unwrap();
        assert_eq!(end.to_string(), "2026-11-29T23:00:00Z");
        // Without a gap for ever: an end all the same.
        assert!(end_of_all([&window(&[], None)].into_iter(), at, &berlin()).is_some());
    }

    #[test]
    fn a_date_is_one_day() {
        let eve = window(&["2026-12-24"], Some((6, 12)));
        assert_eq!(end(&eve, "2026-12-24T05:30:00Z").as_deref(), Some("2026-12-24T11:00:00Z"));
        assert_eq!(end(&eve, "2026-12-25T05:30:00Z"), None);
        assert_eq!(days("2026-12-24", false), None);
        for wrong in ["Su", "Mo-Fr", "Sunday-Funday", "", "every day", "2026-13-01"] {
            assert_eq!(days(wrong, true), None, "{wrong}");
        }
    }
}
