//! What is told after answers that were lost, late or wrong.

use crate::stage::{NO_RULES, Stage, everything, of_datasource};
use serde_json::json;
use std::time::Duration;
use testkit::simulator::{Datasource, Fault, TableauSimulator};

async fn one() -> (Stage, String, String) {
    let stage = Stage::start().await;
    let luid = stage.tableau().add(Datasource::named("Orders").in_project("Finance")).to_string();
    let key = stage.key("nightly load", everything()).await;
    (stage, luid, key)
}

// R01
#[tokio::test]
async fn after_an_error_the_job_list_is_read_before_a_failure_is_told() {
    let faults = [Fault::DoneThen(403), Fault::DoneThen(500), Fault::DoneThen(502), Fault::Lost];
    for fault in faults {
        let (stage, luid, key) = one().await;
        stage.tableau().fail_next("POST */refresh", 1, fault.clone());

        let request = stage.accepted(&key, &of_datasource(&luid)).await;

        let jobs = stage.tableau().jobs();
        let job = jobs.iter().find(|job| job.target.as_deref() == Some(luid.as_str())).unwrap();
        assert_eq!(request["job"], job.luid.as_str(), "{fault:?} {request} {}", stage.log());
        stage.tableau().succeed_refresh(&luid).unwrap();
        stage.event("DatasourceRefreshSucceeded", &luid).await;
        assert_eq!(stage.get(&key, &request["id"]).await["status"], "succeeded", "{fault:?}");
        stage.work().await;
        assert_eq!(stage.starts(), 1, "{fault:?}");
    }
}

// R01
#[tokio::test]
async fn a_lost_answer_is_not_taken_for_the_refresh_of_a_moment_before() {
    for fresh in [true, false] {
        let (stage, luid, key) = one().await;
        let mut body = of_datasource(&luid);
        body["fresh"] = json!(fresh);
        let first = stage.accepted(&key, &body).await;
        stage.tableau().succeed_refresh(&luid).unwrap();
        stage.event("DatasourceRefreshSucceeded", &luid).await;
        assert_eq!(stage.get(&key, &first["id"]).await["status"], "succeeded");

        stage.tableau().fail_next("POST */refresh", 1, Fault::Status(500));
        let second = stage.accepted(&key, &body).await;

        assert_eq!((&second["status"], &second["job"]), (&json!("queued"), &json!(null)), "{second}");
        let mut time = crate::time::Time::of(&stage);
        time.until(async || stage.starts() == 3).await;
        stage.tableau().succeed_refresh(&luid).unwrap();
        stage.event("DatasourceRefreshSucceeded", &luid).await;
        let ended = stage.get(&key, &second["id"]).await;
        assert_eq!(ended["status"], "succeeded", "{ended} {}", stage.log());
        assert_ne!(ended["job"], first["job"]);
    }
}

// R01
#[tokio::test]
async fn a_refusal_without_a_job_names_the_right_that_is_missing() {
    let (stage, luid, key) = one().await;
    stage.tableau().fail_next("POST */refresh", 1, Fault::Error("403077"));

    let answer = stage.post(&key, &of_datasource(&luid)).await;

    assert_eq!((answer.status, &answer.body["code"]), (403, &json!("tableau_refused")), "{}", stage.log());
    let detail = answer.body["detail"].as_str().unwrap();
    for right in ["own the content", "lead its project", "administrate the site", "403077"] {
        assert!(detail.contains(right), "{detail}");
    }
    assert_eq!(answer.headers["content-type"], "application/problem+json");
}

// R01
#[tokio::test]
async fn a_refusal_says_so_if_tableau_does_not_show_whether_it_queued_the_refresh_all_the_same() {
    let (stage, luid, key) = one().await;
    stage.tableau().fail_next("POST */refresh", 1, Fault::DoneThen(403));
    stage.tableau().fail_next("GET */jobs", 5, Fault::Error("403004"));

    let answer = stage.post(&key, &of_datasource(&luid)).await;

    assert_eq!((answer.status, &answer.body["code"]), (403, &json!("tableau_refused")), "{}", stage.log());
    let detail = answer.body["detail"].as_str().unwrap();
    assert!(detail.contains("Whether Tableau queued it all the same is not known"), "{detail}");
    assert!(detail.contains("may not see jobs"), "{detail}");
}

// R02, R03
#[tokio::test]
async fn a_refresh_that_is_queued_already_is_joined_by_its_object_and_not_by_its_name() {
    let (stage, luid, key) = one().await;
    let namesake = stage.tableau().add(Datasource::named("Orders").in_project("Sales"));
    // A person has queued both, the namesake last.
    let other_key = stage.key("other", everything()).await;
    let queued = queue_by_hand(&stage, &luid).await;
    let of_namesake = queue_by_hand(&stage, namesake.as_str()).await;

    let request = stage.accepted(&other_key, &of_datasource(&luid)).await;

    assert_eq!(request["job"], queued.as_str(), "not {of_namesake}: {}", stage.log());
    assert_eq!(stage.tableau().jobs().iter().filter(|job| job.title == "Orders").count(), 2);
    stage.tableau().succeed_refresh(&luid).unwrap();
    stage.event("DatasourceRefreshSucceeded", &luid).await;
    assert_eq!(stage.get(&other_key, &request["id"]).await["status"], "succeeded");
    drop(key);
}

