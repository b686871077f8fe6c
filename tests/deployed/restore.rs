//! The steps of a restore: the table of a deleted stack, put back and copied into a new stack.

use crate::environment::{Environment, until};
use crate::scenario::{TIMEOUT, a_change_is_broadcast, accepted, payload};
use serde_json::json;
use simulator::SAMPLE_PAT;
use tableau::EventName;

/// Completes an event, which is sent again after the restore.
pub(crate) async fn an_event_is_done(environment: &Environment<'_>) -> String {
    // The rules were changed a moment ago: the function may follow those of before, which name the other channel.
    let messages = || environment.messages("data-alerts") + environment.messages("data-news");
    let before = messages();
    let body = payload(environment, EventName::UserDeleted);
    accepted(environment, "WebhookUrl", &body).await;
    until("the event's message", TIMEOUT, || async { messages() > before }).await;
    environment.wait_for_quiet("NotifySlackQueue").await;
    body
}

/// Restores the deleted stack's table to a point in time, as docs/operations.md says under "Restore the table".
/// Returns the restored table's name and its number of items without rules.
pub(crate) async fn the_table_that_is_left_is_restored(
    environment: &Environment<'_>,
    left: &str,
) -> (String, usize) {
    let restored = format!("{left}-restored");
    let restore =
        json!({ "SourceTableName": left, "TargetTableName": restored, "UseLatestRestorableTime": true });
    environment.cloud.call("dynamodb", "restore_table_to_point_in_time", restore).await;
    environment.cloud.call("dynamodb", "delete_table", json!({ "TableName": left })).await;
    let all = environment.cloud.call("dynamodb", "scan", json!({ "TableName": restored })).await;
    // The new stack has rules and webhooks of its own.
    let keys = all["Items"].as_array().unwrap().iter().map(|item| item["pk"]["S"].as_str().unwrap());
    let items = keys.filter(|key| !key.starts_with("rules#") && *key != "webhook#stack").count();
    assert!(items > 4, "{items} items");
    (restored, items)
}

/// Copies the restored items into the current stack's table, once.
pub(crate) async fn its_items_are_copied_into_the_new_stack(
    environment: &Environment<'_>,
    restored: &str,
    items: usize,
) {
    let before = environment.stack.records().await.len();
    let copy = ["table", "copy", "--from", restored, "--stack", crate::stack::STACK];
    let printed = environment.cloud.tableau_webhooks(&copy).await;
    assert!(printed.starts_with(&format!("{items} items copied into ")), "{printed}");
    assert_eq!(environment.stack.records().await.len(), before + items);
    let again = environment.cloud.tableau_webhooks(&copy).await;
    let there = format!("; {items} were there already, ");
    assert!(again.starts_with("0 items copied into ") && again.contains(&there), "{again}");
    environment.cloud.call("dynamodb", "delete_table", json!({ "TableName": restored })).await;
}

/// Events completed before the restore are not handled again, and Tableau's session is still the old one.
pub(crate) async fn nothing_is_done_twice_after_it(environment: &Environment<'_>, body: &str, sign_ins: u32) {
    let before = environment.messages("data-news");
    let id = accepted(environment, "WebhookUrl", body).await;
    environment.wait_for_quiet("NotifySlackQueue").await;
    assert_eq!(environment.messages("data-news"), before, "it was done before");
    accepted(environment, "WebhookUrl", &payload(environment, EventName::AdminPromoted)).await;
    environment.wait_for_messages("data-news", before + 1, TIMEOUT).await;
    environment.wait_for_quiet("NotifySlackQueue").await;
    assert_eq!(environment.messages("data-news"), before + 1, "the new event alone is announced");
    let records = environment.records("UserDeleted").await;
    // Workflows that were off before skip it.
    let key = format!("delivery#notify-slack#{id}");
    let record = records.iter().find(|record| record["pk"]["S"] == key).unwrap();
    assert_eq!((&record["state"]["S"], &record["attempts"]["N"]), (&json!("done"), &json!("1")));

    let workbook = environment.tableau.workbook("Weekly").unwrap();
    let view = environment.tableau.view("Weekly overview").unwrap();
    a_change_is_broadcast(environment, &workbook, &view, 3).await;
    assert_eq!(environment.tableau.sign_ins(SAMPLE_PAT.0), sign_ins, "signed in again");
}
