//! The DynamoDB and SQS requests of each kind of event, counted at the real binary from claim to completion.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that panics has failed; the figures are printed"
)]

use aws_sdk_sqs::types::MessageSystemAttributeName;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::{Duration, Instant};
use testkit::simulator::{Fault, SlackCall, render};
use testkit::{Batch, Function, TestEnvironment};
use tokio::task::JoinSet;

const RULES: &str = "
rules:
  - name: failures
    on: [DatasourceRefreshFailed, DatasourceRefreshStarted, DatasourceDeleted, WorkbookCreated]
    do: [{ notify-slack: { channel: data-alerts } }]
";
const BINARY: &str = env!("CARGO_BIN_EXE_notify-slack");
const STORM: usize = 500;

/// A stack whose function has a bot token, so that messages can be edited.
async fn start() -> (TestEnvironment, Function) {
    let environment = TestEnvironment::with_rules(RULES).await;
    environment.slack.add_channel("data-alerts", true);
    environment.aws.create_secret("slack", json!({ "bot_token": environment.slack.token() }));
    // Otherwise each failure without a job at Tableau waits for a second lookup.
    environment.tableau.fail_always("GET */jobs*", Fault::Error("403000"));
    let function = environment.queued("notify-slack", BINARY);
    (environment, function)
}

fn event(environment: &TestEnvironment, name: &str, object: &str, at: Timestamp) -> String {
    json!({
        "resource": "EXTRACTS", "event_type": name, "resource_name": object, "resource_luid": object,
        "site_luid": environment.tableau.site().as_str(), "created_at": format!("{at:.0}"),
    })
    .to_string()
}

/// DynamoDB's requests so far, without those for Tableau's shared session, which is renewed every few hours.
fn requests(environment: &TestEnvironment) -> usize {
    let counted = environment.aws.requests().into_iter().filter(|((_, kind), _)| kind != "session");
    counted.map(|(_, count)| count).sum()
}

/// The timer messages in the queue.
fn timers(environment: &TestEnvironment) -> Vec<Value> {
    let bodies = environment.aws.messages("queue").into_iter();
    let bodies = bodies.filter_map(|message| serde_json::from_str::<Value>(&message.body).ok());
    bodies.filter(|body| body["timer"].is_object()).collect()
}

/// Handles events one after another and returns their cost: DynamoDB requests and timers.
async fn cost(environment: &TestEnvironment, function: &Function, bodies: &[String]) -> (usize, usize) {
    let before = requests(environment);
    let timers_before = timers(environment).len();
    for body in bodies {
        assert!(function.failures(&Batch::default().message(body)).await.is_empty(), "{:?}", function.logs());
    }
    (requests(environment) - before, timers(environment).len() - timers_before)
}

