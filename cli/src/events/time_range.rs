//! Time ranges as people write them. No I/O.

use clap::Args;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, SpanRelativeTo, Timestamp};
use std::str::FromStr;
use workflow::BoxError;

/// A point in time as a person writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// A time this long ago: `2h`.
    Ago(SignedDuration),
    /// A day in UTC: its beginning as a start, its end as an end.
    Day(Date),
    At(Timestamp),
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // Checked here, because jiff would read a full timestamp as a day and ignore its time.
        if text.len() == "2026-11-22".len()
            && let Ok(day) = text.parse()
        {
            return Ok(Self::Day(day));
        }
        if let Ok(at) = text.parse() {
            return Ok(Self::At(at));
        }
        if let Ok(at) = text.parse::<DateTime>()
            && let Ok(at) = at.to_zoned(TimeZone::UTC)
        {
            return Ok(Self::At(at.timestamp()));
        }
        let ago = text.parse::<jiff::Span>();
        match ago.and_then(|ago| ago.abs().to_duration(SpanRelativeTo::days_are_24_hours())) {
            Ok(ago) => Ok(Self::Ago(ago)),
            Err(_) => {
                Err("write an instant (2026-11-22T08:00Z), a day (2026-11-22), or how long ago it was \
                           (90min, 2h, 3d)"
                    .to_owned())
            }
        }
    }
}

impl Moment {
    /// The moment as the start of a time range.
    fn first(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(ago) => now.checked_sub(ago).unwrap_or(Timestamp::MIN),
            Self::Day(day) => beginning(day),
            Self::At(at) => at,
        }
    }

    /// The moment as the end of a time range.
    fn last(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Day(day) => {
                let next = day.tomorrow().map_or(Timestamp::MAX, beginning);
                next.checked_sub(SignedDuration::from_millis(1)).unwrap_or(next)
            }
            other => other.first(now),
        }
    }
}

/// The beginning of a day in UTC.
fn beginning(day: Date) -> Timestamp {
    let begins = day.to_zoned(TimeZone::UTC).map(|begins| begins.timestamp());
    begins.unwrap_or(if day.year() < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// The options `--since` and `--until`.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(super) struct TimeRangeOptions {
    /// Start: a time (2026-11-22T08:00Z), a day (2026-11-22), or how long ago (2h, 3d). Times without a zone are in UTC
    #[arg(long, value_name = "WHEN")]
    since: Option<Moment>,
    /// End, in the same forms. A day counts to its end
    #[arg(long, value_name = "WHEN")]
    until: Option<Moment>,
}

/// A time range that includes its ends. A missing end means no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TimeRange {
    pub(super) since: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
}

impl TimeRangeOptions {
    /// The time range that is meant at `now`.
    pub(super) fn at(self, now: Timestamp) -> Result<TimeRange, BoxError> {
        let since = self.since.map(|moment| moment.first(now));
        let until = self.until.map(|moment| moment.last(now));
        if let (Some(since), Some(until)) = (since, until)
            && since > until
        {
            return Err(format!(
                "--since ({since:.0}) is after --until ({until:.0}): there is nothing in between"
            )
            .into());
        }
        Ok(TimeRange { since, until })
    }
}

impl TimeRange {
    /// Whether the range contains this time. An unknown time is only in the unlimited range.
    pub(super) fn holds(self, at: Option<Timestamp>) -> bool {
        match at {
            None => self == Self::default(),
            Some(at) => {
                self.since.is_none_or(|since| since <= at) && self.until.is_none_or(|until| at <= until)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-22T14:44:03Z".parse().unwrap()
    }

    fn time_range(since: &str, until: &str) -> (String, String) {
        let moment = |text: &str| (!text.is_empty()).then(|| text.parse().unwrap());
        let time_range = TimeRangeOptions { since: moment(since), until: moment(until) }.at(now()).unwrap();
        let text = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
        (text(time_range.since), text(time_range.until))
    }

    #[test]
    fn a_moment_is_an_instant_a_day_or_so_long_ago() {
        for (written, expected) in [
            ("2026-11-22T08:00Z", "2026-11-22T08:00:00Z"),
            ("2026-11-22T08:00:30.5Z", "2026-11-22T08:00:30.5Z"),
            ("2026-11-22T09:00+01:00", "2026-11-22T08:00:00Z"),
            ("2026-11-22T08:00", "2026-11-22T08:00:00Z"),
            ("2026-11-22 08:00", "2026-11-22T08:00:00Z"),
            ("2026-11-22", "2026-11-22T00:00:00Z"),
            ("2h", "2026-11-22T12:44:03Z"),
            ("3d", "2026-11-19T14:44:03Z"),
            ("1w", "2026-11-15T14:44:03Z"),
            ("90min", "2026-11-22T13:14:03Z"),
            ("1d12h", "2026-11-21T02:44:03Z"),
            ("2 hours ago", "2026-11-22T12:44:03Z"),
        ] {
            assert_eq!(time_range(written, "").0, expected, "{written}");
        }
    }

    #[test]
    fn a_day_is_whole() {
        let day = "2026-11-21";
        assert_eq!(
            time_range(day, day),
            ("2026-11-21T00:00:00Z".to_owned(), "2026-11-21T23:59:59.999Z".to_owned())
        );
    }

    #[test]
    fn what_is_no_moment_says_how_one_is_written() {
        for wrong in ["", "yesterday-ish", "2", "2026-13-01", "2026-11-22T25:00Z", "1 month", "1y"] {
            let error = wrong.parse::<Moment>().unwrap_err();
            assert!(error.contains("2026-11-22T08:00Z") && error.contains("2h"), "{wrong}: {error}");
        }
    }

    #[test]
    fn a_span_that_ends_before_it_begins_is_an_error() {
        let options = TimeRangeOptions { since: "1h".parse().ok(), until: "2h".parse().ok() };
        let error = options.at(now()).unwrap_err().to_string();
        let expected = "--since (2026-11-22T13:44:03Z) is after --until (2026-11-22T12:44:03Z)";
        assert!(error.starts_with(expected), "{error}");
    }

    #[test]
    fn a_span_holds_its_ends_and_what_has_no_time_only_when_no_time_was_asked_for() {
        let all = TimeRange::default();
        assert!(all.holds(None) && all.holds(Some(now())));
        let since = TimeRange { since: Some(now()), until: None };
        let until = TimeRange { since: None, until: Some(now()) };
        let later = now().checked_add(SignedDuration::from_millis(1)).ok();
        assert!(since.holds(Some(now())) && since.holds(later) && !since.holds(None));
        assert!(until.holds(Some(now())) && !until.holds(later));
    }
}
