//! Results that are sent to the caller.

use crate::stage::{NO_RULES, Stage, everything, of_datasource};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::io::Write;
use std::time::Duration;
use tempfile::NamedTempFile;
use testkit::simulator::{Datasource, RECEIVER_NAME, ReceiverFault, ReceiverSimulator, TableauSimulator};

struct Called {
    stage: Stage,
    receiver: ReceiverSimulator,
    luid: String,
    key: String,
    _authority: NamedTempFile,
}

async fn called() -> Called {
    let receiver = ReceiverSimulator::start().await.unwrap();
    let mut authority = NamedTempFile::new().unwrap();
    authority.write_all(receiver.authority().as_bytes()).unwrap();
    let path = authority.path().display().to_string();
    let variables = [("EXTRA_CA_FILE", path.as_str()), ("FORWARD_LOCAL_NAMES", RECEIVER_NAME)];
    let stage = Stage::with(NO_RULES, TableauSimulator::sample(), &variables).await;
    let luid = stage.tableau().add(Datasource::named("Orders").in_project("Finance")).to_string();
    let key = stage.key("one", everything()).await;
    let stored = stage.keys.get(&key[4..16]).await.unwrap().unwrap();
    let secret = stored.signing_secret().unwrap();
    receiver.set_hook_secrets("own", &[secret.expose_secret()]);
    Called { stage, receiver, luid, key, _authority: authority }
}

impl Called {
    async fn request(&self) -> Value {
        let mut body = of_datasource(&self.luid);
        body["callback_url"] = json!(format!("{}/hooks/own", self.receiver.url()));
        self.stage.accepted(&self.key, &body).await
    }

    async fn end(&self) {
        self.stage.tableau().succeed_refresh(&self.luid).unwrap();
        self.stage.event("DatasourceRefreshSucceeded", &self.luid).await;
    }
}

#[tokio::test]
async fn the_result_is_posted_once_and_signed_for_the_caller() {
    let called = called().await;
    let request = called.request().await;
    let second = called.request().await;
    called.end().await;
    called.stage.work_until(Duration::from_secs(20), async || called.receiver.taken().len() == 2).await;

    let taken = called.receiver.taken();
    let mut ids: Vec<String> =
        taken.iter().map(|one| one.json()["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    let mut expected =
        [request["id"].as_str().unwrap().to_owned(), second["id"].as_str().unwrap().to_owned()];
    expected.sort();
    assert_eq!(ids, expected);
    let body = taken[0].json();
    assert_eq!((&body["status"], &body["name"]), (&json!("succeeded"), &json!("Orders")));
    assert_eq!(body, called.stage.get(&called.key, &body["id"]).await);
    called.stage.work().await;
    assert_eq!(called.receiver.requests().len(), 2);
    called.stage.assert_no_secret_in_log();
    assert!(!called.stage.log().contains("/hooks/own"), "the address may hold a secret");
}

#[tokio::test]
async fn a_receiver_that_is_down_is_tried_again_with_the_same_id_and_one_that_redirects_is_given_up() {
    let called = called().await;
    called.receiver.fail_next(1, ReceiverFault::Answer(503, &[], ""));
    called.request().await;
    called.end().await;
    called.stage.work_until(Duration::from_secs(40), async || called.receiver.taken().len() == 1).await;
    let requests = called.receiver.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].header("webhook-id"), requests[1].header("webhook-id"));

    called.receiver.fail_next(5, ReceiverFault::Answer(302, &[("location", "https://169.254.169.254/")], ""));
    called.request().await;
    called.end().await;
    called.stage.work_until(Duration::from_secs(20), async || called.receiver.requests().len() == 3).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    called.stage.work().await;
    assert_eq!(called.receiver.requests().len(), 3, "{}", called.stage.log());
    assert!(called.stage.log().contains("redirects are not followed"));
}

#[tokio::test]
async fn a_request_that_is_cancelled_or_over_is_called_back_too() {
    let called = called().await;
    let request = called.request().await;
    let path = format!("/refreshes/{}", request["id"].as_str().unwrap());
    called.stage.call(&testkit::ApiCall::new("DELETE", &path).key(&called.key)).await;
    called.stage.work_until(Duration::from_secs(20), async || called.receiver.taken().len() == 1).await;
    assert_eq!(called.receiver.taken()[0].json()["status"], "cancelled");
}
