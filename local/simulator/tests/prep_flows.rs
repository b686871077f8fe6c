//! Flows, their runs, and what an incremental refresh comes to.

mod support;

use reqwest::Method;
use serde_json::{Value, json};
use simulator::{Datasource, Feature, Flow, Project, TableauSimulator, Webhook, Workbook, notes};
use std::time::Duration;
use support::{Caller, SOON};
use tableau::EventName;

fn runs(list: &Value) -> Vec<Value> {
    list["flowRuns"]["flowRuns"].as_array().cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_flow_is_listed_with_its_page_and_project() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;

    let list = caller.get("/flows?pageSize=1&sort=name:desc").await.json;
    let one = caller.get(&format!("/flows/{}", tableau.flow("Clean Customers").unwrap())).await.json;

    assert_eq!(list["pagination"]["totalAvailable"], "2");
    assert_eq!(list["flows"]["flow"][0]["name"], "Load Ledger");
    assert_eq!(one["flow"]["project"]["name"], "Sales");
    assert_eq!(one["flow"]["tags"], json!({"tag": [{"label": "daily"}]}));
    let page = one["flow"]["webpageUrl"].as_str().unwrap();
    assert!(page.contains("/#/site/marketing/flows/"), "{page}");
    let named = caller.get("/flows?filter=name:eq:clean%20customers,projectName:eq:sales").await.json;
    assert_eq!(named["flows"]["flow"].as_array().unwrap().len(), 1);
    assert_eq!(caller.get("/flows?filter=tags:eq:daily").await.code(), "400065");
    assert_eq!(caller.get("/flows/none").await.code(), "404032");
}

// R18
#[tokio::test]
async fn a_run_needs_a_body_which_may_be_empty_inside() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let flow = tableau.flow("Clean Customers").unwrap();
    let path = format!("/api/3.29/sites/{}/flows/{flow}/run", caller.site);

    let without = caller.call(Method::POST, &path, "").await;
    let steps = caller.call(Method::POST, &path, r#"{"flowRunSpec":{"flowId":"x"}}"#).await;
    let xml = caller.call(Method::POST, &path, "<tsRequest/>").await;
    tableau.succeed_refresh(&flow).unwrap();
    let object = caller.call(Method::POST, &path, "{}").await;
    let twice = caller.call(Method::POST, &path, "{}").await;

    assert_eq!((without.code(), steps.code(), twice.code()), ("400000", "400000", "409093"));
    assert_eq!((xml.status, object.status), (200, 200));
    let job = &object.json["job"];
    assert_eq!((&job["type"], &job["mode"]), (&json!("RunFlow"), &json!("Asynchronous")));
    assert_eq!(job["runFlowJobType"]["flow"], json!({"id": flow, "name": "Clean Customers"}));
    assert!(job.get("extractRefreshJob").is_none());
}

// R19
#[tokio::test]
async fn a_run_has_an_id_of_its_own() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let flow = tableau.flow("Load Ledger").unwrap();

    let job = caller.post(&format!("/flows/{flow}/run"), &json!({})).await.json["job"].clone();
    let id = job["runFlowJobType"]["flowRunId"].as_str().unwrap();
    let run = caller.get(&format!("/flows/runs/{id}")).await.json["flowRun"].clone();

    assert_eq!((&run["flowId"], &run["status"]), (&json!(flow), &json!("Pending")));
    assert_eq!((&run["backgroundJobId"], &run["completedAt"]), (&job["id"], &json!("")));
    assert_eq!(caller.get(&format!("/flows/runs/{flow}")).await.code(), "404033");
    tableau.start_refresh(&flow).unwrap();
    let run = caller.get(&format!("/flows/runs/{id}")).await.json["flowRun"].clone();
    assert_eq!((&run["status"], &run["progress"]), (&json!("InProgress"), &json!("50")));
    let listed = runs(&caller.get(&format!("/flows/runs?filter=flowId:eq:{flow}")).await.json);
    assert_eq!(listed, [run]);
    let all = caller.get("/flows/runs?pageSize=1").await.json;
    assert!(all.get("pagination").is_none() && runs(&all).len() == 1);
    assert_eq!(runs(&caller.get("/flows/runs?pageSize=1&pageNumber=2").await.json).len(), 1);
    assert!(runs(&caller.get("/flows/runs?pageSize=1&pageNumber=3").await.json).is_empty());
}

#[tokio::test]
async fn a_failed_run_says_why_from_3_30_on_and_its_job_always() {
    let tableau = TableauSimulator::sample().max_version("3.30".parse().unwrap()).start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let flow = tableau.flow("Clean Customers").unwrap();

    let job = tableau.fail_refresh(&flow, notes::POSTGRES_REFUSED).unwrap();

    let shown = caller.get(&format!("/jobs/{job}")).await.json["job"].clone();
    assert_eq!(shown["runFlowJobType"]["notes"], notes::POSTGRES_REFUSED);
    let id = shown["runFlowJobType"]["flowRunId"].as_str().unwrap();
    let run = async |version: &str| {
        let path = format!("/api/{version}/sites/{}/flows/runs/{id}", caller.site);
        caller.call(Method::GET, &path, "").await.json["flowRun"].clone()
    };
    let reason = json!({"available": true, "message": notes::POSTGRES_REFUSED});
    assert_eq!(run("3.30").await["failureReason"], reason);
    assert!(run("3.29").await.get("failureReason").is_none());
    let listed = caller.get("/jobs?filter=jobType:eq:run_flow,status:eq:Failed").await.json;
    assert_eq!(listed["backgroundJobs"]["backgroundJob"][0]["subtitle"], "Flow");
}

