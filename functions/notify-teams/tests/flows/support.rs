//! Helpers for tests.

use serde_json::{Value, json};
use testkit::simulator::render_post;
use testkit::{Batch, Function, TestEnvironment};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_notify-teams");
pub(crate) const NAME: &str = "notify-teams";

/// Failures and their ends go to one channel, everything else to another.
pub(crate) const CARDS: &str = "
rules:
  - name: failures
    on: [RefreshFailed]
    do: [{ notify-teams: { channel: finance, mention: owner } }]
  - name: everything else
    on: [Any]
    otherwise: true
    do: [{ notify-teams: { channel: news } }]
";

/// Everything goes to one flow as fields.
pub(crate) const PLAIN: &str = "
rules:
  - name: all
    on: [Any]
    do: [{ notify-teams: { channel: finance-flow, format: plain, mention: owner } }]
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

/// An event about a data source of the sample site, by name.
pub(crate) fn event(environment: &TestEnvironment, name: &str, datasource: &str) -> Value {
    let luid = environment.tableau.datasource(datasource).expect("the sample has it");
    json!({
        "resource": "EXTRACTS", "event_type": name, "resource_name": datasource,
        "site_luid": environment.tableau.site().as_str(), "resource_luid": luid.as_str(),
        "created_at": environment.tableau.clock().now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    })
}

/// The event of a refresh that failed, with a job that has these notes.
pub(crate) fn failed(environment: &TestEnvironment, datasource: &str, notes: &str) -> Value {
    let luid = environment.tableau.datasource(datasource).expect("the sample has it");
    environment.tableau.fail_refresh(&luid, notes).unwrap();
    event(environment, "DatasourceRefreshFailed", datasource)
}

pub(crate) fn message(event: &Value) -> Batch {
    Batch::default().message(&event.to_string())
}

/// What flows have posted, as text.
pub(crate) fn readable(environment: &TestEnvironment) -> String {
    environment.teams.posts().iter().map(render_post).collect::<Vec<_>>().join("\n---\n")
}

/// Panics unless each request was accepted, and each run has posted.
pub(crate) fn assert_taken(environment: &TestEnvironment) {
    assert_eq!(environment.teams.run_failures(), []);
    assert_eq!(environment.teams.refusals(), []);
}
