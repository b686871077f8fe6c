//! The export.

use crate::scene::{SITE, Scene, at, body};
use deliveries::End;
use history::{Kind, Start};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use testkit::simulator::Fault;

const FAILED: &str = "DatasourceRefreshFailed";
const SUCCEEDED: &str = "DatasourceRefreshSucceeded";

fn counts(answer: &Value) -> Vec<(&str, u64, u64, u64)> {
    let count = |day: &Value, of: &str| day[of].as_u64().unwrap();
    let days = answer["days"].as_array().unwrap().iter();
    days.map(|day| {
        (
            day["day"].as_str().unwrap(),
            count(day, "deliveries"),
            count(day, "events"),
            count(day, "incidents"),
        )
    })
    .filter(|(_, deliveries, events, incidents)| deliveries + events + incidents > 0)
    .collect()
}

fn exported() -> Start {
    Start::Export { through: None }
}

/// Two days: a failure that two workflows receive, and its recovery.
async fn two_days(scene: &Scene) {
    let failed = body(FAILED, "d-1", "2026-11-27T04:10:00Z");
    let slack = scene.receive("notify-slack", &failed, "2026-11-27T04:10:02.000Z").await;
    slack.ends(End::Done, "2026-11-27T04:10:05.500Z", Some("Credentials")).await;
    let teams = scene.receive("notify-teams", &failed, "2026-11-27T04:10:02.100Z").await;
    teams.ends(End::Skipped("no rule".to_owned()), "2026-11-27T04:10:03.000Z", None).await;
    let succeeded = body(SUCCEEDED, "d-1", "2026-11-28T05:00:00Z");
    let slack = scene.receive("notify-slack", &succeeded, "2026-11-28T05:00:02.000Z").await;
    slack.ends(End::Done, "2026-11-28T05:00:03.000Z", None).await;
}

#[tokio::test]
async fn each_day_is_three_files_with_all_that_the_records_say() {
    let scene = Scene::new().await;
    two_days(&scene).await;
    let answer = scene.run(exported(), "2026-11-29T02:00:00Z").await.unwrap();
    assert_eq!(counts(&answer), [("2026-11-27", 2, 1, 1), ("2026-11-28", 1, 1, 1)]);
    assert_eq!(
        (answer["days"].as_array().unwrap().len(), &answer["left"]),
        (29, &json!(0)),
        "a month, also days without events"
    );

    let deliveries = scene.rows(Kind::Deliveries, "2026-11-27");
    let slack = deliveries.iter().find(|row| row["workflow"] == "notify-slack").unwrap();
    assert_eq!(
        (
            &slack["outcome"],
            &slack["cause"],
            &slack["seconds_to_done"],
            &slack["attempts"],
            &slack["site_luid"]
        ),
        (&json!("done"), &json!("Credentials"), &json!(5.5), &json!(1), &json!(SITE))
    );
    let attempts: Value = serde_json::from_str(slack["attempts_json"].as_str().unwrap()).unwrap();
    assert_eq!((&attempts[0]["outcome"], attempts.as_array().unwrap().len()), (&json!("done"), 1));

    let events = scene.rows(Kind::Events, "2026-11-27");
    assert_eq!(
        (&events[0]["object_kind"], &events[0]["object_name"], &events[0]["cause"]),
        (&json!("data source"), &json!("Object d-1"), &json!("Credentials"))
    );
    assert_eq!(events[0]["received_at"], "2026-11-27T04:10:02Z", "by the first workflow");
    let payload: Value = serde_json::from_str(events[0]["payload"].as_str().unwrap()).unwrap();
    assert_eq!(payload["resource_luid"], "d-1");

    let open = &scene.rows(Kind::Incidents, "2026-11-27")[0];
    let ended = &scene.rows(Kind::Incidents, "2026-11-28")[0];
    assert_eq!(
        (&open["state"], &open["ended_at"], &open["cause"]),
        (&json!("open"), &Value::Null, &json!("Credentials"))
    );
    assert_eq!(
        (&ended["state"], &ended["how_ended"], &ended["lasted_seconds"]),
        (&json!("resolved"), &json!("recovered"), &json!(89_400))
    );
    assert_eq!(open["incident_id"], ended["incident_id"]);
    assert_eq!(scene.rows(Kind::Incidents, "2026-11-26"), Vec::<Value>::new());
}

