//! Rules in force that a newer version has checked: with settings that this version does not know, or calls mistakes.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use serde_json::{Value, json};
use std::collections::BTreeSet;
use testkit::simulator::{Datasource, Fault, notes};
use testkit::{Batch, Function, Request, TestEnvironment};

const BINARY: &str = env!("CARGO_BIN_EXE_notify-slack");

/// Log lines that report an error.
fn errors(function: &Function) -> Vec<Value> {
    let lines = function.logs();
    let lines = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["level"] == "ERROR").collect()
}

#[tokio::test]
async fn a_file_that_names_workflows_and_settings_of_a_newer_version_stops_no_event() {
    let form = json!({ "rules": [{ "name": "newer", "on": ["WorkbookCreated"], "do": [
        { "page-oncall": { "team": "data", "levels": [1, 2] } },
        { "notify-slack": { "channel": "data-news" } },
        { "update-broadcast": { "resolution": "high" } },
    ] }] });
    let environment = TestEnvironment::start().await;
    environment.write_form("", &form.to_string());
    let function = environment.queued("notify-slack", BINARY);
    assert!(function.failures(&Batch::of_fixture("workbook-created")).await.is_empty());
    assert_eq!(environment.slack.message_count(), 1);
    assert_eq!(errors(&function), Vec::<Value>::new());
}

#[tokio::test]
async fn a_mistake_in_what_a_rule_says_is_logged_at_the_start_and_stops_only_the_events_of_that_rule() {
    for (settings, expected) in [
        (json!({ "chanel": "data-news" }), "rule `wrong`: unknown field `chanel`; did you mean `channel`?"),
        (
            json!({ "channel": "" }),
            "rule `wrong`: channel: it is empty: write a channel's name, such as data-alerts",
        ),
    ] {
        let form = json!({ "rules": [
            { "name": "right", "on": ["WorkbookCreated"], "do": [{ "notify-slack": { "channel": "data-news" } }] },
            { "name": "wrong", "on": ["SiteUpdated"], "do": [{ "notify-slack": settings }] },
        ] });
        let environment = TestEnvironment::start().await;
        environment.write_form("", &form.to_string());
        let function = environment.queued("notify-slack", BINARY);
        assert!(function.failures(&Batch::of_fixture("workbook-created")).await.is_empty());
        assert_eq!(environment.slack.message_count(), 1, "{settings}");
        let logged = errors(&function);
        assert_eq!(logged.len(), 2, "{logged:?}");
        assert_eq!(logged[0]["reason"], expected);
        let message = logged[1]["message"].as_str().unwrap_or_default();
        assert!(message.contains("its events wait"), "there is no earlier version: {logged:?}");
        let lines = function.logs();
        assert!(lines.iter().any(|line| line.contains("\"UnreadableRules\":1")), "it is counted: {lines:?}");

        // The other rule's event waits for a corrected file: it is stored, and is neither lost nor a dead letter.
        assert_eq!(function.answer(&Request::of_fixture("site-updated")).await.status, 202);
        assert_eq!(function.failures(&Batch::of_fixture("site-updated")).await, ["m-1"]);
        assert!(environment.aws.messages("dead-letters").is_empty());
        let records = environment.aws.items("deliveries");
        let states: Vec<&str> = records.iter().filter_map(|record| record["state"]["S"].as_str()).collect();
        assert!(states.contains(&"misconfigured"), "{states:?}");
    }
}

// 15-B6
#[tokio::test]
async fn the_last_version_whose_settings_the_workflow_can_use_counts_also_for_the_rule_that_is_wrong_now() {
    let right =
        "rules: [{ name: all, on: [WorkbookCreated], do: [{ notify-slack: { channel: data-news } }] }]\n";
    let environment = TestEnvironment::with_rules(right).await;
    let items = environment.aws.items("deliveries");
    let mut earlier = items.into_iter().find(|item| item["pk"]["S"] == "rules#current").unwrap();
    earlier["pk"] = json!({ "S": "rules#history" });
    earlier["sk"] = json!({ "S": "00000001" });
    environment.aws.put_item("deliveries", &earlier);
    let form = json!({ "rules": [
        { "name": "all", "on": ["WorkbookCreated"], "do": [{ "notify-slack": { "chanel": "data-news" } }] },
    ] });
    environment.write_form("", &form.to_string());
    let function = environment.queued("notify-slack", BINARY);
    assert!(function.failures(&Batch::of_fixture("workbook-created")).await.is_empty());
    assert_eq!(environment.slack.message_count(), 1);
    let logged = errors(&function);
    assert_eq!(logged.len(), 1, "{logged:?}");
    assert!(logged[0]["reason"].as_str().unwrap().contains("did you mean `channel`?"), "{logged:?}");
    let lines = function.logs();
    assert!(lines.iter().any(|line| line.contains("\"UnreadableRules\":1")), "it is counted: {lines:?}");
}

