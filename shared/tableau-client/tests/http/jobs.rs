//! Jobs and tasks.

use crate::server::{Reply, Tableau};
use serde_json::{Value, json};
use std::time::Duration;
use tableau::Subject;
use tableau_client::{Filter, JobEnd, Waited};

/// A refresh that runs: no finish code. Source: `tableau/server-client-python:test/assets/job_get_by_id_inprogress.xml`
fn running() -> Value {
    json!({"job": {"id": "j-1", "mode": "Asynchronous", "type": "RefreshExtract", "progress": "0",
                   "createdAt": "2025-01-15T17:13:58Z", "startedAt": "2025-01-15T17:14:00Z"}})
}

/// An import of users that runs. Source: `tableau/server-client-python:test/assets/users_bulk_add_job.xml`
fn running_with_a_finish_code() -> Value {
    let mut running = running();
    running["job"]["finishCode"] = json!("1");
    running
}

fn ended(code: &str) -> Value {
    json!({"job": {"id": "j-1", "progress": "100", "finishCode": code, "completedAt": "2025-01-15T17:14:44Z",
        "extractRefreshJob": {"workbook": {"id": "w-1", "name": "Superstore"},
            "notes": "java.lang.RuntimeException: [Microsoft][ODBC Driver 17 …]Login failed for user. …"}}})
}

#[tokio::test]
async fn a_job_runs_until_it_is_completed_whatever_its_finish_code() {
    for (code, end, success) in [
        ("0", JobEnd::Success, true),
        ("1", JobEnd::Failed, false),
        ("2", JobEnd::Cancelled, false),
        ("3", JobEnd::CompletedByBridge, true),
    ] {
        let tableau = Tableau::start().await;
        for answer in [running(), running_with_a_finish_code(), ended(code)] {
            tableau.knows("GET /jobs/j-1", &answer);
        }
        let running = tableau.client().job(&"j-1".parse().unwrap()).await.unwrap();
        assert_eq!((running.end(), running.finish_code, running.progress), (None, None, Some(0)));
        let waited = tableau.client().wait_for_job(&"j-1".parse().unwrap(), Duration::from_secs(10)).await;
        let Waited::Ended(job, how) = waited.unwrap() else { panic!("still running") };
        assert_eq!((how, how.is_success()), (end, success));
        assert!(job.notes().unwrap().contains("Login failed"));
        assert_eq!(tableau.heard("GET /jobs/j-1").len(), 3);
    }
}

#[tokio::test]
async fn a_job_is_waited_for_no_longer_than_asked() {
    let tableau = Tableau::start().await;
    tableau.knows("GET /jobs/j-1", &running());
    let luid = "j-1".parse().unwrap();
    for client in [tableau.client(), tableau.client().within(Duration::from_secs(60))] {
        let waited = client.wait_for_job(&luid, Duration::from_millis(700)).await.unwrap();
        assert!(matches!(waited, Waited::StillRunning(_)), "{waited:?}");
    }
    let short = tableau.client().within(Duration::from_millis(300));
    let waited = short.wait_for_job(&luid, Duration::from_secs(3_600)).await.unwrap();
    assert!(matches!(waited, Waited::StillRunning(_)), "{waited:?}");
}

#[tokio::test]
async fn jobs_are_listed_by_state_type_and_time() {
    let tableau = Tableau::start().await;
    let job = json!({"id": "j-1", "status": "Failed", "createdAt": "2025-01-15T17:14:00Z", "priority": "50",
        "startedAt": "2025-01-15T17:14:01Z", "endedAt": "2025-01-15T17:14:44Z", "jobType": "refresh_extracts",
        "title": "Superstore"});
    let answer = json!({"pagination": {"pageNumber": "1", "pageSize": "100", "totalAvailable": "2"},
        "backgroundJobs": {"backgroundJob": [job, {"malformed": true}]}});
    tableau.knows("GET /jobs", &answer);
    let from = "2025-01-15T17:00:00Z".parse().unwrap();
    let to = "2025-01-15T18:00:00Z".parse().unwrap();
    let filter = Filter::all().in_state("Failed").refreshes().ended_since(from).ended_before(to);

    let jobs = tableau.client().jobs(filter).all(10).await.unwrap();

    assert_eq!((jobs.len(), jobs[0].title.as_deref(), jobs[0].priority), (1, Some("Superstore"), Some(50)));
    let asked = &tableau.heard("GET /jobs")[0].query["filter"];
    let expected = "status:eq:Failed,jobType:in:[refresh_extracts,increment_extracts,refresh_extracts_via_bridge],completedAt:gte:2025-01-15T17:00:00Z";
    assert_eq!(asked, expected);
}

#[tokio::test]
async fn a_job_is_cancelled() {
    let tableau = Tableau::start().await;
    tableau.says("PUT /jobs/j-1", Reply::Full(200, vec![], vec![]));
    tableau.client().cancel_job(&"j-1".parse().unwrap()).await.unwrap();
}

#[tokio::test]
async fn refresh_tasks_are_listed_and_run() {
    let task = json!({"extractRefresh": {"id": "t-1", "priority": "50", "consecutiveFailedCount": "3",
        "type": "FullRefresh", "workbook": {"id": "w-1"},
        "schedule": {"frequency": "Daily", "nextRunAt": "2025-01-16T04:00:00Z"}}});
    for tasks in [json!({"task": [task]}), json!({ "task": task }), json!([task])] {
        let tableau = Tableau::start().await;
        tableau.knows("GET /tasks/extractRefreshes", &json!({ "tasks": tasks }));
        tableau.knows("POST /tasks/extractRefreshes/t-1/runNow", &json!({"job": {"id": "j-1"}}));
        let client = tableau.client();

        let tasks = client.refresh_tasks().all(10).await.unwrap();
        let job = client.run_refresh_task(&tasks[0].id).await.unwrap();

        assert_eq!(tasks[0].subject, Some(Subject::Workbook("w-1".parse().unwrap())));
        assert_eq!((tasks[0].consecutive_failures, job.id.as_str()), (Some(3), "j-1"));
    }
}
