//! The weekly report.

use crate::scene::{SITE, Scene, body};
use deliveries::End;
use history::Start;
use serde_json::json;
use tableau::{Event, WeeklyReport};
use testkit::simulator::Fault;

const MONDAY: &str = "2026-11-30T05:30:00Z";

async fn a_week(scene: &Scene) {
    let source = scene.environment.tableau.datasource("Sales Orders").unwrap();
    // From before the two weeks, so that the week before is whole.
    let old = body("WorkbookUpdated", "w-1", "2026-11-02T04:10:00Z");
    scene
        .receive("notify-slack", &old, "2026-11-02T04:10:02.000Z")
        .await
        .ends(End::Done, "2026-11-02T04:10:12.000Z", None)
        .await;
    for (day, luid) in
        [("2026-11-17", "d-0"), ("2026-11-24", source.as_str()), ("2026-11-25", source.as_str())]
    {
        let failed = body("DatasourceRefreshFailed", luid, &format!("{day}T04:10:00Z"));
        let slack = scene.receive("notify-slack", &failed, &format!("{day}T04:10:02.000Z")).await;
        slack.ends(End::Done, &format!("{day}T04:10:12.000Z"), Some("Credentials")).await;
        let succeeded = body("DatasourceRefreshSucceeded", luid, &format!("{day}T06:10:00Z"));
        let slack = scene.receive("notify-slack", &succeeded, &format!("{day}T06:10:02.000Z")).await;
        slack.ends(End::Done, &format!("{day}T06:10:04.000Z"), None).await;
    }
}

fn reports(scene: &Scene) -> Vec<Event> {
    let sent = scene.bus.sent.lock().unwrap();
    sent.iter().map(|payload| Event::try_from(payload).unwrap()).collect()
}

fn report(scene: &Scene) -> WeeklyReport {
    *reports(scene).pop().unwrap().report.unwrap()
}

#[tokio::test]
async fn the_report_of_a_week_is_sent_on_monday_morning_and_once() {
    let scene = Scene::new().await;
    a_week(&scene).await;
    let early = scene.run(Start::Periodic, "2026-11-30T04:30:00Z").await.unwrap();
    assert_eq!(early["sent"], 0, "at half past five in Berlin");
    let answer = scene.run(Start::Periodic, MONDAY).await.unwrap();
    assert_eq!(answer["sent"], 1);
    assert_eq!(scene.run(Start::Periodic, "2026-11-30T06:30:00Z").await.unwrap()["sent"], 0);
    let all = reports(&scene);
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].site.as_str(), all[0].resource_name.as_deref()), (SITE, Some("Marketing")));
    assert_eq!(all[0].created_at.unwrap().to_string(), "2026-11-29T23:00:00Z", "when the week has ended");
    let report = report(&scene);
    assert_eq!(
        (report.first_day.to_string().as_str(), report.timezone.as_str()),
        ("2026-11-23", "Europe/Berlin")
    );
    let week = &report.week;
    assert_eq!((week.events, week.failed, week.succeeded, week.opened, week.resolved), (4, 2, 2, 2, 2));
    assert_eq!((week.messages, week.messages_in_time, week.message_p99_ms), (4, 4, Some(12_000)));
    assert_eq!(week.recovery_seconds, Some(7_200));
    assert_eq!(report.week_before.as_ref().unwrap().failed, 1);
    assert_eq!(report.owners[0].failures, 2);
    assert_eq!(report.failed_most[0].object.owner.as_deref(), Some(report.owners[0].owner.as_str()));
    assert_eq!((report.owners_unknown.as_deref(), report.webhooks), (None, None));
}

#[tokio::test]
async fn a_bus_that_does_not_confirm_gets_the_same_event_again() {
    let scene = Scene::new().await;
    a_week(&scene).await;
    *scene.bus.is_down.lock().unwrap() = true;
    let error = scene.run(Start::Periodic, MONDAY).await.unwrap_err();
    assert_eq!(error.to_string(), "the bus is down");
    *scene.bus.is_down.lock().unwrap() = false;
    // A late event of the week would change the report.
    let late = body("DatasourceRefreshFailed", "d-9", "2026-11-29T22:00:00Z");
    scene
        .receive("notify-slack", &late, "2026-11-29T22:59:00.000Z")
        .await
        .ends(End::Done, "2026-11-30T05:40:00.000Z", None)
        .await;
    assert_eq!(scene.run(Start::Periodic, "2026-11-30T06:30:00Z").await.unwrap()["sent"], 1);
    let all = reports(&scene);
    assert_eq!((all.len(), &all[0].id), (2, &all[1].id));
    assert_eq!(scene.run(Start::Periodic, "2026-11-30T07:30:00Z").await.unwrap()["sent"], 0);
}

#[tokio::test]
async fn a_bucket_that_refuses_does_not_hold_back_the_report() {
    let scene = Scene::new().await;
    a_week(&scene).await;
    scene.environment.aws.create_foreign_bucket(crate::scene::BUCKET);
    assert!(scene.run(Start::Periodic, MONDAY).await.is_err(), "the export failed");
    assert_eq!(reports(&scene).len(), 1);
}

