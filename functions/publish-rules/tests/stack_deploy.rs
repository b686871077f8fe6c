//! What CloudFormation requests, and what the binary answers.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests")]

use serde_json::{Value, json};
use std::io::Write as _;
use tempfile::NamedTempFile;
use testkit::{Function, TestEnvironment};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const BINARY: &str = env!("CARGO_BIN_EXE_publish-rules");
const BEFORE: &str =
    "rules: [{ name: one, on: [WorkbookCreated], do: [{ notify-slack: { channel: one } }] }]\n";
const AFTER: &str =
    "rules: [{ name: two, on: [WorkbookCreated], do: [{ notify-slack: { channel: two } }] }]\n";
/// Part of the URL, which is a credential.
const SIGNATURE: &str = "X-Amz-Signature=0123456789abcdef";

/// Takes answers with these statuses, one after the other; gives the heads and bodies.
async fn cloud_formation(statuses: &'static [u16]) -> (String, JoinHandle<Vec<(String, Value)>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/answer?{SIGNATURE}", listener.local_addr().unwrap());
    let answers = tokio::spawn(async move {
        let mut taken = Vec::new();
        for status in statuses {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut text = String::new();
            loop {
                let mut buffer = [0; 8_192];
                let read = stream.read(&mut buffer).await.unwrap();
                text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
                let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                if body.len() == length.expect("a length").parse::<usize>().unwrap() {
                    taken.push((head.to_owned(), serde_json::from_str(body).unwrap()));
                    break;
                }
            }
            let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        taken
    });
    (url, answers)
}

fn request(kind: &str, url: &str) -> Value {
    json!({
        "RequestType": kind, "ResponseURL": url, "StackId": "arn:aws:cloudformation:x", "RequestId": "r-1",
        "ResourceType": "Custom::Rules", "LogicalResourceId": "Rules", "ResourceProperties": { "Layer": "l" },
    })
}

/// The ARN of a version of the layer.
fn layer(version: u64) -> String {
    format!("arn:aws:lambda:eu-central-1:123456789012:layer:tableau-webhooks-rules:{version}")
}

struct Deploy {
    environment: TestEnvironment,
    function: Function,
    file: NamedTempFile,
}

impl Deploy {
    async fn of(file: &str) -> Self {
        let environment = TestEnvironment::with_rules(BEFORE).await;
        let mut rules = NamedTempFile::new().unwrap();
        rules.write_all(file.as_bytes()).unwrap();
        let path = rules.path().display().to_string();
        let function = environment.queued_with("publish-rules", BINARY, &[("RULES_FILE", &path)]);
        Self { environment, function, file: rules }
    }

    async fn answer(&self, kind: &str) -> Value {
        self.answer_to(request(kind, "")).await
    }

    /// An update from one version of the layer to another, with this file.
    async fn update(&self, from: u64, to: u64, file: &str) -> Value {
        std::fs::write(self.file.path(), file).unwrap();
        let mut update = request("Update", "");
        update["ResourceProperties"]["Layer"] = json!(layer(to));
        update["OldResourceProperties"] = json!({ "Layer": layer(from) });
        self.answer_to(update).await
    }

    async fn answer_to(&self, mut request: Value) -> Value {
        let (url, answers) = cloud_formation(&[200]).await;
        request["ResponseURL"] = json!(url);
        self.function.invoke(&request).await.unwrap();
        let (head, answer) = answers.await.unwrap().remove(0);
        assert!(head.starts_with("PUT /answer?X-Amz-Signature="), "{head}");
        let kept =
            [("StackId", "arn:aws:cloudformation:x"), ("RequestId", "r-1"), ("LogicalResourceId", "Rules")];
        assert!(kept.iter().all(|(name, value)| answer[name] == *value), "{answer}");
        assert_eq!(answer["PhysicalResourceId"], "published-rules", "an update replaces nothing");
        let logs = self.function.logs();
        assert!(logs.iter().all(|line| !line.contains(SIGNATURE)), "{logs:?}");
        answer
    }

    /// The text in force, and how many versions the history has.
    fn in_force(&self) -> (String, usize) {
        let items = self.environment.aws.items("deliveries");
        let of = |pk: &str| items.iter().filter(|item| item["pk"]["S"] == pk).collect::<Vec<_>>();
        let current: Value =
            serde_json::from_str(of("rules#current")[0]["document"]["S"].as_str().unwrap()).unwrap();
        (current["text"].as_str().unwrap().to_owned(), of("rules#history").len())
    }
}

// 15-3
#[tokio::test]
async fn a_changed_file_is_the_next_version_and_the_same_request_twice_publishes_once() {
    let deploy = Deploy::of(AFTER).await;
    for kind in ["Update", "Update", "Create"] {
        let answer = deploy.answer(kind).await;
        assert_eq!(
            (&answer["Status"], &answer["Data"]["Version"]),
            (&json!("SUCCESS"), &json!("2")),
            "{answer}"
        );
        assert_eq!(deploy.in_force(), (AFTER.to_owned(), 2), "the one that was replaced is kept");
    }
}

// 15-3
#[tokio::test]
async fn a_broken_file_fails_the_deploy_with_its_mistakes_and_the_rules_of_before_stay() {
    let deploy = Deploy::of("rules:\n  - name: two\n    no: [WorkbookCreated]\n").await;
    let answer = deploy.answer("Update").await;
    assert_eq!(answer["Status"], "FAILED");
    let reason = answer["Reason"].as_str().unwrap();
    assert!(reason.contains("the rules of before stay in force") && reason.contains("no"), "{reason}");
    assert_eq!(deploy.in_force(), (BEFORE.to_owned(), 0));
}

// 15-3
#[tokio::test]
async fn an_answer_stays_below_cloudformations_limit_however_many_mistakes_there_are() {
    let rule = "  - { name: ü, no: [WorkbookCreated] }\n";
    let deploy = Deploy::of(&format!("rules:\n{}", rule.repeat(400))).await;
    let answer = deploy.answer("Update").await;
    assert_eq!(answer["Status"], "FAILED");
    assert!(answer.to_string().len() <= 4_096, "{}", answer.to_string().len());
}

// 15-3
#[tokio::test]
async fn a_stack_that_is_deleted_leaves_the_versions_in_the_table() {
    let deploy = Deploy::of(AFTER).await;
    let answer = deploy.answer("Delete").await;
    assert_eq!((&answer["Status"], &answer["Data"]), (&json!("SUCCESS"), &Value::Null));
    assert_eq!(deploy.in_force(), (BEFORE.to_owned(), 0));
}

// 15-3
#[tokio::test]
async fn an_answer_that_is_not_taken_is_sent_again_and_its_url_is_in_no_log_when_all_fail() {
    let deploy = Deploy::of(AFTER).await;
    let (url, answers) = cloud_formation(&[503, 200]).await;
    deploy.function.invoke(&request("Update", &url)).await.unwrap();
    assert_eq!(answers.await.unwrap().len(), 2);
    let (url, answers) = cloud_formation(&[503, 503, 503]).await;
    let error = deploy.function.invoke(&request("Update", &url)).await.unwrap_err();
    assert_eq!(answers.await.unwrap().len(), 3);
    let logs = deploy.function.logs();
    assert!(logs.iter().any(|line| line.contains("CloudFormation was not answered")), "{logs:?}");
    assert!(
        logs.iter().all(|line| !line.contains(SIGNATURE)) && !error.to_string().contains(SIGNATURE),
        "{error}"
    );
}

/// The version, and what is in force.
fn state(deploy: &Deploy, answer: &Value) -> (String, String, String) {
    let text = |name: &Value| name.as_str().unwrap_or_default().to_owned();
    (text(&answer["Status"]), text(&answer["Data"]["Version"]), deploy.in_force().0)
}

fn expected(status: &str, version: &str, text: &str) -> (String, String, String) {
    (status.to_owned(), version.to_owned(), text.to_owned())
}

// 15-B2
#[tokio::test]
async fn a_refused_file_that_is_rolled_back_leaves_what_rules_deploy_has_published() {
    let deploy = Deploy::of(AFTER).await;
    deploy.update(1, 2, AFTER).await;
    deploy.environment.write_rules(BEFORE);
    let in_force = deploy.in_force();
    let broken = deploy.update(2, 3, "rules:\n  - name: two\n    no: [WorkbookCreated]\n").await;
    assert_eq!(broken["Status"], "FAILED");
    assert_eq!(deploy.in_force(), in_force);
    for _ in 0..2 {
        let back = deploy.update(3, 2, AFTER).await;
        assert_eq!(back["Status"], "SUCCESS");
        assert!(back["Reason"].as_str().unwrap().starts_with("nothing published"), "{back}");
        assert_eq!(deploy.in_force(), in_force);
    }
}

// 15-B2
#[tokio::test]
async fn a_deploy_that_is_rolled_back_brings_back_what_was_in_force_and_can_be_deployed_again() {
    let deploy = Deploy::of(AFTER).await;
    assert_eq!(state(&deploy, &deploy.update(1, 2, AFTER).await), expected("SUCCESS", "2", AFTER));
    // Another resource fails. CloudFormation may ask twice.
    for _ in 0..2 {
        let back = deploy.update(2, 1, AFTER).await;
        assert_eq!(state(&deploy, &back), expected("SUCCESS", "3", BEFORE), "{back}");
    }
    assert_eq!(state(&deploy, &deploy.update(1, 3, AFTER).await), expected("SUCCESS", "4", AFTER));
}

// 15-B2
#[tokio::test]
async fn a_version_of_rules_deploy_that_is_newer_than_the_deploy_survives_its_rollback() {
    let deploy = Deploy::of(AFTER).await;
    deploy.update(1, 2, AFTER).await;
    deploy.environment.write_rules(BEFORE);
    let back = deploy.update(2, 1, AFTER).await;
    assert_eq!(state(&deploy, &back), expected("SUCCESS", "3", BEFORE), "{back}");
}

// 15-B12
#[tokio::test]
async fn a_layer_that_changed_only_by_a_certificate_publishes_nothing() {
    let deploy = Deploy::of(AFTER).await;
    deploy.update(1, 2, AFTER).await;
    deploy.environment.write_rules(BEFORE);
    let certificate = deploy.update(2, 3, AFTER).await;
    assert_eq!(state(&deploy, &certificate), expected("SUCCESS", "3", BEFORE), "{certificate}");
    // Its rollback neither.
    let back = deploy.update(3, 2, AFTER).await;
    assert_eq!(state(&deploy, &back), expected("SUCCESS", "3", BEFORE), "{back}");
}

// 15-B12
#[tokio::test]
async fn a_deploy_of_an_older_text_publishes_it() {
    let deploy = Deploy::of(AFTER).await;
    deploy.update(1, 2, BEFORE).await;
    deploy.update(2, 3, AFTER).await;
    let older = deploy.update(3, 4, BEFORE).await;
    assert_eq!(state(&deploy, &older), expected("SUCCESS", "4", BEFORE), "{older}");
    // Also with two digits: numbers are compared, not texts.
    let newer = deploy.update(9, 10, AFTER).await;
    assert_eq!(state(&deploy, &newer), expected("SUCCESS", "5", AFTER), "{newer}");
}
