//! Faults and switches over HTTP.

mod support;

use reqwest::Method;
use serde_json::json;
use simulator::{Fault, TableauSimulator};
use support::{Answer, Caller};

async fn call(caller: &Caller, method: Method, path: &str) -> Answer {
    caller.call(method, &format!("/simulator/{path}"), "").await
}

#[tokio::test]
async fn faults_are_set_listed_and_cleared() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let add = async |query: &str| call(&caller, Method::POST, &format!("faults?{query}")).await;
    let list = async || call(&caller, Method::GET, "faults").await.json["faults"].clone();

    let first = add("fault=error:409093&on=GET%20*/workbooks&times=1").await.json;
    assert_eq!(first, json!({ "id": 1, "on": "GET */workbooks", "times": 1, "fault": "error:409093" }));
    add("fault=429&retry_after=7&on=GET%20*/jobs").await;
    assert_eq!(list().await.as_array().unwrap().len(), 2);
    assert_eq!(caller.get("/workbooks").await.code(), "409093");
    assert_eq!(caller.get("/workbooks").await.status, 200);
    for _ in 0..3 {
        assert_eq!(caller.get("/jobs").await.code(), "429000", "until it is cleared");
    }
    assert_eq!(list().await[0]["id"], 2);

    assert_eq!(call(&caller, Method::DELETE, "faults/1").await.status, 404, "spent");
    assert_eq!(call(&caller, Method::DELETE, "faults/2").await.json["cleared"], 1);
    assert_eq!(caller.get("/jobs").await.status, 200);
    add("fault=html:503").await;
    assert_eq!(caller.get("/jobs").await.status, 503);
    assert_eq!(call(&caller, Method::DELETE, "faults").await.json["cleared"], 1);
    for query in ["", "fault=fire", "fault=reset&times=x", "fault=429&retry_after=x"] {
        assert_eq!(add(query).await.status, 400, "{query}");
    }
    tableau.fail_always("*", Fault::Status(500));
    assert_eq!(caller.get("/jobs").await.status, 500);
    tableau.clear_faults();
    assert_eq!(list().await, json!([]));
}

#[tokio::test]
async fn sessions_duplicates_and_site_settings_are_switched() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let post = async |path: &str| call(&caller, Method::POST, path).await;

    assert_eq!(post("switch/job-lists/off").await.status, 200);
    assert_eq!(caller.get("/jobs").await.code(), "403079");
    post("switch/job-lists/on").await;
    assert_eq!(caller.get("/jobs").await.status, 200);
    post("switch/webhooks/off").await;
    assert_eq!(caller.get("/webhooks").await.code(), "403109");
    assert_eq!(post("switch/colour/on").await.status, 400);
    assert_eq!(post("switch/exports/maybe").await.status, 400);
    assert_eq!(post("duplicates/2").await.json, json!({ "duplicates": 2 }));
    assert_eq!(post("sessions/end").await.json, json!({ "ended": 1 }));
    assert_eq!(caller.get("/jobs").await.code(), "401002");
}

#[tokio::test]
async fn a_browser_gets_a_page() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::stranger(&tableau);
    let request = caller.http.get(format!("{}/simulator", caller.base)).header("accept", "text/html,*/*");

    let page = request.send().await.unwrap().text().await.unwrap();

    assert!(page.starts_with("<!doctype html>"));
}
