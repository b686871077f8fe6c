use super::*;
use deliveries::{Content, DeliveryKey, Entry, EventFacts};
use jiff::tz::TimeZone;
use serde_json::json;

fn at(text: &str) -> Timestamp {
    format!("2026-11-{text}Z").parse().unwrap()
}

/// Events of the tests: the week of 23 to 29 November 2026 in UTC, and the one before.
struct Scene(Tally);

impl Scene {
    fn new() -> Self {
        let week = Week::of("2026-11-25".parse().unwrap(), TimeZone::UTC);
        Self(Tally::new("s".to_owned(), week))
    }

    /// An event that `notify-slack` handled so many seconds later.
    fn event(&mut self, name: &str, luid: &str, time: &str, change: impl Fn(&mut Record)) -> &mut Self {
        let payload = json!({
            "event_type": name, "resource_luid": luid, "resource_name": format!("Workbook {luid}"),
            "site_luid": "s", "created_at": at(time).to_string(),
        });
        self.body(&payload.to_string(), time, change)
    }

    fn body(&mut self, body: &str, time: &str, change: impl Fn(&mut Record)) -> &mut Self {
        let content = Content::received(body.as_bytes());
        let mut record = Record {
            key: Some(DeliveryKey::new("notify-slack", content.event_id())),
            workflow: "notify-slack".to_owned(),
            event: EventFacts::from(&content),
            first_seen_at: Some(at(time)),
            state: Some(State::Skipped),
            ..Record::default()
        };
        change(&mut record);
        let happened = Happened::of(&record).unwrap();
        self.0.record(&record, &happened);
        self.0.event(&happened);
        if has_more(&record, &happened) {
            self.0.details(&EventRecords { happened, records: vec![record] });
        }
        self
    }

    fn failed(&mut self, luid: &str, time: &str, cause: &'static str) -> &mut Self {
        self.event("WorkbookRefreshFailed", luid, time, |record| record.cause = cause.to_owned())
    }

    fn succeeded(&mut self, luid: &str, time: &str) -> &mut Self {
        self.event("WorkbookRefreshSucceeded", luid, time, |_| {})
    }

    fn started(&mut self, luid: &str, time: &str) -> &mut Self {
        self.event("WorkbookRefreshStarted", luid, time, |_| {})
    }

    async fn report(self) -> WeeklyReport {
        self.report_at("30T06:00:00").await
    }

    async fn report_at(self, now: &str) -> WeeklyReport {
        let not_asked = Err("Tableau is not asked".to_owned());
        let mut owners = Owners::new(not_asked, crate::ErasedPeople::default(), Owners::deadline());
        self.0.finish(&mut owners, at(now)).await
    }
}

fn names(objects: impl IntoIterator<Item = ReportedObject>) -> Vec<String> {
    objects.into_iter().map(|object| object.name).collect()
}

#[tokio::test]
async fn the_week_and_the_week_before_are_counted_apart() {
    let mut scene = Scene::new();
    scene.succeeded("old", "15T04:00:00");
    scene.failed("a", "17T04:00:00", "Quota").succeeded("a", "17T06:00:00");
    scene.failed("a", "24T04:00:00", "Credentials").failed("a", "24T05:00:00", "Credentials");
    scene.failed("b", "24T04:00:00", "").succeeded("a", "24T07:00:00").succeeded("b", "24T05:00:00");
    scene.failed("c", "28T04:00:00", "Quota").event("WorkbookUpdated", "c", "28T05:00:00", |_| {});
    let report = scene.report().await;
    assert_eq!((report.first_day.to_string().as_str(), report.timezone.as_str()), ("2026-11-23", "UTC"));
    let week = &report.week;
    assert_eq!((week.events, week.failed, week.succeeded, week.opened, week.resolved), (7, 4, 2, 3, 2));
    assert_eq!(week.recovery_seconds, Some(7_200), "the mean of three hours and one");
    let before = report.week_before.unwrap();
    assert_eq!(
        (before.events, before.failed, before.resolved, before.recovery_seconds),
        (2, 1, 1, Some(7_200))
    );
    let most: Vec<_> = report
        .failed_most
        .iter()
        .map(|of| (of.object.luid.as_str(), of.failures, of.cause.as_deref()))
        .collect();
    assert_eq!(most, [("a", 2, Some("Credentials")), ("b", 1, None), ("c", 1, Some("Quota"))]);
    let causes: Vec<_> = report.causes.iter().map(|of| (of.cause.as_str(), of.failures)).collect();
    assert_eq!(causes, [("Credentials", 2), ("Quota", 1)]);
    let longest: Vec<_> =
        report.longest_incidents.iter().map(|of| (of.object.luid.as_str(), of.seconds, of.is_open)).collect();
    assert_eq!(
        longest,
        [("c", 158_400, true), ("a", 10_800, false), ("b", 3_600, false)],
        "an open one lasts until the week ends"
    );
    assert_eq!(report.owners_unknown.as_deref(), Some("Tableau is not asked"));
}

