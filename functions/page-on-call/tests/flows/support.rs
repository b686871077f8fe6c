//! Helpers for tests.

use serde_json::{Value, json};
use std::time::Duration;
use testkit::simulator::{PagerDutyEvent, render_page};
use testkit::{Batch, Function, TestEnvironment};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_page-on-call");
pub(crate) const NAME: &str = "page-on-call";

/// Failures page one service, and nothing else does.
pub(crate) const FAILURES: &str = "
rules:
  - name: failures
    on: [RefreshFailed]
    do: [{ page-on-call: { service: finance, severity: critical } }]
";

/// Failures page one service, everything else another.
pub(crate) const PAGES: &str = "
rules:
  - name: failures
    on: [RefreshFailed]
    do: [{ page-on-call: { service: finance, severity: critical } }]
  - name: everything else
    on: [Any]
    otherwise: true
    do: [{ page-on-call: { service: default } }]
";

pub(crate) async fn start(rules: &str) -> TestEnvironment {
    let site = "\nsites: [{ luid: 8b2a95d8-52b9-40a4-8712-cd6da771bd1b, name: Marketing, timezone: Europe/Berlin }]\n";
    TestEnvironment::with_rules(&format!("{rules}{site}")).await
}

pub(crate) fn queued(environment: &TestEnvironment) -> Function {
    environment.queued(NAME, BINARY)
}

pub(crate) fn inline(environment: &TestEnvironment) -> Function {
    environment.inline(NAME, BINARY)
}

/// An event about a data source of the sample site, by name, so many seconds from now.
pub(crate) fn event(environment: &TestEnvironment, name: &str, datasource: &str, seconds: u64) -> Value {
    let luid = environment.tableau.datasource(datasource).expect("the sample has it");
    let at = environment.tableau.clock().now() + Duration::from_secs(seconds);
    json!({
        "resource": "EXTRACTS", "event_type": name, "resource_name": datasource,
        "site_luid": environment.tableau.site().as_str(), "resource_luid": luid.as_str(),
        "created_at": at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    })
}

/// The event of a refresh that failed, with a job that has these notes.
pub(crate) fn failed(environment: &TestEnvironment, datasource: &str, notes: &str) -> Value {
    let luid = environment.tableau.datasource(datasource).expect("the sample has it");
    environment.tableau.fail_refresh(&luid, notes).unwrap();
    event(environment, "DatasourceRefreshFailed", datasource, 0)
}

/// The event of a refresh that succeeded.
pub(crate) fn succeeded(environment: &TestEnvironment, datasource: &str, seconds: u64) -> Value {
    event(environment, "DatasourceRefreshSucceeded", datasource, seconds)
}

pub(crate) fn message(event: &Value) -> Batch {
    Batch::default().message(&event.to_string())
}

/// Hands an event over. Panics unless it is done.
pub(crate) async fn handle(function: &Function, event: &Value) {
    let failures = function.failures(&message(event)).await;
    assert!(failures.is_empty(), "{}", function.logs().join("\n"));
}

/// The reason in the log line of the last attempt that failed.
pub(crate) fn last_reason(function: &Function) -> String {
    let logs = function.logs();
    let lines = logs.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let failed = ["transient", "misconfigured", "permanent"];
    let reasons = lines.filter(|line| failed.iter().any(|outcome| line["outcome"] == *outcome));
    let last = reasons.filter_map(|line| line["reason"].as_str().map(str::to_owned)).next_back();
    last.unwrap_or_else(|| panic!("{}", logs.join("\n")))
}

/// What PagerDuty has accepted, as text.
pub(crate) fn readable(environment: &TestEnvironment) -> String {
    environment.pagerduty.events().iter().map(render_page).collect::<Vec<_>>().join("\n---\n")
}

/// The keys of the alerts that are open.
pub(crate) fn open(environment: &TestEnvironment) -> Vec<String> {
    let open = environment.pagerduty.alerts().into_iter().filter(|alert| alert.is_open);
    open.map(|alert| alert.dedup_key).collect()
}

/// The fields by which PagerDuty may route an event.
pub(crate) fn routing(event: &PagerDutyEvent) -> Vec<String> {
    let payload = ["source", "severity", "component", "group", "class"].map(|name| event.field(name));
    let top = ["client", "client_url"].map(|name| event.body[name].as_str().unwrap_or_default());
    payload.into_iter().chain(top).map(str::to_owned).collect()
}
