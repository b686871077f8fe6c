//! From the request to the result: by the event, by a timer, by asking, within the answer.

use crate::stage::{NO_RULES, Stage, everything, of_datasource};
use serde_json::{Value, json};
use std::time::Duration;
use testkit::ApiCall;
use testkit::simulator::{Datasource, Fault, TableauSimulator, Workbook};

const ORACLE: &str = "com.tableausoftware.nativeapi.exceptions.DataSourceException: [Oracle][ODBC][Ora]ORA-01005: null password given; logon denied";

#[tokio::test]
async fn a_data_source_is_refreshed_and_the_event_ends_the_wait() {
    let stage = Stage::start().await;
    let luid = stage.tableau().add(Datasource::named("Orders").in_project("Finance/Europe"));
    let key = stage.key("nightly load", everything()).await;

    let answer = stage.post(&key, &of_datasource(luid.as_str())).await;

    assert_eq!(answer.status, 202, "{} {}", answer.body, stage.log());
    let id = answer.body["id"].clone();
    let url = format!(
        "https://abcdefghij.execute-api.ap-southeast-2.amazonaws.com/refreshes/{}",
        id.as_str().unwrap()
    );
    assert_eq!(answer.headers["location"], url);
    let job = stage.tableau().jobs().pop().unwrap();
    let expected = json!({
        "id": id, "status": "queued", "kind": "datasource", "luid": luid.as_str(), "name": "Orders",
        "project": ["Finance", "Europe"], "site": "marketing", "incremental": false, "joined": false,
        "requested_at": answer.body["requested_at"], "started_at": null, "ended_at": null, "job": job.luid.as_str(),
        "waits_for": "a free worker of Tableau",
        "message": "The data source Orders waits for a free worker of Tableau.", "cause": null, "status_url": url,
    });
    assert_eq!(answer.body, expected);

    stage.tableau().start_refresh(&luid).unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let running = stage.get(&key, &id).await;
    assert_eq!((&running["status"], &running["waits_for"]), (&json!("running"), &Value::Null), "{running}");

    stage.tableau().succeed_refresh(&luid).unwrap();
    assert!(stage.event("DatasourceRefreshSucceeded", luid.as_str()).await.is_empty());
    let looks = stage.tableau().calls("GET */jobs/*");
    let ended = stage.get(&key, &id).await;

    assert_eq!(ended["status"], "succeeded", "{ended} {}", stage.log());
    assert_eq!(ended["message"], "The data source Orders was refreshed.");
    assert!(ended["ended_at"].is_string() && ended["started_at"].is_string());
    assert_eq!(stage.tableau().calls("GET */jobs/*"), looks, "the event ended the wait, not the question");
    assert_eq!(stage.starts(), 1);
    stage.assert_no_secret_in_log();
}

#[tokio::test]
async fn a_refresh_that_ends_within_the_wait_is_answered_with_its_result() {
    let tableau = TableauSimulator::sample().refreshes_take(Duration::from_secs(2));
    let stage = Stage::with(NO_RULES, tableau, &[]).await;
    let luid = stage.tableau().add(Workbook::named("Weekly").in_project("Sales"));
    let key = stage.key("curl", everything()).await;

    let body = json!({ "kind": "workbook", "luid": luid.as_str(), "wait_seconds": 15 });
    let answer = stage.post(&key, &body).await;

    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("succeeded")), "{}", stage.log());
    assert_eq!(answer.headers["location"], Value::Null);
}

#[tokio::test]
async fn a_get_waits_too() {
    let tableau = TableauSimulator::sample().refreshes_take(Duration::from_secs(3));
    let stage = Stage::with(NO_RULES, tableau, &[]).await;
    let luid = stage.tableau().add(Workbook::named("Weekly").in_project("Sales"));
    let key = stage.key("curl", everything()).await;
    let request = stage.accepted(&key, &json!({ "kind": "workbook", "luid": luid.as_str() })).await;

    let path = format!("/refreshes/{}?wait_seconds=15", request["id"].as_str().unwrap());
    let answer = stage.call(&ApiCall::new("GET", &path).key(&key)).await;

    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("succeeded")), "{}", stage.log());
}

