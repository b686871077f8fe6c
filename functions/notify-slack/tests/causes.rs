//! The cause of a failed refresh on the real binary: in the delivery record, in the metric `Causes`, and as a condition.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests")]

#[allow(dead_code, reason = "each test file uses some of it")]
mod support;

use serde_json::{Value, json};
use support::{failed, message, metrics, queued};
use testkit::simulator::{SlackFault, notes};
use testkit::{Batch, Function, TestEnvironment};

/// The state and the cause of the only delivery record.
fn recorded(environment: &TestEnvironment) -> (Value, Value) {
    let items = environment.aws.items("deliveries");
    let is_delivery = |item: &&Value| item["pk"]["S"].as_str().unwrap().starts_with("delivery#");
    let mut records = items.iter().filter(is_delivery);
    let record = records.next().expect("a delivery record");
    assert!(records.next().is_none(), "more than one delivery record");
    (record["state"]["S"].clone(), record["cause"]["S"].clone())
}

/// The classes that the metric counts, one for each count.
fn counted(function: &Function) -> Vec<Value> {
    metrics(function, "Causes").into_iter().map(|line| line["class"].clone()).collect()
}

/// A failure whose job Tableau does not list.
fn without_job(environment: &TestEnvironment) -> Value {
    let luid = environment.tableau.datasource("Exchange Rates").expect("the sample has it");
    json!({
        "resource": "EXTRACTS", "event_type": "DatasourceRefreshFailed", "resource_name": "Exchange Rates",
        "site_luid": environment.tableau.site().as_str(), "resource_luid": luid.as_str(),
        "created_at": environment.tableau.clock().now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    })
}

// Issue 16, 4
#[tokio::test]
async fn a_cause_is_recorded_when_it_is_found_and_counted_once_however_often_the_event_is_tried() {
    let environment = TestEnvironment::start().await;
    let settings = [("METRICS_NAMESPACE", "my-stack"), ("LOG_LEVEL", "error")];
    let function = environment.queued_with("notify-slack", support::BINARY, &settings);
    let event = failed(&environment, notes::SNOWFLAKE_LOGIN);

    environment.slack.fail_next(1, SlackFault::ServerError);
    assert_eq!(function.failures(&message(&event)).await, ["m-1"]);
    assert_eq!(recorded(&environment), (json!("released"), json!("Credentials")));
    assert_eq!(function.failures(&message(&event)).await, Vec::<String>::new());
    assert_eq!(recorded(&environment), (json!("done"), json!("Credentials")));
    assert!(function.failures(&message(&event)).await.is_empty(), "a duplicate");

    let definition = json!({
        "Namespace": "my-stack", "Dimensions": [["function", "class"]],
        "Metrics": [{ "Name": "Causes", "Unit": "Count" }],
    });
    let expected = json!({
        "_aws": { "Timestamp": null, "CloudWatchMetrics": [definition] },
        "function": "notify-slack", "class": "Credentials", "Causes": 1.0,
    });
    assert_eq!(metrics(&function, "Causes"), [expected]);
}

// Issue 16, 4
#[tokio::test]
async fn that_no_cause_was_found_is_recorded_and_counted_when_the_event_is_over() {
    let environment = TestEnvironment::start().await;
    let function = queued(&environment);
    let event = without_job(&environment);

    environment.slack.fail_next(1, SlackFault::ServerError);
    assert_eq!(function.failures(&message(&event)).await, ["m-1"]);
    assert_eq!(recorded(&environment), (json!("released"), Value::Null));
    assert_eq!(counted(&function), Vec::<Value>::new());

    assert!(function.failures(&message(&event)).await.is_empty());
    assert_eq!(recorded(&environment), (json!("done"), json!("NotFound")));
    assert_eq!(counted(&function), ["NotFound"]);
}

// Issue 16, 4
#[tokio::test]
async fn an_event_that_is_no_failed_refresh_has_no_cause() {
    let environment = TestEnvironment::start().await;
    let function = queued(&environment);
    assert!(function.failures(&Batch::of_fixture("workbook-created")).await.is_empty());
    assert_eq!(recorded(&environment), (json!("done"), Value::Null));
    assert_eq!(counted(&function), Vec::<Value>::new());
}

// Issue 16, 4
#[tokio::test]
async fn rules_of_before_that_name_other_take_an_unknown_cause_and_one_that_no_rule_takes_is_recorded() {
    for (notes, channel, state) in [
        ("Something that no one has seen before", Some("data-news"), "done"),
        (notes::SNOWFLAKE_LOGIN, None, "skipped"),
    ] {
        let environment = TestEnvironment::start().await;
        // As an earlier version has published it.
        let form = json!({ "rules": [{
            "name": "odd", "on": ["RefreshFailed"], "where": { "cause": ["Other"] },
            "do": [{ "notify-slack": { "channel": "data-news" } }],
        }] });
        environment.write_form("", &form.to_string());
        let function = queued(&environment);

        assert!(function.failures(&message(&failed(&environment, notes))).await.is_empty());

        let messages = environment.slack.messages();
        let channels: Vec<&str> = messages.iter().map(|message| message.channel_name.as_str()).collect();
        assert_eq!(channels, channel.into_iter().collect::<Vec<_>>(), "{notes}");
        let class = if channel.is_some() { "Unknown" } else { "Credentials" };
        assert_eq!(recorded(&environment), (json!(state), json!(class)));
        assert_eq!(counted(&function), [class]);
    }
}