#[tokio::test]
async fn a_run_is_cancelled_once_and_only_by_those_who_may() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let (caller, ana) = (Caller::administrator(&tableau).await, Caller::user(&tableau, "ana").await);
    let flow = tableau.flow("Clean Customers").unwrap();
    let job = caller.post(&format!("/flows/{flow}/run"), &json!({})).await.json["job"].clone();
    let path = format!("/flows/runs/{}", job["runFlowJobType"]["flowRunId"].as_str().unwrap());

    assert_eq!(ana.put(&path, &json!({})).await.code(), "403004");
    assert_eq!(caller.put(&path, &json!({})).await.status, 200);
    assert_eq!(caller.get(&path).await.json["flowRun"]["status"], "Cancelled");
    let again = caller.put(&path, &json!({})).await;
    assert_eq!((again.status, again.code()), (200, "403135"));
}

#[tokio::test]
async fn who_may_not_run_a_flow_sees_no_runs_of_it() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let yuki = Caller::user(&tableau, "yuki").await;
    let flow = tableau.flow("Clean Customers").unwrap();

    assert_eq!(yuki.post(&format!("/flows/{flow}/run"), &json!({})).await.code(), "403004");
    assert!(runs(&yuki.get("/flows/runs").await.json).is_empty());
    assert_eq!(yuki.get("/flows").await.json["flows"]["flow"].as_array().unwrap().len(), 2);
    tableau.allow(Feature::RunNow, false);
    let ana = Caller::user(&tableau, "ana").await;
    assert_eq!(ana.post(&format!("/flows/{flow}/run"), &json!({})).await.code(), "409082");
    let without = TableauSimulator::sample().data_management(false).start().await.unwrap();
    let ana = Caller::user(&without, "ana").await;
    let flow = without.flow("Clean Customers").unwrap();
    assert_eq!(ana.post(&format!("/flows/{flow}/run"), &json!({})).await.code(), "403157");
}

#[tokio::test]
async fn a_flow_runs_by_itself_and_fires_no_event() {
    let take = Duration::from_millis(50);
    let tableau = TableauSimulator::sample().refreshes_take(take).start().await.unwrap();
    for event in EventName::KNOWN {
        tableau.add(Webhook::on(event, "http://127.0.0.1:9/"));
    }
    let caller = Caller::administrator(&tableau).await;
    let flow = tableau.add(Flow::named("Night").in_project("Sales"));
    tableau.break_refreshes(&flow, Some(notes::NO_SPACE));
    let job = caller.post(&format!("/flows/{flow}/run"), &json!({})).await.json["job"].clone();

    let ended = tokio::time::timeout(SOON, async {
        loop {
            let found = tableau.jobs().into_iter().find(|one| job["id"] == one.luid.as_str()).unwrap();
            if found.completed_at.is_some() {
                return found;
            }
            tokio::time::sleep(take / 5).await;
        }
    });

    let ended = ended.await.unwrap();
    assert_eq!((ended.status, ended.notes.as_deref()), ("Failed", Some(notes::NO_SPACE)));
    assert_eq!(tableau.deliveries().len(), 0);
}

// R05
#[tokio::test]
async fn an_incremental_refresh_is_a_full_one_where_nothing_is_set_up_for_it() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let full = tableau.add(Datasource::named("Full").only_full());
    let both = tableau.add(Datasource::named("Both"));
    let old = tableau.add(Workbook::named("Old"));
    let body = json!({"extractRefresh": {"incremental": true}}).to_string();

    for (version, path, kind) in [
        ("3.29", format!("datasources/{full}"), "refresh_extracts"),
        ("3.29", format!("datasources/{both}"), "increment_extracts"),
        ("3.20", format!("workbooks/{old}"), "refresh_extracts"),
    ] {
        let path = format!("/api/{version}/sites/{}/{path}/refresh", caller.site);
        let queued = caller.call(Method::POST, &path, &body).await;
        assert_eq!(queued.status, 202, "{path}: {}", queued.json);
        let list = caller.get("/jobs?filter=status:eq:Pending").await.json;
        let listed = list["backgroundJobs"]["backgroundJob"].as_array().unwrap();
        let listed = listed.iter().find(|job| job["id"] == queued.json["job"]["id"]).unwrap();
        assert_eq!(listed["jobType"], kind, "{path}");
    }
}

// N05
#[tokio::test]
async fn filters_by_content_url_are_refused_where_the_site_does_not_know_them() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    for list in ["workbooks", "datasources", "views"] {
        let path = format!("/{list}?filter=contentUrl:eq:Superstore");
        tableau.allow(Feature::ContentUrlFilters, true);
        assert_eq!(caller.get(&path).await.status, 200, "{list}");
        tableau.allow(Feature::ContentUrlFilters, false);
        assert_eq!(caller.get(&path).await.code(), "400065", "{list}");
    }
    assert_eq!(caller.get("/workbooks?filter=name:eq:Superstore").await.status, 200);
}

// N06
#[tokio::test]
async fn a_name_of_a_project_may_have_a_slash() {
    let tableau = TableauSimulator::empty().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let inner = tableau.add(Project::at(r"Ops/Q1\/Q2"));
    assert_eq!(tableau.add(Project::at(r"Ops/Q1\/Q2")), inner);

    let list = caller.get("/projects").await.json;

    let listed = list["projects"]["project"].as_array().unwrap();
    let found = listed.iter().find(|project| project["id"] == json!(inner)).unwrap();
    assert_eq!(found["name"], "Q1/Q2");
    assert!(found["parentProjectId"].is_string());
}