#[tokio::test]
async fn an_incident_from_before_the_two_weeks_ends_in_the_week_and_its_length_counts() {
    let mut scene = Scene::new();
    scene.failed("a", "02T04:00:00", "").succeeded("a", "24T04:00:00");
    let report = scene.report().await;
    assert_eq!((report.week.opened, report.week.resolved), (0, 1));
    assert_eq!(report.longest_incidents[0].seconds, 22 * 86_400);
    assert_eq!(
        report.week_before.unwrap(),
        WeekFigures::default(),
        "the history reaches back, and nothing happened"
    );
    let mut scene = Scene::new();
    scene.failed("a", "24T04:00:00", "");
    assert_eq!(scene.report().await.week_before, None, "the history begins in the week");
}

#[tokio::test]
async fn in_a_week_that_is_not_over_an_open_incident_has_lasted_until_now() {
    let mut scene = Scene::new();
    scene.failed("a", "24T04:00:00", "");
    assert_eq!(scene.report_at("24T05:00:00").await.longest_incidents[0].seconds, 3_600);
}

#[tokio::test]
async fn an_object_that_was_renamed_is_one_object_with_its_last_name() {
    let mut scene = Scene::new();
    scene.failed("a", "24T04:00:00", "Quota");
    let renamed =
        r#"{"event_type":"WorkbookRefreshFailed","resource_luid":"a","resource_name":"New","site_luid":"s"}"#;
    scene.body(renamed, "25T04:00:00", |record| record.cause = "Quota".to_owned());
    let report = scene.report().await;
    let most = &report.failed_most[0];
    assert_eq!((most.failures, most.object.name.as_str(), report.failed_most.len()), (2, "New", 1));
    assert_eq!(report.causes[0].failures, 2);
}

#[tokio::test]
async fn slow_refreshes_are_from_their_start_to_their_own_success() {
    let mut scene = Scene::new();
    scene.started("a", "24T04:00:00").succeeded("a", "24T06:00:00");
    scene.started("b", "24T04:00:00").failed("b", "24T09:00:00", "").succeeded("b", "24T10:00:00");
    scene.started("c", "23T04:00:00").succeeded("c", "24T05:00:00");
    scene.succeeded("d", "24T05:00:00");
    for n in 0..6 {
        scene.started(&format!("e{n}"), "24T04:00:00").succeeded(&format!("e{n}"), &format!("24T04:0{n}:00"));
    }
    let report = scene.report().await;
    let slowest: Vec<_> =
        report.slowest_refreshes.iter().map(|of| (of.object.luid.as_str(), of.seconds)).collect();
    assert_eq!(slowest, [("a", 7_200), ("e5", 300), ("e4", 240), ("e3", 180), ("e2", 120)]);
}

#[tokio::test]
async fn a_refresh_over_the_beginning_of_the_week_is_one_of_this_week() {
    let mut scene = Scene::new();
    scene.started("a", "22T22:00:00").succeeded("a", "23T03:00:00");
    scene.started("b", "21T22:00:00").succeeded("b", "22T03:00:00");
    let report = scene.report().await;
    let slowest: Vec<_> =
        report.slowest_refreshes.iter().map(|of| (of.object.luid.as_str(), of.seconds)).collect();
    assert_eq!(slowest, [("a", 18_000)]);
}

#[tokio::test]
async fn events_after_the_week_change_nothing() {
    let mut scene = Scene::new();
    scene.failed("a", "29T22:00:00", "").succeeded("a", "30T01:00:00").failed("b", "30T02:00:00", "");
    let report = scene.report().await;
    assert_eq!((report.week.opened, report.week.resolved, report.longest_incidents.len()), (1, 0, 1));
    assert!(report.longest_incidents[0].is_open);
}

#[tokio::test]
async fn an_object_with_four_incidents_within_a_day_flaps() {
    let mut scene = Scene::new();
    for hour in 0..4 {
        scene.failed("a", &format!("24T0{hour}:00:00"), "").succeeded("a", &format!("24T0{hour}:30:00"));
    }
    for hour in 0..3 {
        scene.failed("b", &format!("24T0{hour}:00:00"), "").succeeded("b", &format!("24T0{hour}:30:00"));
    }
    for day in 24..29 {
        scene.failed("c", &format!("{day}T00:00:00"), "").succeeded("c", &format!("{day}T01:00:00"));
    }
    let report = scene.report().await;
    assert_eq!(names(report.flapping.into_iter().map(|of| of.object)), ["Workbook a"]);
}

