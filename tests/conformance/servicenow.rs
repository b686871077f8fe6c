//! pysnc, ServiceNow's client for Python, meets our simulated instance, and reads there what our function has written.

use super::{python, script};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;
use testkit::simulator::{SAMPLE_SERVICENOW_USER, ServiceNowSimulator, notes};
use testkit::{Batch, TestEnvironment};

fn binary(name: &str) -> PathBuf {
    let ours = std::env::current_exe().unwrap();
    ours.parent().and_then(Path::parent).expect("target/debug/deps/conformance-…").join(name)
}

#[tokio::test]
async fn servicenows_own_client_finds_in_the_simulator_what_it_expects() {
    let Some(python) = python() else { return };
    let servicenow = ServiceNowSimulator::start().await.unwrap();
    let (user, password) = SAMPLE_SERVICENOW_USER;
    let (id, secret) = servicenow.application();
    let url = servicenow.url();
    script(&python, "servicenow.py", &["client", &url, user, password, &id, &secret]).await;
    let incidents = servicenow.incidents();
    assert_eq!((incidents.len(), incidents[0].work_notes()), (1, vec!["A note of pysnc"]));
}

fn event(environment: &TestEnvironment, name: &str, seconds_ago: u64) -> Value {
    let at = environment.tableau.clock().now() - Duration::from_secs(seconds_ago);
    let luid = environment.tableau.datasource("Sales Orders").unwrap();
    json!({
        "resource": "EXTRACTS", "event_type": name, "resource_name": "Sales Orders",
        "site_luid": environment.tableau.site().as_str(), "resource_luid": luid.as_str(),
        "created_at": at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    })
}

#[tokio::test]
async fn servicenows_own_client_reads_what_we_have_written() {
    let Some(python) = python() else { return };
    let settings = "assignment_group: BI Platform, on_recovery: resolve, close_code: Solution provided";
    let environment = TestEnvironment::with_rules(&format!(
        "rules: [{{ name: a, on: [RefreshFailed], do: [{{ track-servicenow-incident: {{ {settings} }} }}] }}]\n"
    ))
    .await;
    let function = environment.queued("track-servicenow-incident", binary("track-servicenow-incident"));
    let luid = environment.tableau.datasource("Sales Orders").unwrap();
    environment.tableau.fail_refresh(&luid, notes::SNOWFLAKE_LOGIN).unwrap();
    let failure = event(&environment, "DatasourceRefreshFailed", 60).to_string();
    assert!(function.failures(&Batch::default().message(&failure)).await.is_empty());
    environment.tableau.succeed_refresh(&luid).unwrap();
    let success = event(&environment, "DatasourceRefreshSucceeded", 10).to_string();
    assert!(function.failures(&Batch::default().message(&success)).await.is_empty());

    let incidents = environment.servicenow.incidents();
    let incident = incidents.first().unwrap_or_else(|| panic!("{}", function.logs().join("\n")));
    let (user, password) = SAMPLE_SERVICENOW_USER;
    let url = environment.servicenow.url();
    let short = incident.field("short_description");
    script(&python, "servicenow.py", &["read", &url, user, password, incident.number(), short]).await;
}
