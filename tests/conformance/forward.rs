//! Libraries of Standard Webhooks verify what forward-event signs.

use super::{python, script};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use testkit::simulator::{RECEIVER_NAME, ReceiverSimulator};
use testkit::{Request, TestEnvironment, fixtures, repository};

fn binary(name: &str) -> PathBuf {
    let ours = std::env::current_exe().unwrap();
    ours.parent().and_then(Path::parent).expect("target/debug/deps/conformance-…").join(name)
}

#[tokio::test]
async fn other_libraries_verify_what_we_sign() {
    let Some(python) = python() else { return };
    let rules = "rules: [{ name: all, on: [Any], do: [{ forward-event: { target: own } }] }]\n";
    let environment = TestEnvironment::with_rules(rules).await;
    let receiver = ReceiverSimulator::start().await.unwrap();
    let mut own = receiver.add_hook("own");
    own["secrets"] = json!([receiver.new_secret(), own["secrets"][0]]);
    environment.aws.create_secret("forward", json!({ "targets": { "own": own } }));
    let mut authority = tempfile::NamedTempFile::new().unwrap();
    authority.write_all(receiver.authority().as_bytes()).unwrap();
    let authority = authority.path().display().to_string();
    let variables = [("EXTRA_CA_FILE", authority.as_str()), ("FORWARD_LOCAL_NAMES", RECEIVER_NAME)];
    let function = environment.function("forward-event", &binary("forward-event"), &variables);
    for file in std::fs::read_dir(repository::root().join("events/tableau")).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".json") {
            let mut event = fixtures::json(&format!("tableau/{name}"));
            event["resource_name"] = json!("Größe \u{1f600} \"x\"\n1.0");
            let answer = function.answer(&Request::post(event.to_string())).await;
            assert_eq!(answer.body["status"], "done", "{:?}", answer.body);
        }
    }
    let requests: Vec<Value> = receiver
        .taken()
        .iter()
        .map(|request| {
            let headers = ["webhook-id", "webhook-timestamp", "webhook-signature"].map(|name| (name, request.header(name)));
            json!({ "headers": std::collections::BTreeMap::from(headers), "body": STANDARD.encode(&request.body) })
        })
        .collect();
    assert_eq!(requests.len(), 22);
    let given = json!({ "requests": requests, "secrets": own["secrets"], "wrong": receiver.new_secret() });
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(given.to_string().as_bytes()).unwrap();
    script(&python, "forward.py", &["verify".to_owned(), file.path().display().to_string()]).await;
}
