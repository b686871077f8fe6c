//! Content by its name, its path and its address.

use crate::stage::{NO_RULES, Stage, everything};
use api_keys::Permissions;
use rules::PathPattern;
use serde_json::{Value, json};
use std::time::Duration;
use tableau::ContentKind;
use testkit::simulator::{Datasource, Flow, TableauSimulator, Workbook};

fn named(kind: &str, name: &str, project: Value) -> Value {
    let mut body = json!({ "kind": kind, "name": name });
    if !project.is_null() {
        body["project"] = project;
    }
    body
}

// N01, N03, N06
#[tokio::test]
async fn a_name_and_its_path_mean_one_object() {
    let stage = Stage::start().await;
    let key = stage.key("one", everything()).await;
    let mut luids = Vec::new();
    for place in ["P/A/Ops", "P/B/Ops", "P/Ops"] {
        luids.push(stage.tableau().add(Datasource::named("ds").in_project(place)).to_string());
    }
    let slash = stage.tableau().add(Datasource::named("R&D, \"new\": 営業").in_project(r"Ops/Q1\/Q2"));

    for (project, luid) in
        [(json!("P/A/Ops"), &luids[0]), (json!("p/b/ops"), &luids[1]), (json!(["P", "Ops"]), &luids[2])]
    {
        let request = stage.accepted(&key, &named("datasource", "ds", project)).await;
        assert_eq!(request["luid"], luid.as_str(), "{request}");
    }
    for project in [json!(r"Ops/Q1\/Q2"), json!("Ops/Q1/Q2"), json!(["Ops", "Q1/Q2"]), Value::Null] {
        let request = stage.accepted(&key, &named("datasource", "R&D, \"new\": 営業", project)).await;
        assert_eq!(
            (&request["luid"], &request["project"]),
            (&json!(slash.as_str()), &json!(["Ops", "Q1/Q2"]))
        );
    }
    let elsewhere = stage.post(&key, &named("datasource", "ds", json!("P/C"))).await;
    assert_eq!((elsewhere.status, &elsewhere.body["code"]), (404, &json!("not_found")), "{}", elsewhere.body);
    assert_eq!(elsewhere.body["candidates"].as_array().unwrap().len(), 3);
    let near = stage.post(&key, &named("datasource", "dss", Value::Null)).await;
    assert_eq!(near.status, 404);
    assert_eq!(near.body["candidates"][0]["name"], "ds", "{}", near.body);
    let ambiguous = stage.post(&key, &named("datasource", "DS", Value::Null)).await;
    assert_eq!((ambiguous.status, &ambiguous.body["code"]), (409, &json!("ambiguous")));
    let paths: Vec<&Value> =
        ambiguous.body["candidates"].as_array().unwrap().iter().map(|one| &one["project"]).collect();
    assert_eq!(paths, [&json!(["P", "A", "Ops"]), &json!(["P", "B", "Ops"]), &json!(["P", "Ops"])]);
    assert_eq!(stage.starts(), 4);
}

#[tokio::test]
async fn a_key_is_told_nothing_about_content_that_it_may_not_refresh() {
    let stage = Stage::start().await;
    let mine = stage.tableau().add(Datasource::named("Forecast").in_project("Finance"));
    stage.tableau().add(Datasource::named("Forecast").in_project("HR"));
    stage.tableau().add(Datasource::named("Salaries").in_project("HR"));
    let finance = Permissions {
        kinds: [ContentKind::Datasource].into(),
        projects: vec![PathPattern::parse("Finance/**").unwrap()],
        ..Permissions::default()
    };
    let key = stage.key("finance", finance).await;

    let request = stage.accepted(&key, &named("datasource", "Forecast", Value::Null)).await;
    let hidden = stage.post(&key, &named("datasource", "Salarie", Value::Null)).await;
    let there = stage.post(&key, &named("datasource", "Forecast", json!("HR"))).await;

    assert_eq!(request["luid"], mine.as_str());
    assert_eq!(hidden.status, 404);
    assert!(
        !hidden.body.to_string().contains("Salaries") && !hidden.body.to_string().contains("HR"),
        "{}",
        hidden.body
    );
    // It is not told from what does not exist.
    assert_eq!((there.status, &there.body["code"]), (404, &json!("not_found")));
    let nowhere = stage.post(&key, &named("datasource", "Forecast", json!("HX"))).await;
    let said = |body: &Value| body.to_string().replace("HX", "HR");
    assert_eq!(said(&nowhere.body), said(&there.body));
    let page = stage.tableau().url();
    let number = |number: u32| json!({ "url": format!("{page}/#/site/marketing/datasources/{number}") });
    let (exists, does_not) = (stage.post(&key, &number(1_003)).await, stage.post(&key, &number(99)).await);
    assert_eq!((exists.status, does_not.status), (404, 404));
    assert_eq!(does_not.body.to_string().replace("99", "1003"), exists.body.to_string());
}

