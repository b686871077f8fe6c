//! Helpers for tests.

use jiff::SignedDuration;
use serde_json::{Value, json};
use std::cell::Cell;
use testkit::simulator::{ServiceNowIncident, notes, render_incident};
use testkit::{Batch, Function, TestEnvironment};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_track-servicenow-incident");
pub(crate) const NAME: &str = "track-servicenow-incident";

/// Failures have an incident that gets a note about its end.
pub(crate) const NOTE: &str =
    "assignment_group: BI Platform, caller: Tableau Service, category: Software, urgency: 2, impact: 1";
/// Failures have an incident that is resolved at its end.
pub(crate) const RESOLVE: &str = "assignment_group: BI Platform, on_recovery: resolve, close_code: Solution provided, close_notes: Ended by itself.";

/// An environment in which failures have an incident with these settings, and every other event one without a group.
pub(crate) async fn everything(settings: &str) -> TestEnvironment {
    let rules = format!(
        "rules:\n  - name: failures\n    on: [RefreshFailed]\n    do: [{{ track-servicenow-incident: {{ {settings} }} }}]\n  \
         - name: everything else\n    on: [Any]\n    otherwise: true\n    do: [{{ track-servicenow-incident: {{}} }}]\n\
         sites: [{{ luid: 8b2a95d8-52b9-40a4-8712-cd6da771bd1b, name: Marketing, timezone: Europe/Berlin }}]\n"
    );
    TestEnvironment::with_rules(&rules).await
}

/// An environment in which failures have an incident with these settings.
pub(crate) async fn start(settings: &str) -> TestEnvironment {
    TestEnvironment::with_rules(&format!(
        "rules:\n  - name: failures\n    on: [RefreshFailed]\n    do: [{{ track-servicenow-incident: {{ {settings} }} }}]\n"
    ))
    .await
}

pub(crate) fn queued(environment: &TestEnvironment) -> Function {
    environment.queued(NAME, BINARY)
}

pub(crate) fn inline(environment: &TestEnvironment) -> Function {
    environment.inline(NAME, BINARY)
}

thread_local! {
    /// How many events this test has made.
    static EVENTS: Cell<i64> = const { Cell::new(0) };
}

/// An event about a data source of the sample site: a few seconds after the one before, and not later than now.
pub(crate) fn event(environment: &TestEnvironment, name: &str, datasource: &str) -> Value {
    let luid = environment.tableau.datasource(datasource).expect("the sample has it");
    let count = EVENTS.replace(EVENTS.get() + 1);
    let at = environment.tableau.clock().now() - SignedDuration::from_secs(100)
        + SignedDuration::from_secs(6 * count);
    json!({
        "resource": "EXTRACTS", "event_type": name, "resource_name": datasource,
        "site_luid": environment.tableau.site().as_str(), "resource_luid": luid.as_str(),
        "created_at": at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    })
}

/// The refresh of *Sales Orders* fails.
pub(crate) fn failed(environment: &TestEnvironment) -> Value {
    let luid = environment.tableau.datasource("Sales Orders").expect("the sample has it");
    environment.tableau.fail_refresh(&luid, notes::SNOWFLAKE_LOGIN).unwrap();
    event(environment, "DatasourceRefreshFailed", "Sales Orders")
}

/// It succeeds.
pub(crate) fn succeeded(environment: &TestEnvironment) -> Value {
    let luid = environment.tableau.datasource("Sales Orders").expect("the sample has it");
    environment.tableau.succeed_refresh(&luid).unwrap();
    event(environment, "DatasourceRefreshSucceeded", "Sales Orders")
}

pub(crate) fn message(event: &Value) -> Batch {
    Batch::default().message(&event.to_string())
}

/// Hands an event over, which is done then.
pub(crate) async fn done(function: &Function, event: &Value) {
    let failures = function.failures(&message(event)).await;
    assert!(failures.is_empty(), "{}", function.logs().join("\n"));
}

/// Hands the event over, which comes again, and returns the reason that the log says.
pub(crate) async fn reason(environment: &TestEnvironment, function: &Function, batch: &Batch) -> String {
    assert_eq!(function.failures(batch).await, ["m-1"], "{}", function.logs().join("\n"));
    environment.assert_no_secret_in(&function.logs());
    last(function, "reason")
}

/// A field of the last line about a failed attempt.
pub(crate) fn last(function: &Function, field: &str) -> String {
    let logs = function.logs();
    let lines = logs.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut failed = lines.filter(|line| {
        ["transient", "misconfigured"].iter().any(|outcome| line["outcome"] == *outcome)
            && !line["reason"].is_null()
    });
    let last = failed.next_back().unwrap_or_else(|| panic!("{}", logs.join("\n")));
    match &last[field] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The only incident.
pub(crate) fn only(environment: &TestEnvironment) -> ServiceNowIncident {
    let incidents = environment.servicenow.incidents();
    assert_eq!(incidents.len(), 1, "{}", readable(environment));
    incidents[0].clone()
}

pub(crate) fn readable(environment: &TestEnvironment) -> String {
    let incidents = environment.servicenow.incidents();
    incidents.iter().map(render_incident).collect::<Vec<_>>().join("\n=====\n")
}

/// How many calls of a kind there were.
pub(crate) fn count(environment: &TestEnvironment, kind: &str) -> usize {
    environment.servicenow.kinds().iter().filter(|other| *other == kind).count()
}