/// A refresh that a person has queued in Tableau. Its job.
pub(crate) async fn queue_by_hand(stage: &Stage, luid: &str) -> String {
    let http = http_client::client(None).unwrap();
    let settings = tableau_client::Settings::new(&stage.tableau().url(), "marketing", "").unwrap();
    let pat = testkit::simulator::SAMPLE_PAT;
    let credential = tableau_client::TableauCredential::personal_access_token(pat.0, pat.1);
    let credentials = std::sync::Arc::new(tableau_client::FixedCredential::new(credential));
    let sessions = std::sync::Arc::new(tableau_client::MemorySessionStore::default());
    let client = tableau_client::TableauClient::new(http, settings, credentials, sessions);
    let subject = tableau::Subject::Datasource(luid.parse().unwrap());
    match client.refresh_now(&subject, tableau_client::RefreshKind::Full).await.unwrap() {
        tableau_client::RefreshNow::Queued(job) => job.id.to_string(),
        tableau_client::RefreshNow::AlreadyQueued => panic!("it is queued already"),
    }
}

// R02
#[tokio::test]
async fn one_request_sends_one_start_also_if_its_answer_is_late() {
    let (stage, luid, key) = one().await;
    stage.tableau().fail_next("POST */refresh", 1, Fault::Late(Duration::from_millis(2_500)));

    let other = stage.environment.queued("refresh-extract", crate::stage::BINARY);
    let event = testkit::ApiCall::new("POST", "/refreshes").key(&key).json(&of_datasource(&luid)).event();
    let (first, second) = tokio::join!(stage.function.answer_to(&event), other.answer_to(&event));

    assert_eq!((first.status, second.status), (202, 202), "{}", stage.log());
    assert_eq!(stage.starts(), 1);
    assert_eq!(stage.tableau().jobs().iter().filter(|job| job.title == "Orders").count(), 1);
}

