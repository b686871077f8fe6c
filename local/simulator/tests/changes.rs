//! Tags, certification and warnings: who may change them, and how.

mod support;

use reqwest::Method;
use serde_json::json;
use simulator::{Feature, TableauSimulator};
use support::Caller;

#[tokio::test]
async fn tags_are_added_once_and_removed() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let path = format!("/workbooks/{}/tags", tableau.workbook("Pipeline Review").unwrap());

    let body =
        json!({ "tags": { "tag": [{ "label": "x" }, { "label": "weekly" }, { "label": "\"two words\"" }] } });
    let added = caller.put(&path, &body).await;
    let labels = json!([{ "label": "weekly" }, { "label": "x" }, { "label": "two words" }]);
    assert_eq!((added.status, &added.json["tags"]["tag"]), (200, &labels));
    let one = caller.put(&path, &json!({ "tags": { "tag": { "label": "a,b c" } } })).await;
    assert_eq!(
        one.json["tags"]["tag"].as_array().unwrap().len(),
        6,
        "without quotation marks these are three"
    );
    assert_eq!(caller.delete(&format!("{path}/two%20words")).await.status, 204);
    assert_eq!(caller.delete(&format!("{path}/two%20words")).await.code(), "404007", "it is gone");
    assert_eq!(caller.delete("/workbooks/none/tags/x").await.code(), "404006");
    assert_eq!(caller.put(&path, &json!({ "tags": {} })).await.code(), "400000");
    assert_eq!(caller.put("/views/none/tags", &body).await.code(), "404011");
}

#[tokio::test]
async fn a_batch_changes_all_or_nothing() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let luid = tableau.datasource("Budget").unwrap();
    let batch = |id: &str| {
        let contents = json!({ "content": [{ "contentType": "Datasource", "id": luid }, { "contentType": "view", "id": id }] });
        json!({ "tagBatch": { "tags": { "tag": [{ "label": "x" }] }, "contents": contents } })
    };
    let tags = async || caller.get(&format!("/datasources/{luid}")).await.json["datasource"]["tags"].clone();

    assert_eq!(caller.put("/tags:batchCreate", &batch("none")).await.code(), "404011");
    assert_eq!(tags().await, json!({}));
    let view = tableau.view("Overview").unwrap();
    assert_eq!(caller.put("/tags:batchCreate", &batch(view.as_str())).await.status, 200);
    assert_eq!(tags().await, json!({ "tag": [{ "label": "x" }] }));
    caller.put("/tags:batchDelete", &batch(view.as_str())).await;
    assert_eq!(tags().await, json!({}));
}

#[tokio::test]
async fn certification_is_for_project_leaders_and_administrators() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let path = format!("/datasources/{}", tableau.datasource("Budget").unwrap());
    let body = json!({ "datasource": { "isCertified": true, "certificationNote": "Approved" } });

    let owner = Caller::user(&tableau, "jonas").await;
    assert_eq!(owner.put(&path, &body).await.code(), "403004");
    let described = json!({ "datasource": { "description": "This year's" } });
    assert_eq!(owner.put(&path, &described).await.json["datasource"]["description"], "This year's");
    let certified = caller.put(&path, &body).await.json["datasource"].clone();
    assert_eq!(
        (&certified["isCertified"], &certified["certificationNote"]),
        (&json!(true), &json!("Approved"))
    );
    let moved = json!({ "datasource": { "project": { "id": "none" } } });
    assert_eq!(caller.put(&path, &moved).await.code(), "404005");
}

#[tokio::test]
async fn a_data_source_has_one_warning() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let path = format!("/dataQualityWarnings/datasource/{}", tableau.datasource("Budget").unwrap());
    let warning =
        |kind: &str| json!({ "dataQualityWarning": { "type": kind, "isActive": true, "message": "late" } });

    assert_eq!(caller.put(&path, &warning("STALE")).await.code(), "404030");
    assert_eq!(caller.delete(&path).await.code(), "404030");
    let nowhere = "/dataQualityWarnings/datasource/none";
    assert_eq!((caller.get(nowhere).await.code(), caller.delete(nowhere).await.code()), ("404029", "404029"));
    assert_eq!(caller.post(&path, &warning("BORING")).await.code(), "400000");
    let added = caller.post(&path, &warning("WARNING")).await.json["dataQualityWarning"].clone();
    assert_eq!((&added["message"], &added["isSevere"]), (&json!("late"), &json!(false)));
    assert_eq!(caller.post(&path, &warning("WARNING")).await.status, 409);
    assert_eq!(caller.put(&path, &warning("STALE")).await.json["dataQualityWarning"]["type"], "STALE");
    let list = caller.get(&path).await.json["dataQualityWarningList"]["dataQualityWarning"].clone();
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(caller.delete(&path).await.status, 204);
    assert_eq!(caller.get(&path).await.json["dataQualityWarningList"], json!({}));
    assert_eq!(caller.delete(&path).await.code(), "404030", "it is gone");
}

