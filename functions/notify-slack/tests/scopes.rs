//! The scopes of a connected app, of which the real binary uses exactly the default ones.

use serde_json::{Value, json};
use testkit::simulator::{SAMPLE_CONNECTED_APP, notes};
use testkit::{Batch, TestEnvironment, repository};

const RULES: &str = "
rules:
  - name: failures
    on: [RefreshFailed]
    unless: { owner_group: Contractors }
    do: [{ notify-slack: { channel: data-alerts, mention: owner } }]
";

// Issue 19, 5
#[tokio::test]
async fn a_connected_app_without_scopes_in_the_secret_has_exactly_those_that_the_calls_need() {
    let environment = TestEnvironment::with_rules(RULES).await;
    let (client_id, secret_id, secret) = SAMPLE_CONNECTED_APP;
    environment.aws.create_secret(
        "tableau",
        json!({
            "client_id": client_id, "secret_id": secret_id, "secret_value": secret, "user_name": "bea@example.com",
        }),
    );
    let function = environment.queued("notify-slack", env!("CARGO_BIN_EXE_notify-slack"));
    let luid = environment.tableau.datasource("Sales Orders").unwrap();
    let event = |name: &str, seconds: u64| {
        let at = environment.tableau.clock().now() + std::time::Duration::from_secs(seconds);
        json!({
            "resource": "EXTRACTS", "event_type": name, "resource_name": "Sales Orders",
            "site_luid": environment.tableau.site().as_str(), "resource_luid": luid.as_str(),
            "created_at": at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        })
    };
    let handle = async |event: Value| {
        let failures = function.failures(&Batch::default().message(&event.to_string())).await;
        assert!(failures.is_empty(), "{}", function.logs().join("\n"));
    };
    environment.tableau.fail_refresh(&luid, notes::SNOWFLAKE_LOGIN).unwrap();
    handle(event("DatasourceRefreshFailed", 0)).await;
    environment.tableau.succeed_refresh(&luid).unwrap();
    handle(event("DatasourceRefreshSucceeded", 1)).await;
    assert_eq!(environment.slack.message_count(), 2, "{}", function.logs().join("\n"));
    let used: Vec<&str> = environment.tableau.used_scopes().into_iter().collect();
    assert_eq!(used, tableau_client::ConnectedApp::SCOPES);
    let readme =
        std::fs::read_to_string(repository::root().join("functions/notify-slack/README.md")).unwrap();
    assert!(used.iter().all(|scope| readme.contains(&format!("`{scope}`"))), "{used:?}");
}
