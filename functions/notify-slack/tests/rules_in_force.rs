//! The rules in the table, and what the real binary does when they cannot be read.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use serde_json::{Value, json};
use std::time::Duration;
use testkit::{Batch, Function, TestEnvironment};

const BINARY: &str = env!("CARGO_BIN_EXE_notify-slack");
const RULES: &str = "rules: [{ name: all, on: [WorkbookCreated, WorkbookUpdated], do: [{ notify-slack: { channel: data-news } }] }]\n";
const SITE: &str = "8b2a95d8-52b9-40a4-8712-cd6da771bd1b";

/// Events of two names in turn: two of one name within a minute would become a group.
fn batch(object: u32) -> Batch {
    let name = ["WorkbookCreated", "WorkbookUpdated"][object as usize % 2];
    Batch::default().message(
        &json!({
            "resource": "WORKBOOK", "event_type": name, "resource_name": "Superstore",
            "site_luid": SITE, "resource_luid": format!("4cdd2055-930d-4eaf-94f4-{object:012}"),
            "created_at": "2026-11-28T10:00:00Z",
        })
        .to_string(),
    )
}

async fn start() -> TestEnvironment {
    let rules = format!("{RULES}sites: [{{ luid: {SITE}, name: Marketing, timezone: Europe/Berlin }}]\n");
    TestEnvironment::with_rules(&rules).await
}

/// Moves the version in force to the history, and puts another text in its place.
fn damage(environment: &TestEnvironment, with_history: bool) {
    let items = environment.aws.items("deliveries");
    let mut item = items.into_iter().find(|item| item["pk"]["S"] == "rules#current").unwrap();
    if with_history {
        let mut historic = item.clone();
        historic["pk"] = json!({ "S": "rules#history" });
        historic["sk"] = json!({ "S": "00000001" });
        environment.aws.put_item("deliveries", &historic);
    }
    item["document"] = json!({ "S": "no version" });
    item["version"] = json!({ "N": "9" });
    environment.aws.put_item("deliveries", &item);
}

/// How often a metric was reported.
fn reported(function: &Function, metric: &str) -> usize {
    let lines = function.logs();
    let lines = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["_aws"].is_object() && line[metric].is_number()).count()
}

fn reads(environment: &TestEnvironment) -> usize {
    environment.aws.requests().iter().filter(|((_, kind), _)| kind == "rules").map(|(_, count)| count).sum()
}

// 15-3
#[tokio::test]
async fn a_cold_start_reads_the_rules_with_one_request_and_a_warm_batch_with_none() {
    let environment = start().await;
    let function = environment.queued("notify-slack", BINARY);
    for object in 1..=3 {
        assert!(function.failures(&batch(object)).await.is_empty());
        assert_eq!(reads(&environment), 1, "{:?}", environment.aws.requests());
    }
}

// 15-3
#[tokio::test]
async fn a_version_that_cannot_be_read_loses_no_event_and_is_counted_and_the_last_good_one_counts() {
    let environment = start().await;
    damage(&environment, true);
    let function = environment.queued("notify-slack", BINARY);
    assert!(function.failures(&batch(1)).await.is_empty(), "{:?}", function.logs());
    assert_eq!(environment.slack.message_count(), 1);
    assert_eq!(reported(&function, "UnreadableRules"), 1, "{:?}", function.logs());
    let logs = function.logs().join("\n");
    assert!(logs.contains("the version of the rules in force cannot be read"), "{logs}");
}

// 15-3
#[tokio::test]
async fn events_wait_while_no_rules_can_be_read_and_the_same_process_goes_on_once_there_are_some() {
    let environment = start().await;
    damage(&environment, false);
    let function = environment.queued("notify-slack", BINARY);
    for object in 1..=2 {
        assert_eq!(function.failures(&batch(object)).await, ["m-1"]);
    }
    assert_eq!(environment.slack.message_count(), 0);
    assert!(reported(&function, "UnreadableRules") >= 1);

    environment.write_rules(&format!(
        "{RULES}sites: [{{ luid: {SITE}, name: Marketing, timezone: Europe/Berlin }}]\n"
    ));
    // A function without rules looks again after five seconds.
    tokio::time::sleep(Duration::from_secs(6)).await;
    for object in 1..=2 {
        assert!(function.failures(&batch(object)).await.is_empty(), "{:?}", function.logs());
    }
    assert_eq!(environment.slack.message_count(), 2);
}
