//! When the notifications of a rule are sent: at once, after its quiet hours, or not at all. No I/O.

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

/// Daily hours in which a rule's notifications are deferred.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct QuietHours {
    pub(crate) from: Time,
    pub(crate) to: Time,
    /// Its own; else the site's.
    pub(crate) timezone: Option<TimeZone>,
}

/// When the notifications of a rule are sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Hours {
    pub(crate) critical: bool,
    pub(crate) mute_until: Option<Timestamp>,
    pub(crate) quiet: Option<QuietHours>,
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
    /// Not at all: the rule is muted until this time.
    Muted(Timestamp),
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
        let end = self.quiet.as_ref().and_then(|quiet| quiet.end(now, site));
        end.map_or(Schedule::Now, Schedule::DeferUntil)
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
        hours.quiet.as_mut().unwrap().timezone = Some(TimeZone::get("America/New_York").unwrap());
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