fn done_after(seconds: i64) -> impl Fn(&mut Record) {
    move |record: &mut Record| {
        let end = record.first_seen_at.unwrap().checked_add(SignedDuration::from_secs(seconds)).ok();
        record.state = Some(State::Done);
        record.history = vec![Entry {
            attempt: 1,
            began_at: None,
            ended_at: end,
            outcome: Some(State::Done),
            reason: String::new(),
            next_at: None,
        }];
    }
}

#[tokio::test]
async fn the_objective_counts_messages_and_neither_other_work_nor_deliberate_delays() {
    let week = messages().report().await.week;
    assert_eq!((week.messages, week.messages_in_time, week.message_p99_ms), (10, 7, Some(90_000)));
    assert_eq!(week.given_up, 0);
}

#[tokio::test]
async fn a_message_that_was_never_sent_is_late_also_when_a_person_has_dropped_it() {
    let mut scene = messages();
    for (luid, state) in [("dead", State::Failed), ("dropped", State::Dropped)] {
        scene.event("WorkbookUpdated", luid, "24T05:00:00", |record| record.state = Some(state.clone()));
    }
    let week = scene.report().await.week;
    assert_eq!((week.messages, week.messages_in_time, week.message_p99_ms), (12, 7, None));
    assert_eq!(week.given_up, 2);
}

/// Ten messages, and what does not count.
fn messages() -> Scene {
    let mut scene = Scene::new();
    for minute in 0..10 {
        scene.event(
            "WorkbookUpdated",
            &minute.to_string(),
            &format!("24T04:0{minute}:00"),
            done_after(minute * 10),
        );
    }
    scene.event("WorkbookUpdated", "pdf", "24T05:00:00", |record| {
        done_after(600)(record);
        record.workflow = "publish-pdf".to_owned();
    });
    scene.failed("grouped", "24T05:00:00", "");
    scene.event("WorkbookUpdated", "quiet", "24T05:00:00", |record| {
        done_after(30_000)(record);
        record.deferrals = 1;
    });
    scene
}

#[tokio::test]
async fn an_outage_counts_once_though_its_beginning_and_its_end_are_announced() {
    let mut scene = Scene::new();
    let mut disabled = tableau::DisabledWebhook {
        webhook: "w-1".parse().unwrap(),
        name: "w".to_owned(),
        event: tableau::EventName::WorkbookRefreshFailed,
        owner: None,
        reason: String::new(),
        last_enabled: None,
        found: at("24T04:00:00"),
        enabled_again: None,
        note: String::new(),
    };
    let site = "s".parse().unwrap();
    scene.body(&disabled.payload(&site).canonical_json(), "24T04:00:00", |_| {});
    disabled.enabled_again = Some(at("24T05:00:00"));
    scene.body(&disabled.payload(&site).canonical_json(), "24T05:00:00", |_| {});
    assert_eq!(scene.report().await.week.webhook_outages, 1);
}

#[tokio::test]
async fn events_of_another_site_and_repeated_ones_do_not_count() {
    let mut scene = Scene::new();
    scene.failed("a", "24T04:00:00", "").failed("a", "24T04:00:00", "");
    scene.body(
        r#"{"event_type":"WorkbookRefreshFailed","resource_luid":"b","site_luid":"t"}"#,
        "24T04:00:00",
        |_| {},
    );
    let report = scene.report().await;
    assert_eq!((report.week.events, report.week.failed, report.failed_most.len()), (1, 1, 1));
}

#[tokio::test]
async fn the_same_event_at_a_workflow_that_is_behind_does_not_count_again_and_the_case_of_a_site_is_no_difference()
 {
    let mut scene = Scene::new();
    let body = r#"{"event_type":"WorkbookRefreshFailed","resource_luid":"b","site_luid":"S"}"#;
    scene.body(body, "24T23:50:00", |_| {});
    scene.0.end_day();
    scene.body(body, "25T20:00:00", |record| record.workflow = "notify-teams".to_owned());
    scene.0.end_day();
    let report = scene.report().await;
    assert_eq!((report.week.events, report.week.failed), (1, 1));
}

#[test]
fn a_percentile_is_a_value_that_was_measured() {
    assert_eq!(percentile(&[], 0, 99), None);
    assert_eq!(percentile(&[7], 1, 99), Some(7));
    let hundred: Vec<u32> = (1..=100).collect();
    assert_eq!((percentile(&hundred, 100, 99), percentile(&hundred, 100, 50)), (Some(99), Some(50)));
    let many: Vec<u32> = (1..=200).collect();
    assert_eq!(percentile(&many, 200, 99), Some(198));
}
