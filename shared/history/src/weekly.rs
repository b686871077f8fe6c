//! Which weekly reports were sent. No I/O.

use crate::week::Week;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::Document;
use tableau::{Payload, WeekFigures};

/// A report is sent so long after its week has ended: on Monday at six, before people begin to work.
const AFTER: SignedDuration = SignedDuration::from_hours(6);
/// A report that could not be sent by then, or whose function was not there, is not sent any more.
const LATEST: SignedDuration = SignedDuration::from_hours(72);
/// How far time zones are from UTC at most.
const ZONES: SignedDuration = SignedDuration::from_hours(14);
/// How many days the counts of sign-ins are kept.
const KEPT: i64 = 30;

/// Which weekly reports were sent, and what only this document remembers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reports {
    /// The Monday of the last week whose report was sent, by the site's LUID.
    sent: BTreeMap<String, Date>,
    /// Reports that may have been sent: a second try sends the same event.
    pending: BTreeMap<String, Pending>,
    /// How many sessions at Tableau there had been at the beginning of a day, in UTC.
    sign_ins: BTreeMap<Date, u64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Pending {
    first_day: Date,
    /// The event's payload, as it was sent.
    payload: String,
}

impl Document for Reports {
    const KIND: &'static str = "history";
    const KEPT_DAYS: i64 = 400;
}

impl Reports {
    /// The key of the document.
    pub const KEY: &'static str = "reports";

    /// The week whose report of this site is to be sent at `now`.
    pub fn due(&self, site: &str, timezone: TimeZone, now: Timestamp) -> Option<Week> {
        let week = Week::last(now, timezone);
        let is_time = (AFTER..=LATEST).contains(&now.duration_since(week.ends()));
        (is_time && !self.is_sent(site, &week)).then_some(week)
    }

    /// The report of this week that may have been sent.
    pub fn pending(&self, site: &str, week: &Week) -> Option<Payload> {
        let pending = self.pending.get(site).filter(|pending| pending.first_day == week.first_day)?;
        Payload::parse(pending.payload.as_bytes()).ok()
    }

    /// A report is about to be sent. Returns what is to be sent: the payload, or that of another run, which may have been sent; `None` if the
    /// report was sent.
    pub fn begin(&mut self, site: &str, week: &Week, payload: &Payload) -> Option<Payload> {
        if self.is_sent(site, week) {
            return None;
        }
        if let Some(earlier) = self.pending(site, week) {
            return Some(earlier);
        }
        let pending = Pending { first_day: week.first_day, payload: payload.canonical_json() };
        self.pending.insert(site.to_owned(), pending);
        Some(payload.clone())
    }

    fn is_sent(&self, site: &str, week: &Week) -> bool {
        self.sent.get(site).is_some_and(|sent| *sent >= week.first_day)
    }

    /// Whether a report can be due anywhere on Earth.
    pub fn may_be_due(now: Timestamp) -> bool {
        let since = now.duration_since(Week::last(now, TimeZone::UTC).ends());
        // From 14 hours before UTC to 12 hours after it: Monday morning begins on Sunday.
        since <= LATEST + ZONES || since >= SignedDuration::from_hours(7 * 24) - ZONES
    }

    /// A report was sent.
    pub fn sent(&mut self, site: &str, week: &Week) {
        self.pending.remove(site);
        self.sent.insert(site.to_owned(), week.first_day);
    }

    /// Forgets what was to be sent again: it may name a person who is erased, and is made anew.
    pub(crate) fn forget_pending(&mut self) {
        self.pending.clear();
    }

    /// Notes how many sessions at Tableau there have been so far. Returns whether that was not known of this day.
    pub fn note_sign_ins(&mut self, day: Date, count: u64) -> bool {
        let is_new = !self.sign_ins.contains_key(&day);
        self.sign_ins.entry(day).or_insert(count);
        let oldest = day.saturating_sub(KEPT.days());
        self.sign_ins.retain(|day, _| *day >= oldest);
        is_new
    }

