//! Slack's own Python client runs against the Slack simulator.

use super::{python, script};
use serde_json::Value;
use std::path::{Path, PathBuf};
use testkit::simulator::{SlackFault, SlackSimulator};
use testkit::{Request, TestEnvironment, fixtures, repository};

fn binary(name: &str) -> PathBuf {
    let ours = std::env::current_exe().unwrap();
    ours.parent().and_then(Path::parent).expect("target/debug/deps/conformance-…").join(name)
}

/// The messages that notify-slack posts, one for every event name.
async fn messages(environment: &TestEnvironment) -> Vec<Value> {
    // In queue mode, the second failure would wait for its group.
    let function = environment.inline("notify-slack", binary("notify-slack"));
    let files = std::fs::read_dir(repository::root().join("events/tableau")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> =
        names.filter_map(|name| name.strip_suffix(".json").map(str::to_owned)).collect();
    // The events are about the same objects: a start event after the end would be late.
    names.sort_by_key(|name| (!name.ends_with("started"), name.clone()));
    for name in names {
        let event = fixtures::json(&format!("tableau/{name}.json"));
        let answer = function.answer(&Request::post(event.to_string())).await;
        assert_eq!(answer.body["status"], "done", "{name}");
    }
    let odd = fixtures::bytes("tableau/odd/resource-name-markup.json");
    let answer = function.answer(&Request::post(String::from_utf8(odd).unwrap())).await;
    assert_eq!(answer.body["status"], "done");
    environment.slack.messages().into_iter().map(|message| message.raw).collect()
}

#[tokio::test]
async fn slacks_own_client_finds_in_the_recorder_what_it_expects() {
    let Some(python) = python() else { return };
    let slack = SlackSimulator::start().await.unwrap();
    script(&python, "slack.py", &["webhook", &slack.webhook_url()]).await;
    slack.fail_next(1, SlackFault::RateLimited { retry_after: 1 });
    script(&python, "slack.py", &["web-api", &slack.api_url(), &slack.token(), "data-alerts"]).await;
}

#[tokio::test]
async fn slacks_own_models_take_our_messages() {
    let Some(python) = python() else { return };
    let environment = TestEnvironment::start().await;
    let messages = messages(&environment).await;
    assert!(messages.len() >= 22, "{}", messages.len());
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), Value::from(messages).to_string()).unwrap();
    script(&python, "slack.py", &["models", file.path().to_str().unwrap()]).await;
}
