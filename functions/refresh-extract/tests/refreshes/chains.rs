//! Refreshes that rules start.

use crate::stage::{Stage, everything, of_datasource};
use serde_json::json;
use testkit::simulator::{Datasource, TableauSimulator, Workbook};

const SOURCE: &str = "11111111-1111-4111-8111-111111111111";
const BOOK: &str = "22222222-2222-4222-8222-222222222222";

fn rules(more: &str) -> String {
    format!(
        "rules:
  - name: book after source
    on: [DatasourceRefreshSucceeded]
    where: {{ name: Orders }}
    do: [{{ refresh-extract: {{ kind: workbook, luid: {BOOK} }} }}]
{more}"
    )
}

async fn stage(more: &str) -> Stage {
    let stage = Stage::with(&rules(more), TableauSimulator::sample(), &[]).await;
    stage.tableau().add(Datasource::named("Orders").in_project("Finance").with_luid(SOURCE.parse().unwrap()));
    stage.tableau().add(Workbook::named("Weekly").in_project("Finance").with_luid(BOOK.parse().unwrap()));
    stage
}

#[tokio::test]
async fn a_rule_refreshes_a_workbook_after_its_source_once_for_each_event() {
    let stage = stage("").await;
    stage.tableau().succeed_refresh(SOURCE).unwrap();
    let event = json!({
        "resource": "EXTRACTS", "event_type": "DatasourceRefreshSucceeded", "resource_name": "Orders",
        "site_luid": stage.tableau().site().as_str(), "resource_luid": SOURCE,
        "created_at": jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    });
    let batch = testkit::Batch::default().message(&event.to_string());
    assert!(stage.function.failures(&batch).await.is_empty(), "{}", stage.log());
    assert!(stage.function.failures(&batch).await.is_empty());

    let started: Vec<_> =
        stage.tableau().jobs().into_iter().filter(|job| job.target.as_deref() == Some(BOOK)).collect();
    assert_eq!(started.len(), 1, "{}", stage.log());
    let key = stage.key("one", everything()).await;
    let joined = stage.accepted(&key, &json!({ "kind": "workbook", "luid": BOOK })).await;
    assert_eq!((&joined["joined"], &joined["job"]), (&json!(true), &json!(started[0].luid.as_str())));
    assert!(stage.log().contains("\"rule\":\"book after source\""));
}

#[tokio::test]
async fn a_refresh_that_would_start_itself_through_others_is_refused_for_rules_and_callers() {
    let back = format!(
        "  - name: source after book
    on: [WorkbookRefreshSucceeded]
    do: [{{ refresh-extract: {{ kind: datasource, luid: {SOURCE} }} }}]
"
    );
    let stage = stage(&back).await;
    let key = stage.key("one", everything()).await;

    let refused = stage.post(&key, &of_datasource(SOURCE)).await;
    assert_eq!(
        (refused.status, &refused.body["code"]),
        (409, &json!("would_start_itself")),
        "{}",
        stage.log()
    );
    let detail = refused.body["detail"].as_str().unwrap();
    assert!(detail.contains("book after source") && detail.contains("source after book"), "{detail}");
    assert_eq!(stage.starts(), 0);

    // A schedule of Tableau's own begins the circle: it goes round once.
    stage.tableau().succeed_refresh(SOURCE).unwrap();
    stage.event("DatasourceRefreshSucceeded", SOURCE).await;
    assert_eq!(stage.starts(), 1, "{}", stage.log());
    stage.tableau().succeed_refresh(BOOK).unwrap();
    stage.event("WorkbookRefreshSucceeded", BOOK).await;
    assert_eq!(stage.starts(), 1, "{}", stage.log());
    assert!(stage.log().contains("the refresh would start itself"));
}

#[tokio::test]
async fn an_event_that_no_refresh_waits_for_and_no_rule_names_is_skipped() {
    let stage = stage("").await;
    stage.tableau().succeed_refresh(BOOK).unwrap();
    stage.event("WorkbookRefreshSucceeded", BOOK).await;
    assert_eq!(stage.starts(), 0);
    assert!(
        stage.log().contains("no refresh waits for the event, and no rule starts one"),
        "{}",
        stage.log()
    );
}
