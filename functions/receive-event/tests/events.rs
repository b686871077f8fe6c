//! Every row of the interface's contract, on the real binary.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests")]

use api_keys::{Keys, Permissions};
use deliveries::Content;
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use store::records::DynamoDbRecords;
use store::{Documents, DynamoDbStore};
use tableau::{Event, EventId, OwnSeverity};
use testkit::dynamodb::client;
use testkit::local_aws::Fault;
use testkit::{Answer, ApiCall, Function, TestEnvironment};

const NAME: &str = "receive-event";

struct Stage {
    environment: TestEnvironment,
    function: Function,
    keys: Keys,
    secrets: Mutex<Vec<String>>,
}

fn may_send() -> Permissions {
    Permissions { events: true, ..Permissions::default() }
}

fn finished() -> Value {
    json!({
        "event": "PipelineFinished", "name": "nightly load", "text": "412 tables, no errors", "severity": "warning",
        "data": { "environment": "production", "day": "2026-11-30" },
    })
}

impl Stage {
    async fn start() -> Self {
        let environment = TestEnvironment::start().await;
        let variables = [("TABLE_NAME", "deliveries"), ("EVENT_BUS_NAME", "events")];
        let function = environment.function(NAME, env!("CARGO_BIN_EXE_receive-event").as_ref(), &variables);
        let client = client(&environment.aws);
        let records = Arc::new(DynamoDbRecords::new(client.clone(), "deliveries", NAME));
        let documents = Documents::new(Arc::new(DynamoDbStore::new(client, "deliveries")));
        Self { environment, function, keys: Keys::new(records, documents), secrets: Mutex::default() }
    }

    async fn key(&self, caller: &str, permissions: Permissions, per_minute: u32) -> (String, String) {
        let made = self.keys.create(caller, permissions, per_minute, Timestamp::now()).await.unwrap();
        let secret = made.secret.expose_secret().to_owned();
        self.secrets.lock().unwrap().push(secret.clone());
        (secret, made.key.id)
    }

    async fn call(&self, call: &ApiCall) -> Answer {
        self.function.answer_to(&call.event()).await
    }

    async fn post(&self, key: &str, body: &Value) -> Answer {
        self.call(&ApiCall::new("POST", "/events").key(key).json(body)).await
    }

    fn stored(&self) -> Vec<Value> {
        self.environment.aws.archive("events")
    }

    /// The only event of the bus.
    fn event(&self) -> (Value, Event) {
        let [stored] = self.stored().try_into().unwrap_or_else(|all| panic!("one event, not {all:?}"));
        let Content::Event(payload) = Content::stored(&stored["detail"].to_string()).unwrap() else {
            panic!("{stored}")
        };
        (stored, Event::try_from(&payload).unwrap())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let logs = self.function.logs();
        self.environment.assert_no_secret_in(&logs);
        for secret in self.secrets.lock().unwrap().iter() {
            let part = &secret[secret.len() - 43..];
            assert!(logs.iter().all(|line| !line.contains(part)), "a key is in the log");
        }
    }
}

