//! An event's whole way, on the real binaries: the stack of `template.yaml` on one machine, with a Tableau that
//! delivers its webhooks and a Slack that reads what it is sent.

use crate::binaries;
use api_keys::{Keys, Permissions};
use jiff::Timestamp;
use local_aws::template::Template;
use local_aws::{Stack, StackOptions};
use reqwest::{Client, Method, StatusCode};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use simulator::{SAMPLE_PAT, SlackFault, SlackSimulator, TableauSimulator, Webhook, notes, render};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use store::records::DynamoDbRecords;
use store::{Documents, DynamoDbStore};
use tableau::EventName;
use testkit::repository::root;

const TOKEN: &str = "local-webhook-token-not-a-secret-0123456789";
const TIMEOUT: Duration = Duration::from_secs(20);

struct Environment {
    stack: Stack,
    tableau: TableauSimulator,
    slack: SlackSimulator,
    http: Client,
}

impl Environment {
    async fn start() -> Self {
        let rules = root().join("rules.yaml").canonicalize().unwrap();
        Self::with_rules(&rules).await
    }

    async fn with_rules(rules: &std::path::Path) -> Self {
        let tableau = TableauSimulator::sample().start().await.unwrap();
        let slack = SlackSimulator::start().await.unwrap();
        let channels = ["data-alerts", "data-news"].map(|channel| (channel, slack.add_webhook(channel)));
        let template = root().join("template.yaml");
        let mut parameters = Template::read(&template).unwrap().everything_on();
        // This test registers webhooks itself.
        parameters.insert("ReconcileWebhooksEnabled".to_owned(), "false".to_owned());
        parameters.extend([
            ("TableauServerUrl".to_owned(), tableau.url()),
            ("TableauSite".to_owned(), "marketing".to_owned()),
            ("SlackApiUrl".to_owned(), slack.api_url()),
            ("RulesFile".to_owned(), rules.display().to_string()),
        ]);
        let stack = Stack::start(StackOptions {
            template,
            binaries: binaries(),
            parameters,
            secrets: BTreeMap::from([
                ("WebhookSecret".to_owned(), json!({ "current": TOKEN, "previous": "" })),
                (
                    "TableauSecret".to_owned(),
                    json!({ "token_name": SAMPLE_PAT.0, "token_secret": SAMPLE_PAT.1 }),
                ),
                ("SlackSecret".to_owned(), json!({ "webhook_urls": BTreeMap::from(channels) })),
            ]),
            environment: BTreeMap::new(),
            concurrent_executions: None,
            aws: "127.0.0.1:0".parse().unwrap(),
            listen: "127.0.0.1:0".parse().unwrap(),
            events: None,
        })
        .await
        .expect("the binaries are built by `cargo test --workspace`, or `cargo build --workspace`");
        Self { stack, tableau, slack, http: http_client::client(None).unwrap() }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.stack.url())
    }

    async fn request(
        &self,
        method: Method,
        path: &str,
        body: impl Into<reqwest::Body>,
    ) -> (StatusCode, Value) {
        let request = self.http.request(method, self.url(path)).header("content-type", "application/json");
        let response = request.body(body).send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    async fn post(&self, path: &str, fixture: &str) -> StatusCode {
        let body = std::fs::read(root().join(format!("events/tableau/{fixture}.json"))).unwrap();
        self.request(Method::POST, &format!("{path}?token={TOKEN}"), body).await.0
    }

    /// The delivery records, ordered by key.
    fn records(&self) -> Vec<Value> {
        let mut items = self.stack.aws().items("DeliveryTable");
        items.retain(|item| item["pk"]["S"].as_str().is_some_and(|pk| pk.starts_with("delivery#")));
        items
    }

    /// Waits until `ended` deliveries are completed.
    async fn wait_for_records(&self, ended: usize) {
        let done = async {
            loop {
                let records = self.records();
                let claimed = records.iter().filter(|record| record["state"]["S"] == "claimed").count();
                // Also of workflows beyond those that the test counts.
                if records.len() >= ended && claimed == 0 {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(TIMEOUT, done).await.expect("the deliveries end");
    }
}

#[tokio::test]
async fn a_failed_refresh_at_tableau_becomes_a_message_with_its_cause() {
    let environment = Environment::start().await;
    let url = environment.url(&format!("/webhook?token={TOKEN}"));
    environment.tableau.add(Webhook::on(EventName::DatasourceRefreshFailed, &url));
    let luid = environment.tableau.datasource("Sales Orders").unwrap();

    environment.tableau.fail_refresh(&luid, notes::SQL_SERVER_LOGIN).unwrap();

    let messages = environment.slack.wait_for(1, TIMEOUT).await.unwrap();
    let text = render(&messages[0]);
    for part in ["Extract refresh failed: Sales Orders", "Credentials refused", "Owner", "Project"] {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
    environment.stack.shutdown().await;
}

#[tokio::test]
async fn tableaus_duplicates_become_one_message() {
    let environment = Environment::start().await;
    let url = environment.url(&format!("/webhook?token={TOKEN}"));
    environment.tableau.add(Webhook::on(EventName::WorkbookCreated, &url));
    environment.tableau.duplicates(4);

    let luid = environment.tableau.workbook("Superstore").unwrap();
    environment.tableau.fire(&EventName::WorkbookCreated, &luid).unwrap();
    environment.tableau.settled(TIMEOUT).await.unwrap();
    // The same event again, through the workflow's own ingress.
    environment.post("/webhooks/notify-slack", "workbook-created").await;
    environment.post("/webhooks/notify-slack", "workbook-created").await;

    environment.wait_for_records(8).await;
    let drained = async {
        while !environment.stack.aws().messages("NotifySlackQueue").is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(TIMEOUT, drained).await.unwrap();
    assert_eq!(environment.slack.message_count(), 2, "one for each of two events");
    environment.stack.shutdown().await;
}

#[tokio::test]
async fn one_event_starts_every_workflow_that_can_use_it() {
    let environment = Environment::start().await;
    assert_eq!(environment.post("/webhook", "workbook-refresh-succeeded").await, StatusCode::ACCEPTED);
    environment.wait_for_records(8).await;
    let records = environment.records();
    let keys: Vec<_> = records.iter().map(|item| item["pk"]["S"].as_str().unwrap()).collect();
    for workflow in [
        "forward-event",
        "notify-slack",
        "notify-teams",
        "page-on-call",
        "send-email",
        "send-sms",
        "track-servicenow-incident",
        "update-broadcast",
    ] {
        let key = format!("delivery#{workflow}#");
        assert!(keys.iter().any(|record| record.starts_with(&key)), "{workflow}: {keys:?}");
    }
    environment.stack.shutdown().await;
}

#[tokio::test]
async fn functions_that_run_at_the_same_time_share_one_session() {
    let environment = Environment::start().await;
    let post = |fixture| environment.post("/webhooks/notify-slack", fixture);
    tokio::join!(
        post("workbook-refresh-failed"),
        post("datasource-refresh-failed"),
        post("workbook-created"),
        post("datasource-created"),
    );
    environment.wait_for_records(4).await;

    assert_eq!(environment.tableau.sign_ins(SAMPLE_PAT.0), 1);
    environment.tableau.end_sessions();
    assert_eq!(environment.post("/webhooks/notify-slack", "workbook-updated").await, StatusCode::ACCEPTED);
    environment.wait_for_records(5).await;

    assert_eq!(environment.tableau.sign_ins(SAMPLE_PAT.0), 2);
    assert!(environment.records().iter().all(|record| record["attempts"]["N"] == "1"));
    environment.stack.shutdown().await;
}

#[tokio::test]
async fn an_event_of_a_pipeline_becomes_a_message() {
    let folder = tempfile::TempDir::new().unwrap();
    let rules = folder.path().join("rules.yaml");
    let text = "events:\n  - name: PipelineFinished\nrules:\n  - name: what pipelines say\n    on: [PipelineFinished]\n    do:\n      - notify-slack: { channel: data-news }\n";
    std::fs::write(&rules, text).unwrap();
    let environment = Environment::with_rules(&rules).await;
    let client = testkit::dynamodb::client(environment.stack.aws());
    let records = Arc::new(DynamoDbRecords::new(client.clone(), "DeliveryTable", "receive-event"));
    let keys = Keys::new(records, Documents::new(Arc::new(DynamoDbStore::new(client, "DeliveryTable"))));
    let may_send = Permissions { events: true, ..Permissions::default() };
    let key = keys.create("snowflake", may_send, 100, Timestamp::now()).await.unwrap();
    let event = json!({
        "event": "PipelineFinished", "name": "nightly <load>", "text": "412 tables, <!channel> no errors",
        "severity": "warning", "data": { "rows_loaded": "1,204,331", "warehouse": "TRANSFORM" },
    });
    let post = || {
        let post = environment.http.post(environment.url("/events")).bearer_auth(key.secret.expose_secret());
        let post = post.header("content-type", "application/json").header("idempotency-key", "run-1");
        post.body(event.to_string()).send()
    };
    assert_eq!(post().await.unwrap().status(), StatusCode::ACCEPTED);
    let messages = environment.slack.wait_for(1, TIMEOUT).await.unwrap();
    let text = render(&messages[0]);
    for part in [
        "Pipeline finished: nightly",
        "412 tables",
        "Rows loaded",
        "1,204,331",
        "Warehouse",
        "Sent by",
        "snowflake",
    ] {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
    assert!(!format!("{:?}", messages[0]).contains("<!channel>"), "{text}");
    // A caller that got no answer sends it again.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(post().await.unwrap().status(), StatusCode::ACCEPTED);
    environment.wait_for_records(1).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(environment.slack.message_count(), 1);
    environment.stack.shutdown().await;
}

#[tokio::test]
async fn an_unknown_event_is_recorded_as_skipped() {
    let environment = Environment::start().await;
    let event = json!({ "event_type": "FlowRunFailed", "site_luid": "s", "resource_luid": "f" }).to_string();
    let answer = environment.request(Method::POST, &format!("/webhook?token={TOKEN}"), event).await;
    assert_eq!(answer.0, StatusCode::ACCEPTED);
    environment.wait_for_records(1).await;
    let record = &environment.records()[0];
    assert_eq!(
        (&record["state"]["S"], &record["event_name"]["S"]),
        (&json!("skipped"), &json!("FlowRunFailed"))
    );
    environment.stack.shutdown().await;
}

#[tokio::test]
async fn the_api_has_the_templates_routes_and_no_others() {
    let environment = Environment::start().await;
    let with_token = |path: &str| format!("{path}?token={TOKEN}");
    let event = std::fs::read_to_string(root().join("events/tableau/workbook-created.json")).unwrap();
    let status =
        async |method: Method, path: String, body: String| environment.request(method, &path, body).await.0;

    for ingress in [
        "/webhook",
        "/webhooks/forward-event",
        "/webhooks/notify-slack",
        "/webhooks/notify-teams",
        "/webhooks/page-on-call",
        "/webhooks/refresh-extract",
        "/webhooks/request-certification",
        "/webhooks/send-email",
        "/webhooks/send-sms",
        "/webhooks/publish-pdf",
        "/webhooks/set-quality-warning",
        "/webhooks/track-servicenow-incident",
        "/webhooks/update-broadcast",
    ] {
        let in_path = format!("{ingress}/{TOKEN}");
        assert_eq!(status(Method::POST, with_token(ingress), event.clone()).await, 202, "{ingress}");
        assert_eq!(status(Method::POST, in_path, event.clone()).await, 202, "{ingress}");
        assert_eq!(status(Method::GET, with_token(ingress), String::new()).await, 405, "{ingress}");
        assert_eq!(status(Method::POST, ingress.to_owned(), event.clone()).await, 403, "{ingress}");
        assert_eq!(status(Method::POST, with_token(ingress), "{}".to_owned()).await, 200, "{ingress}");
    }
    for path in ["/", "/other", "/webhooks", "/webhooks/no-such-workflow", "/webhook/a/b"] {
        assert_eq!(status(Method::POST, with_token(path), event.clone()).await, 404, "{path}");
    }
    let large = format!("{{\"x\":\"{}\"}}", "y".repeat(10 * 1024 * 1024));
    assert_eq!(status(Method::POST, with_token("/webhook"), large).await, 413);
    environment.stack.shutdown().await;
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_accepted_and_every_workflow_records_it_as_ignored() {
    let environment = Environment::start().await;
    let path = format!("/webhook?token={TOKEN}");
    let (status, answer) = environment.request(Method::POST, &path, vec![b'{', 0xff]).await;
    assert_eq!((status, &answer["status"]), (StatusCode::ACCEPTED, &json!("accepted")));
    environment.wait_for_records(8).await;
    for record in environment.records() {
        assert_eq!(
            (&record["state"]["S"], &record["event_id"]["S"]),
            (&json!("ignored"), &answer["event_id"])
        );
        assert_eq!(record["reason"]["S"], "body: not UTF-8 from byte 1 on");
    }
    environment.stack.shutdown().await;
}

#[tokio::test]
async fn a_destination_in_trouble_gets_the_message_when_it_is_back() {
    let environment = Environment::start().await;
    environment.slack.fail_next(3, SlackFault::RateLimited { retry_after: 1 });
    assert_eq!(environment.post("/webhooks/notify-slack", "workbook-created").await, StatusCode::ACCEPTED);
    let messages = environment.slack.wait_for(1, TIMEOUT).await.unwrap();
    assert_eq!(messages.len(), 1);
    assert!(environment.stack.aws().messages("NotifySlackDeadLetters").is_empty());
    environment.stack.shutdown().await;
}

#[tokio::test]
async fn what_cannot_succeed_waits_in_the_dead_letter_queue_with_its_reason() {
    let environment = Environment::start().await;
    environment.slack.fail_next(1, SlackFault::Archived);
    assert_eq!(environment.post("/webhooks/notify-slack", "workbook-created").await, StatusCode::ACCEPTED);
    environment.wait_for_records(1).await;
    let arrived = async {
        while environment.stack.aws().messages("NotifySlackDeadLetters").is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(TIMEOUT, arrived).await.unwrap();
    let dead = &environment.stack.aws().messages("NotifySlackDeadLetters")[0];
    assert!(dead.attributes["reason"].starts_with("Slack refused with 410"), "{:?}", dead.attributes);
    assert_eq!(environment.records()[0]["state"]["S"], "failed");
    environment.stack.shutdown().await;
}
