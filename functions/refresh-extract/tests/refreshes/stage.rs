//! A function with its callers, Tableau and the table.

use api_keys::{Keys, Permissions};
use jiff::Timestamp;
use rules::PathPattern;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use store::records::DynamoDbRecords;
use store::{Documents, DynamoDbStore};
use tableau::ContentKind;
use testkit::dynamodb::client;
use testkit::simulator::{TableauBuilder, TableauSimulator};
use testkit::{Answer, ApiCall, Batch, Function, TestEnvironment};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_refresh-extract");
const NAME: &str = "refresh-extract";
pub(crate) const NO_RULES: &str = "rules: []\n";

pub(crate) struct Stage {
    pub(crate) environment: TestEnvironment,
    pub(crate) function: Function,
    pub(crate) keys: Keys,
    secrets: Mutex<Vec<String>>,
    handled: Mutex<BTreeSet<String>>,
}

/// What a key may do that may refresh everything.
pub(crate) fn everything() -> Permissions {
    Permissions {
        kinds: ContentKind::ALL.into_iter().collect(),
        projects: vec![PathPattern::parse("**").unwrap()],
        ..Permissions::default()
    }
}

impl Stage {
    pub(crate) async fn start() -> Self {
        Self::with(NO_RULES, TableauSimulator::sample(), &[]).await
    }

    pub(crate) async fn with(rules: &str, tableau: TableauBuilder, variables: &[(&str, &str)]) -> Self {
        let environment = TestEnvironment::with_tableau(rules, tableau).await;
        let function = environment.queued_with(NAME, BINARY, variables);
        let client = client(&environment.aws);
        let records = Arc::new(DynamoDbRecords::new(client.clone(), "deliveries", NAME));
        let documents = Documents::new(Arc::new(DynamoDbStore::new(client, "deliveries")));
        let keys = Keys::new(records, documents);
        Self { environment, function, keys, secrets: Mutex::default(), handled: Mutex::default() }
    }

    pub(crate) fn tableau(&self) -> &TableauSimulator {
        &self.environment.tableau
    }

    /// A key that may do this, at a rate that no test exceeds by chance.
    pub(crate) async fn key(&self, caller: &str, permissions: Permissions) -> String {
        self.key_at(caller, permissions, 1_000).await
    }

    pub(crate) async fn key_at(&self, caller: &str, permissions: Permissions, per_minute: u32) -> String {
        let made = self.keys.create(caller, permissions, per_minute, Timestamp::now()).await.unwrap();
        let secret = made.secret.expose_secret().to_owned();
        self.secrets.lock().unwrap().push(secret.clone());
        secret
    }

    pub(crate) async fn call(&self, call: &ApiCall) -> Answer {
        self.function.answer_to(&call.event()).await
    }

    pub(crate) async fn post(&self, key: &str, body: &Value) -> Answer {
        self.call(&ApiCall::new("POST", "/refreshes").key(key).json(body)).await
    }

    /// Posts, and expects that the refresh has not ended. The request.
    pub(crate) async fn accepted(&self, key: &str, body: &Value) -> Value {
        let answer = self.post(key, body).await;
        assert_eq!(answer.status, 202, "{} {}", answer.body, self.log());
        answer.body
    }

    pub(crate) async fn get(&self, key: &str, id: &Value) -> Value {
        let path = format!("/refreshes/{}", id.as_str().unwrap());
        let answer = self.call(&ApiCall::new("GET", &path).key(key)).await;
        assert_eq!(answer.status, 200, "{} {}", answer.body, self.log());
        answer.body
    }

    /// Hands the event of a refresh over, as the queue does.
    pub(crate) async fn event(&self, name: &str, luid: &str) -> Vec<String> {
        let event = json!({
            "resource": "EXTRACTS", "event_type": name, "resource_name": "Orders",
            "site_luid": self.tableau().site().as_str(), "resource_luid": luid,
            "created_at": Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        });
        self.function.failures(&Batch::default().message(&event.to_string())).await
    }

    /// Hands messages of the queue over that are due, until this holds.
    pub(crate) async fn work_until(&self, longest: Duration, holds: impl AsyncFn() -> bool) {
        let began = Instant::now();
        while !holds().await {
            assert!(began.elapsed() < longest, "{}", self.log());
            tokio::time::sleep(Duration::from_millis(200)).await;
            self.work().await;
        }
    }

    /// Hands the messages of the queue over that are due.
    pub(crate) async fn work(&self) {
        for queued in self.environment.aws.messages("queue") {
            let body: Value = serde_json::from_str(&queued.body).unwrap();
            let due = body["timer"]["due"].as_str().and_then(|due| due.parse::<Timestamp>().ok());
            let is_due = due.is_some_and(|due| due <= Timestamp::now());
            if is_due && self.handled.lock().unwrap().insert(queued.body.clone()) {
                self.function.failures(&Batch::default().message(&queued.body)).await;
            }
        }
    }

    pub(crate) fn log(&self) -> String {
        self.function.logs().join("\n")
    }

    /// How often a refresh was started at Tableau, or tried.
    pub(crate) fn starts(&self) -> u32 {
        self.tableau().calls("POST */refresh")
    }

    /// Panics if a key or another secret is in the log.
    pub(crate) fn assert_no_secret_in_log(&self) {
        let logs = self.function.logs();
        self.environment.assert_no_secret_in(&logs);
        for secret in self.secrets.lock().unwrap().iter() {
            // The id before it is no secret.
            let secret = &secret[17..];
            assert!(!logs.iter().any(|line| line.contains(secret)), "a key is in the log");
        }
    }
}

/// The body that asks for a data source.
pub(crate) fn of_datasource(luid: &str) -> Value {
    json!({ "kind": "datasource", "luid": luid })
}