// The README's cost table per kind of event matches the counted calls.
#[tokio::test]
async fn each_kind_of_event_costs_as_little_as_its_row_says() {
    let (environment, function) = start().await;
    let now = Timestamp::now() - SignedDuration::from_mins(30);
    let at = |second| now + SignedDuration::from_secs(second);
    // The first event of a process signs in and fills caches that later events use.
    cost(&environment, &function, &[event(&environment, "WorkbookCreated", "Board", at(0))]).await;
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
        let body = event(&environment, name, object, at(second));
        let (requests, timers) = cost(&environment, &function, std::slice::from_ref(&body)).await;
        writeln!(table, "| {what} | {requests} | {most} | {timers} |").unwrap();
        if requests > most {
            wrong.push(format!("{what}: {requests} requests, at most {most}"));
        }
        let (again, _) = cost(&environment, &function, &[body]).await;
        assert_eq!(again, 1, "the same event once more is one request: {what}");
    }
    println!("{table}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// How many workers receive from the queue at the same time.
const WORKERS: usize = 4;
/// The time limit for a storm, until its last timer is handled.
const LONGEST: Duration = Duration::from_secs(80);

/// Passes messages from the queue to a function as Lambda does, until the task is stopped. Timers become visible when
/// their delay ends.
async fn poll(sqs: aws_sdk_sqs::Client, url: String, function: Function) {
    loop {
        let receive = sqs.receive_message().queue_url(&url).max_number_of_messages(1).wait_time_seconds(1);
        let receive = receive.message_system_attribute_names(MessageSystemAttributeName::All);
        for message in receive.send().await.unwrap().messages.unwrap_or_default() {
            let attributes = message.attributes.unwrap_or_default();
            let attributes = attributes.iter().map(|(name, value)| (name.as_str().to_owned(), json!(value)));
            let record = json!({
                "messageId": message.message_id, "receiptHandle": message.receipt_handle, "body": message.body,
                "attributes": attributes.collect::<serde_json::Map<_, _>>(), "messageAttributes": {},
                "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:queue",
                "awsRegion": "us-east-1",
            });
            let answer = function.invoke(&json!({ "Records": [record] })).await.unwrap();
            // A failed message becomes visible again by itself.
            if answer["batchItemFailures"] == json!([]) {
                let delete = sqs.delete_message().queue_url(&url).set_receipt_handle(message.receipt_handle);
                delete.send().await.unwrap();
            }
        }
    }
}

/// The number of objects that a message counts without naming them: "… and 12 more".
fn more(text: &str) -> usize {
    let rest = text.split("… and ").nth(1).and_then(|rest| rest.split(' ').next());
    rest.map_or(0, |count| count.parse().unwrap())
}

/// The result of a storm of failures.
struct Storm {
    /// The DynamoDB requests, including those of timers.
    requests: usize,
    by_kind: String,
    posts: usize,
    /// The messages in their final form.
    shown: Vec<String>,
    /// The number of objects that a message names or counts.
    named: usize,
    counted: usize,
    /// The number of completed events.
    ended: usize,
    dead_letters: usize,
}

/// Fails this many objects at the same moment, with this many workers, and waits until the last timer is handled.
async fn storm(workers: usize) -> Storm {
    let (environment, function) = start().await;
    let now = Timestamp::now();
    let names: Vec<String> = (0..STORM).map(|n| format!("object-{n:03}")).collect();
    for name in &names {
        environment.aws.send("queue", event(&environment, "DatasourceRefreshFailed", name, now)).unwrap();
    }
    let sqs = aws_sdk_sqs::Client::new(&testkit::dynamodb::config(&environment.aws));
    let began = Instant::now();
    let mut pollers = JoinSet::new();
    let others = (1..workers).map(|_| environment.queued("notify-slack", BINARY));
    for function in others.chain([function]) {
        pollers.spawn(poll(sqs.clone(), environment.aws.queue_url("queue"), function));
    }

    let until_empty = async {
        while !environment.aws.messages("queue").is_empty() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        ended = tokio::time::timeout(LONGEST, until_empty) => {
            let left = environment.aws.messages("queue");
            ended.unwrap_or_else(|_| panic!("{} messages are left, the first {:?}", left.len(), left.first()));
        }
        ended = pollers.join_next() => panic!("a worker ended: {ended:?}"),
    }
    pollers.shutdown().await;

    let said = environment.slack.messages();
    let shown: Vec<String> = environment.slack.channel("data-alerts").iter().map(render).collect();
    let is_named = |name: &&String| shown.iter().any(|text| text.contains(*name));
    let is_ended = |item: &Value| {
        let is_delivery = item["pk"]["S"].as_str().is_some_and(|pk| pk.starts_with("delivery#"));
        let is_event = item["event_name"]["S"] == "DatasourceRefreshFailed";
        is_delivery && is_event && matches!(item["state"]["S"].as_str(), Some("done" | "skipped"))
    };
    let storm = Storm {
        requests: requests(&environment),
        by_kind: format!("{:?}", environment.aws.requests()),
        posts: said.iter().filter(|message| message.call != SlackCall::Update).count(),
        named: names.iter().filter(is_named).count(),
        counted: shown.iter().map(|text| more(text)).sum(),
        ended: environment.aws.items("deliveries").iter().filter(|item| is_ended(item)).count(),
        dead_letters: environment.aws.messages("dead-letters").len(),
        shown,
    };
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let per_event = storm.requests as f64 / STORM as f64;
    println!(
        "storm of {STORM}, workers: {workers}, requests: {}, an event: {per_event:.2}, timers: {}, messages: {}, \
         changes of them: {}, objects named: {}, counted: {}, seconds: {:.1}\n{}",
        storm.requests,
        environment.aws.calls("SQS.SendMessage"),
        storm.posts,
        said.len() - storm.posts,
        storm.named,
        storm.counted,
        began.elapsed().as_secs_f64(),
        storm.by_kind,
    );
    storm
}

impl Storm {
    /// At most three messages, which account for every event, and at most four requests per event.
    fn check(&self) {
        assert!(self.posts <= 3, "{:#?}", self.shown);
        assert_eq!(self.named + self.counted, STORM, "{:#?}", self.shown);
        assert_eq!((self.ended, self.dead_letters), (STORM, 0));
        assert!(self.requests <= 4 * STORM, "{}: {}", self.requests, self.by_kind);
    }
}

// A storm of 500 costs at most 4 requests per event, timers included, and at most 3 messages, which account for
// all events.
#[tokio::test]
async fn each_event_of_a_storm_costs_four_requests_at_most_and_none_is_left_out() {
    storm(1).await.check();
}

#[tokio::test]
async fn each_event_of_a_storm_on_several_workers_costs_four_requests_at_most_and_none_is_left_out() {
    storm(WORKERS).await.check();
}