#[tokio::test]
async fn a_warning_is_for_who_may_change_what_it_is_on() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let owner = Caller::user(&tableau, "jonas").await;
    let yuki = Caller::user(&tableau, "yuki").await;
    let path = format!("/dataQualityWarnings/datasource/{}", tableau.datasource("Budget").unwrap());
    let warning = json!({ "dataQualityWarning": { "type": "STALE", "message": "late" } });

    assert_eq!(yuki.post(&path, &warning).await.code(), "403004");
    assert_eq!(owner.post(&path, &warning).await.status, 200);
    assert_eq!(yuki.get(&path).await.status, 200);
    assert_eq!(yuki.put(&path, &warning).await.code(), "403004");
    assert_eq!(yuki.delete(&path).await.code(), "403004");
    assert_eq!(owner.put(&path, &warning).await.status, 200);
    assert_eq!(owner.delete(&path).await.status, 204);
}

#[tokio::test]
async fn who_only_looks_may_not_change() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let yuki = Caller::user(&tableau, "yuki").await;
    let workbook = format!("/workbooks/{}", tableau.workbook("Superstore").unwrap());
    let datasource = format!("/datasources/{}", tableau.datasource("Budget").unwrap());
    let tag = json!({ "tags": { "tag": [{ "label": "x" }] } });

    assert_eq!(yuki.put(&format!("{workbook}/tags"), &tag).await.code(), "403004");
    assert_eq!(yuki.put(&workbook, &json!({})).await.code(), "403004");
    assert_eq!(yuki.post(&format!("{workbook}/refresh"), &json!({})).await.code(), "403076");
    assert_eq!(yuki.post(&format!("{datasource}/refresh"), &json!({})).await.code(), "403077");
    assert_eq!(yuki.get("/tasks/extractRefreshes").await.json["tasks"], json!({}));
}

#[tokio::test]
async fn a_site_can_forbid_job_lists_and_running_now() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let refresh = format!("/workbooks/{}/refresh", tableau.workbook("Superstore").unwrap());
    tableau.allow(Feature::JobLists, false);
    tableau.allow(Feature::RunNow, false);

    assert_eq!(caller.get("/jobs").await.code(), "403079");
    assert_eq!(caller.post(&refresh, &json!({})).await.code(), "409082");
    tableau.allow(Feature::JobLists, true);
    tableau.allow(Feature::RunNow, true);
    assert_eq!(caller.get("/jobs").await.status, 200);
    assert_eq!(caller.post(&refresh, &json!({})).await.status, 202);
}

#[tokio::test]
async fn a_task_counts_failures_and_runs_on_request() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let luid = tableau.workbook("Superstore").unwrap();
    let task = async || {
        let list = caller.get("/tasks/extractRefreshes").await.json["tasks"]["task"].clone();
        let mut tasks =
            list.as_array().unwrap().clone().into_iter().map(|task| task["extractRefresh"].clone());
        tasks.find(|task| task["workbook"]["id"] == luid.as_str()).unwrap()
    };
    assert_eq!(task().await["consecutiveFailedCount"], "0");
    tableau.fail_refresh(&luid, "x").unwrap();
    tableau.fail_refresh(&luid, "x").unwrap();
    assert_eq!(task().await["consecutiveFailedCount"], "2");

    let path = format!("/tasks/extractRefreshes/{}/runNow", task().await["id"].as_str().unwrap());
    let run = caller.post(&path, &json!({})).await;
    assert_eq!((run.status, &run.json["job"]["type"]), (200, &json!("RefreshExtract")));
    assert_eq!(caller.post(&path, &json!({})).await.code(), "409093");
    assert_eq!(
        caller.call(Method::GET, "/api/3.29/sites/x/tasks/extractRefreshes", "").await.code(),
        "404000"
    );
}

#[tokio::test]
async fn a_cancelled_refresh_stays_cancelled() {
    let quick = std::time::Duration::from_millis(50);
    let tableau = TableauSimulator::sample().refreshes_take(quick).start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let path = format!("/workbooks/{}/refresh", tableau.workbook("Superstore").unwrap());
    let job = caller.post(&path, &json!({})).await.json["job"]["id"].as_str().unwrap().to_owned();
    caller.put(&format!("/jobs/{job}"), &json!({})).await;
    let jobs = tableau.jobs().len();

    tokio::time::sleep(quick * 3).await;

    assert_eq!(tableau.jobs().len(), jobs, "no other job took its place");
    assert_eq!(tableau.jobs().last().unwrap().status, "Cancelled");
}