/// Near names are those of what the key may see, however many others are nearer.
#[tokio::test]
async fn near_names_are_chosen_among_what_the_key_may_refresh() {
    let stage = Stage::start().await;
    for number in 0..8 {
        let project = format!("HR/{number}");
        stage.tableau().add(Datasource::named("Sales Order").in_project(&project));
    }
    stage.tableau().add(Datasource::named("Sales Orders").in_project("Finance"));
    let finance = Permissions {
        kinds: [ContentKind::Datasource].into(),
        projects: vec![PathPattern::parse("Finance/**").unwrap()],
        ..Permissions::default()
    };
    let key = stage.key("finance", finance).await;
    let near = stage.post(&key, &named("datasource", "Sales Order", Value::Null)).await;
    assert_eq!(near.status, 404);
    assert_eq!(
        near.body["detail"],
        "There is no data source `Sales Order`; near names: Finance/Sales Orders. This key may refresh only what is in Finance/**."
    );
    assert_eq!(near.body["candidates"].as_array().unwrap().len(), 1);
    let asked = stage.tableau().calls("GET */datasources");
    let again = stage.post(&key, &named("datasource", "Sales Order", Value::Null)).await;
    assert_eq!((again.status, &again.body), (404, &near.body));
    assert_eq!(
        stage.tableau().calls("GET */datasources"),
        asked,
        "a wrong name is not looked for again at once"
    );
}

// N04
#[tokio::test]
async fn an_address_of_a_browser_names_content_and_that_of_a_project_is_refused_with_advice() {
    let stage = Stage::start().await;
    let key = stage.key("one", everything()).await;
    let luid = stage.tableau().add(Workbook::named("Weekly").in_project("Sales"));
    let page = stage.tableau().url();
    let find = json!({ "kind": "workbook", "name": "Weekly" });
    assert_eq!(stage.accepted(&key, &find).await["luid"], luid.as_str());

    for (path, status, code) in [
        ("#/site/marketing/projects/35", 422, "unresolvable_url"),
        ("#/site/marketing/home", 422, "unresolvable_url"),
        ("#/site/other/workbooks/1", 404, "other_site"),
        ("#/site/marketing/workbooks/999999", 404, "not_found"),
    ] {
        let answer = stage.post(&key, &json!({ "url": format!("{page}/{path}") })).await;
        let got = (answer.status, answer.body["code"].as_str().unwrap_or_default());
        assert_eq!(got, (status, code), "{path}: {} {}", answer.body, stage.log());
    }
    let project = stage.post(&key, &json!({ "url": format!("{page}/#/site/marketing/projects/35") })).await;
    assert!(project.body["detail"].as_str().unwrap().contains("say the project's path"), "{}", project.body);
}

// R18, R19
#[tokio::test]
async fn a_flow_runs_and_a_timer_tells_its_end() {
    let tableau = TableauSimulator::sample().refreshes_take(Duration::from_secs(4));
    let stage = Stage::with(NO_RULES, tableau, &[]).await;
    let luid = stage.tableau().add(Flow::named("Prepare orders").in_project("Ops"));
    let key = stage.key("one", everything()).await;

    let request = stage.accepted(&key, &named("flow", "Prepare orders", json!("Ops"))).await;
    assert_eq!((&request["kind"], &request["luid"]), (&json!("flow"), &json!(luid.as_str())), "{request}");
    let joined = stage.accepted(&key, &named("flow", "prepare orders", Value::Null)).await;
    assert_eq!(joined["joined"], true);
    let key_of = |request: &Value| format!("refresh#{}", request["id"].as_str().unwrap());
    let is_settled = || {
        let items = stage.environment.aws.items("deliveries");
        let item = items.into_iter().find(|item| item["pk"]["S"] == key_of(&request).as_str()).unwrap();
        item["document"]["S"].as_str().unwrap().contains("\"status\":\"succeeded\"")
    };
    stage.work_until(Duration::from_secs(60), async || is_settled()).await;

    assert_eq!(stage.get(&key, &joined["id"]).await["status"], "succeeded", "{}", stage.log());
    assert_eq!(stage.tableau().calls("POST */flows/*/run"), 1);
}