#[tokio::test]
async fn without_an_event_a_timer_tells_the_end() {
    let stage = Stage::start().await;
    let luid = stage.tableau().add(Datasource::named("Orders").in_project("Finance"));
    let key = stage.key("nightly load", everything()).await;
    let request = stage.accepted(&key, &of_datasource(luid.as_str())).await;
    stage.tableau().succeed_refresh(&luid).unwrap();

    let settled = || {
        let items = stage.environment.aws.items("deliveries");
        let key = format!("refresh#{}", request["id"].as_str().unwrap());
        let item = items.into_iter().find(|item| item["pk"]["S"] == key.as_str()).unwrap();
        item["document"]["S"].as_str().unwrap().contains("\"status\":\"succeeded\"")
    };
    stage.work_until(Duration::from_secs(60), async || settled()).await;

    let looks = stage.tableau().calls("GET */jobs/*");
    assert_eq!(stage.get(&key, &request["id"]).await["status"], "succeeded");
    assert_eq!(stage.tableau().calls("GET */jobs/*"), looks);
}

// R07
#[tokio::test]
async fn a_failed_refresh_says_the_cause_what_to_do_the_owner_and_the_page_and_is_not_repeated() {
    let stage = Stage::start().await;
    let luid = stage.tableau().add(Datasource::named("Orders").in_project("Finance"));
    let key = stage.key("nightly load", everything()).await;
    let request = stage.accepted(&key, &of_datasource(luid.as_str())).await;

    stage.tableau().fail_refresh(&luid, ORACLE).unwrap();
    assert!(stage.event("DatasourceRefreshFailed", luid.as_str()).await.is_empty());
    let failed = stage.get(&key, &request["id"]).await;

    assert_eq!(failed["status"], "failed", "{failed} {}", stage.log());
    assert_eq!(failed["cause"]["class"], "Credentials");
    assert!(failed["cause"]["line"].as_str().unwrap().contains("ORA-01005"), "{failed}");
    let step = failed["cause"]["next_step"].as_str().unwrap();
    assert!(step.contains("password") && step.contains("Owner: ") && step.contains("Page: http"), "{step}");
    assert!(failed["message"].as_str().unwrap().starts_with("The refresh of Orders failed: "), "{failed}");
    stage.work().await;
    assert_eq!(stage.starts(), 1);
}

// R14
#[tokio::test]
async fn a_failed_look_is_no_failed_refresh_and_no_second_start_and_no_one_signs_out() {
    let stage = Stage::start().await;
    let luid = stage.tableau().add(Datasource::named("Orders").in_project("Finance"));
    let key = stage.key("nightly load", everything()).await;
    let request = stage.accepted(&key, &of_datasource(luid.as_str())).await;
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    for fault in [Fault::Status(503), Fault::Html(502), Fault::Reset, Fault::Error("401002")] {
        stage.tableau().fail_always("GET */jobs/*", fault.clone());
        let looked = stage.get(&key, &request["id"]).await;
        assert!(matches!(looked["status"].as_str(), Some("queued" | "running")), "{fault:?} {looked}");
        stage.tableau().clear_faults();
        tokio::time::sleep(Duration::from_millis(2_100)).await;
    }

    stage.tableau().succeed_refresh(&luid).unwrap();
    // The circuit may be open for a moment.
    let path = format!("/refreshes/{}?wait_seconds=10", request["id"].as_str().unwrap());
    let mut status = Value::Null;
    for _ in 0..5 {
        status = stage.call(&ApiCall::new("GET", &path).key(&key)).await.body["status"].clone();
        if status == "succeeded" {
            break;
        }
    }
    assert_eq!(status, "succeeded", "{}", stage.log());
    assert_eq!(stage.starts(), 1);
    assert_eq!(stage.tableau().calls("POST /auth/signout"), 0);
}

