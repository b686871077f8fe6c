//! The environment of these tests: receivers under a name of their own.

use serde_json::{Map, Value, json};
use std::io::Write;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tempfile::NamedTempFile;
use testkit::simulator::{RECEIVER_NAME, ReceiverSimulator, notes};
use testkit::{Batch, Function, TestEnvironment};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_forward-event");

/// Everything that a function talks to, and receivers that it trusts.
pub(crate) struct Environment {
    pub(crate) base: TestEnvironment,
    pub(crate) receiver: ReceiverSimulator,
    authority: NamedTempFile,
    /// By how many seconds the next events happen later than now.
    later: AtomicI64,
}

impl Environment {
    /// With one rule for all events, whose `do` this is. The secret has a receiver of signed requests, `own`, and the products.
    pub(crate) async fn start(action: &str) -> Self {
        Self::with_rules(&format!(
            "rules:\n  - name: all\n    on: [Any]\n    do:\n      - forward-event: {action}\n"
        ))
        .await
    }

    pub(crate) async fn with_rules(rules: &str) -> Self {
        let base = TestEnvironment::with_rules(rules).await;
        let receiver = ReceiverSimulator::start().await.unwrap();
        let mut authority = NamedTempFile::new().unwrap();
        authority.write_all(receiver.authority().as_bytes()).unwrap();
        let environment = Self { base, receiver, authority, later: AtomicI64::new(0) };
        let own = environment.receiver.add_hook("own");
        environment.put_secret([("own", own)]);
        environment
    }

    /// Writes the forward secret: these targets, and the products.
    pub(crate) fn put_secret<'a>(&self, targets: impl IntoIterator<Item = (&'a str, Value)>) {
        let mut all: Map<String, Value> = self.receiver.products().into_iter().collect();
        all.extend(targets.into_iter().map(|(name, entry)| (name.to_owned(), entry)));
        self.base.aws.create_secret("forward", json!({ "targets": all }));
    }

    fn variables(&self) -> [(&'static str, String); 2] {
        let authority = self.authority.path().display().to_string();
        [("EXTRA_CA_FILE", authority), ("FORWARD_LOCAL_NAMES", RECEIVER_NAME.to_owned())]
    }

    pub(crate) fn queued(&self) -> Function {
        self.queued_with(&[])
    }

    pub(crate) fn queued_with(&self, more: &[(&str, &str)]) -> Function {
        let variables = self.variables();
        let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
        self.base.queued_with("forward-event", BINARY, &[&variables[..], more].concat())
    }

    /// A function that handles an event before it answers, with a table.
    pub(crate) fn inline(&self) -> Function {
        let [(name, value), other] = self.variables();
        let variables = [(name, value.as_str()), (other.0, other.1.as_str()), ("TABLE_NAME", "deliveries")];
        self.base.function("forward-event", BINARY.as_ref(), &variables)
    }

    /// A function without the names of these tests, as it is deployed.
    pub(crate) fn deployed(&self) -> Function {
        let [(name, value), _] = self.variables();
        self.base.queued_with("forward-event", BINARY, &[(name, value.as_str())])
    }

    /// Lets the next events happen so many seconds later.
    pub(crate) fn advance(&self, seconds: i64) {
        self.later.fetch_add(seconds, Ordering::SeqCst);
    }

    /// A failed refresh of a data source.
    pub(crate) fn failed(&self) -> Value {
        let luid = self.base.tableau.datasource("Sales Orders").unwrap();
        self.base.tableau.fail_refresh(&luid, notes::SNOWFLAKE_LOGIN).unwrap();
        self.event("DatasourceRefreshFailed")
    }

    /// An event about the data source.
    pub(crate) fn event(&self, name: &str) -> Value {
        let luid = self.base.tableau.datasource("Sales Orders").unwrap();
        let at = self.base.tableau.clock().now()
            + Duration::from_secs(self.later.load(Ordering::SeqCst).unsigned_abs());
        json!({
            "resource": "DATASOURCE", "event_type": name, "resource_name": "Sales Orders",
            "site_luid": self.base.tableau.site().as_str(), "resource_luid": luid.as_str(),
            "created_at": at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        })
    }

    pub(crate) fn assert_no_secret_in(&self, function: &Function) {
        let logs = function.logs();
        self.base.assert_no_secret_in(&logs);
        for secret in self.receiver.secrets() {
            assert!(!logs.iter().any(|line| line.contains(&secret)), "a secret of a receiver in the log");
        }
    }
}

pub(crate) fn message(event: &Value) -> Batch {
    Batch::default().message(&event.to_string())
}

/// The last reason in the log.
pub(crate) fn last_reason(function: &Function) -> String {
    let logs = function.logs();
    let lines = logs.iter().rev().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let handled = |line: &Value| line["message"].as_str().is_some_and(|text| text.starts_with("event "));
    let found = lines.filter(handled).find_map(|line| line["reason"].as_str().map(str::to_owned));
    found.unwrap_or_else(|| panic!("no reason in\n{}", logs.join("\n")))
}
