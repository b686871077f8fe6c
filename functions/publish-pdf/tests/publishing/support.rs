//! What all tests of the function use.

use serde_json::{Value, json};
use testkit::simulator::{GraphFile, Workbook};
use testkit::{Batch, Function, TestEnvironment};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_publish-pdf");

/// An environment whose only rule publishes with these settings, written as YAML in one line.
pub(crate) async fn with(settings: &str) -> TestEnvironment {
    TestEnvironment::with_rules(&rules(&[settings])).await
}

pub(crate) fn rules(all: &[&str]) -> String {
    let rules = all.iter().enumerate().map(|(n, settings)| {
        format!("  - {{ name: r{n}, on: [WorkbookRefreshSucceeded], do: [{{ publish-pdf: {settings} }}] }}\n")
    });
    format!("rules:\n{}", rules.collect::<String>())
}

/// The refresh of a workbook, a moment ago.
pub(crate) fn event(environment: &TestEnvironment, workbook: Workbook) -> Value {
    let luid = environment.tableau.add(workbook);
    refreshed(environment, luid.as_str(), 0)
}

/// The refresh of a workbook so many seconds ago.
pub(crate) fn refreshed(environment: &TestEnvironment, luid: &str, seconds_ago: i64) -> Value {
    let at = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(seconds_ago);
    json!({
        "resource": "WORKBOOK", "event_type": "WorkbookRefreshSucceeded", "resource_name": "Sales",
        "site_luid": environment.tableau.site().as_str(), "resource_luid": luid,
        "created_at": at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
    })
}

/// Hands an event over. Whether it is to be seen again.
pub(crate) async fn handed(function: &Function, event: &Value) -> bool {
    !function.failures(&Batch::default().message(&event.to_string())).await.is_empty()
}

pub(crate) fn paths(environment: &TestEnvironment) -> Vec<String> {
    environment.graph.files().into_iter().map(|file| file.path).collect()
}

/// The one file that there is.
pub(crate) fn only(environment: &TestEnvironment) -> GraphFile {
    let files = environment.graph.files();
    assert_eq!(files.len(), 1, "{:?}", paths(environment));
    files.into_iter().next().unwrap()
}

/// The text of the pages.
pub(crate) fn text(file: &GraphFile) -> String {
    String::from_utf8_lossy(&file.content).into_owned()
}

/// The log of the function, for a failed test, after a look for secrets.
pub(crate) fn logs(environment: &TestEnvironment, function: &Function) -> String {
    let logs = function.logs();
    environment.assert_no_secret_in(&logs);
    logs.join("\n")
}

/// As if the exports so far had been made long ago.
pub(crate) fn long_ago(environment: &TestEnvironment) {
    environment.change_documents("pdf-export", |exports| {
        if exports["began"].is_string() {
            exports["began"] = json!("2025-01-01T00:00:00Z");
            exports["until"] = json!("2025-01-01T00:15:00Z");
            exports["ended"] = json!("2025-01-01T00:01:00Z");
        }
    });
}

/// As if what earlier attempts have noted had been noted so many seconds ago.
pub(crate) fn noted(environment: &TestEnvironment, what: &str, seconds_ago: i64) {
    let earlier = jiff::Timestamp::now().as_second() - seconds_ago;
    environment.change_effects(|text| {
        let (before, _) = text.rsplit_once('/')?;
        text.starts_with(what).then(|| format!("{before}/{earlier}"))
    });
}
