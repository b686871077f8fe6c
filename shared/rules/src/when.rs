//! When a rule speaks: at once, after its quiet hours, or not at all.

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

/// Daily hours in which a rule's messages wait.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct QuietHours {
    pub(crate) from: Time,
    pub(crate) to: Time,
    /// Its own; else the site's.
    pub(crate) timezone: Option<TimeZone>,
}

/// When a rule speaks.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Hours {
    pub(crate) critical: bool,
    pub(crate) mute_until: Option<Timestamp>,
    pub(crate) quiet: Option<QuietHours>,
}

/// When a message goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    /// At once, whatever else holds.
    Critical,
    /// At once.
    Now,
    /// With what else happened in quiet hours, when they end.
    Later(Timestamp),
    /// Not at all: the rule is muted until then.
    Muted(Timestamp),
}

impl Hours {
    /// When a message goes out that would go out at `now`. A critical rule waits for nothing.
    pub(crate) fn when(&self, now: Timestamp, site: &TimeZone) -> When {
        if self.critical {
            return When::Critical;
        }
        if let Some(until) = self.mute_until.filter(|until| *until > now) {
            return When::Muted(until);
        }
        let end = self.quiet.as_ref().and_then(|quiet| quiet.end(now, site));
        end.map_or(When::Now, When::Later)
    }
}

impl QuietHours {
    /// When the quiet hours end that `now` is in. Where clocks change, the end is what a clock on the wall shows.
    fn end(&self, now: Timestamp, site: &TimeZone) -> Option<Timestamp> {
        let zone = self.timezone.as_ref().unwrap_or(site).clone();
        let local = now.to_zoned(zone.clone());
        let (today, time) = (local.date(), local.time());
        let day = if self.from <= self.to {
            (self.from <= time && time < self.to).then_some(today)?
        } else if time < self.to {
            today
        } else {
            (time >= self.from).then(|| today.tomorrow().ok())??
        };
        let end = day.to_datetime(self.to).to_zoned(zone).ok()?.timestamp();
        // An hour that the clocks show twice may put the end behind us.
        Some(end).filter(|end| *end > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::time;

    fn night(from: Time, to: Time) -> Hours {
        let quiet = QuietHours { from, to, timezone: None };
        Hours { quiet: Some(quiet), ..Hours::default() }
    }

    fn when(hours: &Hours, now: &str) -> String {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        match hours.when(now.parse().unwrap(), &berlin) {
            When::Later(until) => until.to_string(),
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
            assert_eq!(when(&hours, now), expected, "{now}");
        }
        let noon = night(time(12, 0, 0, 0), time(13, 30, 0, 0));
        for (now, expected) in
            [("2026-01-14T10:59:00Z", "Now"), ("2026-01-14T11:30:00Z", "2026-01-14T12:30:00Z")]
        {
            assert_eq!(when(&noon, now), expected, "{now}");
        }
    }

    #[test]
    fn quiet_hours_may_have_a_time_zone_of_their_own() {
        let mut hours = night(time(20, 0, 0, 0), time(7, 0, 0, 0));
        hours.quiet.as_mut().unwrap().timezone = Some(TimeZone::get("America/New_York").unwrap());
        assert_eq!(when(&hours, "2026-01-14T19:30:00Z"), "Now");
        assert_eq!(when(&hours, "2026-01-15T01:30:00Z"), "2026-01-15T12:00:00Z");
    }

    #[test]
    fn a_muted_rule_says_nothing_until_its_time_and_a_critical_one_waits_for_nothing() {
        let until: Timestamp = "2026-01-15T00:00:00Z".parse().unwrap();
        let mut hours = night(time(20, 0, 0, 0), time(7, 0, 0, 0));
        hours.mute_until = Some(until);
        assert_eq!(when(&hours, "2026-01-14T23:00:00Z"), format!("{:?}", When::Muted(until)));
        assert_eq!(when(&hours, "2026-01-15T12:00:00Z"), "Now");
        hours.critical = true;
        assert_eq!(when(&hours, "2026-01-14T23:00:00Z"), "Critical");
    }
}
