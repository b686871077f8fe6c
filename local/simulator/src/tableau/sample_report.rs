//! A week of the sample site: the figures of a month's end. They are invented, and fit together.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use tableau::{
    CauseFigures, FailingObject, FlappingObject, LongIncident, OwnerFigures, ReportedObject, SlowRefresh,
    WebhookFigures, WeekFigures, WeeklyReport,
};

/// The time zone in which the days begin and end.
const TIMEZONE: &str = "Europe/Berlin";

/// An object of the sample site: kind, LUID, name and owner.
type Known = (&'static str, &'static str, &'static str, Option<&'static str>);

const LEDGER: Known =
    ("data source", "4cdd2055-930d-4eaf-94f4-733f3e7d1bfb", "General Ledger", Some("Jonas Weber"));
const CUSTOMERS: Known =
    ("data source", "5790f82e-c1d3-4cff-aa3a-f4d46b0a18e8", "Customer Master", Some("Priya Nair"));
const CLOSE: Known =
    ("workbook", "0fd630f1-f29d-4da9-953f-48f1a09f76b5", "Month-End Close", Some("Jonas Weber"));
const FORECAST: Known =
    ("workbook", "6b4cb242-4a23-4596-a217-beaddbc496cb", "Cash Flow Forecast", Some("Jonas Weber"));
const ORDERS: Known =
    ("data source", "c7a2ea20-b2f1-4c94-ae05-319acb5c7427", "Sales Orders", Some("Ana Ferreira"));
const COSTS: Known = ("workbook", "2f7c1b0a-95d4-4e1b-8a55-6c0d9f3be217", "Cost Centres", None);

/// The report of the last whole week before `at`.
pub(super) fn report(at: Timestamp) -> WeeklyReport {
    let zone = TimeZone::get(TIMEZONE).unwrap_or(TimeZone::UTC);
    let today = at.to_zoned(zone.clone()).date();
    let first_day = today.saturating_sub((i64::from(today.weekday().to_monday_zero_offset()) + 7).days());
    let moment = |day: i64, hour: i8, minute: i8| {
        let time = first_day.saturating_add(day.days()).at(hour, minute, 0, 0).to_zoned(zone.clone());
        time.map_or(at, |time| time.timestamp())
    };
    let failing = |of, failures, cause: &str| FailingObject {
        object: object(of),
        failures,
        cause: Some(cause.to_owned()),
    };
    let cause = |cause: &str, failures| CauseFigures { cause: cause.to_owned(), failures };
    let long = |of, since, seconds, is_open| LongIncident { object: object(of), since, seconds, is_open };
    let slow = |of, seconds, ended_at| SlowRefresh { object: object(of), seconds, ended_at };
    let flapping = |of, incidents| FlappingObject { object: object(of), incidents };
    let owner = |owner: &str, failures, objects| OwnerFigures { owner: owner.to_owned(), failures, objects };
    WeeklyReport {
        first_day,
        timezone: TIMEZONE.to_owned(),
        week: week(),
        week_before: Some(week_before()),
        failed_most: vec![
            failing(LEDGER, 11, "Credentials"),
            failing(CUSTOMERS, 9, "Bridge"),
            failing(CLOSE, 7, "TimeLimit"),
            failing(FORECAST, 4, "TimeLimit"),
            failing(COSTS, 3, "SourceMissing"),
        ],
        causes: vec![
            cause("Credentials", 12),
            cause("TimeLimit", 11),
            cause("Bridge", 9),
            cause("SourceMissing", 3),
            cause("Busy", 2),
        ],
        longest_incidents: vec![
            long(CUSTOMERS, moment(5, 18, 20), 106_800, true),
            long(LEDGER, moment(0, 2, 10), 26_700, false),
            long(CLOSE, moment(4, 4, 45), 18_600, false),
        ],
        slowest_refreshes: vec![
            slow(CLOSE, 10_020, moment(4, 6, 30)),
            slow(LEDGER, 7_080, moment(4, 3, 55)),
            slow(ORDERS, 4_320, moment(2, 5, 10)),
        ],
        flapping: vec![flapping(FORECAST, 4), flapping(CUSTOMERS, 3)],
        owners: vec![owner("Jonas Weber", 22, 3), owner("Priya Nair", 9, 1)],
        without_owner: vec![object(COSTS)],
        owners_unknown: None,
        webhooks: Some(WebhookFigures { registered: 9, disabled: 0 }),
    }
}

fn week() -> WeekFigures {
    WeekFigures {
        events: 1_274,
        failed: 41,
        succeeded: 598,
        opened: 17,
        resolved: 16,
        recovery_seconds: Some(6_900),
        messages: 58,
        messages_in_time: 57,
        message_p99_ms: Some(61_400),
        given_up: 1,
        webhook_outages: 1,
        sign_ins: Some(35),
    }
}

fn week_before() -> WeekFigures {
    WeekFigures {
        events: 1_190,
        failed: 23,
        succeeded: 604,
        opened: 11,
        resolved: 11,
        recovery_seconds: Some(4_500),
        messages: 41,
        messages_in_time: 41,
        message_p99_ms: Some(9_200),
        given_up: 0,
        webhook_outages: 0,
        sign_ins: Some(34),
    }
}

fn object((kind, luid, name, owner): Known) -> ReportedObject {
    ReportedObject {
        kind: kind.to_owned(),
        luid: luid.to_owned(),
        name: name.to_owned(),
        owner: owner.map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn the_figures_of_the_last_whole_week_fit_together() {
        for (at, first_day) in [
            ("2025-01-19T22:59:59Z", date(2025, 1, 6)),
            ("2025-01-19T23:00:00Z", date(2025, 1, 13)),
            ("2025-01-26T12:00:00Z", date(2025, 1, 13)),
        ] {
            assert_eq!(report(at.parse().unwrap()).first_day, first_day, "{at}");
        }
        let report = report("2025-01-19T23:00:00Z".parse().unwrap());
        let failed_most: u64 = report.failed_most.iter().map(|of| of.failures).sum();
        let causes: u64 = report.causes.iter().map(|of| of.failures).sum();
        let owners: u64 = report.owners.iter().map(|of| of.failures).sum();
        assert!(failed_most <= report.week.failed && causes <= report.week.failed && owners <= failed_most);
        assert!(report.failed_most.is_sorted_by(|a, b| a.failures >= b.failures));
        assert!(report.causes.is_sorted_by(|a, b| a.failures >= b.failures));
        assert!(report.longest_incidents.is_sorted_by(|a, b| a.seconds >= b.seconds));
        assert!(report.slowest_refreshes.is_sorted_by(|a, b| a.seconds >= b.seconds));
        // The open incident lasts until the end of the week.
        let open = &report.longest_incidents[0];
        assert_eq!(
            open.since.as_second() + 106_800,
            "2025-01-19T23:00:00Z".parse::<Timestamp>().unwrap().as_second()
        );
    }
}
