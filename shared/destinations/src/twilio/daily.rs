//! How many texts a recipient has had in a day. Counted in the table, for all instances. No I/O.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::Document;

/// A day has at most 25 hours. A later end was written by a wrong clock.
const LONGEST_DAY: SignedDuration = SignedDuration::from_hours(26);

/// The texts that a recipient has had in the present day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Texts {
    /// When the day ends that the texts are counted in.
    until: Option<Timestamp>,
    /// The notifications that were sent, or may have been, each once: an attempt that is repeated counts once.
    sent: Vec<String>,
}

impl Document for Texts {
    const KIND: &'static str = "texts";
    const KEPT_DAYS: i64 = 3;
}

/// Whether a text may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It may, and others after it.
    Free,
    /// It may, as the last one of the day.
    Last,
    /// It may not, before this time.
    NoneUntil(Timestamp),
}

impl Texts {
    /// Takes a place for a notification, once: taken again, it is the same one.
    pub(super) fn take(
        &mut self,
        notification: &str,
        limit: usize,
        now: Timestamp,
        zone: &TimeZone,
    ) -> Place {
        let until = match self.until.filter(|until| is_present(*until, now)) {
            Some(until) => until,
            None => {
                self.sent.clear();
                end_of_day(now, zone)
            }
        };
        let at = match self.sent.iter().position(|sent| sent == notification) {
            Some(at) => at,
            None if self.sent.len() >= limit => return Place::NoneUntil(until),
            None => {
                self.until = Some(until);
                self.sent.push(notification.to_owned());
                self.sent.len() - 1
            }
        };
        if at + 1 >= limit { Place::Last } else { Place::Free }
    }

    /// Gives a place back: its text was certainly not sent.
    pub(super) fn give_back(&mut self, notification: &str) {
        self.sent.retain(|sent| sent != notification);
    }
}

/// Whether a day that ends then is the present one.
fn is_present(until: Timestamp, now: Timestamp) -> bool {
    until > now && until.duration_since(now) <= LONGEST_DAY
}

/// The next midnight in this zone.
fn end_of_day(now: Timestamp, zone: &TimeZone) -> Timestamp {
    let tomorrow = now.to_zoned(zone.clone()).tomorrow().and_then(|tomorrow| tomorrow.start_of_day());
    tomorrow.map_or_else(|_| now.saturating_add(LONGEST_DAY).unwrap_or(now), |zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn berlin() -> TimeZone {
        TimeZone::get("Europe/Berlin").unwrap()
    }

    #[test]
    fn of_three_the_third_is_the_last_and_a_fourth_waits_until_midnight_of_the_site() {
        let mut texts = Texts::default();
        let now = at("2026-03-10T09:00:00Z");
        let mut take = |name: &str, now| texts.take(name, 3, now, &berlin());
        assert_eq!((take("a", now), take("b", now), take("c", now)), (Place::Free, Place::Free, Place::Last));
        let midnight = at("2026-03-10T23:00:00Z");
        assert_eq!(take("d", now), Place::NoneUntil(midnight));
        // Those that are tried again keep their places.
        assert_eq!((take("a", now), take("c", now)), (Place::Free, Place::Last));
        assert_eq!(take("d", at("2026-03-10T22:59:59Z")), Place::NoneUntil(midnight));
        assert_eq!(take("d", midnight), Place::Free);
    }

    #[test]
    fn what_was_certainly_not_sent_leaves_its_place_to_another_one() {
        let mut texts = Texts::default();
        let now = at("2026-03-10T09:00:00Z");
        assert_eq!(texts.take("a", 1, now, &berlin()), Place::Last);
        texts.give_back("a");
        assert_eq!(texts.take("b", 1, now, &berlin()), Place::Last);
        texts.give_back("not there");
        assert!(matches!(texts.take("c", 1, now, &berlin()), Place::NoneUntil(_)));
    }

    #[test]
    fn a_day_that_a_wrong_clock_wrote_is_not_the_present_one() {
        let now = at("2026-03-10T09:00:00Z");
        for until in ["2027-01-01T00:00:00Z", "2026-03-10T08:59:59Z"] {
            let mut texts = Texts { until: Some(at(until)), sent: vec!["a".to_owned()] };
            assert_eq!(texts.take("b", 1, now, &berlin()), Place::Last, "{until}");
        }
        // The night in which clocks go back has 25 hours.
        let mut texts = Texts::default();
        texts.take("a", 1, at("2026-10-24T22:30:00Z"), &berlin());
        let end = Place::NoneUntil(at("2026-10-25T23:00:00Z"));
        assert_eq!(texts.take("b", 1, at("2026-10-24T22:30:00Z"), &berlin()), end);
    }

    #[test]
    fn an_older_or_damaged_form_is_read_as_far_as_it_goes() {
        let texts: Texts = serde_json::from_str(r#"{"sent":["a"],"more":1}"#).unwrap();
        assert_eq!(texts, Texts { until: None, sent: vec!["a".to_owned()] });
    }
}