// 15, item 1
#[tokio::test]
async fn a_group_of_the_owner_decides_where_a_message_goes() {
    let rules = "rules:
  - name: finance
    on: [DatasourceRefreshFailed]
    where: { owner_group: Finance Analysts }
    do: [{ notify-slack: { channel: data-news } }]
  - name: others
    on: [DatasourceRefreshFailed]
    otherwise: true
    do: [{ notify-slack: { channel: data-alerts } }]
";
    let environment = TestEnvironment::with_rules(rules).await;
    let function = environment.inline("notify-slack", BINARY);
    for (name, channel) in [("General Ledger", "data-news"), ("Shipments", "data-alerts")] {
        let luid = environment.tableau.datasource(name).unwrap();
        environment.tableau.fail_refresh(&luid, notes::SNOWFLAKE_LOGIN).unwrap();
        let event = json!({
            "resource": "EXTRACTS", "event_type": "DatasourceRefreshFailed", "resource_name": name,
            "site_luid": environment.tableau.site().as_str(), "resource_luid": luid.as_str(),
            "created_at": environment.tableau.clock().now().to_string(),
        });
        assert_eq!(function.answer(&Request::post(event.to_string())).await.body["status"], "done");
        let messages = environment.slack.messages();
        assert_eq!(messages.last().unwrap().channel_name, channel, "{}", function.logs().join("\n"));
    }
    assert_eq!(environment.tableau.calls("GET /sites/*/users/*/groups"), 2);
}

/// An event of a failed refresh of the sample data source "General Ledger", which is in Finance/Month End.
fn failure(environment: &TestEnvironment) -> Request {
    let luid = environment.tableau.datasource("General Ledger").unwrap();
    environment.tableau.fail_refresh(&luid, notes::SNOWFLAKE_LOGIN).unwrap();
    let event = json!({
        "resource": "EXTRACTS", "event_type": "DatasourceRefreshFailed", "resource_name": "General Ledger",
        "site_luid": environment.tableau.site().as_str(), "resource_luid": luid.as_str(),
        "created_at": environment.tableau.clock().now().to_string(),
    });
    Request::post(event.to_string())
}

// 15, item 2
#[tokio::test]
async fn an_owner_or_project_that_tableau_does_not_show_suppresses_no_alert_and_the_message_says_so() {
    for (conditions, refused, why) in [
        (
            "where: { owner: someone@example.com }",
            "GET /sites/*/users/*",
            "because the owner could not be looked up: Tableau does not show the owner",
        ),
        (
            "unless: { owner: bea@example.com }",
            "GET /sites/*/users/*",
            "because the owner could not be looked up: Tableau does not show the owner",
        ),
        (
            "where: { project: Operations }",
            "GET /sites/*/projects*",
            "because the project could not be looked up: Tableau refused",
        ),
    ] {
        let rules = format!(
            "rules:
  - name: some
    on: [DatasourceRefreshFailed]
    {conditions}
    do: [{{ notify-slack: {{ channel: data-news }} }}]
  - name: others
    on: [DatasourceRefreshFailed]
    otherwise: true
    do: [{{ notify-slack: {{ channel: data-alerts }} }}]
"
        );
        let environment = TestEnvironment::with_rules(&rules).await;
        let function = environment.inline("notify-slack", BINARY);
        environment.tableau.fail_always(refused, Fault::Error("403004"));
        assert_eq!(function.answer(&failure(&environment)).await.body["status"], "done");
        let messages = environment.slack.messages();
        let channels: BTreeSet<&str> = messages.iter().map(|one| one.channel_name.as_str()).collect();
        assert_eq!(channels, BTreeSet::from(["data-alerts", "data-news"]), "{conditions}");
        let news = messages.iter().find(|one| one.channel_name == "data-news").unwrap();
        assert!(news.all_text().contains(why), "{conditions}: {}", news.all_text());
    }
}

// 15, item 2
#[tokio::test]
async fn a_project_that_is_newer_than_what_is_kept_of_the_projects_is_asked_for() {
    let rules = "rules:
  - name: finance
    on: [DatasourceRefreshFailed]
    where: { project: \"Finance/**\" }
    do: [{ notify-slack: { channel: data-news } }]
";
    let environment = TestEnvironment::with_rules(rules).await;
    let function = environment.inline("notify-slack", BINARY);
    assert_eq!(function.answer(&failure(&environment)).await.body["status"], "done");
    let lists = environment.tableau.calls("GET /sites/*/projects*");
    let luid = environment.tableau.add(Datasource::named("Budget").in_project("Finance/New"));
    environment.tableau.fail_refresh(&luid, notes::SNOWFLAKE_LOGIN).unwrap();
    let event = json!({
        "resource": "EXTRACTS", "event_type": "DatasourceRefreshFailed", "resource_name": "Budget",
        "site_luid": environment.tableau.site().as_str(), "resource_luid": luid.as_str(),
        "created_at": environment.tableau.clock().now().to_string(),
    });
    assert_eq!(function.answer(&Request::post(event.to_string())).await.body["status"], "done");
    assert_eq!(environment.slack.message_count(), 2);
    assert_eq!(environment.tableau.calls("GET /sites/*/projects*"), lists + 1);
}