#[tokio::test]
async fn a_failed_flow_says_why_and_an_open_run_is_cancelled() {
    let stage = Stage::start().await;
    let luid = stage.tableau().add(Flow::named("Prepare orders").in_project("Ops"));
    let key = stage.key("one", everything()).await;
    let body = json!({ "kind": "flow", "luid": luid.as_str() });
    let request = stage.accepted(&key, &body).await;
    stage.tableau().fail_refresh(&luid, "Login failed for user").unwrap();
    tokio::time::sleep(Duration::from_millis(2_100)).await;

    let failed = stage.get(&key, &request["id"]).await;
    assert_eq!(
        (&failed["status"], &failed["cause"]["class"]),
        (&json!("failed"), &json!("Credentials")),
        "{failed}"
    );

    let again = stage.accepted(&key, &body).await;
    let path = format!("/refreshes/{}", again["id"].as_str().unwrap());
    let cancelled = stage.call(&testkit::ApiCall::new("DELETE", &path).key(&key)).await;
    assert_eq!(cancelled.body["status"], "cancelled");
    assert_eq!(stage.tableau().jobs().pop().unwrap().status, "Cancelled", "{}", stage.log());
    let incremental =
        stage.post(&key, &json!({ "kind": "flow", "luid": luid.as_str(), "incremental": true })).await;
    assert_eq!((incremental.status, &incremental.body["code"]), (422, &json!("no_incremental")));
}

// R05
#[tokio::test]
async fn where_tableau_makes_a_full_refresh_of_an_incremental_one_the_answer_says_so() {
    let stage = Stage::start().await;
    let luid = stage.tableau().add(Datasource::named("Orders").in_project("Finance").only_full());
    let able = stage.tableau().add(Datasource::named("Shipments").in_project("Finance"));
    let key = stage.key("one", everything()).await;
    let body = |luid: &str, allow: bool| json!({ "kind": "datasource", "luid": luid, "incremental": true, "allow_full": allow });

    let refused = stage.post(&key, &body(luid.as_str(), false)).await;
    assert_eq!((refused.status, &refused.body["code"]), (422, &json!("no_incremental")), "{}", stage.log());
    assert_eq!(stage.tableau().jobs().pop().unwrap().status, "Cancelled");
    assert_eq!(stage.accepted(&key, &body(luid.as_str(), true)).await["incremental"], false);
    assert_eq!(stage.accepted(&key, &body(able.as_str(), false)).await["incremental"], true);
}

// R10
#[tokio::test]
async fn after_a_publish_one_new_sign_in_is_made_and_the_start_is_repeated() {
    let stage = Stage::start().await;
    let luid = stage.tableau().add(Datasource::named("Orders").in_project("Finance"));
    let other = stage.tableau().add(Datasource::named("Other").in_project("Finance"));
    let key = stage.key("one", everything()).await;
    stage.accepted(&key, &crate::stage::of_datasource(other.as_str())).await;
    stage.tableau().publish(&luid);
    let before = stage.tableau().calls("POST /auth/signin");

    let request = stage.accepted(&key, &crate::stage::of_datasource(luid.as_str())).await;
    assert!(request["waits_for"].as_str().unwrap().contains("published a moment ago"), "{request}");
    stage.work_until(Duration::from_secs(40), async || stage.starts() == 3).await;

    let running = stage.get(&key, &request["id"]).await;
    assert!(running["job"].is_string(), "{running} {}", stage.log());
    assert_eq!(stage.tableau().calls("POST /auth/signin"), before + 1);
}