#[tokio::test]
async fn two_runs_at_once_send_one_event() {
    let scene = Scene::new().await;
    a_week(&scene).await;
    let runs = tokio::join!(scene.run(Start::Periodic, MONDAY), scene.run(Start::Periodic, MONDAY));
    assert!(runs.0.is_ok() && runs.1.is_ok());
    let all = reports(&scene);
    assert!(all.iter().all(|event| event.id == all[0].id) && !all.is_empty());
}

#[tokio::test]
async fn an_idle_hour_of_another_day_does_not_sign_in() {
    let scene = Scene::new().await;
    scene
        .environment
        .write_rules("rules: [{ name: x, on: [WeeklyReport], do: [{ notify-slack: { channel: c } }] }]\n");
    // The first run exports days without incidents, the second one nothing.
    scene.run(Start::Periodic, "2026-12-04T12:00:00Z").await.unwrap();
    scene.run(Start::Periodic, "2026-12-04T13:00:00Z").await.unwrap();
    assert_eq!(scene.environment.tableau.calls("*"), 0);
}

#[tokio::test]
async fn sign_ins_are_counted_between_the_ends_of_the_week() {
    let scene = Scene::new().await;
    // Reports ask for owners, so that each needs a session.
    a_week(&scene).await;
    // The first session; each run on a new day counts the sessions before it.
    scene.run(Start::Report { week: None }, MONDAY).await.unwrap();
    scene.run(Start::Periodic, "2026-11-23T00:10:00Z").await.unwrap();
    for _ in 0..3 {
        scene.environment.tableau.end_sessions();
        scene.run(Start::Report { week: None }, MONDAY).await.unwrap();
    }
    scene.run(Start::Periodic, "2026-11-30T00:10:00Z").await.unwrap();
    let answer = scene.run(Start::Report { week: None }, MONDAY).await.unwrap();
    assert_eq!(answer["reports"][0]["report"]["week"]["sign_ins"], json!(3), "{answer}");
}

#[tokio::test]
async fn a_person_gets_the_report_of_any_week_and_no_event_is_sent() {
    let scene = Scene::new().await;
    a_week(&scene).await;
    let answer = scene.run(Start::Report { week: "2026-11-18".parse().ok() }, MONDAY).await.unwrap();
    let report = &answer["reports"][0];
    assert_eq!((&report["site"], &report["name"]), (&json!(SITE), &json!("Marketing")));
    assert_eq!(
        (&report["report"]["first_day"], &report["report"]["week"]["failed"]),
        (&json!("2026-11-16"), &json!(1))
    );
    assert_eq!(report["report"]["week_before"]["failed"], 0);
    for (week, part) in
        [("2026-12-10", "is in the future"), ("2026-10-20", "delivery records are kept for 30 days")]
    {
        let refused =
            scene.run(Start::Report { week: week.parse().ok() }, MONDAY).await.unwrap_err().to_string();
        assert!(refused.contains(part), "{refused}");
    }
    assert!(reports(&scene).is_empty());
}

#[tokio::test]
async fn without_sites_in_the_rules_the_report_is_of_the_site_of_the_credential_in_utc() {
    let scene = Scene::new().await;
    scene
        .environment
        .write_rules("rules: [{ name: x, on: [WeeklyReport], do: [{ notify-slack: { channel: c } }] }]\n");
    a_week(&scene).await;
    let answer = scene.run(Start::Report { week: None }, MONDAY).await.unwrap();
    let report = &answer["reports"][0];
    assert_eq!((&report["site"], &report["name"]), (&json!(SITE), &json!("marketing")));
    assert_eq!(
        (&report["report"]["timezone"], &report["report"]["week"]["failed"]),
        (&json!("UTC"), &json!(2))
    );
}

#[tokio::test]
async fn an_owner_who_may_not_be_seen_is_not_one_who_is_gone() {
    for (refusal, without_owner, is_known) in [("403004", 0, false), ("404002", 1, true)] {
        let scene = Scene::new().await;
        a_week(&scene).await;
        scene.environment.tableau.fail_always("GET /sites/*/users/*", Fault::Error(refusal));
        scene.run(Start::Periodic, MONDAY).await.unwrap();
        let report = report(&scene);
        assert_eq!(report.without_owner.len(), without_owner, "{refusal}");
        assert_eq!(report.owners_unknown.is_none(), is_known, "{refusal}: {:?}", report.owners_unknown);
    }
}

#[tokio::test]
async fn owners_of_another_site_are_not_asked_for() {
    let scene = Scene::new().await;
    let other = crate::scene::RULES.replace(SITE, "00000000-0000-4000-8000-000000000000");
    scene.environment.write_rules(&other);
    let answer = scene.run(Start::Report { week: None }, MONDAY).await.unwrap();
    assert_eq!(answer["reports"][0]["report"]["week"]["events"], 0);
    let failed = body("DatasourceRefreshFailed", "d", "2026-11-24T04:10:00Z")
        .replace(SITE, "00000000-0000-4000-8000-000000000000");
    scene
        .receive("notify-slack", &failed, "2026-11-24T04:10:02.000Z")
        .await
        .ends(End::Done, "2026-11-24T04:10:12.000Z", None)
        .await;
    let answer = scene.run(Start::Report { week: None }, MONDAY).await.unwrap();
    assert_eq!(answer["reports"][0]["report"]["owners_unknown"], "the stack's credential is of another site");
}
