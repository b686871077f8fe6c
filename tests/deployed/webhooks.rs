//! The stack registers its webhooks at Tableau by itself.

use crate::environment::{Environment, RULES};
use crate::stack::STACK;
use serde_json::{Value, json};
use simulator::{Fault, Recorder, Webhook};
use std::time::Duration;
use tableau::EventName;

/// Part of the name of a webhook that is not the stack's.
const FOREIGN: &str = "another tool";
/// What the rules of the test need, in alphabetical order.
const NEEDED: [&str; 9] = [
    "AdminDemoted",
    "AdminPromoted",
    "DatasourceRefreshFailed",
    "DatasourceRefreshSucceeded",
    "LabelCreated",
    "UserDeleted",
    "WorkbookRefreshFailed",
    "WorkbookRefreshSucceeded",
    "WorkbookUpdated",
];
/// A rule for one event more.
const MORE: &str = "  - name: sites
    on: [SiteUpdated]
    do: [{ notify-slack: { channel: data-news } }]
";

/// Rules for one event more.
pub(crate) fn rules_with_more(rules: &str) -> String {
    format!("{rules}{MORE}")
}

/// The events of the stack's webhooks, in alphabetical order.
fn events(environment: &Environment<'_>) -> Vec<String> {
    let webhooks = environment.tableau.webhooks().into_iter().filter(|webhook| webhook.name != FOREIGN);
    let mut events: Vec<String> = webhooks.map(|webhook| webhook.event.as_str().to_owned()).collect();
    events.sort();
    events
}

/// Starts the function with an event, and gives its answer.
async fn invoke(environment: &Environment<'_>, event: &Value) -> Value {
    let name = environment.stack.resource("ReconcileWebhooks");
    let invocation = json!({ "FunctionName": name, "Payload": event.to_string() });
    let answer = environment.cloud.call("lambda", "invoke", invocation).await;
    assert!(answer["FunctionError"].is_null(), "{answer}");
    serde_json::from_str(answer["Payload"].as_str().unwrap()).unwrap()
}

/// The first deploy has no credential yet, and does not wait for it.
pub(crate) async fn the_stack_registers_what_its_rules_need(environment: &Environment<'_>) {
    assert_eq!(environment.stack.output("ReconcileWebhooksCount"), "none yet");
    assert!(environment.tableau.webhooks().is_empty());
    let foreign = Webhook::on(EventName::SiteUpdated, "https://example.com/x").named(FOREIGN);
    environment.tableau.add(foreign);
    let outcome = invoke(environment, &json!({ "start": "schedule" })).await;
    assert_eq!(outcome["report"]["failed"], json!([]), "{outcome}");
    assert_eq!(events(environment), NEEDED);
}

/// After the deploy of a rule for one event more.
pub(crate) fn a_new_rule_has_its_webhook(environment: &Environment<'_>) {
    let mut expected: Vec<&str> = NEEDED.to_vec();
    expected.push("SiteUpdated");
    expected.sort_unstable();
    assert_eq!(events(environment), expected);
    assert_eq!(environment.stack.output("ReconcileWebhooksCount"), "10");
}

/// After the deploy without this rule.
pub(crate) fn a_rule_that_is_gone_has_none(environment: &Environment<'_>) {
    assert_eq!(events(environment), NEEDED);
}

/// Whether the events of the stack show this reason for its webhooks, as an operator sees it.
async fn has_failed_because(environment: &Environment<'_>, reason: &str) -> bool {
    let stack = json!({ "StackName": STACK });
    let events = environment.cloud.call("cloudformation", "describe_stack_events", stack).await;
    let events = events["StackEvents"].as_array().cloned().unwrap_or_default();
    events.iter().any(|event| {
        event["LogicalResourceId"] == "ReconcileWebhooksAtTableau"
            && event["ResourceStatusReason"].as_str().is_some_and(|said| said.contains(reason))
    })
}

/// The reason is shown, and the stack is rolled back.
pub(crate) async fn what_tableau_refuses_fails_the_deploy(environment: &Environment<'_>) {
    environment.tableau.fail_always("POST /sites/*/webhooks", Fault::Error("400118"));
    let template = environment.stack.with_rules(&rules_with_more(RULES));
    environment.stack.is_refused(&template, &[]).await;
    assert!(has_failed_because(environment, "400118").await);
    environment.tableau.clear_faults();
    assert_eq!(events(environment), NEEDED);
}

/// The function gives up before its own time is over, and says so.
pub(crate) async fn a_tableau_that_hangs_fails_the_deploy_in_time(environment: &Environment<'_>) {
    let name = environment.stack.resource("ReconcileWebhooks");
    let timeout = |seconds: u32| json!({ "FunctionName": name, "Timeout": seconds });
    environment.cloud.call("lambda", "update_function_configuration", timeout(30)).await;
    environment.tableau.fail_always("GET /sites/*/webhooks", Fault::Delay(Duration::from_secs(120)));
    let template = environment.stack.with_rules(&rules_with_more(RULES));
    environment.stack.is_refused(&template, &[]).await;
    assert!(has_failed_because(environment, "list the webhooks: Tableau did not answer in time").await);
    environment.tableau.clear_faults();
    environment.cloud.call("lambda", "update_function_configuration", timeout(180)).await;
    assert_eq!(events(environment), NEEDED);
}

/// CloudFormation may send a request twice.
pub(crate) async fn a_request_that_comes_twice_is_done_once(environment: &Environment<'_>) {
    let answers = Recorder::start().await.unwrap();
    let request = json!({
        "RequestType": "Update", "ResponseURL": format!("{}/answer", answers.url()), "RequestId": "twice",
        "StackId": "arn:aws:cloudformation:us-east-1:000000000000:stack/x/y", "LogicalResourceId": "x",
        "PhysicalResourceId": "webhooks-y", "ResourceProperties": { "Rules": "1" }, "OldResourceProperties": {},
    });
    let calls = || environment.tableau.calls("GET /sites/*/webhooks");
    invoke(environment, &request).await;
    let before = calls();
    invoke(environment, &request).await;
    let all: Vec<Value> =
        answers.requests().iter().map(|answer| serde_json::from_slice(&answer.body).unwrap()).collect();
    assert_eq!((all.len(), &all[0]["Status"]), (2, &json!("SUCCESS")), "{all:?}");
    assert_eq!((&all[0], calls()), (&all[1], before), "the same answer, and nothing is asked again");
    assert_eq!(events(environment), NEEDED);
}

/// A new token is put into the secret; the old one is valid beside it.
pub(crate) async fn a_new_token_reaches_every_webhook(environment: &Environment<'_>) {
    let old = environment.stack.token();
    let new: String = old.chars().rev().collect();
    environment.stack.put_secret("WebhookSecretArn", &json!({ "current": new, "previous": old })).await;
    invoke(environment, &json!({ "start": "schedule" })).await;
    assert_eq!(events(environment), NEEDED);
    let webhooks = environment.tableau.webhooks();
    let own = webhooks.iter().filter(|webhook| webhook.name != FOREIGN);
    assert!(own.clone().all(|webhook| webhook.url.ends_with(&format!("/webhook/{new}"))), "{own:?}");
    let outcome = invoke(environment, &json!({ "start": "schedule" })).await;
    assert_eq!(outcome["report"]["unchanged"], NEEDED.len(), "{outcome}");
}

/// After the stack was deleted.
pub(crate) fn the_foreign_webhook_alone_is_left(environment: &Environment<'_>) {
    let left: Vec<String> = environment.tableau.webhooks().into_iter().map(|webhook| webhook.name).collect();
    assert_eq!(left, [FOREIGN]);
}
