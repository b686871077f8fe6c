//! Jobs and refreshes.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use serde_json::{Value, json};
use simulator::{Fault, TableauSimulator, notes};
use std::time::Duration;
use support::{Caller, SOON, manual_clock};

fn rows(list: &Value) -> Vec<Value> {
    list["backgroundJobs"]["backgroundJob"].as_array().cloned().unwrap_or_default()
}

#[tokio::test]
async fn the_list_of_jobs_can_be_filtered_down_to_failed_refreshes_in_a_window() {
    let clock = manual_clock();
    let tableau = TableauSimulator::sample().clock(clock.clone()).start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let filter =
        async |filter: &str| rows(&caller.get(&format!("/jobs?pageSize=1000&filter={filter}")).await.json);

    let failed = filter("status:eq:Failed,jobType:in:[refresh_extracts,increment_extracts]").await;
    assert_eq!(failed.len(), 7);
    let row = &failed[0];
    assert_eq!((row["title"].clone(), row["priority"].clone()), (json!("General Ledger"), json!("50")));
    assert!(row["createdAt"].as_str().unwrap() > failed[6]["createdAt"].as_str().unwrap(), "newest first");
    assert!(row["endedAt"].is_string() && row.get("completedAt").is_none());

    let all = filter("").await.len();
    assert_eq!(filter("jobType:eq:run_flow").await.len(), 1);
    assert_eq!(filter("title:has:Orders").await.len(), 5);
    assert_eq!(filter("notes:has:Incorrect username").await.len(), 1);
    assert_eq!(filter("createdAt:gte:2026-03-01T06:14:44Z,status:eq:Failed").await.len(), 3);
    let before = filter("createdAt:lt:2026-03-01T06:14:44Z").await;
    let since = filter("createdAt:gte:2026-03-01T06:14:44Z").await;
    assert_eq!(before.len() + since.len(), all);
    let twice = filter("createdAt:gt:2026-03-01T06:14:44Z,createdAt:lt:2026-03-01T06:14:44Z").await;
    assert_eq!(twice.len(), before.len(), "the last one wins");
    assert_eq!(caller.get("/jobs?filter=colour:eq:red").await.code(), "400065");
}

#[tokio::test]
async fn the_list_of_jobs_comes_in_pages() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;

    let page = caller.get("/jobs?pageSize=10&pageNumber=2").await.json;

    assert_eq!(page["pagination"]["pageNumber"], "2");
    assert_eq!(page["pagination"]["totalAvailable"], tableau.jobs().len().to_string());
    assert_eq!(rows(&page).len(), 10);
}

#[tokio::test]
async fn a_failed_refresh_leaves_a_job_with_notes_that_ended_before_now() {
    let clock = manual_clock();
    let tableau = TableauSimulator::sample().clock(clock.clone()).start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let sales = tableau.datasource("Sales Orders").unwrap();

    let luid = tableau.fail_refresh(&sales, notes::SNOWFLAKE_LOGIN).unwrap();

    let job = caller.get(&format!("/jobs/{luid}")).await.json["job"].clone();
    assert_eq!(job["finishCode"], "1");
    assert_eq!(job["progress"], "100");
    assert_eq!(job["completedAt"], "2026-03-02T06:14:43Z");
    assert_eq!(job["extractRefreshJob"]["datasource"], json!({ "id": sales, "name": "Sales Orders" }));
    assert_eq!(job["extractRefreshJob"]["notes"], notes::SNOWFLAKE_LOGIN);
    assert!(tableau.fail_refresh("nothing", "x").is_err());
}

#[tokio::test]
async fn a_refresh_is_queued_once_and_ends_on_request() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let luid = tableau.workbook("Superstore").unwrap();
    let refresh = format!("/workbooks/{luid}/refresh");

    let queued = caller.post(&refresh, &json!({})).await;
    assert_eq!(queued.status, 202);
    let job = &queued.json["job"];
    assert_eq!((job["mode"].clone(), job["type"].clone()), (json!("Asynchronous"), json!("RefreshExtract")));
    assert_eq!(job["extractRefreshJob"]["workbook"]["name"], "Superstore");
    assert_eq!(caller.post(&refresh, &json!({})).await.code(), "409093");

    let path = format!("/jobs/{}", job["id"].as_str().unwrap());
    assert!(caller.get(&path).await.json["job"].get("finishCode").is_none());
    assert_eq!(tableau.start_refresh(&luid).unwrap().as_str(), job["id"], "the queued one");
    let running = caller.get(&path).await.json["job"].clone();
    assert_eq!(running["progress"], "0");
    tableau.succeed_refresh(&luid).unwrap();
    assert_eq!(caller.get(&path).await.json["job"]["finishCode"], "0");
    assert_eq!(caller.post(&refresh, &json!({})).await.status, 202);
}

