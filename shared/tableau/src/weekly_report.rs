//! What the derived event `WeeklyReport` says.

use crate::{EventName, Payload, SiteLuid};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

/// The key of the payload.
const KEY: &str = "report";

/// A week of a site: what happened, against the week before. All names are untrusted text. Lists have the first places only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WeeklyReport {
    /// The week's first day, a Monday.
    pub first_day: Date,
    /// The IANA name of the time zone in which the week's days begin and end.
    pub timezone: String,
    /// The week in figures.
    pub week: WeekFigures,
    /// The week before; `None` if the history does not reach back so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub week_before: Option<WeekFigures>,
    /// What failed most, most first.
    pub failed_most: Vec<FailingObject>,
    /// Why refreshes failed, most frequent first. Failures without a known cause are left out.
    pub causes: Vec<CauseFigures>,
    /// The incidents that lasted longest in the week, longest first.
    pub longest_incidents: Vec<LongIncident>,
    /// The slowest refreshes, slowest first. Empty also if no events say when refreshes start.
    pub slowest_refreshes: Vec<SlowRefresh>,
    /// Objects that failed and recovered again and again, most often first.
    pub flapping: Vec<FlappingObject>,
    /// Owners of what failed, most failures first.
    pub owners: Vec<OwnerFigures>,
    /// Content that fails and whose owner Tableau does not show any more.
    pub without_owner: Vec<ReportedObject>,
    /// Why owners are not known, without a full stop; `None` if they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owners_unknown: Option<String>,
    /// The stack's webhooks at the end of the week; `None` if the stack does not register them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhooks: Option<WebhookFigures>,
}

/// A week in figures.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WeekFigures {
    /// How many events came.
    pub events: u64,
    /// How many refreshes failed.
    pub failed: u64,
    /// How many refreshes succeeded.
    pub succeeded: u64,
    /// How many incidents opened.
    pub opened: u64,
    /// How many incidents ended.
    pub resolved: u64,
    /// The mean time from the first failure to the recovery, in seconds; `None` if no incident ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery_seconds: Option<u64>,
    /// How many events became a message at once, so that they count for the service objective.
    pub messages: u64,
    /// How many of these messages were sent within the objective, 60 seconds after the event.
    pub messages_in_time: u64,
    /// The time from an event to its message that 99 of 100 messages kept, in milliseconds; `None` without messages, or if
    /// more than one of 100 was never sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_p99_ms: Option<u64>,
    /// How many deliveries failed for good and are dead letters, or were.
    pub given_up: u64,
    /// How many times a webhook was found disabled.
    pub webhook_outages: u64,
    /// How many times the stack signed in to Tableau; `None` if that was not recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sign_ins: Option<u64>,
}

/// A workbook, a data source, or other content.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct ReportedObject {
    /// `workbook` or `data source`.
    pub kind: String,
    /// Its LUID.
    pub luid: String,
    /// Its name.
    pub name: String,
    /// The name of its owner, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// An object whose refreshes failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FailingObject {
    /// What failed.
    pub object: ReportedObject,
    /// How often.
    pub failures: u64,
    /// The class of the most frequent cause, such as `Credentials`; `None` if no cause is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

/// How often refreshes failed with a cause.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CauseFigures {
    /// The class of the cause, such as `Credentials`.
    pub cause: String,
    /// How often refreshes failed with it.
    pub failures: u64,
}

/// An incident that lasted long.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LongIncident {
    /// What failed.
    pub object: ReportedObject,
    /// When it first failed.
    pub since: Timestamp,
    /// How long it lasted, in seconds; of an open one, until the end of the week.
    pub seconds: u64,
    /// Whether it was open at the end of the week.
    pub is_open: bool,
}

/// A refresh that took long and succeeded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SlowRefresh {
    /// What was refreshed.
    pub object: ReportedObject,
    /// How long it took, in seconds.
    pub seconds: u64,
    /// When it ended.
    pub ended_at: Timestamp,
}

/// An object with many incidents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FlappingObject {
    /// What failed and recovered.
    pub object: ReportedObject,
    /// How many incidents opened.
    pub incidents: u64,
}

/// What an owner's content did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OwnerFigures {
    /// The owner's name.
    pub owner: String,
    /// How many refreshes of their content failed.
    pub failures: u64,
    /// How many of their objects failed.
    pub objects: u64,
}

/// The webhooks of the stack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WebhookFigures {
    /// How many are registered.
    pub registered: u64,
    /// How many of them are disabled.
    pub disabled: u64,
}

impl WeeklyReport {
    /// The week's last day, a Sunday.
    pub fn last_day(&self) -> Date {
        self.first_day.saturating_add(6.days())
    }