#[tokio::test]
async fn a_day_is_written_again_only_if_a_record_of_it_has_changed() {
    let scene = Scene::new().await;
    let failed = body(FAILED, "d-1", "2026-11-27T04:10:00Z");
    let slack = scene.receive("notify-slack", &failed, "2026-11-27T04:10:02.000Z").await;
    slack.ends(End::Released("Slack is down".to_owned()), "2026-11-27T04:10:05.000Z", None).await;
    scene.run(exported(), "2026-11-28T00:30:00Z").await.unwrap();
    assert_eq!(scene.rows(Kind::Deliveries, "2026-11-27")[0]["outcome"], "released");
    let before = scene.environment.aws.calls("S3.PutObject");
    let again = scene.run(exported(), "2026-11-28T01:30:00Z").await.unwrap();
    assert_eq!((again["days"].as_array().unwrap().len(), &again["unchanged"]), (0, &json!(5)));
    assert_eq!(scene.environment.aws.calls("S3.PutObject"), before);

    let slack = scene.receive("notify-slack", &failed, "2026-11-28T01:40:00.000Z").await;
    slack.ends(End::Done, "2026-11-28T01:40:02.000Z", Some("Quota")).await;
    let again = scene.run(exported(), "2026-11-28T02:30:00Z").await.unwrap();
    assert_eq!(counts(&again), [("2026-11-27", 1, 1, 1)]);
    let row = &scene.rows(Kind::Deliveries, "2026-11-27")[0];
    assert_eq!((&row["outcome"], &row["attempts"]), (&json!("done"), &json!(2)));
    assert_eq!(scene.rows(Kind::Incidents, "2026-11-27")[0]["cause"], "Quota");
}

#[tokio::test]
async fn an_event_that_workflows_receive_on_both_sides_of_midnight_has_one_row() {
    let scene = Scene::new().await;
    let failed = body(FAILED, "d-1", "2026-11-26T23:59:58Z");
    let slack = scene.receive("notify-slack", &failed, "2026-11-26T23:59:59.990Z").await;
    slack.ends(End::Done, "2026-11-27T00:00:01.000Z", None).await;
    let teams = scene.receive("notify-teams", &failed, "2026-11-27T00:00:00.010Z").await;
    teams.ends(End::Done, "2026-11-27T00:00:01.000Z", None).await;
    let answer = scene.run(exported(), "2026-11-28T02:00:00Z").await.unwrap();
    assert_eq!(counts(&answer), [("2026-11-26", 1, 1, 1), ("2026-11-27", 1, 0, 1)]);
    assert_eq!(scene.rows(Kind::Incidents, "2026-11-27")[0]["failures"], 1);
}

#[tokio::test]
async fn an_owner_is_in_the_row_of_the_incident_and_one_that_tableau_does_not_say_is_null() {
    let scene = Scene::new().await;
    let source = scene.environment.tableau.datasource("Sales Orders").unwrap();
    let failed = body(FAILED, source.as_str(), "2026-11-27T04:10:00Z");
    scene
        .receive("notify-slack", &failed, "2026-11-27T04:10:02.000Z")
        .await
        .ends(End::Done, "2026-11-27T04:10:05.000Z", None)
        .await;
    let gone = body(FAILED, "00000000-0000-4000-8000-000000000000", "2026-11-27T04:10:00Z");
    scene
        .receive("notify-slack", &gone, "2026-11-27T04:10:02.000Z")
        .await
        .ends(End::Done, "2026-11-27T04:10:05.000Z", None)
        .await;
    scene.run(exported(), "2026-11-28T02:00:00Z").await.unwrap();
    let rows = scene.rows(Kind::Incidents, "2026-11-27");
    let of = |luid: &str| rows.iter().find(|row| row["object_luid"] == luid).unwrap();
    assert!(of(source.as_str())["owner_name"].is_string(), "{rows:?}");
    assert_eq!(of("00000000-0000-4000-8000-000000000000")["owner_name"], Value::Null);
}

#[tokio::test]
async fn a_tableau_that_is_down_costs_the_owners_and_not_the_export() {
    let scene = Scene::new().await;
    two_days(&scene).await;
    scene.environment.tableau.fail_always("*", Fault::Status(503));
    let answer = scene.run(exported(), "2026-11-29T02:00:00Z").await.unwrap();
    assert_eq!(counts(&answer).len(), 2);
    assert_eq!(scene.rows(Kind::Incidents, "2026-11-27")[0]["owner_name"], Value::Null);
}