/// The attribute names of an object, sorted.
fn keys(of: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = of.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

// The keys are those of `tableau/server-client-python:test/assets/`: `workbook_refresh.xml`,
// `job_get_by_id_inprogress.xml`, `job_get_by_id_failed_workbook.xml`.
#[tokio::test]
async fn a_refresh_has_a_finish_code_once_it_has_ended_and_not_before() {
    let queued_keys = ["createdAt", "extractRefreshJob", "id", "mode", "type"];
    let open_keys = ["createdAt", "extractRefreshJob", "id", "mode", "progress", "type"];
    let running_keys = ["createdAt", "extractRefreshJob", "id", "mode", "progress", "startedAt", "type"];
    for (code, status) in [("0", "Success"), ("1", "Failed"), ("2", "Cancelled")] {
        for by in ["workbooks", "datasources", "tasks/extractRefreshes"] {
            let tableau = TableauSimulator::sample().start().await.unwrap();
            let caller = Caller::administrator(&tableau).await;
            let workbook = tableau.workbook("Superstore").unwrap().to_string();
            let datasource = tableau.datasource("Budget").unwrap().to_string();
            let (luid, path) = match by {
                "workbooks" => (workbook.clone(), format!("/workbooks/{workbook}/refresh")),
                "datasources" => (datasource.clone(), format!("/datasources/{datasource}/refresh")),
                _ => (workbook.clone(), format!("/{by}/{}/runNow", task_of(&caller, &workbook).await)),
            };
            let queued = caller.post(&path, &json!({})).await.json["job"].clone();
            assert_eq!(keys(&queued), queued_keys);
            let id = queued["id"].as_str().unwrap().to_owned();
            let job = async || caller.get(&format!("/jobs/{id}")).await.json["job"].clone();
            let listed = async || {
                let list = rows(&caller.get("/jobs?pageSize=1000").await.json);
                list.into_iter().find(|job| job["id"] == *id).unwrap()
            };

            let open = job().await;
            assert_eq!((keys(&open), &open["progress"]), (open_keys.to_vec(), &json!("0")));
            assert_eq!(listed().await["status"], "Pending");
            tableau.start_refresh(&luid).unwrap();
            let running = job().await;
            assert_eq!((keys(&running), &running["progress"]), (running_keys.to_vec(), &json!("0")), "{by}");
            assert_eq!(
                (&running["mode"], &running["type"]),
                (&json!("Asynchronous"), &json!("RefreshExtract"))
            );
            assert_eq!(listed().await["status"], "InProgress");
            match code {
                "0" => assert_eq!(tableau.succeed_refresh(&luid).unwrap().as_str(), id),
                "1" => assert_eq!(tableau.fail_refresh(&luid, notes::NO_SPACE).unwrap().as_str(), id),
                _ => assert_eq!(caller.put(&format!("/jobs/{id}"), &json!({})).await.status, 200),
            }
            let ended = job().await;

            assert_eq!((&ended["finishCode"], &ended["progress"]), (&json!(code), &json!("100")), "{by}");
            assert!(ended["completedAt"].is_string() && ended["startedAt"].is_string(), "{ended}");
            let listed = listed().await;
            assert_eq!((&listed["status"], &listed["endedAt"]), (&json!(status), &ended["completedAt"]));
            let row = [
                "createdAt",
                "endedAt",
                "id",
                "jobType",
                "priority",
                "startedAt",
                "status",
                "subtitle",
                "title",
            ];
            assert_eq!(keys(&listed), row);
        }
    }
}

async fn task_of(caller: &Caller, workbook: &str) -> String {
    let tasks = caller.get("/tasks/extractRefreshes").await.json["tasks"]["task"].clone();
    let of = |task: &&Value| task["extractRefresh"]["workbook"]["id"] == workbook;
    tasks.as_array().unwrap().iter().find(of).unwrap()["extractRefresh"]["id"].as_str().unwrap().to_owned()
}

// As in `tableau/server-client-python:test/assets/tasks_with_interval.xml`.
#[tokio::test]
async fn a_daily_task_names_its_days_and_runs_at_its_hour() {
    let clock = manual_clock();
    let tableau = TableauSimulator::sample().clock(clock.clone()).start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let workbook = tableau.workbook("Superstore").unwrap().to_string();
    let path = format!("/tasks/extractRefreshes/{}", task_of(&caller, &workbook).await);

    let task = caller.get(&path).await.json["task"]["extractRefresh"].clone();
    clock.advance(Duration::from_secs(24 * 3600));
    let caller = Caller::administrator(&tableau).await;
    let later = caller.get(&path).await.json["task"]["extractRefresh"].clone();

    assert_eq!(keys(&task), ["consecutiveFailedCount", "id", "priority", "schedule", "type", "workbook"]);
    let schedule = &task["schedule"];
    assert_eq!(keys(schedule), ["frequency", "frequencyDetails", "nextRunAt"]);
    assert_eq!((&schedule["frequency"], &task["type"]), (&json!("Daily"), &json!("RefreshExtractTask")));
    let intervals = schedule["frequencyDetails"]["intervals"]["interval"].as_array().unwrap();
    assert_eq!((intervals.len(), &intervals[0]), (8, &json!({ "hours": "24" })));
    assert_eq!(
        (&intervals[1], &intervals[7]),
        (&json!({ "weekDay": "Sunday" }), &json!({ "weekDay": "Saturday" }))
    );
    assert_eq!(schedule["frequencyDetails"]["start"], "04:00:00");
    assert_eq!(schedule["nextRunAt"], "2026-03-03T04:00:00Z");
    assert_eq!(later["schedule"]["nextRunAt"], "2026-03-04T04:00:00Z");
}

#[tokio::test]
async fn other_kinds_of_jobs_may_show_a_finish_code_while_they_run() {
    let builder = TableauSimulator::sample().running_jobs_show_a_finish_code(true);
    let tableau = builder.start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;

    let running = tableau.start_refresh(tableau.workbook("Superstore").unwrap()).unwrap();

    let job = caller.get(&format!("/jobs/{running}")).await.json["job"].clone();
    assert_eq!((&job["finishCode"], &job["progress"]), (&json!("1"), &json!("0")));
    assert!(job.get("completedAt").is_none());
}

#[tokio::test]
async fn a_refresh_is_queued_while_another_of_the_same_thing_runs() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let luid = tableau.datasource("Shipments").unwrap();
    let refresh = format!("/datasources/{luid}/refresh");
    let running = tableau.start_refresh(&luid).unwrap();

    let queued = caller.post(&refresh, &json!({})).await;

    assert_eq!(queued.status, 202);
    assert_ne!(queued.json["job"]["id"], running.as_str());
    assert_eq!(caller.post(&refresh, &json!({})).await.code(), "409093", "now one is queued");
    assert_eq!(tableau.succeed_refresh(&luid).unwrap(), running, "what runs ends first");
    assert_eq!(tableau.start_refresh(&luid).unwrap().as_str(), queued.json["job"]["id"]);
}