    /// The payload of the event [`EventName::WeeklyReport`] about this site, for a week that ended at `ended_at`. The same values give the
    /// same payload, and so the same event.
    pub fn payload(&self, site: &SiteLuid, site_name: &str, ended_at: Timestamp) -> Payload {
        let mut payload = Payload {
            resource: Some("SITE".to_owned()),
            event_type: Some(EventName::WeeklyReport.as_str().to_owned()),
            resource_name: Some(site_name.to_owned()),
            site_luid: Some(site.as_str().to_owned()),
            resource_luid: Some(site.as_str().to_owned()),
            created_at: Some(ended_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
            text: Some(format!("Report of the week from {} to {}", self.first_day, self.last_day())),
            ..Payload::default()
        };
        if let Ok(report) = serde_json::to_value(self) {
            payload.other.insert(KEY.to_owned(), report);
        }
        payload
    }

    /// The report in a payload; `None` for another event, and if the payload has none.
    pub(crate) fn of(name: &EventName, payload: &Payload) -> Option<Box<Self>> {
        if *name != EventName::WeeklyReport {
            return None;
        }
        Box::<Self>::deserialize(payload.other.get(KEY)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, Subject};
    use jiff::civil::date;
    use serde_json::json;

    fn object(name: &str) -> ReportedObject {
        let owner = Some("Bea Larsson".to_owned());
        ReportedObject { kind: "workbook".to_owned(), luid: "w-1".to_owned(), name: name.to_owned(), owner }
    }

    fn report() -> WeeklyReport {
        let at: Timestamp = "2026-11-25T04:10:00Z".parse().unwrap();
        WeeklyReport {
            first_day: date(2026, 11, 23),
            timezone: "Europe/Berlin".to_owned(),
            week: WeekFigures {
                events: 812,
                failed: 41,
                recovery_seconds: Some(5_400),
                ..WeekFigures::default()
            },
            week_before: Some(WeekFigures { sign_ins: Some(21), ..WeekFigures::default() }),
            failed_most: vec![FailingObject {
                object: object("Sales"),
                failures: 9,
                cause: Some("Credentials".to_owned()),
            }],
            causes: vec![CauseFigures { cause: "Credentials".to_owned(), failures: 12 }],
            longest_incidents: vec![LongIncident {
                object: object("Sales"),
                since: at,
                seconds: 90_000,
                is_open: true,
            }],
            slowest_refreshes: vec![SlowRefresh { object: object("Orders"), seconds: 7_200, ended_at: at }],
            flapping: vec![FlappingObject { object: object("Sales"), incidents: 5 }],
            owners: vec![OwnerFigures { owner: "Bea Larsson".to_owned(), failures: 9, objects: 1 }],
            without_owner: vec![ReportedObject { owner: None, ..object("Budget") }],
            owners_unknown: Some("Tableau does not answer".to_owned()),
            webhooks: Some(WebhookFigures { registered: 9, disabled: 1 }),
        }
    }

    fn payload(report: &WeeklyReport) -> Payload {
        report.payload(&"s-1".parse().unwrap(), "Marketing", "2026-11-29T23:00:00Z".parse().unwrap())
    }

    #[test]
    fn a_report_comes_back_from_its_event() {
        for report in [report(), WeeklyReport::default()] {
            let payload = Payload::parse(payload(&report).canonical_json().as_bytes()).unwrap();
            let event = Event::try_from(&payload).unwrap();
            assert_eq!(
                (event.name.as_str(), event.subject.clone()),
                ("WeeklyReport", Subject::Site("s-1".parse().unwrap()))
            );
            assert_eq!(event.resource_name.as_deref(), Some("Marketing"));
            assert_eq!(event.created_at, "2026-11-29T23:00:00Z".parse().ok());
            assert_eq!(event.report.as_deref(), Some(&report));
        }
        assert_eq!(report().last_day(), date(2026, 11, 29));
    }

    #[test]
    fn the_same_report_is_the_same_event() {
        let id = |report: &WeeklyReport| Event::try_from(&payload(report)).unwrap().id;
        assert_eq!(id(&report()), id(&report()));
        assert_ne!(id(&report()), id(&WeeklyReport::default()));
    }

    #[test]
    fn a_report_of_another_version_is_read_as_far_as_it_is_known_and_no_other_event_has_one() {
        let of = |name: &str, said: serde_json::Value| {
            let mut payload = Payload { event_type: Some(name.to_owned()), ..payload(&report()) };
            payload.other.insert(KEY.to_owned(), said);
            Event::try_from(&payload).unwrap().report
        };
        let later = json!({ "first_day": "2026-11-23", "week": { "events": 7, "moons": 1 }, "mood": "good" });
        let report = of("WeeklyReport", later.clone()).unwrap();
        assert_eq!((report.first_day, report.week.events), (date(2026, 11, 23), 7));
        assert_eq!(of("SiteUpdated", later), None);
        for broken in [json!("x"), json!({ "first_day": 7 }), json!({ "week": { "events": -1 } })] {
            assert_eq!(of("WeeklyReport", broken.clone()), None, "{broken}");
        }
    }
}
