//! Helpers for tests.

use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tableau::QualityWarningLuid;
use tableau_client::{
    FixedCredential, MemorySessionStore, NewQualityWarning, QualityWarning, Settings, TableauClient,
    TableauCredential, Warnable, WarningKind,
};
use testkit::simulator::TableauBuilder;
use testkit::{Batch, Function, TestEnvironment};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_set-quality-warning");
pub(crate) const NAME: &str = "set-quality-warning";

pub(crate) const RULES: &str = "
rules:
  - name: warn readers
    on: [RefreshFailed]
    do: [{ set-quality-warning: { severe: true } }]
";

const SITE: &str =
    "\nsites: [{ luid: 8b2a95d8-52b9-40a4-8712-cd6da771bd1b, name: Marketing, timezone: Europe/Berlin }]\n";

pub(crate) async fn start(rules: &str, tableau: TableauBuilder) -> TestEnvironment {
    TestEnvironment::with_tableau(&format!("{rules}{SITE}"), tableau).await
}

pub(crate) fn queued(environment: &TestEnvironment) -> Function {
    environment.queued(NAME, BINARY)
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
pub(crate) fn failed(environment: &TestEnvironment, datasource: &str, notes: &str, seconds: u64) -> Value {
    let luid = environment.tableau.datasource(datasource).expect("the sample has it");
    environment.tableau.fail_refresh(&luid, notes).unwrap();
    event(environment, "DatasourceRefreshFailed", datasource, seconds)
}

/// The event of a refresh that succeeded.
pub(crate) fn succeeded(environment: &TestEnvironment, datasource: &str, seconds: u64) -> Value {
    event(environment, "DatasourceRefreshSucceeded", datasource, seconds)
}

pub(crate) fn message(event: &Value) -> Batch {
    Batch::default().message(&event.to_string())
}

/// Hands an event over. Panics unless it is done or skipped.
pub(crate) async fn handle(function: &Function, event: &Value) {
    let failures = function.failures(&message(event)).await;
    assert!(failures.is_empty(), "{}", function.logs().join("\n"));
}

/// Outcome and reason of the last attempt.
pub(crate) fn last(function: &Function) -> (String, String) {
    let logs = function.logs();
    let lines = logs.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let text = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
    let outcomes = lines.filter(|line| line["outcome"].is_string() && line["reason"].is_string());
    let last = outcomes.map(|line| (text(&line, "outcome"), text(&line, "reason"))).next_back();
    last.unwrap_or_else(|| panic!("{}", logs.join("\n")))
}

/// A person who uses the REST API.
pub(crate) struct Person {
    client: TableauClient,
}

impl Person {
    /// The owner of the sample's content who signs in with name and password, at a REST API version.
    pub(crate) fn at(environment: &TestEnvironment, version: &str) -> Self {
        let settings = Settings::new(&environment.tableau.url(), "marketing", version).unwrap();
        let credential = TableauCredential::Password {
            user: "bea@example.com".to_owned(),
            password: "correct horse battery staple".into(),
        };
        let credential = Arc::new(FixedCredential::new(credential));
        let http = http_client::client(None).unwrap();
        let sessions = Arc::new(MemorySessionStore::default());
        Self { client: TableauClient::new(http, settings, credential, sessions) }
    }

    pub(crate) async fn warnings(
        &self,
        environment: &TestEnvironment,
        datasource: &str,
    ) -> Vec<QualityWarning> {
        self.client.quality_warnings(&on(environment, datasource)).await.unwrap()
    }

    pub(crate) async fn texts(&self, environment: &TestEnvironment, datasource: &str) -> Vec<String> {
        self.warnings(environment, datasource).await.iter().map(QualityWarning::text).collect()
    }

    pub(crate) async fn set(
        &self,
        environment: &TestEnvironment,
        datasource: &str,
        kind: WarningKind,
        text: &str,
    ) {
        let warning = of_a_person(kind, text);
        self.client.add_quality_warning(&on(environment, datasource), &warning).await.unwrap();
    }

    pub(crate) async fn change(&self, id: &QualityWarningLuid, text: &str) {
        self.client.change_quality_warning(id, &of_a_person(WarningKind::Stale, text)).await.unwrap();
    }

    pub(crate) async fn remove(&self, id: &QualityWarningLuid) {
        self.client.remove_quality_warning(id).await.unwrap();
    }
}

fn of_a_person(kind: WarningKind, text: &str) -> NewQualityWarning {
    NewQualityWarning { kind, message: text.to_owned(), is_active: true, is_severe: false }
}

fn on(environment: &TestEnvironment, datasource: &str) -> Warnable {
    Warnable::from(environment.tableau.datasource(datasource).unwrap())
}
