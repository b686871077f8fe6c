//! PagerDuty's own client meets our simulated account, and sends our events.

use super::{python, script};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use testkit::simulator::{PagerDutySimulator, SAMPLE_ROUTING_KEY};
use testkit::{Request, TestEnvironment, fixtures, repository};

fn binary(name: &str) -> PathBuf {
    let ours = std::env::current_exe().unwrap();
    ours.parent().and_then(Path::parent).expect("target/debug/deps/conformance-…").join(name)
}

/// What page-on-call sends for every event name and for a name with markup: triggers and resolves.
async fn events() -> Vec<Value> {
    let environment = TestEnvironment::with_rules(
        "rules: [{ name: all, on: [Any], do: [{ page-on-call: { service: finance } }] }]\n",
    )
    .await;
    // In queue mode, the second failure would wait for its group.
    let function = environment.inline("page-on-call", binary("page-on-call"));
    let files = std::fs::read_dir(repository::root().join("events/tableau")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> =
        names.filter_map(|name| name.strip_suffix(".json").map(str::to_owned)).collect();
    // The events are about the same objects: a start event after the end would be late.
    names.sort_by_key(|name| (!name.ends_with("started"), name.clone()));
    names.push("odd/resource-name-markup".to_owned());
    for name in names {
        let event = fixtures::json(&format!("tableau/{name}.json"));
        let answer = function.answer(&Request::post(event.to_string())).await;
        assert_eq!(answer.body["status"], "done", "{name}");
    }
    assert_eq!(environment.pagerduty.refusals(), []);
    environment.pagerduty.events().into_iter().map(|event| event.body).collect()
}

#[tokio::test]
async fn pagerdutys_own_client_finds_in_the_simulator_what_it_expects() {
    let Some(python) = python() else { return };
    let pagerduty = PagerDutySimulator::start().await.unwrap();
    let url = pagerduty.url();
    script(&python, "pagerduty_events.py", &["client", url.as_str(), SAMPLE_ROUTING_KEY]).await;
    let actions: Vec<String> = pagerduty.events().iter().map(|event| event.action().to_owned()).collect();
    assert_eq!(actions, ["trigger", "trigger", "acknowledge", "resolve"]);
    assert_eq!(pagerduty.refusals().len(), 2);
}

// D021, D117
#[tokio::test]
async fn what_we_send_has_the_fields_that_pagerdutys_own_client_sends() {
    let Some(python) = python() else { return };
    let events = events().await;
    let resolves = events.iter().filter(|event| event["event_action"] == json!("resolve")).count();
    assert!(events.len() >= 23 && resolves >= 2, "{} {resolves}", events.len());
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), Value::from(events.clone()).to_string()).unwrap();
    let pagerduty = PagerDutySimulator::start().await.unwrap();
    let file = file.path().to_str().unwrap();
    let url = pagerduty.url();
    script(&python, "pagerduty_events.py", &["events", url.as_str(), SAMPLE_ROUTING_KEY, file]).await;
    // The client changes nothing of an event.
    let sent: Vec<Value> = pagerduty.events().into_iter().map(|event| event.body).collect();
    assert_eq!(sent, events);
}
