//! The real binary.

use crate::scene::{BUCKET, Scene, body};
use deliveries::End;
use serde_json::json;
use std::path::Path;

const BINARY: &str = env!("CARGO_BIN_EXE_report-history");

#[tokio::test]
async fn the_binary_exports_and_answers_with_what_it_wrote() {
    let scene = Scene::new().await;
    let yesterday = jiff::Timestamp::now().checked_sub(jiff::SignedDuration::from_hours(24)).unwrap();
    let time = yesterday.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string();
    let failed = body("DatasourceRefreshFailed", "d-1", &time);
    scene.receive("notify-slack", &failed, &time).await.ends(End::Done, &time, None).await;
    let variables = [("TABLE_NAME", "deliveries"), ("EVENT_BUS_NAME", "events"), ("HISTORY_BUCKET", BUCKET)];
    let function = scene.environment.function("report-history", Path::new(BINARY), &variables);
    let answer = function.invoke(&json!({ "start": "export" })).await.unwrap();
    let last = answer["days"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["deliveries"], &last["events"], &last["incidents"]),
        (&json!(1), &json!(1), &json!(1)),
        "{answer}"
    );
    let answer = function.invoke(&json!({ "start": "schedule" })).await.unwrap();
    assert!(answer["export"]["unchanged"].as_u64().unwrap() > 0, "{answer}");
    let error = function.invoke(&json!({ "start": "dance" })).await.unwrap_err();
    assert!(error.to_string().contains("unknown variant"), "{error}");
    scene.environment.assert_no_secret_in(&function.logs());
}

#[tokio::test]
async fn without_a_bucket_an_export_is_refused_with_what_to_do() {
    let scene = Scene::new().await;
    let variables = [("TABLE_NAME", "deliveries"), ("EVENT_BUS_NAME", "events"), ("HISTORY_BUCKET", "")];
    let function = scene.environment.function("report-history", Path::new(BINARY), &variables);
    let error = function.invoke(&json!({ "start": "export" })).await.unwrap_err().to_string();
    assert!(error.contains("the export is off: deploy the stack with HistoryExportEnabled=true"), "{error}");
    let answer = function.invoke(&json!({ "start": "schedule" })).await.unwrap();
    assert_eq!(answer["export"], json!(null));
}