#[tokio::test]
async fn a_process_that_dies_while_it_starts_a_refresh_leaves_it_to_others_who_start_no_second_one() {
    let (stage, luid, key) = one().await;
    let call = testkit::ApiCall::new("POST", "/refreshes").key(&key).header("idempotency-key", "run-1");
    let event = call.json(&of_datasource(&luid)).event();
    // Tableau queues the job, and the process dies before it gets the answer.
    stage.tableau().fail_next("POST */refresh", 1, Fault::Late(Duration::from_secs(8)));
    let killed = async {
        let is_queued = || stage.tableau().jobs().iter().any(|job| job.target.as_deref() == Some(&luid));
        for _ in 0..60 {
            if is_queued() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(is_queued(), "{}", stage.log());
        stage.function.process().kill().await;
    };
    let (answer, ()) = tokio::join!(stage.function.invoke(&event), killed);
    assert!(answer.is_err(), "{answer:?}");

    // The caller repeats its request, and is told the truth as far as it is known.
    let again = stage.function.answer_to(&event).await;
    assert_eq!((again.status, &again.body["waits_for"]), (202, &json!("Tableau's answer to the start")));
    // No one asks any more: the timer of the lane, which was set before the start was written, finds the job.
    let job = stage.tableau().jobs().into_iter().find(|job| job.target.as_deref() == Some(&luid)).unwrap();
    let is_known = || format!("{:?}", stage.environment.aws.items("deliveries")).contains(job.luid.as_str());
    stage.work_until(Duration::from_secs(40), async || is_known()).await;

    stage.tableau().succeed_refresh(&luid).unwrap();
    stage.event("DatasourceRefreshSucceeded", &luid).await;
    let ended = stage.get(&key, &again.body["id"]).await;
    assert_eq!((&ended["status"], &ended["job"]), (&json!("succeeded"), &json!(job.luid.as_str())));
    let jobs = stage.tableau().jobs();
    assert_eq!(jobs.iter().filter(|job| job.target.as_deref() == Some(&luid)).count(), 1);
}

// R10
#[tokio::test]
async fn content_that_was_published_a_moment_ago_is_tried_again_with_gaps() {
    for code in ["400000", "404004"] {
        let (stage, luid, key) = one().await;
        stage.tableau().fail_next("POST */refresh", 2, Fault::Error(code));

        let request = stage.accepted(&key, &of_datasource(&luid)).await;
        assert_eq!(request["status"], "queued", "{request}");
        assert!(request["waits_for"].as_str().unwrap().contains("published a moment ago"), "{request}");
        stage.work_until(Duration::from_secs(60), async || stage.starts() == 3).await;

        stage.tableau().succeed_refresh(&luid).unwrap();
        stage.event("DatasourceRefreshSucceeded", &luid).await;
        assert_eq!(stage.get(&key, &request["id"]).await["status"], "succeeded", "{}", stage.log());
    }
}

// R15
#[tokio::test]
async fn a_missing_scope_for_jobs_is_named_and_an_event_ends_the_wait() {
    let (stage, luid, key) = with_app(Some(&["tableau:content:read", "tableau:tasks:run"])).await;
    let request = stage.accepted(&key, &of_datasource(&luid)).await;
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    let before = stage.tableau().calls("POST /auth/signin");

    let looked = stage.get(&key, &request["id"]).await;

    let waits_for = looked["waits_for"].as_str().unwrap_or_default();
    assert!(waits_for.contains("tableau:jobs:read"), "{looked} {}", stage.log());
    assert!(stage.tableau().calls("POST /auth/signin") <= before + 1, "no third sign-in");
    stage.tableau().succeed_refresh(&luid).unwrap();
    assert!(stage.event("DatasourceRefreshSucceeded", &luid).await.is_empty());
    assert_eq!(stage.get(&key, &request["id"]).await["status"], "succeeded", "{}", stage.log());
    assert_eq!(stage.starts(), 1);
}

#[tokio::test]
async fn a_connected_app_without_scopes_in_the_secret_has_exactly_those_that_the_calls_need() {
    let (stage, luid, key) = with_app(None).await;
    let request = stage.accepted(&key, &of_datasource(&luid)).await;
    stage.tableau().fail_refresh(&luid, "Login failed for user").unwrap();
    stage.event("DatasourceRefreshFailed", &luid).await;
    let failed = stage.get(&key, &request["id"]).await;
    assert!(failed["cause"]["next_step"].as_str().unwrap().contains("Owner: "), "{failed} {}", stage.log());
    let last = stage.accepted(&key, &of_datasource(&luid)).await;
    let path = format!("/refreshes/{}", last["id"].as_str().unwrap());
    stage.call(&testkit::ApiCall::new("DELETE", &path).key(&key)).await;

    let flow = stage.tableau().add(testkit::simulator::Flow::named("Prepare").in_project("Ops"));
    let run = stage.accepted(&key, &json!({ "kind": "flow", "luid": flow.as_str() })).await;
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    stage.get(&key, &run["id"]).await;
    let path = format!("/refreshes/{}", run["id"].as_str().unwrap());
    stage.call(&testkit::ApiCall::new("DELETE", &path).key(&key)).await;

    let used: Vec<&str> = stage.tableau().used_scopes().into_iter().collect();
    assert_eq!(used, refresh_extract::SCOPES);
}

/// The service with a connected app instead of a token.
async fn with_app(scopes: Option<&[&str]>) -> (Stage, String, String) {
    let (stage, luid, key) = one().await;
    let (client_id, secret_id, secret) = testkit::simulator::SAMPLE_CONNECTED_APP;
    let mut app = json!({
        "client_id": client_id, "secret_id": secret_id, "secret_value": secret, "user_name": "bea@example.com",
    });
    if let Some(scopes) = scopes {
        app["scopes"] = json!(scopes);
    }
    stage.environment.aws.create_secret("tableau", app);
    (stage, luid, key)
}

// R17
#[tokio::test]
async fn six_callers_at_once_share_one_session() {
    let stage = Stage::with(NO_RULES, TableauSimulator::sample(), &[]).await;
    let luids: Vec<String> = (0..6)
        .map(|n| {
            stage.tableau().add(Datasource::named(&format!("Orders {n}")).in_project("Finance")).to_string()
        })
        .collect();
    let instances: Vec<_> =
        (0..6).map(|_| stage.environment.queued("refresh-extract", crate::stage::BINARY)).collect();
    let key = stage.key("six", everything()).await;
    let before = stage.tableau().sign_ins(testkit::simulator::SAMPLE_PAT.0);

    let mut calls = tokio::task::JoinSet::new();
    for (function, luid) in instances.into_iter().zip(luids) {
        let event = testkit::ApiCall::new("POST", "/refreshes").key(&key).json(&of_datasource(&luid)).event();
        calls.spawn(async move { function.answer_to(&event).await });
    }
    let answers = calls.join_all().await;

    assert!(answers.iter().all(|answer| answer.status == 202), "{answers:?}");
    assert_eq!(stage.tableau().sign_ins(testkit::simulator::SAMPLE_PAT.0), before + 1);
    assert_eq!(stage.starts(), 6);
}

// R05
#[tokio::test]
async fn an_incremental_refresh_that_is_not_possible_is_refused_unless_a_full_one_is_right() {
    use testkit::simulator::RestVersion;
    let old = TableauSimulator::sample().max_version(RestVersion { major: 3, minor: 20 });
    let stage = Stage::with(NO_RULES, old, &[]).await;
    let luid = stage.tableau().add(Datasource::named("Orders").in_project("Finance"));
    let key = stage.key("nightly load", everything()).await;
    let mut body = of_datasource(luid.as_str());
    body["incremental"] = json!(true);

    let refused = stage.post(&key, &body).await;
    body["allow_full"] = json!(true);
    let full = stage.accepted(&key, &body).await;

    assert_eq!((refused.status, &refused.body["code"]), (422, &json!("no_incremental")), "{}", stage.log());
    assert_eq!(refused.body["field"], "incremental");
    assert_eq!(full["incremental"], false);
    assert_eq!(stage.starts(), 1);
}