    /// Puts the sign-ins of a week into its figures, if both ends of the week were noted.
    pub fn count_sign_ins(&self, week: &Week, figures: &mut WeekFigures) {
        // Counts are those of midnight in UTC: the nearest one stands for midnight of the site.
        let nearest = |at: Timestamp| at.checked_add(SignedDuration::from_hours(12)).unwrap_or(at);
        let of = |at: Timestamp| self.sign_ins.get(&nearest(at).to_zoned(TimeZone::UTC).date());
        if let (Some(before), Some(after)) = (of(week.begins()), of(week.ends())) {
            // A new credential begins to count anew.
            figures.sign_ins = after.checked_sub(*before);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn due(reports: &Reports, now: &str) -> Option<String> {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        reports.due("s", zone, at(now)).map(|week| week.first_day.to_string())
    }

    #[test]
    fn a_report_is_due_on_monday_morning_of_the_site_and_once() {
        let mut reports = Reports::default();
        assert_eq!(due(&reports, "2026-11-30T04:59:59Z"), None);
        assert_eq!(due(&reports, "2026-11-30T05:00:00Z").as_deref(), Some("2026-11-23"));
        assert_eq!(due(&reports, "2026-12-02T23:00:00Z").as_deref(), Some("2026-11-23"));
        assert_eq!(due(&reports, "2026-12-02T23:00:01Z"), None, "three days later it is too late");
        let week = Week::last(at("2026-11-30T05:00:00Z"), TimeZone::get("Europe/Berlin").unwrap());
        reports.sent("s", &week);
        assert_eq!(due(&reports, "2026-11-30T06:00:00Z"), None);
        assert_eq!(due(&reports, "2026-12-07T05:00:00Z").as_deref(), Some("2026-11-30"));
    }

    #[test]
    fn outside_of_the_days_around_monday_no_report_is_due_anywhere() {
        for hours in 0..14 * 24 {
            let now = at("2026-11-29T00:00:00Z").checked_add(SignedDuration::from_hours(hours)).unwrap();
            let zones =
                ["Pacific/Kiritimati", "UTC", "Pacific/Niue"].map(|zone| TimeZone::get(zone).unwrap());
            let is_due = zones.into_iter().any(|zone| Reports::default().due("s", zone, now).is_some());
            assert!(!is_due || Reports::may_be_due(now), "{now}");
        }
        assert!(!Reports::may_be_due(at("2026-12-05T00:00:00Z")));
    }

    #[test]
    fn a_report_that_may_have_been_sent_is_sent_again_as_it_was() {
        let mut reports = Reports::default();
        let week = Week::last(at("2026-11-30T05:00:00Z"), TimeZone::UTC);
        let payload = Payload { text: Some("x".to_owned()), ..Payload::default() };
        assert_eq!(reports.begin("s", &week, &payload), Some(payload.clone()));
        let other = Payload { text: Some("y".to_owned()), ..Payload::default() };
        assert_eq!(reports.begin("s", &week, &other), Some(payload.clone()), "two runs send the same");
        let kept = serde_json::to_string(&reports).unwrap();
        let mut reports: Reports = serde_json::from_str(&kept).unwrap();
        assert_eq!(reports.pending("s", &week), Some(payload));
        assert_eq!((reports.pending("s", &week.before()), reports.pending("t", &week)), (None, None));
        reports.sent("s", &week);
        assert_eq!((reports.pending("s", &week), reports.begin("s", &week, &other)), (None, None));
    }

    #[test]
    fn sign_ins_are_counted_from_the_beginning_of_the_week_to_its_end() {
        let mut reports = Reports::default();
        let week = Week::of("2026-11-25".parse().unwrap(), TimeZone::UTC);
        let counted = |reports: &Reports, week: &Week| {
            let mut figures = WeekFigures::default();
            reports.count_sign_ins(week, &mut figures);
            figures.sign_ins
        };
        assert!(reports.note_sign_ins("2026-11-23".parse().unwrap(), 100));
        assert!(!reports.note_sign_ins("2026-11-23".parse().unwrap(), 104), "the first count of a day stays");
        assert_eq!(counted(&reports, &week), None);
        reports.note_sign_ins("2026-11-30".parse().unwrap(), 142);
        assert_eq!((counted(&reports, &week), counted(&reports, &week.before())), (Some(42), None));
        reports.note_sign_ins("2026-12-07".parse().unwrap(), 3);
        assert_eq!(counted(&reports, &Week::of("2026-12-01".parse().unwrap(), TimeZone::UTC)), None);
    }
}
