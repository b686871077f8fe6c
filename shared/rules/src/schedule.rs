//! When the notifications of a rule are sent: at once, after its quiet hours, or not at all. No I/O.

use crate::window::{Window, end_of_all};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// When the notifications of a rule are sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Hours {
    pub(crate) critical: bool,
    pub(crate) mute_until: Option<Timestamp>,
    /// The times in which notifications wait.
    pub(crate) quiet: Vec<Window>,
    /// The maintenance windows that are for the event.
    pub(crate) maintenance: Vec<Window>,
}

/// When a notification is sent. Of several, the least is the one that is sent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Schedule {
    /// At once, whatever else holds.
    Critical,
    /// At once.
    Now,
    /// At this time, when the quiet hours end, with everything else that happened in them.
    DeferUntil(Timestamp),
    /// A recovery at once, an alert not at all: it is maintenance until this time.
    Maintenance(Timestamp),
    /// Not at all: the rule is muted until this time.
    Muted(Timestamp),
}

impl Schedule {
    /// When something is done that calls no one: at once, unless the rule is muted or it is maintenance.
    #[must_use]
    pub fn of_what_calls_no_one(self) -> Self {
        match self {
            Self::Now | Self::DeferUntil(_) => Self::Critical,
            other => other,
        }
    }
}

impl Hours {
    /// When a notification is sent that is due at `now`. A critical rule waits for nothing.
    pub(crate) fn schedule(&self, now: Timestamp, site: &TimeZone) -> Schedule {
        if self.critical {
            return Schedule::Critical;
        }
        if let Some(until) = self.mute_until.filter(|until| *until > now) {
            return Schedule::Muted(until);
        }
        if let Some(until) = end_of_all(self.maintenance.iter(), now, site) {
            return Schedule::Maintenance(until);
        }
        end_of_all(self.quiet.iter(), now, site).map_or(Schedule::Now, Schedule::DeferUntil)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{Time, time};

    fn night(from: Time, to: Time) -> Hours {
        let quiet = Window { hours: Some((from, to)), ..Window::default() };
        Hours { quiet: vec![quiet], ..Hours::default() }
    }

    fn scheduled(hours: &Hours, now: &str) -> String {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        match hours.schedule(now.parse().unwrap(), &berlin) {
            Schedule::DeferUntil(until) => until.to_string(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn quiet_hours_end_in_the_sites_own_morning() {
        let hours = night(time(20, 0, 0, 0), time(7, 0, 0, 0));
        for (now, expected) in [
            ("2026-01-14T18:59:59Z", "Now"),
            ("2026-01-14T19:00:00Z", "2026-01-15T06:00:00Z"),
            ("2026-01-15T05:59:59Z", "2026-01-15T06:00:00Z"),
            ("2026-01-15T06:00:00Z", "Now"),
            // The night in which clocks go forward.
            ("2026-03-28T20:00:00Z", "2026-03-29T05:00:00Z"),
        ] {
            assert_eq!(scheduled(&hours, now), expected, "{now}");
        }
        let noon = night(time(12, 0, 0, 0), time(13, 30, 0, 0));
        for (now, expected) in
            [("2026-01-14T10:59:00Z", "Now"), ("2026-01-14T11:30:00Z", "2026-01-14T12:30:00Z")]
        {
            assert_eq!(scheduled(&noon, now), expected, "{now}");
        }
    }

    #[test]
    fn quiet_hours_may_have_a_time_zone_of_their_own() {
        let mut hours = night(time(20, 0, 0, 0), time(7, 0, 0, 0));
        hours.quiet[0].timezone = Some(TimeZone::get("America/New_York").unwrap());
        assert_eq!(scheduled(&hours, "2026-01-14T19:30:00Z"), "Now");
        assert_eq!(scheduled(&hours, "2026-01-15T01:30:00Z"), "2026-01-15T12:00:00Z");
    }

    #[test]
    fn a_muted_rule_says_nothing_until_its_time_and_a_critical_one_waits_for_nothing() {
        let until: Timestamp = "2026-01-15T00:00:00Z".parse().unwrap();
        let mut hours = night(time(20, 0, 0, 0), time(7, 0, 0, 0));
        hours.mute_until = Some(until);
        assert_eq!(scheduled(&hours, "2026-01-14T23:00:00Z"), format!("{:?}", Schedule::Muted(until)));
        assert_eq!(scheduled(&hours, "2026-01-15T12:00:00Z"), "Now");
        hours.critical = true;
        assert_eq!(scheduled(&hours, "2026-01-14T23:00:00Z"), "Critical");
    }
}
