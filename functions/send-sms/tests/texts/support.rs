//! Helpers for tests.

use serde_json::{Value, json};
use std::time::Duration;
use testkit::simulator::notes;
use testkit::{Batch, Function, TestEnvironment};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_send-sms");
pub(crate) const NAME: &str = "send-sms";
pub(crate) const DANA: &str = "+4915112345678";
pub(crate) const BO: &str = "+14155550199";

/// Failures, and nothing else, go to one number.
pub(crate) const ONE: &str = r#"
rules:
  - name: failures
    on: [RefreshFailed]
    do: [{ send-sms: { to: "+4915112345678" } }]
"#;

/// Failures go to two numbers.
pub(crate) const TWO: &str = r#"
rules:
  - name: failures
    on: [RefreshFailed]
    do: [{ send-sms: { to: ["+4915112345678", "+14155550199"] } }]
"#;

/// Every event goes to one number.
pub(crate) const ALL: &str = r#"
rules:
  - name: all
    on: [Any]
    do: [{ send-sms: { to: "+4915112345678" } }]
"#;

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

/// The event of a refresh of Sales Orders that failed, with a job.
pub(crate) fn failed(environment: &TestEnvironment) -> Value {
    let luid = environment.tableau.datasource("Sales Orders").expect("the sample has it");
    environment.tableau.fail_refresh(&luid, notes::SNOWFLAKE_LOGIN).unwrap();
    event(environment, "DatasourceRefreshFailed", "Sales Orders")
}

/// The same event, so many minutes before now.
pub(crate) fn minutes_ago(mut event: Value, minutes: i64) -> Value {
    let at = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(minutes);
    event["created_at"] = json!(at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    event
}

/// The event of a refresh of Sales Orders that succeeded, ten minutes later.
pub(crate) fn succeeded(environment: &TestEnvironment) -> Value {
    environment.tableau.clock().advance(Duration::from_secs(600));
    let luid = environment.tableau.datasource("Sales Orders").expect("the sample has it");
    environment.tableau.succeed_refresh(&luid).unwrap();
    event(environment, "DatasourceRefreshSucceeded", "Sales Orders")
}

pub(crate) fn message(event: &Value) -> Batch {
    Batch::default().message(&event.to_string())
}

/// Hands an event over, which is done.
pub(crate) async fn hand(function: &Function, event: &Value) {
    let failures = function.failures(&message(event)).await;
    assert!(failures.is_empty(), "{}", function.logs().join("\n"));
}

/// The texts to a number, oldest first.
pub(crate) fn texts(environment: &TestEnvironment, to: &str) -> Vec<String> {
    let messages = environment.twilio.messages().into_iter();
    messages.filter(|message| message.to == to).map(|message| message.body).collect()
}

/// The reason in the last line about a failed attempt.
pub(crate) fn last_reason(function: &Function) -> String {
    let logs = function.logs();
    let lines = logs.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let outcomes = ["transient", "misconfigured", "permanent", "failed"];
    let failed = lines.filter(|line| outcomes.iter().any(|outcome| line["outcome"] == *outcome));
    let last = failed.filter_map(|line| line["reason"].as_str().map(str::to_owned)).next_back();
    last.unwrap_or_else(|| panic!("{}", logs.join("\n")))
}

/// Hands an event over that goes back to the queue, and returns the reason that the log says.
pub(crate) async fn reason(environment: &TestEnvironment, function: &Function, batch: &Batch) -> String {
    assert_eq!(function.failures(batch).await, ["m-1"], "{}", function.logs().join("\n"));
    assert_private(environment, function);
    last_reason(function)
}

/// Hands an event over that becomes a dead letter, and returns its reason.
pub(crate) async fn dead_letter(environment: &TestEnvironment, function: &Function, event: &Value) -> String {
    let before = environment.aws.messages("dead-letters").len();
    hand(function, event).await;
    let dead = environment.aws.messages("dead-letters");
    assert_eq!(dead.len(), before + 1, "{}", function.logs().join("\n"));
    assert_private(environment, function);
    dead.last().unwrap().attributes["reason"].clone()
}

/// Panics if a secret or a number is in the log, or a number in the table outside of the rules.
pub(crate) fn assert_private(environment: &TestEnvironment, function: &Function) {
    let logs = function.logs();
    environment.assert_no_secret_in(&logs);
    let digits = |number: &str| number.trim_start_matches('+').to_owned();
    let numbers = [digits(DANA), digits(BO)];
    for line in &logs {
        assert!(!numbers.iter().any(|number| line.contains(number)), "a number in {line}");
    }
    for item in environment.aws.items("deliveries") {
        let is_rules = item["pk"]["S"].as_str().is_some_and(|key| key.starts_with("rules#"));
        let text = item.to_string();
        assert!(is_rules || !numbers.iter().any(|number| text.contains(number)), "a number in {text}");
    }
}

/// Panics unless each text has as few segments as it may have, and is one line.
pub(crate) fn assert_texts(environment: &TestEnvironment) {
    for message in environment.twilio.messages() {
        assert!(message.segments == 1 && !message.body.contains(['\n', '\r']), "{message:?}");
    }
}
