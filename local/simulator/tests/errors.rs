//! Each Tableau error code, in the situation that causes it.

mod support;

use reqwest::Method;
use serde_json::json;
use simulator::{Fault, TableauSimulator};
use support::Caller;

#[tokio::test]
async fn each_missing_thing_has_its_code() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;

    for (path, code) in [
        ("/users/none", "404002"),
        ("/datasources/none", "404004"),
        ("/workbooks/none", "404006"),
        ("/views/none", "404011"),
        ("/jobs/none", "404018"),
        ("/webhooks/none", "404034"),
        ("/webhooks/none/test", "400113"),
        ("/subscriptions", "404003"),
        ("/broadcasts/views", "404003"),
    ] {
        assert_eq!(caller.get(path).await.code(), code, "{path}");
    }
    assert_eq!(caller.post("/workbooks/none/refresh", &json!({})).await.code(), "404006");
    assert_eq!(caller.post("/datasources/none/refresh", &json!({})).await.code(), "404004");
    assert_eq!(caller.call(Method::GET, "/api/3.29/sites/none/workbooks", "").await.code(), "404000");
}

#[tokio::test]
async fn an_error_has_a_summary_a_detail_and_a_code_that_begins_with_the_status() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;

    let answer = caller.get("/workbooks/none").await;

    let detail = "Workbook 'none' could not be found.";
    let error = json!({ "summary": "Resource Not Found", "detail": detail, "code": "404006" });
    assert_eq!((answer.status, answer.json), (404, json!({ "error": error })));
}

#[tokio::test]
async fn the_token_is_asked_for_and_checked() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let mut caller = Caller::stranger(&tableau);
    assert_eq!(caller.get("/workbooks").await.code(), "401000");
    caller.token = "wrong".to_owned();
    assert_eq!(caller.get("/workbooks").await.code(), "401002");

    let path = format!("/api/3.29/sites/{}/workbooks", caller.site);
    let empty =
        caller.http.get(format!("{}{path}", caller.base)).header("x-tableau-auth", "").send().await.unwrap();
    assert!(empty.text().await.unwrap().contains("403001"));
}

#[tokio::test]
async fn a_session_is_for_one_site() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let sandbox = tableau.site_at("sandbox").unwrap();

    let answer = caller.call(Method::GET, &format!("/api/3.29/sites/{sandbox}/workbooks"), "").await;

    assert_eq!((answer.status, answer.code()), (403, "403010"));
}

#[tokio::test]
async fn some_things_are_for_administrators() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let yuki = Caller::user(&tableau, "yuki").await;
    let user = |name: &str| format!("/users/{}", tableau.user(name).unwrap());

    for path in ["/jobs", "/jobs/x", "/webhooks", "", &user("ana")] {
        assert_eq!(yuki.get(path).await.code(), "403000", "{path}");
    }
    assert_eq!(yuki.get(&user("yuki")).await.status, 200, "oneself");
    assert_eq!(yuki.get("/workbooks").await.status, 200);
}

#[tokio::test]
async fn versions_are_known_up_to_the_newest_and_bring_their_routes() {
    let newest = "3.9".parse().unwrap();
    let tableau = TableauSimulator::sample().max_version(newest).start().await.unwrap();
    let stranger = Caller::stranger(&tableau);
    let code = async |method: Method, path: &str| stranger.call(method, path, "").await.code().to_owned();

    assert_eq!(code(Method::GET, "/api/3.9/serverinfo").await, "");
    for version in ["3.10", "2.3", "4.0", "3", "x"] {
        assert_eq!(code(Method::GET, &format!("/api/{version}/serverinfo")).await, "404001", "{version}");
    }
    assert_eq!(code(Method::GET, "/api/3.5/sites/s/webhooks").await, "404003");
    assert_eq!(code(Method::PUT, "/api/3.7/sites/s/webhooks/w").await, "405000");
    assert_eq!(code(Method::DELETE, "/api/3.9/serverinfo").await, "405000");
    assert_eq!(code(Method::GET, "/api/exp/serverinfo").await, "404003");
    let other = stranger.send(Method::GET, "/vizportal", "").await.unwrap();
    assert_eq!(other.status().as_u16(), 404);
}

#[tokio::test]
async fn a_body_that_is_no_object_is_malformed() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let path = format!("/api/3.29/sites/{}/webhooks", caller.site);

    for body in ["<tsRequest/>", "[]", "{\"webhook\":"] {
        assert_eq!(caller.call(Method::POST, &path, body).await.code(), "400000", "{body}");
    }
}

#[tokio::test]
async fn any_documented_error_can_be_planned() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    tableau.fail_next("POST */refresh", 1, Fault::Error("409093"));
    tableau.fail_next("POST */refresh", 1, Fault::TooManyRequests { retry_after: None });
    let path = format!("/datasources/{}/refresh", tableau.datasource("Budget").unwrap());

    let first = caller.post(&path, &json!({})).await;
    let second = caller.post(&path, &json!({})).await;

    assert_eq!((first.status, first.code()), (409, "409093"));
    assert_eq!((second.status, second.code()), (429, "429000"));
}