#[tokio::test]
async fn an_incident_that_outlives_the_records_keeps_its_beginning() {
    let scene = Scene::new().await;
    let failed = body(FAILED, "d-1", "2026-10-20T04:10:00Z");
    scene
        .receive("notify-slack", &failed, "2026-10-20T04:10:02.000Z")
        .await
        .ends(End::Done, "2026-10-20T04:10:05.000Z", None)
        .await;
    scene.run(exported(), "2026-10-21T02:00:00Z").await.unwrap();
    scene.forget_deliveries().await;
    let after = body(SUCCEEDED, "d-1", "2026-11-03T04:10:00Z");
    scene
        .receive("notify-slack", &after, "2026-11-03T04:10:02.000Z")
        .await
        .ends(End::Done, "2026-11-03T04:10:05.000Z", None)
        .await;
    scene.run(exported(), "2026-11-04T02:00:00Z").await.unwrap();
    let row = &scene.rows(Kind::Incidents, "2026-11-03")[0];
    assert_eq!(
        (&row["opened_at"], &row["lasted_seconds"]),
        (&json!("2026-10-20T04:10:00Z"), &json!(14 * 86_400))
    );
}

#[tokio::test]
async fn a_run_without_time_says_what_is_left_and_the_next_one_goes_on() {
    let scene = Scene::new().await;
    two_days(&scene).await;
    let answer = scene.run_for(exported(), "2026-11-29T02:00:00Z", Duration::ZERO).await.unwrap();
    assert_eq!((answer["days"].as_array().unwrap().len(), &answer["left"]), (0, &json!(29)));
    let answer = scene.run(exported(), "2026-11-29T03:00:00Z").await.unwrap();
    assert_eq!((answer["days"].as_array().unwrap().len(), &answer["left"]), (29, &json!(0)));
}

#[tokio::test]
async fn today_is_exported_for_a_person_and_again_when_it_is_over() {
    let scene = Scene::new().await;
    two_days(&scene).await;
    let today = Start::Export { through: "2026-11-28".parse().ok() };
    let answer = scene.run(today, "2026-11-28T06:00:00Z").await.unwrap();
    assert_eq!(counts(&answer).len(), 2);
    let later = body(FAILED, "d-2", "2026-11-28T20:00:00Z");
    scene
        .receive("notify-slack", &later, "2026-11-28T20:00:02.000Z")
        .await
        .ends(End::Done, "2026-11-28T20:00:05.000Z", None)
        .await;
    let answer = scene.run(Start::Periodic, "2026-11-29T02:00:00Z").await.unwrap();
    assert_eq!(counts(&answer["export"]), [("2026-11-28", 2, 2, 2)]);
    let refused =
        scene.run(Start::Export { through: "2026-11-30".parse().ok() }, "2026-11-29T02:00:00Z").await;
    assert_eq!(refused.unwrap_err().to_string(), "the day 2026-11-30 is in the future");
}

#[tokio::test]
async fn a_quiet_day_that_a_person_exported_before_its_end_is_looked_at_once_more() {
    let scene = Scene::new().await;
    two_days(&scene).await;
    let today = Start::Export { through: "2026-11-28".parse().ok() };
    scene.run(today, "2026-11-28T12:00:00Z").await.unwrap();
    let answer = scene.run(Start::Periodic, "2026-11-29T00:30:00Z").await.unwrap();
    assert_eq!(answer["export"]["days"], json!([]), "it is as it was");
    let queries = scene.environment.aws.calls("DynamoDB.Query");
    scene.run(Start::Periodic, "2026-11-29T01:30:00Z").await.unwrap();
    assert_eq!(scene.environment.aws.calls("DynamoDB.Query"), queries);
}

