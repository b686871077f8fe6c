//! The official schema of Adaptive Cards, as a package for Python ships it, meets our cards; its client meets our simulated flow.

use super::{python, script};
use serde_json::Value;
use std::path::{Path, PathBuf};
use testkit::simulator::TeamsSimulator;
use testkit::{Request, TestEnvironment, fixtures, repository};

fn binary(name: &str) -> PathBuf {
    let ours = std::env::current_exe().unwrap();
    ours.parent().and_then(Path::parent).expect("target/debug/deps/conformance-…").join(name)
}

/// What notify-teams posts in this format, for every event name and for a name with markup.
async fn bodies(format: &str) -> Vec<Value> {
    let channel = if format == "plain" { "finance-flow" } else { "finance" };
    let environment = TestEnvironment::with_rules(&format!(
        "rules: [{{ name: all, on: [Any], do: [{{ notify-teams: {{ channel: {channel}, format: {format}, mention: owner }} }}] }}]\n"
    ))
    .await;
    // In queue mode, the second failure would wait for its group.
    let function = environment.inline("notify-teams", binary("notify-teams"));
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
    assert_eq!(environment.teams.run_failures(), []);
    environment.teams.posts().into_iter().map(|post| post.body).collect()
}

fn written(bodies: Vec<Value>) -> tempfile::NamedTempFile {
    assert!(bodies.len() >= 23, "{}", bodies.len());
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), Value::from(bodies).to_string()).unwrap();
    file
}

// D001, D039
#[tokio::test]
async fn another_client_of_flows_finds_in_the_simulator_what_it_expects() {
    let Some(python) = python() else { return };
    let teams = TeamsSimulator::start().await.unwrap();
    script(&python, "teams.py", &["client", &teams.add_flow("finance")]).await;
    assert_eq!(teams.posts().len(), 1, "{:?}", teams.run_failures());
}

// D017, D133
#[tokio::test]
async fn the_official_schema_takes_our_cards() {
    let Some(python) = python() else { return };
    let file = written(bodies("card").await);
    script(&python, "teams.py", &["cards", file.path().to_str().unwrap()]).await;
}

// D004, D018
#[tokio::test]
async fn another_validator_takes_our_fields_by_the_schema_that_we_ship() {
    let Some(python) = python() else { return };
    let file = written(bodies("plain").await);
    let schema = repository::root().join("functions/notify-teams/power-automate.schema.json");
    script(&python, "teams.py", &["fields", file.path().to_str().unwrap(), schema.to_str().unwrap()]).await;
}
