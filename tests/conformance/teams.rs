//! The official schema of Adaptive Cards, as a package for Python ships it, meets our cards; its client meets our simulated flow.

use super::{python, script};
use crate::posts::bodies;
use serde_json::Value;
use testkit::repository;
use testkit::simulator::TeamsSimulator;

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