#[tokio::test]
async fn of_two_refreshes_of_one_thing_the_second_waits_for_the_end_of_the_first() {
    let time = Duration::from_millis(500);
    let tableau = TableauSimulator::sample().refreshes_take(time).start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let luid = tableau.datasource("Shipments").unwrap();
    let refresh = format!("/datasources/{luid}/refresh");
    let before = tableau.jobs().len();
    let of = |status: &str| tableau.jobs()[before..].iter().filter(|job| job.status == status).count();
    caller.post(&refresh, &json!({})).await;
    let ended = async {
        while of("Success") < 2 {
            if of("InProgress") == 1 && tableau.jobs().len() == before + 1 {
                assert_eq!(caller.post(&refresh, &json!({})).await.status, 202);
            }
            assert!(of("InProgress") < 2, "one at a time");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };

    tokio::time::timeout(SOON, ended).await.unwrap();

    assert_eq!(tableau.jobs().len(), before + 2);
}

#[tokio::test]
async fn an_open_job_can_be_cancelled() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let luid = tableau.datasource("Budget").unwrap();
    let incremental = json!({ "extractRefresh": { "incremental": true } });
    let queued = caller.post(&format!("/datasources/{luid}/refresh"), &incremental).await;
    let path = format!("/jobs/{}", queued.json["job"]["id"].as_str().unwrap());

    assert_eq!(caller.put(&path, &json!({})).await.status, 200);

    assert_eq!(caller.get(&path).await.json["job"]["finishCode"], "2");
    assert_eq!(caller.put(&path, &json!({})).await.code(), "403091", "it has ended");
    let list = caller.get("/jobs?filter=status:eq:Cancelled").await.json;
    assert_eq!(rows(&list)[0]["jobType"], "increment_extracts");
}