// R13
#[tokio::test]
async fn a_request_has_a_limit_of_its_own_and_the_job_is_left_alone() {
    let stage = Stage::start().await;
    let luid = stage.tableau().add(Datasource::named("Orders").in_project("Finance"));
    let key = stage.key("nightly load", everything()).await;
    let mut body = of_datasource(luid.as_str());
    body["timeout_minutes"] = json!(1);
    let request = stage.accepted(&key, &body).await;
    body["timeout_minutes"] = json!(600);
    let patient = stage.accepted(&key, &body).await;

    // Nine hours later, as the first request sees them.
    stage.environment.change_documents("refresh", |document| {
        if document["id"] == request["id"] {
            for member in ["requested_at", "until"] {
                let at: jiff::Timestamp = document[member].as_str().unwrap().parse().unwrap();
                document[member] = json!(at - jiff::SignedDuration::from_hours(9));
            }
        }
    });
    let over = stage.get(&key, &request["id"]).await;

    assert_eq!(over["status"], "timed_out", "{over}");
    let message = over["message"].as_str().unwrap();
    assert!(message.starts_with("The data source Orders is still queued since 20"), "{message}");
    assert!(message.ends_with("limit of 1 minutes is over. The job is left alone."), "{message}");
    assert_eq!(stage.get(&key, &patient["id"]).await["status"], "queued");
    assert_eq!(stage.tableau().jobs().pop().unwrap().status, "Pending");
    stage.tableau().succeed_refresh(&luid).unwrap();
    stage.event("DatasourceRefreshSucceeded", luid.as_str()).await;
    assert_eq!(stage.get(&key, &patient["id"]).await["status"], "succeeded");
    assert_eq!(stage.get(&key, &request["id"]).await["status"], "timed_out");
}

#[tokio::test]
async fn a_request_that_needs_new_data_is_not_told_the_end_of_a_refresh_that_began_before_it() {
    let stage = Stage::start().await;
    let luid = stage.tableau().add(Datasource::named("Orders").in_project("Finance")).to_string();
    let key = stage.key("nightly load", everything()).await;
    let mut fresh = of_datasource(&luid);
    fresh["fresh"] = json!(true);
    let first = stage.accepted(&key, &of_datasource(&luid)).await;
    stage.tableau().start_refresh(&luid).unwrap();

    let second = stage.accepted(&key, &fresh).await;
    let third = stage.accepted(&key, &of_datasource(&luid)).await;
    assert_eq!((&second["joined"], &third["joined"]), (&json!(false), &json!(true)), "{second} {third}");
    let why = second["waits_for"].as_str().unwrap();
    assert!(why.starts_with("the refresh that runs to end"), "{why}");
    stage.tableau().succeed_refresh(&luid).unwrap();
    stage.event("DatasourceRefreshSucceeded", &luid).await;

    let ids = [&first["id"], &second["id"], &third["id"]];
    let mut statuses = Vec::new();
    for id in ids {
        statuses.push(stage.get(&key, id).await["status"].clone());
    }
    assert_eq!(statuses, ["succeeded", "queued", "succeeded"]);
    assert_eq!(stage.starts(), 2, "a new one has begun");
    stage.tableau().succeed_refresh(&luid).unwrap();
    stage.event("DatasourceRefreshSucceeded", &luid).await;
    assert_eq!(stage.get(&key, &second["id"]).await["status"], "succeeded");
}

#[tokio::test]
async fn a_refresh_of_a_person_that_runs_already_is_waited_for_and_a_new_one_follows() {
    let stage = Stage::start().await;
    let luid = stage.tableau().add(Datasource::named("Orders").in_project("Finance")).to_string();
    let key = stage.key("nightly load", everything()).await;
    crate::truth::queue_by_hand(&stage, &luid).await;
    stage.tableau().start_refresh(&luid).unwrap();
    let mut fresh = of_datasource(&luid);
    fresh["fresh"] = json!(true);
    // More than the clocks may differ.
    tokio::time::sleep(Duration::from_millis(4_200)).await;
    stage.tableau().fail_next("POST */refresh", 1, Fault::Error("409093"));

    let request = stage.accepted(&key, &fresh).await;

    let why = request["waits_for"].as_str().unwrap();
    assert!(why.contains("a refresh that began before the request"), "{request} {}", stage.log());
    stage.tableau().succeed_refresh(&luid).unwrap();
    let mut time = crate::time::Time::of(&stage);
    time.until(async || stage.starts() == 3).await;
    stage.tableau().succeed_refresh(&luid).unwrap();
    stage.event("DatasourceRefreshSucceeded", &luid).await;
    let ended = stage.get(&key, &request["id"]).await;
    let newest = stage.tableau().jobs().pop().unwrap();
    assert_eq!((&ended["status"], &ended["job"]), (&json!("succeeded"), &json!(newest.luid.as_str())));
}

