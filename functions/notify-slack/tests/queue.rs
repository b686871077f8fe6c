//! The queue mode of a workflow's function, on the real binary: which events are ignored, deferred or given up.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests")]

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use testkit::simulator::SlackFault;
use testkit::{Batch, Function, Request, TOKEN, TestEnvironment};

const BINARY: &str = env!("CARGO_BIN_EXE_notify-slack");
const SITE: &str = "8b2a95d8-52b9-40a4-8712-cd6da771bd1b";

async fn start() -> (TestEnvironment, Function) {
    let environment = TestEnvironment::start().await;
    let function = environment.queued("notify-slack", BINARY);
    (environment, function)
}

fn event(site: &str) -> String {
    json!({
        "resource": "WORKBOOK", "event_type": "WorkbookCreated", "resource_name": "Superstore", "site_luid": site,
        "resource_luid": "4cdd2055-930d-4eaf-94f4-733f3e7d1bfb", "created_at": "2026-11-28T10:00:00Z",
    })
    .to_string()
}

fn batch(body: &str) -> Batch {
    Batch::default().message(body)
}

/// The delivery record of the only event.
fn record(environment: &TestEnvironment) -> Value {
    let items = environment.aws.items("deliveries");
    let mut records = items.iter().filter(|item| item["pk"]["S"].as_str().unwrap().starts_with("delivery#"));
    let record = records.next().expect("a delivery record").clone();
    assert!(records.next().is_none(), "more than one delivery record");
    record
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

/// Puts an item into the table.
async fn put(environment: &TestEnvironment, attributes: &[(&str, AttributeValue)]) {
    let client = testkit::dynamodb::client(&environment.aws);
    let alone = ("sk", text("-"));
    let attributes = attributes.iter().chain([&alone]);
    let item = attributes.map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    client.put_item().table_name("deliveries").set_item(Some(item)).send().await.unwrap();
}

/// The number of DynamoDB requests so far.
fn table_requests(environment: &TestEnvironment) -> usize {
    let operations = [
        "BatchGetItem",
        "BatchWriteItem",
        "DeleteItem",
        "GetItem",
        "PutItem",
        "Query",
        "Scan",
        "TransactGetItems",
        "TransactWriteItems",
        "UpdateItem",
    ];
    operations.iter().map(|operation| environment.aws.calls(&format!("DynamoDB.{operation}"))).sum()
}

/// How many attempts the metrics count with this outcome.
fn counted(function: &Function, outcome: &str) -> usize {
    let lines = function.logs().into_iter().filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    lines.filter(|line| line["Attempts"] == 1.0 && line["outcome"] == outcome).count()
}

fn reason(environment: &TestEnvironment) -> String {
    record(environment)["reason"]["S"].as_str().unwrap_or_default().to_owned()
}

// One request for the rules at the start, one for the claim, and one for the completion.
#[tokio::test]
async fn an_event_with_nothing_to_do_takes_two_requests_to_the_table_beside_the_rules_and_a_duplicate_one() {
    let rules = "rules: [{ name: all, on: [SiteUpdated], do: [{ notify-slack: { channel: data-news } }] }]\n";
    let environment = TestEnvironment::with_rules(rules).await;
    let function = environment.queued("notify-slack", BINARY);
    let body = event(SITE);
    assert!(function.failures(&batch(&body)).await.is_empty());
    assert_eq!((&record(&environment)["state"]["S"], table_requests(&environment)), (&json!("skipped"), 3));
    assert!(function.failures(&batch(&body)).await.is_empty());
    assert_eq!(table_requests(&environment), 4);
}

#[tokio::test]
async fn what_cannot_be_acted_on_is_ignored_with_the_reason_and_counted() {
    let stored = |body: &[u8]| deliveries::Content::received(body).to_json();
    for (body, expected) in [
        (stored(b"\xff{}"), "body: not UTF-8 from byte 0 on"),
        (stored(b"{\"resource_name\":1e400}"), "body: not JSON, at line 1, column 22: number out of range"),
        (stored(b"{\"event_type\":7}"), "event_type: expected a string, found a number"),
        (
            event("11111111-0000-0000-0000-000000000000"),
            "`sites` in rules.yaml does not list the site `11111111-",
        ),
        (
            json!({"event_type": "WorkbookCreated", "site_luid": SITE}).to_string(),
            "the payload has no usable resource_luid",
        ),
        (json!({"resource_name": "Superstore"}).to_string(), "the payload has no usable event_type"),
    ] {
        let (environment, function) = start().await;
        assert!(function.failures(&batch(&body)).await.is_empty(), "{expected}");
        assert_eq!(record(&environment)["state"]["S"], "ignored", "{expected}");
        assert!(reason(&environment).starts_with(expected), "{}", reason(&environment));
        assert_eq!(counted(&function, "ignored"), 1, "{expected}");
        assert!(
            environment.aws.messages("dead-letters").is_empty() && environment.slack.messages().is_empty()
        );
    }
}

#[tokio::test]
async fn an_ignored_event_is_acted_on_when_it_is_sent_again_after_sites_was_corrected() {
    let rules = |site: &str| {
        format!(
            "sites: [{{ luid: {site}, name: S }}]\n\
             rules: [{{ name: all, on: [WorkbookCreated], do: [{{ notify-slack: {{ channel: data-news }} }}] }}]\n"
        )
    };
    let environment = TestEnvironment::with_rules(&rules("11111111-0000-0000-0000-000000000000")).await;
    let function = environment.queued("notify-slack", BINARY);
    assert!(function.failures(&batch(&event(SITE))).await.is_empty());
    assert_eq!(record(&environment)["state"]["S"], "ignored");

    environment.write_rules(&rules(SITE));
    let corrected = environment.queued("notify-slack", BINARY);
    assert!(corrected.failures(&batch(&event(SITE))).await.is_empty());
    assert_eq!((&record(&environment)["state"]["S"], environment.slack.message_count()), (&json!("done"), 1));
}

#[tokio::test]
async fn while_no_rules_can_be_read_events_are_stored_and_wait_and_go_on_once_the_rules_are_fixed() {
    let environment = TestEnvironment::with_rules("rules: 5\n").await;
    let function = environment.queued("notify-slack", BINARY);
    assert_eq!(function.answer(&Request::post(event(SITE))).await.status, 202);
    assert_eq!(function.failures(&batch(&event(SITE))).await, ["m-1"]);
    assert!(
        reason(&environment)
            .contains("no version of the rules can be read: run `tableau-webhooks rules deploy`"),
        "{}",
        reason(&environment)
    );
    assert_eq!(counted(&function, "misconfigured"), 1);

    let rules =
        "rules: [{ name: all, on: [WorkbookCreated], do: [{ notify-slack: { channel: data-news } }] }]\n";
    environment.write_rules(rules);
    let fixed = environment.queued("notify-slack", BINARY);
    assert!(fixed.failures(&batch(&event(SITE))).await.is_empty());
    assert_eq!((&record(&environment)["state"]["S"], environment.slack.message_count()), (&json!("done"), 1));
}

#[tokio::test]
async fn a_setting_that_is_mistyped_does_not_close_the_workflows_own_url_and_the_queue_waits() {
    for (setting, value, expected) in [
        ("EXTRA_CA_FILE", "/opt/mistyped.pem", "EXTRA_CA_FILE: "),
        ("TABLEAU_SERVER_URL", "not a URL", "Tableau"),
        ("TABLEAU_API_VERSION", "three", "version"),
        ("TABLEAU_SECRET", "", "missing settings: TABLEAU_SECRET"),
    ] {
        let environment = TestEnvironment::start().await;
        let function = environment.queued_with("notify-slack", BINARY, &[(setting, value)]);
        assert_eq!(function.answer(&Request::post(event(SITE))).await.status, 202, "{setting}");
        assert_eq!(environment.aws.messages("queue").len(), 1, "{setting}");
        assert_eq!(function.failures(&batch(&event(SITE))).await, ["m-1"], "{setting}");
        assert!(reason(&environment).contains(expected), "{setting}: {}", reason(&environment));
        assert_eq!(counted(&function, "misconfigured"), 1, "{setting}");
    }
}

#[tokio::test]
async fn the_fiftieth_failure_in_a_row_is_a_dead_letter_with_the_reason_and_a_failed_record() {
    let (environment, function) = start().await;
    environment.slack.fail_next(1_000, SlackFault::ServerError);
    for failure in 1..50 {
        assert_eq!(function.failures(&batch(&event(SITE))).await, ["m-1"], "failure {failure}");
        assert_eq!(record(&environment)["state"]["S"], "released");
    }
    assert!(function.failures(&batch(&event(SITE))).await.is_empty());
    let dead = &environment.aws.messages("dead-letters")[0];
    let expected = "given up after 50 failed attempts in a row, the last: ";
    assert!(dead.attributes["reason"].starts_with(expected), "{:?}", dead.attributes);
    assert_eq!(record(&environment)["state"]["S"], "failed");
    assert!(reason(&environment).starts_with(expected), "{}", reason(&environment));
    assert_eq!(counted(&function, "exhausted"), 1);

    // An operator redrives the event: it has all its attempts again.
    environment.slack.fail_next(1, SlackFault::ServerError);
    assert_eq!(function.failures(&batch(&event(SITE))).await, ["m-1"]);
    assert_eq!(record(&environment)["failures"]["N"], "1");
}

#[tokio::test]
async fn the_last_receive_of_a_message_is_a_dead_letter_with_the_reason_without_another_attempt() {
    let (environment, function) = start().await;
    assert!(function.failures(&batch(&event(SITE)).received(150)).await.is_empty());
    let dead = &environment.aws.messages("dead-letters")[0];
    assert!(
        dead.attributes["reason"].starts_with("received 150 times; no attempt recorded its end"),
        "{:?}",
        dead.attributes
    );
    assert_eq!(
        (&record(&environment)["state"]["S"], environment.slack.message_count()),
        (&json!("failed"), 0)
    );
}

#[tokio::test]
async fn the_last_receive_says_what_was_wrong_before() {
    let (environment, function) = start().await;
    environment.aws.create_secret("slack", json!({ "bot_token": "" }));
    assert_eq!(function.failures(&batch(&event(SITE)).received(149)).await, ["m-1"]);
    assert!(function.failures(&batch(&event(SITE)).received(150)).await.is_empty());
    let expected = "received 150 times; the last reason: cannot read the secret `slack`";
    let dead = &environment.aws.messages("dead-letters")[0];
    assert!(dead.attributes["reason"].starts_with(expected), "{:?}", dead.attributes);
    assert!(reason(&environment).starts_with(expected), "{}", reason(&environment));
}

#[tokio::test]
async fn an_event_whose_secret_is_wrong_waits_and_goes_through_once_the_secret_is_fixed() {
    let (environment, function) = start().await;
    let right = json!({ "webhook_urls": { "default": environment.slack.add_webhook("data-news") } });
    environment.aws.create_secret("slack", json!({ "bot_token": "" }));
    // More attempts than a temporary failure gets.
    for receive in 1..=60 {
        assert_eq!(
            function.failures(&batch(&event(SITE)).received(receive)).await,
            ["m-1"],
            "receive {receive}"
        );
    }
    assert!(reason(&environment).contains("cannot read the secret `slack`"), "{}", reason(&environment));
    assert_eq!(
        (&record(&environment)["state"]["S"], counted(&function, "misconfigured")),
        (&json!("misconfigured"), 60)
    );
    assert!(record(&environment)["misconfigured_since"]["S"].is_string());

    environment.aws.create_secret("slack", right);
    assert!(function.failures(&batch(&event(SITE)).received(61)).await.is_empty());
    assert_eq!((&record(&environment)["state"]["S"], environment.slack.message_count()), (&json!("done"), 1));
    assert!(environment.aws.messages("dead-letters").is_empty());
    environment.assert_no_secret_in(&function.logs());
}

#[tokio::test]
async fn a_claim_and_a_circuit_of_a_worker_whose_clock_is_years_ahead_hold_no_event_back() {
    let (environment, function) = start().await;
    let years_ahead = Timestamp::now() + SignedDuration::from_hours(2 * 365 * 24);
    let id = deliveries::Content::received(event(SITE).as_bytes()).event_id();
    let deadline = AttributeValue::N(years_ahead.as_millisecond().to_string());
    let one = AttributeValue::N("1".to_owned());
    let pk = text(&format!("delivery#notify-slack#{id}"));
    put(
        &environment,
        &[("pk", pk), ("state", text("claimed")), ("attempts", one.clone()), ("deadline_ms", deadline)],
    )
    .await;
    let circuit = json!({
        "failures": [], "openings": 1,
        "open": { "until": years_ahead, "row": 1, "why": "500", "throttled": false, "probe": null },
    });
    let pk = text("circuit#notify-slack#Slack");
    put(&environment, &[("pk", pk), ("version", one), ("document", text(&circuit.to_string()))]).await;

    // A function reads the circuit from the table only after a call has failed.
    environment.slack.fail_next(1, SlackFault::ServerError);
    assert_eq!(function.failures(&batch(&event(SITE))).await, ["m-1"]);
    assert!(function.failures(&batch(&event(SITE))).await.is_empty(), "{:?}", function.logs());
    assert_eq!((&record(&environment)["state"]["S"], environment.slack.message_count()), (&json!("done"), 1));
}

#[tokio::test]
async fn a_record_in_a_state_that_this_version_does_not_know_is_tried_later_with_the_reason() {
    let (environment, function) = start().await;
    assert!(function.failures(&batch(&event(SITE))).await.is_empty());
    let key = record(&environment)["pk"]["S"].as_str().unwrap().to_owned();
    put(&environment, &[("pk", text(&key)), ("state", text("parked"))]).await;

    assert_eq!(function.failures(&batch(&event(SITE)).received(9)).await, ["m-1"]);
    let logs = function.logs().join("\n");
    assert!(
        logs.contains("the delivery record has the state `parked`, which this version does not know"),
        "{logs}"
    );
    assert_eq!(counted(&function, "transient"), 1);
}

#[tokio::test]
async fn an_event_that_event_bridge_could_not_deliver_is_handled_when_it_is_redriven() {
    let detail: Value = serde_json::from_str(&event(SITE)).unwrap();
    let envelope = json!({
        "version": "0", "id": "1", "detail-type": "WorkbookCreated", "source": "tableau.webhooks", "account": "1",
        "time": "2026-11-28T10:00:00Z", "region": "eu-central-1", "resources": [], "detail": detail,
    });
    for attribute in ["RULE_ARN", "TARGET_ARN", "ERROR_CODE"] {
        let (environment, function) = start().await;
        let redriven = batch(&envelope.to_string()).attribute(attribute, "x");
        assert!(function.failures(&redriven).await.is_empty());
        assert!(function.failures(&batch(&event(SITE))).await.is_empty(), "it is the same event");
        assert_eq!(
            (&record(&environment)["state"]["S"], environment.slack.message_count()),
            (&json!("done"), 1)
        );
    }
}

#[tokio::test]
async fn records_of_another_service_are_an_error_and_not_a_success() {
    let (environment, function) = start().await;
    for records in [
        json!([{ "eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": { "bucket": { "name": "b" } } }]),
        json!([{ "EventSource": "aws:sns", "Sns": { "Message": event(SITE) } }]),
        json!([{ "eventSource": "aws:kinesis", "kinesis": { "data": "e30=" } }]),
        json!([{ "body": event(SITE) }]),
    ] {
        let error = function.invoke(&json!({ "Records": records })).await.unwrap_err().to_string();
        assert!(error.contains("takes records of `aws:sqs` only"), "{error}");
    }
    assert!(environment.slack.messages().is_empty() && environment.aws.messages("dead-letters").is_empty());
}

#[tokio::test]
async fn one_function_answers_a_load_balancer_and_its_queue_by_turns() {
    let (environment, function) = start().await;
    let request = |token: &str| {
        json!({
            "requestContext": { "elb": { "targetGroupArn": "arn:aws:elasticloadbalancing:::targetgroup/t/1" } },
            "httpMethod": "POST", "path": format!("/webhooks/notify-slack/{token}"), "queryStringParameters": {},
            "headers": { "host": "webhooks.example.com" }, "body": event(SITE), "isBase64Encoded": false,
        })
    };
    for _ in 0..2 {
        let answer = function.invoke(&request(TOKEN)).await.unwrap();
        assert_eq!(
            (&answer["statusCode"], &answer["statusDescription"]),
            (&json!(202), &json!("202 Accepted"))
        );
        assert!(function.failures(&batch(&event(SITE))).await.is_empty());
        let answer = function.invoke(&request(&TOKEN.replace("local", "LOCAL"))).await.unwrap();
        assert_eq!(
            (&answer["statusCode"], &answer["statusDescription"]),
            (&json!(403), &json!("403 Forbidden"))
        );
    }
    assert_eq!(record(&environment)["state"]["S"], "done");
    environment.assert_no_secret_in(&function.logs());
}