#[tokio::test]
async fn refreshes_run_by_themselves_when_set_up_so() {
    let tableau = TableauSimulator::sample().refreshes_take(Duration::from_millis(30)).start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let luid = tableau.datasource("Budget").unwrap();
    tableau.break_refreshes(&luid, Some(notes::MISSING_COLUMN));

    let queued = caller.post(&format!("/datasources/{luid}/refresh"), &json!({})).await;

    let path = format!("/jobs/{}", queued.json["job"]["id"].as_str().unwrap());
    let ended = async {
        loop {
            let job = caller.get(&path).await.json["job"].clone();
            if job.get("completedAt").is_some() {
                return job;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let job = tokio::time::timeout(SOON, ended).await.unwrap();
    assert_eq!(job["extractRefreshJob"]["notes"], notes::MISSING_COLUMN);
}

#[tokio::test]
async fn live_connections_and_spent_quotas_are_refused() {
    let clock = manual_clock();
    let builder = TableauSimulator::sample().clock(clock.clone()).refreshes_per_hour(1);
    let tableau = builder.start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let refresh = async |name: &str| {
        let luid = tableau.datasource(name).unwrap();
        caller.post(&format!("/datasources/{luid}/refresh"), &json!({})).await
    };

    assert_eq!(refresh("Exchange Rates").await.code(), "403104");
    assert_eq!(refresh("Budget").await.status, 202);
    assert_eq!(refresh("Shipments").await.code(), "429000");
    clock.advance(Duration::from_secs(3601));
    assert_eq!(refresh("Shipments").await.status, 202);
}

#[tokio::test]
async fn who_waits_as_long_as_a_spent_quota_says_is_let_in() {
    let clock = manual_clock();
    let builder = TableauSimulator::sample().clock(clock.clone()).refreshes_per_hour(2);
    let tableau = builder.start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let refresh = async |name: &str| {
        let luid = tableau.datasource(name).unwrap();
        caller.post(&format!("/datasources/{luid}/refresh"), &json!({})).await
    };
    let wait = async || {
        let refused = refresh("Shipments").await;
        assert_eq!(refused.code(), "429000");
        let detail = refused.json["error"]["detail"].as_str().unwrap().to_owned();
        detail.split_once("try again in ").unwrap().1.to_owned()
    };
    assert_eq!(refresh("Budget").await.status, 202);
    clock.advance(Duration::from_secs(10 * 60));
    assert_eq!(refresh("Sales Orders").await.status, 202);

    assert_eq!(wait().await, "50 minutes.", "an hour after the first");
    clock.advance(Duration::from_millis(48 * 60_000 + 500));
    assert_eq!(wait().await, "2 minutes.", "rounded up");
    clock.advance(Duration::from_secs(61));
    assert_eq!(wait().await, "1 minute.");
    clock.advance(Duration::from_secs(60));

    assert_eq!(refresh("Shipments").await.status, 202);
    tableau.succeed_refresh(tableau.datasource("Shipments").unwrap()).unwrap();
    assert_eq!(wait().await, "10 minutes.", "an hour after the second");
}

#[tokio::test]
async fn faults_happen_as_often_as_planned() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    tableau.fail_next("GET /sites/{site}/jobs", 1, Fault::TooManyRequests { retry_after: Some(7) });
    tableau.fail_next("GET /sites/*/jobs", 1, Fault::Html(503));
    tableau.fail_next("GET /sites/*/jobs", 1, Fault::Reset);
    tableau.fail_next("GET /sites/*/jobs", 1, Fault::Delay(Duration::from_millis(1)));
    let path = format!("/api/3.29/sites/{}/jobs", caller.site);
    let send = async || caller.send(reqwest::Method::GET, &path, "").await;

    let busy = send().await.unwrap();
    assert_eq!((busy.status().as_u16(), busy.headers()["retry-after"].to_str().unwrap()), (429, "7"));
    let html = send().await.unwrap();
    assert_eq!(
        (html.status().as_u16(), html.headers()["content-type"].to_str().unwrap()),
        (503, "text/html")
    );
    assert!(send().await.is_err(), "the connection is reset");
    assert_eq!(send().await.unwrap().status().as_u16(), 200, "late, but right");
    assert_eq!(send().await.unwrap().status().as_u16(), 200);
    assert_eq!((tableau.calls("GET /sites/{site}/jobs"), tableau.failed_calls()), (5, 3));
}