#[tokio::test]
async fn where_jobs_are_not_shown_an_event_is_no_word_about_a_refresh_that_had_to_begin_later() {
    let stage = Stage::start().await;
    let luid = stage.tableau().add(Datasource::named("Orders").in_project("Finance")).to_string();
    let key = stage.key("nightly load", everything()).await;
    stage.tableau().fail_always("GET */jobs*", Fault::Error("403004"));
    for (fresh, status) in [(false, "succeeded"), (true, "failed")] {
        let mut body = of_datasource(&luid);
        body["fresh"] = json!(fresh);
        let request = stage.accepted(&key, &body).await;
        stage.tableau().succeed_refresh(&luid).unwrap();
        stage.event("DatasourceRefreshSucceeded", &luid).await;
        let ended = stage.get(&key, &request["id"]).await;
        assert_eq!(ended["status"], status, "{ended} {}", stage.log());
        let message = ended["message"].as_str().unwrap();
        assert_eq!(message.contains("It is not known whether"), fresh, "{message}");
        assert_eq!(message.contains("site administrator"), fresh, "{message}");
    }
}

#[tokio::test]
async fn a_refresh_that_began_before_the_request_is_told_from_a_later_one_by_tableaus_clock() {
    for ahead in [-60, 60] {
        let clock = testkit::simulator::Clock::ahead(jiff::SignedDuration::from_secs(ahead));
        let stage = Stage::with(NO_RULES, TableauSimulator::sample().clock(clock), &[]).await;
        let luid = stage.tableau().add(Datasource::named("Orders").in_project("Finance")).to_string();
        let key = stage.key("nightly load", everything()).await;
        crate::truth::queue_by_hand(&stage, &luid).await;
        stage.tableau().start_refresh(&luid).unwrap();
        tokio::time::sleep(Duration::from_millis(6_200)).await;
        stage.tableau().fail_next("POST */refresh", 1, Fault::Error("409093"));
        let mut fresh = of_datasource(&luid);
        fresh["fresh"] = json!(true);
        let request = stage.accepted(&key, &fresh).await;
        let why = request["waits_for"].as_str().unwrap_or_default();
        assert!(why.contains("a refresh that began before the request"), "{ahead}: {request}");
        // A lost answer: the job that Tableau made is ours, and not earlier.
        stage.tableau().succeed_refresh(&luid).unwrap();
        stage.tableau().fail_next("POST */refresh", 1, Fault::Lost);
        stage.event("DatasourceRefreshSucceeded", &luid).await;
        let job = stage.tableau().jobs().into_iter().find(|job| job.completed_at.is_none()).unwrap();
        let found = stage.get(&key, &request["id"]).await;
        assert_eq!(found["job"], job.luid.as_str(), "{ahead}: {found} {}", stage.log());
        assert_eq!(stage.starts(), 3);
    }
}

// docs/performance.md, "A wait of two hours"
#[tokio::test]
async fn a_wait_of_two_hours_costs_few_invocations_also_while_a_caller_polls() {
    for polls in [false, true] {
        let stage = Stage::start().await;
        let luid = stage.tableau().add(Datasource::named("Orders").in_project("Finance")).to_string();
        let key = stage.key("nightly load", everything()).await;
        let mut body = of_datasource(&luid);
        body["timeout_minutes"] = json!(300);
        let request = stage.accepted(&key, &body).await;
        stage.tableau().start_refresh(&luid).unwrap();
        let mut time = crate::time::Time::of(&stage);
        while time.passed() < jiff::SignedDuration::from_mins(115) {
            if polls {
                time.pass(jiff::SignedDuration::from_secs(60)).await;
                assert_eq!(stage.get(&key, &request["id"]).await["status"], "running");
            } else {
                assert!(time.next().await, "a timer is set: {}", stage.log());
            }
        }
        let by_timers = time.invocations();
        let looks = stage.tableau().calls("GET */jobs/*");
        stage.tableau().succeed_refresh(&luid).unwrap();
        stage.event("DatasourceRefreshSucceeded", &luid).await;
        assert_eq!(stage.get(&key, &request["id"]).await["status"], "succeeded");
        // The looks, after 30, 60, 120 s and so on, the timer of the lane, that of the answer to the start, and one that this sets again.
        assert!((13..=15).contains(&by_timers), "{by_timers} {}", stage.log());
        let expected = if polls { 115 } else { 10 };
        assert!((expected..=expected + 12).contains(&looks), "{looks} looks");
    }
}