#[tokio::test]
async fn more_events_than_one_request_reads_are_all_there() {
    let scene = Scene::new().await;
    let mut ids = BTreeSet::new();
    for n in 0..130 {
        let failed = body(FAILED, &format!("d-{n}"), "2026-11-27T04:10:00Z");
        let time = format!("2026-11-27T04:10:02.{n:03}Z");
        scene
            .receive("notify-slack", &failed, &time)
            .await
            .ends(End::Done, "2026-11-27T04:10:05.000Z", None)
            .await;
        ids.insert(format!("d-{n}"));
    }
    let answer = scene.run(exported(), "2026-11-28T02:00:00Z").await.unwrap();
    assert_eq!(counts(&answer), [("2026-11-27", 130, 130, 130)]);
    let rows = scene.rows(Kind::Events, "2026-11-27");
    assert_eq!(
        rows.iter().map(|row| row["object_luid"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>(),
        ids
    );
    assert!(
        rows.is_sorted_by_key(|row| at(row["received_at"].as_str().unwrap())),
        "in the order in which they came"
    );
}

#[tokio::test]
async fn a_bucket_that_refuses_is_named_and_nothing_counts_as_exported() {
    let scene = Scene::new().await;
    two_days(&scene).await;
    scene.environment.aws.create_foreign_bucket(crate::scene::BUCKET);
    let error = scene.run(exported(), "2026-11-29T02:00:00Z").await.unwrap_err().to_string();
    assert!(error.contains("in the bucket") && error.contains("AccessDenied"), "{error}");
    scene.environment.aws.create_bucket(crate::scene::BUCKET);
    let answer = scene.run(exported(), "2026-11-29T03:00:00Z").await.unwrap();
    assert_eq!(answer["days"].as_array().unwrap().len(), 29);
}

#[tokio::test]
async fn a_changed_day_changes_the_days_after_it_also_if_the_run_ends_in_between() {
    let scene = Scene::new().await;
    let failed = body(FAILED, "d-1", "2026-11-25T04:10:00Z");
    scene
        .receive("notify-slack", &failed, "2026-11-25T04:10:02.000Z")
        .await
        .ends(End::Done, "2026-11-25T04:10:05.000Z", None)
        .await;
    scene.run(exported(), "2026-11-28T02:00:00Z").await.unwrap();
    let state =
        |scene: &Scene, day: &str| scene.rows(Kind::Incidents, day).first().map(|row| row["state"].clone());
    assert_eq!(state(&scene, "2026-11-27"), Some(json!("open")));
    // A workflow that was behind brings the recovery of the same day.
    let succeeded = body(SUCCEEDED, "d-1", "2026-11-25T05:10:00Z");
    scene
        .receive("notify-slack", &succeeded, "2026-11-25T05:10:02.000Z")
        .await
        .ends(End::Done, "2026-11-28T03:00:00.000Z", None)
        .await;
    // The bucket refuses what comes after the first day: three files and what the next day needs.
    let puts = scene.environment.aws.calls("S3.PutObject");
    scene.environment.aws.fail_after("S3.PutObject", puts + 4);
    assert!(scene.run(exported(), "2026-11-28T04:00:00Z").await.is_err());
    scene.environment.aws.clear_faults();
    assert_eq!(state(&scene, "2026-11-25"), Some(json!("resolved")));
    assert_eq!(state(&scene, "2026-11-27"), Some(json!("open")), "not yet");
    scene.run(Start::Periodic, "2026-11-28T05:00:00Z").await.unwrap();
    assert_eq!((state(&scene, "2026-11-26"), state(&scene, "2026-11-27")), (None, None));
}

#[tokio::test]
async fn another_bucket_gets_all_days_that_there_are() {
    let scene = Scene::new().await;
    two_days(&scene).await;
    scene.run(exported(), "2026-11-29T02:00:00Z").await.unwrap();
    scene.environment.aws.create_bucket("other");
    let mut function = scene.function();
    function.files = Some(scene.files("other"));
    let answer = function.handle(&exported(), at("2026-11-29T03:00:00Z"), scene.soon()).await.unwrap();
    let answer = serde_json::to_value(answer).unwrap();
    assert_eq!((answer["days"].as_array().unwrap().len(), counts(&answer).len()), (29, 2));
}

#[tokio::test]
async fn an_owner_who_was_erased_is_not_named_again() {
    let scene = Scene::new().await;
    let source = scene.environment.tableau.datasource("Sales Orders").unwrap();
    let failed = body(FAILED, source.as_str(), "2026-11-27T04:10:00Z");
    scene
        .receive("notify-slack", &failed, "2026-11-27T04:10:02.000Z")
        .await
        .ends(End::Done, "2026-11-27T04:10:05.000Z", None)
        .await;
    scene.run(exported(), "2026-11-28T02:00:00Z").await.unwrap();
    let owner = scene.rows(Kind::Incidents, "2026-11-27")[0]["owner_email"].as_str().unwrap().to_owned();
    let erase = |erased: &mut history::ErasedPeople| erased.add(&owner);
    scene
        .function()
        .documents
        .change(history::ErasedPeople::KEY, at("2026-11-28T03:00:00Z"), erase)
        .await
        .unwrap();
    scene.run(exported(), "2026-11-29T02:00:00Z").await.unwrap();
    let row = &scene.rows(Kind::Incidents, "2026-11-28")[0];
    assert_eq!((&row["owner_name"], &row["owner_email"]), (&Value::Null, &Value::Null));
}
