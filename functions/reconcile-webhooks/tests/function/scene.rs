//! The function's real binary, with a Tableau, a table, a bus, and a CloudFormation that takes its answers.

use serde_json::{Value, json};
use testkit::simulator::Recorder;
use testkit::{Function, TestEnvironment};

const BINARY: &str = env!("CARGO_BIN_EXE_reconcile-webhooks");
pub(crate) const STACK: &str = "arn:aws:cloudformation:eu-central-1:123456789012:stack/acme/0a1b2c";
/// Part of the URL, which is a credential.
const SIGNATURE: &str = "X-Amz-Signature=0123456789abcdef";

/// Rules that name these events.
pub(crate) fn rules(events: &[&str]) -> String {
    let events = events.join(", ");
    format!("rules: [{{ name: one, on: [{events}], do: [{{ notify-slack: {{ channel: c }} }}] }}]\n")
}

pub(crate) struct Scene {
    pub(crate) environment: TestEnvironment,
    pub(crate) function: Function,
    pub(crate) ingress: Recorder,
    cloud_formation: Recorder,
}

impl Scene {
    pub(crate) async fn with(rules: &str) -> Self {
        Self::with_variables(rules, &[]).await
    }

    /// With these settings beside those of the template.
    pub(crate) async fn with_variables(rules: &str, more: &[(&str, &str)]) -> Self {
        let environment = TestEnvironment::with_rules(rules).await;
        let ingress = Recorder::start().await.unwrap();
        let url = format!("{}/webhook", ingress.url());
        let variables = [
            ("EVENT_BUS_NAME", "events"),
            ("TABLE_NAME", "deliveries"),
            ("STACK_ID", STACK),
            ("WEBHOOK_URL", &url),
        ];
        let variables = [variables.as_slice(), more].concat();
        let function = environment.function("reconcile-webhooks", BINARY.as_ref(), &variables);
        let cloud_formation = Recorder::start().await.unwrap();
        Self { environment, function, ingress, cloud_formation }
    }

    /// What CloudFormation requests, with the rules' version `wanted`.
    pub(crate) fn request(&self, kind: &str, id: &str, wanted: &str) -> Value {
        json!({
            "RequestType": kind, "ResponseURL": format!("{}/answer?{SIGNATURE}", self.cloud_formation.url()),
            "StackId": STACK, "RequestId": id, "ResourceType": "Custom::Webhooks",
            "LogicalResourceId": "ReconcileWebhooksAtTableau",
            "ResourceProperties": { "ServiceToken": "arn", "Rules": wanted },
        })
    }

    /// The answer to a request.
    pub(crate) async fn answer(&self, request: &Value) -> Value {
        let before = self.cloud_formation.requests().len();
        self.function
            .invoke(request)
            .await
            .unwrap_or_else(|error| panic!("{error} {:?}", self.function.logs()));
        let all = self.cloud_formation.requests();
        assert_eq!(all.len(), before + 1, "one answer");
        let recorded = &all[before];
        assert_eq!((recorded.method.as_str(), recorded.query.as_str()), ("PUT", SIGNATURE));
        // Case F06.
        assert!(recorded.body.len() < 4_096, "{}", recorded.text());
        let answer: Value = serde_json::from_slice(&recorded.body).unwrap();
        for name in ["StackId", "RequestId", "LogicalResourceId"] {
            assert_eq!(answer[name], request[name], "{answer}");
        }
        // Cases F01, F02, F03.
        assert_eq!(answer["PhysicalResourceId"], "webhooks-0a1b2c", "{answer}");
        assert!(answer["Reason"].as_str().unwrap().chars().count() <= 401, "{answer}");
        answer
    }

    /// What the template can read.
    pub(crate) fn data(&self, registered: &str) -> Value {
        let webhook = &self.environment.tableau.webhooks()[0];
        let (_, mark) = webhook.name.rsplit_once(' ').unwrap();
        json!({ "Registered": registered, "Mark": mark })
    }

    pub(crate) async fn create(&self) -> Value {
        self.answer(&self.request("Create", "create-1", "1")).await
    }

    /// An update that changes the version of the rules.
    pub(crate) async fn update(&self, id: &str, from: &str, to: &str) -> Value {
        let mut request = self.request("Update", id, to);
        request["OldResourceProperties"] = json!({ "ServiceToken": "arn", "Rules": from });
        request["PhysicalResourceId"] = json!("webhooks-0a1b2c");
        self.answer(&request).await
    }

    pub(crate) async fn delete(&self, id: &str) -> Value {
        self.answer(&self.request("Delete", id, "1")).await
    }

    pub(crate) async fn scheduled(&self) -> Value {
        self.function.invoke(&json!({ "start": "schedule" })).await.unwrap()
    }

    /// The events of the webhooks at Tableau.
    pub(crate) fn events(&self) -> Vec<String> {
        let mut events: Vec<String> = self
            .environment
            .tableau
            .webhooks()
            .iter()
            .map(|webhook| webhook.event.as_str().to_owned())
            .collect();
        events.sort();
        events
    }

    pub(crate) fn assert_no_secret_is_logged(&self) {
        let logs = self.function.logs();
        assert!(!logs.is_empty());
        self.environment.assert_no_secret_in(&logs);
        assert!(logs.iter().all(|line| !line.contains(SIGNATURE)), "{logs:?}");
    }
}
