//! What each kind of event costs at DynamoDB and SQS: counted at the real binary, claim and end included.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::fmt::Write as _;
use testkit::simulator::{Fault, SlackCall};
use testkit::{Batch, Function, Stage};

const RULES: &str = "
rules:
  - name: failures
    on: [DatasourceRefreshFailed, DatasourceRefreshStarted, DatasourceDeleted, WorkbookCreated]
    do: [{ notify-slack: { channel: data-alerts } }]
";
const BINARY: &str = env!("CARGO_BIN_EXE_notify-slack");
const STORM: usize = 500;

/// A stack whose function has a bot token, so that messages are edited.
async fn start() -> (Stage, Function) {
    let stage = Stage::with_rules(RULES).await;
    stage.slack.add_channel("data-alerts", true);
    stage.aws.create_secret("slack", json!({ "bot_token": stage.slack.token() }));
    // Else each failure without a job waits for a second look.
    stage.tableau.fail_always("GET */jobs*", Fault::Error("403000"));
    let function = stage.queued("notify-slack", BINARY);
    (stage, function)
}

fn event(stage: &Stage, name: &str, object: &str, at: Timestamp) -> String {
    json!({
        "resource": "EXTRACTS", "event_type": name, "resource_name": object, "resource_luid": object,
        "site_luid": stage.tableau.site().as_str(), "created_at": format!("{at:.0}"),
    })
    .to_string()
}

/// DynamoDB's requests so far, those for the shared session of Tableau left out: it is renewed every few hours.
fn requests(stage: &Stage) -> usize {
    let counted = stage.aws.requests().into_iter().filter(|((_, kind), _)| kind != "session");
    counted.map(|(_, count)| count).sum()
}

/// The timers in the queue.
fn timers(stage: &Stage) -> Vec<Value> {
    let bodies = stage.aws.messages("queue").into_iter();
    let bodies = bodies.filter_map(|message| serde_json::from_str::<Value>(&message.body).ok());
    bodies.filter(|body| body["timer"].is_object()).collect()
}

/// Events, one after the other, and what they cost: requests, and timers.
async fn cost(stage: &Stage, function: &Function, bodies: &[String]) -> (usize, usize) {
    let (before, timers_before) = (requests(stage), timers(stage).len());
    for body in bodies {
        assert!(function.failures(&Batch::default().message(body)).await.is_empty(), "{:?}", function.logs());
    }
    (requests(stage) - before, timers(stage).len() - timers_before)
}

// 13: the cost table per kind of event, from counted calls.
#[tokio::test]
async fn each_kind_of_event_costs_as_little_as_its_row_says() {
    let (stage, function) = start().await;
    let now = Timestamp::now() - SignedDuration::from_mins(30);
    let at = |second| now + SignedDuration::from_secs(second);
    // The first event of a process signs in and reads what later ones remember.
    cost(&stage, &function, &[event(&stage, "WorkbookCreated", "Board", at(0))]).await;
    let mut table =
        "| event | DynamoDB requests | at most | timers |\n| --- | --: | --: | --: |\n".to_owned();
    let mut wrong = Vec::new();
    for (what, name, object, second, most) in [
        ("that no rule names", "SiteUpdated", "Site", 1, 2),
        ("a refresh started, as a rule says", "DatasourceRefreshStarted", "Sales", 2, 6),
        ("a refresh succeeded, nothing fails", "DatasourceRefreshSucceeded", "Orders", 3, 3),
        ("a lone first failure", "DatasourceRefreshFailed", "Sales", 100, 9),
        ("the object failed again", "DatasourceRefreshFailed", "Sales", 200, 9),
        ("it recovered", "DatasourceRefreshSucceeded", "Sales", 300, 9),
        ("another that a rule names", "DatasourceDeleted", "Orders", 400, 6),
    ] {
        let body = event(&stage, name, object, at(second));
        let (requests, timers) = cost(&stage, &function, std::slice::from_ref(&body)).await;
        writeln!(table, "| {what} | {requests} | {most} | {timers} |").unwrap();
        if requests > most {
            wrong.push(format!("{what}: {requests} requests, at most {most}"));
        }
        let (again, _) = cost(&stage, &function, &[body]).await;
        assert_eq!(again, 1, "the same event once more is one request: {what}");
    }
    println!("{table}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

// 13: ≤ 4 requests per event of a storm of 500; ≤ 3 messages with all of them accounted for.
#[tokio::test]
async fn each_event_of_a_storm_costs_four_requests_at_most() {
    let (stage, function) = start().await;
    let now = Timestamp::now();
    let storm: Vec<String> = (0..STORM)
        .map(|n| event(&stage, "DatasourceRefreshFailed", &format!("object-{n:03}"), now))
        .collect();
    let (requests, _) = cost(&stage, &function, &storm).await;
    let armed = timers(&stage);
    let groups: std::collections::BTreeSet<&str> =
        armed.iter().filter_map(|timer| timer["timer"]["key"].as_str()).collect();
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let per_event = requests as f64 / STORM as f64;
    println!("storm of {STORM}: {requests} requests, {per_event:.2} an event; {} timers", armed.len());
    assert!(requests <= 4 * STORM, "{requests}");
    assert_eq!(groups.len(), 1, "{groups:?}");
    let posts =
        stage.slack.messages().into_iter().filter(|message| message.call != SlackCall::Update).count();
    assert!(posts <= 3, "{posts}");
}
