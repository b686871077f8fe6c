//! Faults and switches through the admin API.

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
async fn what_means_nothing_is_refused_and_what_would_be_meant_is_said() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::stranger(&tableau);
    let luid = tableau.datasource("Sales Orders").unwrap();
    for (call_of, status, says) in [
        (
            "POST faults?fault=status:503&time=1",
            400,
            "no parameter 'time' here; known: fault, on, times, retry_after",
        ),
        ("POST faults?fault=reset&times=abc", 400, "times is a whole number, and 'abc' is none"),
        ("POST faults?fault=reset&times=0", 400, "times is 1 or more"),
        ("POST faults?fault=429&retry_after=soon", 400, "retry_after is a whole number"),
        ("POST faults?fault=status:503&retry_after=7", 400, "retry_after goes with fault=429 only"),
        ("POST faults?fault=fire", 400, "'fire' is no fault; known: status:503, html:503, 429"),
        ("POST faults?fault=error:404999", 400, "'404999' is no code of an error here; known: 400000, "),
        ("POST faults?fault=partial:FOO", 400, "known: NODE_LIMIT_EXCEEDED, "),
        ("DELETE faults?id=1", 400, "no parameter 'id' here, nor any"),
        ("DELETE faults/x", 400, "the fault's id is a whole number"),
        ("DELETE faults/7", 404, "there is no fault 7"),
        ("POST duplicates/x", 400, "how many more times is a whole number"),
        ("POST refresh/LUID/fail?note=no-space", 400, "no parameter 'note' here; known: notes"),
        ("POST refresh/LUID/succeed?notes=no-space", 400, "no parameter 'notes' here"),
        (
            "POST refresh/no-such-luid/succeed",
            404,
            "no workbook, data source or flow with LUID `no-such-luid`",
        ),
        (
            "POST fire/WorkbookCreatd",
            404,
            "no event `WorkbookCreatd`; is it `WorkbookCreated`?; known: AdminDemoted",
        ),
        ("POST fire/DatasourceUpdated?lluid=LUID", 400, "no parameter 'lluid' here; known: luid"),
        ("POST fire/WorkbookCreated?luid=LUID", 404, "no workbook with LUID"),
        ("POST switch/colour/on", 400, "no switch 'colour'; known: webhooks"),
        ("POST fires/WorkbookCreated", 404, "there is no such call"),
    ] {
        let (method, path) = call_of.split_once(' ').unwrap();
        let answer = call(&caller, method.parse().unwrap(), &path.replace("LUID", luid.as_str())).await;
        let message = answer.json["error"].as_str().unwrap_or_default();
        assert!(answer.status == status && message.contains(says), "{call_of}: {answer:?}");
    }
    assert_eq!(call(&caller, Method::GET, "faults").await.json["faults"], json!([]), "nothing was set");
    let empty = TableauSimulator::empty().start().await.unwrap();
    let fired = call(&Caller::stranger(&empty), Method::POST, "fire/ViewDeleted").await;
    assert_eq!(fired.json["error"], "there is no view on the default site that ViewDeleted could be about");
}