fn problem(answer: &Answer) -> (u64, &str) {
    (answer.status, answer.body["code"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn an_event_of_a_caller_is_on_the_bus_as_any_other() {
    let stage = Stage::start().await;
    let (key, _) = stage.key("snowflake", may_send(), 100).await;
    let answer = stage.post(&key, &finished()).await;
    assert_eq!((answer.status, &answer.body["status"]), (202, &json!("accepted")));
    let (stored, event) = stage.event();
    assert_eq!(
        (&stored["source"], &stored["detail-type"]),
        (&json!("tableau.webhooks"), &json!("PipelineFinished"))
    );
    assert_eq!(answer.body["event_id"], event.id.as_str());
    assert_eq!(
        (event.name.as_str(), event.resource_name.as_deref()),
        ("PipelineFinished", Some("nightly load"))
    );
    assert!(event.created_at.is_some());
    let own = event.own.unwrap();
    assert_eq!((own.caller.as_str(), own.severity), ("snowflake", OwnSeverity::Warning));
    assert_eq!(own.text.as_deref(), Some("412 tables, no errors"));
    assert_eq!(own.data["environment"], "production");
}

#[tokio::test]
async fn the_same_idempotency_key_gives_the_same_event() {
    let stage = Stage::start().await;
    let (key, _) = stage.key("one", may_send(), 100).await;
    let (other, _) = stage.key("one", may_send(), 100).await;
    let post = async |key: &str, repeatable: &str, body: &Value| {
        let call = ApiCall::new("POST", "/events").key(key).header("idempotency-key", repeatable).json(body);
        let answer = stage.call(&call).await;
        assert_eq!(answer.status, 202, "{}", answer.body);
        answer.body["event_id"].clone()
    };
    let first = post(&key, "run-1", &finished()).await;
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    assert_eq!(post(&key, "run-1", &finished()).await, first);
    assert_ne!(post(&key, "run-2", &finished()).await, first);
    assert_ne!(post(&other, "run-1", &finished()).await, first, "another key");
    let changed = json!({"event": "PipelineFinished", "name": "nightly load"});
    assert_ne!(post(&key, "run-1", &changed).await, first, "another body");
    let ids = stage.stored().into_iter().map(|stored| {
        let Content::Event(payload) = Content::stored(&stored["detail"].to_string()).unwrap() else {
            panic!()
        };
        EventId::of(&payload)
    });
    assert_eq!(
        ids.filter(|id| json!(id.as_str()) == first).count(),
        2,
        "both carry the same id: one is acted on"
    );
    for wrong in ["", "a b", "é", &"x".repeat(129)] {
        let call =
            ApiCall::new("POST", "/events").key(&key).header("idempotency-key", wrong).json(&finished());
        assert_eq!(problem(&stage.call(&call).await), (400, "malformed"), "{wrong}");
    }
}

#[tokio::test]
async fn what_is_no_event_of_a_caller_is_refused_and_not_stored() {
    let stage = Stage::start().await;
    let (key, id) = stage.key("one", may_send(), 1_000).await;
    let (narrow, _) = stage.key("two", Permissions::default(), 100).await;
    for wrong in [
        json!({"event": "WorkbookUpdated"}),
        json!({"event": "PdfPublished"}),
        json!({"event": "WebhookDisabled"}),
        json!({"event": "WeeklyReport"}),
        json!({"event": "RefreshFailed"}),
        json!({"event": "Any"}),
        json!({"event": "Test"}),
        json!({"event": "Unknown"}),
        json!({"event": "Unreadable"}),
        json!({"event": "x"}),
        json!({"name": ""}),
        json!({"more": 1}),
        json!({"data": {"a": 1}}),
        json!({"resource": "WORKBOOK"}),
        json!({"site_luid": "s"}),
    ] {
        let mut body = finished();
        for (name, value) in wrong.as_object().unwrap() {
            body[name] = value.clone();
        }
        assert_eq!(problem(&stage.post(&key, &body).await), (400, "malformed"), "{wrong}");
    }
    assert_eq!(problem(&stage.post(&narrow, &finished()).await), (403, "not_allowed"));
    let post = || ApiCall::new("POST", "/events").json(&finished());
    let forged = format!("{}A", &key[..key.len() - 1]);
    let forged = if forged == key { format!("{}B", &key[..key.len() - 1]) } else { forged };
    for wrong in [forged.as_str(), &key[..key.len() - 1], "x", ""] {
        let answer = stage.call(&post().key(wrong)).await;
        assert_eq!(problem(&answer), (401, "unauthorized"), "{wrong}");
    }
    assert_eq!(problem(&stage.call(&post()).await), (401, "unauthorized"));
    let call = |method: &str, path: &str| ApiCall::new(method, path).key(&key).json(&finished());
    assert_eq!(problem(&stage.call(&call("GET", "/events")).await), (405, "method_not_allowed"));
    assert_eq!(problem(&stage.call(&call("POST", "/events/x")).await), (404, "not_found"));
    assert_eq!(stage.call(&call("POST", "/webhook")).await.status, 404);
    let text = ApiCall::new("POST", "/events").key(&key).text("{}").header("content-type", "text/plain");
    assert_eq!(problem(&stage.call(&text).await), (415, "unsupported_media_type"));
    let long = ApiCall::new("POST", "/events").key(&key).json(&json!({ "text": "x".repeat(70_000) }));
    assert_eq!(problem(&stage.call(&long).await), (413, "too_large"));
    stage.keys.revoke(&id, Timestamp::now()).await.unwrap();
    assert_eq!(problem(&stage.post(&key, &finished()).await), (401, "unauthorized"), "revoked");
    assert_eq!(stage.stored().len(), 0);
}

#[tokio::test]
async fn over_its_rate_a_key_is_told_when_to_come_again() {
    let stage = Stage::start().await;
    let (key, _) = stage.key("one", may_send(), 2).await;
    for _ in 0..2 {
        assert_eq!(stage.post(&key, &finished()).await.status, 202);
    }
    let answer = stage.post(&key, &finished()).await;
    assert_eq!(problem(&answer), (429, "rate_limited"));
}

#[tokio::test]
async fn an_event_that_the_bus_does_not_confirm_is_answered_503() {
    let stage = Stage::start().await;
    let (key, _) = stage.key("one", may_send(), 100).await;
    stage.environment.aws.fail_next("EventBridge.PutEvents", 3, Fault::InternalError);
    assert_eq!(problem(&stage.post(&key, &finished()).await), (503, "unavailable"));
}
