//! The real binary with the Tableau and Slack simulators over HTTP, and helpers for tests.

use serde_json::{Value, json};
use testkit::simulator::render;
use testkit::{Batch, Function, TestEnvironment};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_notify-slack");

pub(crate) fn queued(environment: &TestEnvironment) -> Function {
    environment.queued("notify-slack", BINARY)
}

pub(crate) fn inline(environment: &TestEnvironment) -> Function {
    environment.inline("notify-slack", BINARY)
}

/// A realistic event about a data source of the sample site, whose job failed with these notes.
pub(crate) fn failed(environment: &TestEnvironment, notes: &str) -> Value {
    let luid = environment.tableau.datasource("Sales Orders").expect("the sample has it");
    environment.tableau.fail_refresh(&luid, notes).unwrap();
    json!({
        "resource": "EXTRACTS", "event_type": "DatasourceRefreshFailed", "resource_name": "Sales Orders",
        "site_luid": environment.tableau.site().as_str(), "resource_luid": luid.as_str(),
        "created_at": environment.tableau.clock().now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    })
}

pub(crate) fn message(event: &Value) -> Batch {
    Batch::default().message(&event.to_string())
}

pub(crate) fn readable(environment: &TestEnvironment) -> String {
    environment.slack.messages().iter().map(render).collect::<Vec<_>>().join("\n---\n")
}

/// The metrics `name` that the function reported, without their timestamps.
pub(crate) fn metrics(function: &Function, name: &str) -> Vec<Value> {
    let lines = function.logs().into_iter().filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    let lines = lines.filter(|line| line["_aws"].is_object() && line[name].is_number());
    lines
        .map(|mut line| {
            line["_aws"]["Timestamp"].take();
            line
        })
        .collect()
}
