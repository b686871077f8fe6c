//! The queue in front of Tableau's limits.

use crate::stage::{NO_RULES, Stage, everything, of_datasource};
use serde_json::json;
use std::time::Duration;
use testkit::simulator::{Datasource, Fault, TableauSimulator};

async fn many(
    limits: &[(&str, &str)],
    tableau: testkit::simulator::TableauBuilder,
) -> (Stage, Vec<String>, String) {
    let stage = Stage::with(NO_RULES, tableau, limits).await;
    let luids = (0..4)
        .map(|n| {
            stage.tableau().add(Datasource::named(&format!("Orders {n}")).in_project("Finance")).to_string()
        })
        .collect();
    let key = stage.key("one", everything()).await;
    (stage, luids, key)
}

#[tokio::test]
async fn refreshes_wait_for_those_that_run_and_the_status_says_so() {
    let (stage, luids, key) = many(&[("REFRESHES_AT_ONCE", "2")], TableauSimulator::sample()).await;
    let mut ids = Vec::new();
    for luid in &luids {
        ids.push(stage.accepted(&key, &of_datasource(luid)).await["id"].clone());
    }

    assert_eq!(stage.starts(), 2);
    let third = stage.get(&key, &ids[2]).await;
    let fourth = stage.get(&key, &ids[3]).await;
    assert_eq!(third["waits_for"], "one of 2 refreshes that run to end", "{third}");
    let behind = "1 refresh before it in the queue, and for one of 2 refreshes that run to end";
    assert_eq!((&fourth["waits_for"], &fourth["status"]), (&json!(behind), &json!("queued")));

    stage.tableau().succeed_refresh(&luids[0]).unwrap();
    stage.event("DatasourceRefreshSucceeded", &luids[0]).await;
    assert_eq!(stage.starts(), 3, "the end of one starts the next: {}", stage.log());
    assert_eq!(stage.get(&key, &ids[2]).await["waits_for"], "a free worker of Tableau");
}

#[tokio::test]
async fn the_hourly_limit_is_kept_and_the_status_says_when_the_next_may_start() {
    let (stage, luids, key) = many(&[("REFRESHES_PER_HOUR", "2")], TableauSimulator::sample()).await;
    let mut last = json!(null);
    for luid in &luids {
        last = stage.accepted(&key, &of_datasource(luid)).await;
    }
    assert_eq!(stage.starts(), 2);
    let why = last["waits_for"].as_str().unwrap();
    assert!(why.contains("1 refresh before it in the queue, and for the hourly limit: 2 refreshes"), "{why}");
    assert!(why.contains("the next may from 20"), "{why}");
    for luid in &luids[..2] {
        stage.tableau().succeed_refresh(luid).unwrap();
        stage.event("DatasourceRefreshSucceeded", luid).await;
    }
    assert_eq!(stage.starts(), 2, "ends do not give the quota back");

    // An hour later, as the lane sees it.
    stage.environment.change_documents("refresh-lane", |lane| {
        let earlier = jiff::Timestamp::now().as_second() - 3_700;
        lane["starts"] = json!([earlier, earlier]);
    });
    stage.accepted(&key, &of_datasource(&luids[0])).await;
    assert_eq!(stage.starts(), 4);
}

#[tokio::test]
async fn tableaus_own_limit_pauses_the_lane_for_as_long_as_it_asks() {
    let quota = TableauSimulator::sample().refreshes_per_hour(1);
    let (stage, luids, key) = many(&[], quota).await;
    stage.accepted(&key, &of_datasource(&luids[0])).await;
    let waiting = stage.accepted(&key, &of_datasource(&luids[1])).await;
    assert_eq!(waiting["status"], "queued");
    assert_eq!(waiting["waits_for"], "Tableau's limit of refreshes, which was reached", "{waiting}");
    let next = stage.accepted(&key, &of_datasource(&luids[2])).await;
    assert!(next["waits_for"].as_str().unwrap().starts_with("1 refresh before it"), "{next}");
    assert_eq!(stage.starts(), 2, "the third does not even ask");
    let pause = lane_pause(&stage);
    assert!((3_300..=3_660).contains(&pause), "{pause} s");
}

#[tokio::test]
async fn a_limit_without_a_time_pauses_with_growing_gaps_and_with_retry_after_as_it_says() {
    let (stage, luids, key) = many(&[], TableauSimulator::sample()).await;
    let fault = Fault::TooManyRequests { retry_after: Some(120) };
    stage.tableau().fail_always("POST */refresh", fault);
    stage.accepted(&key, &of_datasource(&luids[0])).await;
    let pause = lane_pause(&stage);
    assert!((100..=120).contains(&pause), "{pause} s");
    stage.tableau().clear_faults();

    let (stage, luids, key) = many(&[], TableauSimulator::sample()).await;
    stage.tableau().fail_next("POST */refresh", 20, Fault::TooManyRequests { retry_after: None });
    stage.accepted(&key, &of_datasource(&luids[0])).await;
    let pause = lane_pause(&stage);
    assert!((15..=30).contains(&pause), "{pause} s");
    stage.tableau().clear_faults();
    stage
        .work_until(Duration::from_secs(60), async || {
            stage.tableau().jobs().iter().any(|job| job.target.as_deref() == Some(luids[0].as_str()))
        })
        .await;
}

/// For how many seconds the lane is paused.
fn lane_pause(stage: &Stage) -> i64 {
    let items = stage.environment.aws.items("deliveries");
    let is_lane = |item: &&serde_json::Value| {
        item["pk"]["S"].as_str().is_some_and(|key| key.starts_with("refresh-lane#"))
    };
    let lane = items.iter().find(is_lane).unwrap()["document"]["S"].as_str().unwrap().to_owned();
    let lane: serde_json::Value = serde_json::from_str(&lane).unwrap();
    let until: jiff::Timestamp = lane["pause"]["until"].as_str().unwrap().parse().unwrap();
    until.duration_since(jiff::Timestamp::now()).as_secs()
}
