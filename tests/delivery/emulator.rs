//! The AWS emulator of a run: creates the resources of `template.yaml` there and reads them.

use crate::binaries;
use local_aws::template::{Function, Places, Plan, Template};
use local_aws::{ACCOUNT, FunctionSpec, KeyKind, KeySchema, QueueSpec, REGION, TableSpec};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use tableau::{EventId, Payload};
use testkit::repository::root;

/// The timeout of an invocation: longer than a destination's silence of ten seconds.
pub(crate) const FUNCTION_TIMEOUT: Duration = Duration::from_secs(12);
/// The visibility timeout of a message: longer than the invocation that handles it.
const VISIBILITY: Duration = Duration::from_secs(16);

/// A running AWS emulator.
#[derive(Clone, Debug)]
pub(crate) struct Emulator {
    pub(crate) url: String,
    http: Client,
}

impl Emulator {
    /// The emulator at `EMULATOR_URL`; `None` and a printed note when it is not set.
    pub(crate) fn of_this_run() -> Option<Self> {
        #[expect(clippy::disallowed_methods, reason = "where the emulator is, is a matter of the run")]
        let url = std::env::var("EMULATOR_URL").ok();
        if url.is_none() {
            testkit::dynamodb::say(
                "SKIPPED: no EMULATOR_URL; `cargo xtask check --step delivery` starts one, and so does `cargo xtask delivery`",
            );
        }
        Some(Self { url: url?, http: http_client::client(None).unwrap() })
    }

    /// Calls an operation, such as `AmazonSQS.SendMessage`; retries when the connection breaks.
    ///
    /// # Errors
    /// The emulator's error answer.
    async fn try_call(&self, operation: &str, arguments: &Value) -> Result<Value, String> {
        let mut broken = String::new();
        for _ in 0..3 {
            match self.exchange(operation, arguments).await {
                Ok((status, text)) if status.is_success() => {
                    return Ok(serde_json::from_str(&text).unwrap_or_default());
                }
                Ok((status, text)) => return Err(format!("{operation} {arguments}: {status} {text}")),
                Err(error) => broken = format!("{operation}: {error}"),
            }
        }
        Err(broken)
    }

    async fn exchange(
        &self,
        operation: &str,
        arguments: &Value,
    ) -> Result<(StatusCode, String), reqwest::Error> {
        let request = self.http.post(&self.url).timeout(Duration::from_secs(60));
        let request = request.header("x-amz-target", operation);
        let request = request.header("content-type", "application/x-amz-json-1.0");
        let response = request.body(arguments.to_string()).send().await?;
        Ok((response.status(), response.text().await?))
    }

    pub(crate) async fn call(&self, operation: &str, arguments: Value) -> Value {
        self.try_call(operation, &arguments).await.unwrap_or_else(|error| panic!("{error}"))
    }

    pub(crate) fn queue(&self, name: &str) -> String {
        format!("{}/{ACCOUNT}/{name}", self.url)
    }

    pub(crate) async fn receive(&self, queue: &str, most: usize, wait: Duration) -> Vec<Value> {
        let arguments = json!({
            "QueueUrl": self.queue(queue), "MaxNumberOfMessages": most, "WaitTimeSeconds": wait.as_secs(),
            "AttributeNames": ["All"], "MessageAttributeNames": ["All"],
        });
        let mut answer = self.call("AmazonSQS.ReceiveMessage", arguments).await;
        answer["Messages"].as_array_mut().map(std::mem::take).unwrap_or_default()
    }

    pub(crate) async fn delete(&self, queue: &str, message: &Value) {
        let arguments = json!({ "QueueUrl": self.queue(queue), "ReceiptHandle": message["ReceiptHandle"] });
        self.call("AmazonSQS.DeleteMessage", arguments).await;
    }

    /// The number of messages in a queue: visible, in flight or delayed.
    pub(crate) async fn depth(&self, queue: &str) -> usize {
        let names = [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ];
        let arguments = json!({ "QueueUrl": self.queue(queue), "AttributeNames": names });
        let answer = self.call("AmazonSQS.GetQueueAttributes", arguments).await;
        names
            .iter()
            .map(|name| answer["Attributes"][name].as_str().map_or(0, |text| text.parse::<usize>().unwrap()))
            .sum()
    }

    /// Removes all messages from a queue, and returns each with the id of its event.
    pub(crate) async fn drain(&self, queue: &str) -> Vec<(EventId, Value)> {
        let mut all = Vec::new();
        loop {
            let messages = self.receive(queue, 10, Duration::ZERO).await;
            if messages.is_empty() {
                return all;
            }
            for message in messages {
                self.delete(queue, &message).await;
                let payload = Payload::parse(message["Body"].as_str().unwrap().as_bytes()).unwrap();
                all.push((EventId::of(&payload), message));
            }
        }
    }

    /// Every item of a table.
    pub(crate) async fn items(&self, table: &str) -> Vec<Value> {
        let mut all = Vec::new();
        let mut arguments = json!({ "TableName": table });
        loop {
            let mut page = self.call("DynamoDB_20120810.Scan", arguments.clone()).await;
            all.append(page["Items"].as_array_mut().unwrap());
            match page["LastEvaluatedKey"].take() {
                Value::Null => return all,
                last => arguments["ExclusiveStartKey"] = last,
            }
        }
    }
}

/// The resources of `template.yaml`, created on the emulator.
#[derive(Debug)]
pub(crate) struct Stack {
    pub(crate) emulator: Emulator,
    pub(crate) plan: Plan,
    secrets: BTreeMap<&'static str, String>,
}

impl Stack {
    /// Creates the queues with their dead-letter queues, the table, the bus, its rules, and the secrets that these
    /// environment variables name. Old ones are deleted first.
    pub(crate) async fn create(
        emulator: Emulator,
        parameters: &BTreeMap<String, String>,
        secrets: &[(&'static str, Value)],
    ) -> Self {
        let template = Template::read(&root().join("template.yaml")).unwrap();
        let places = Places { endpoint_url: emulator.url.clone(), api_url: "http://127.0.0.1".to_owned() };
        let mut all = template.everything_on();
        all.extend(parameters.clone());
        let plan = template.plan(&all, &places).unwrap();
        let mut stack = Self { emulator, plan, secrets: BTreeMap::new() };
        stack.delete().await;
        // Create a dead-letter queue before the queue that refers to it.
        let (first, then): (Vec<_>, Vec<_>) =
            stack.plan.queues.iter().partition(|q| q.dead_letters.is_none());
        for queue in first.into_iter().chain(then) {
            stack.emulator.call("AmazonSQS.CreateQueue", queue_arguments(queue)).await;
        }
        for table in &stack.plan.tables {
            stack.emulator.call("DynamoDB_20120810.CreateTable", table_arguments(table)).await;
        }
        for bus in &stack.plan.buses {
            stack.emulator.call("AWSEvents.CreateEventBus", json!({ "Name": bus })).await;
        }
        stack.create_rules().await;
        stack.publish_rules(parameters).await;
        for (variable, value) in secrets {
            let name = stack.create_secret(variable, value).await;
            stack.secrets.insert(variable, name);
        }
        stack
    }

    async fn create_rules(&self) {
        for rule in &self.plan.rules {
            let name = &rule.name;
            let bus = &rule.bus;
            let arguments =
                json!({ "Name": name, "EventBusName": bus, "EventPattern": rule.pattern.to_string() });
            self.emulator.call("AWSEvents.PutRule", arguments).await;
            let targets = rule.targets.iter().enumerate().map(|(at, target)| {
                let arn = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{}", target.queue);
                let mut made = json!({ "Id": at.to_string(), "Arn": arn });
                if let Some(path) = &target.input_path {
                    made["InputPath"] = json!(path);
                }
                made
            });
            let targets: Vec<_> = targets.collect();
            let arguments = json!({ "Rule": name, "EventBusName": bus, "Targets": targets });
            let answer = self.emulator.call("AWSEvents.PutTargets", arguments).await;
            assert_eq!(answer["FailedEntryCount"], 0, "{answer}");
        }
    }

    /// Puts the rules of the parameter `RulesFile` in force, as publish-rules does when the stack is deployed.
    async fn publish_rules(&self, parameters: &BTreeMap<String, String>) {
        let text = std::fs::read_to_string(&parameters["RulesFile"]).unwrap();
        let version = json!({
            "number": 1, "published_at": "2026-01-01T00:00:00Z", "source": { "how": "stack-deploy" },
            "form": rules::Rules::to_json(&text).unwrap(), "text": text,
        });
        for (pk, sk) in [("rules#current", "-"), ("rules#history", "00000001")] {
            let item = json!({
                "pk": { "S": pk }, "sk": { "S": sk }, "version": { "N": "1" },
                "document": { "S": version.to_string() },
            });
            let arguments = json!({ "TableName": self.table(), "Item": item });
            self.emulator.call("DynamoDB_20120810.PutItem", arguments).await;
        }
    }

    /// Makes a secret of its own, and gives its name.
    pub(crate) async fn create_secret(&self, name: &str, value: &Value) -> String {
        let name = format!("{name}-{}", fastrand::u64(..));
        let arguments = json!({ "Name": name, "SecretString": value.to_string() });
        self.emulator.call("secretsmanager.CreateSecret", arguments).await;
        name
    }

    /// Deletes resources of an earlier run. Some of them may not exist.
    pub(crate) async fn delete(&self) {
        let mut calls = Vec::new();
        for rule in &self.plan.rules {
            let ids: Vec<_> = (0..rule.targets.len()).map(|at| at.to_string()).collect();
            let name = &rule.name;
            let bus = &rule.bus;
            calls.push(("AWSEvents.RemoveTargets", json!({ "Rule": name, "EventBusName": bus, "Ids": ids })));
            calls.push(("AWSEvents.DeleteRule", json!({ "Name": name, "EventBusName": bus })));
        }
        calls.extend(self.plan.buses.iter().map(|bus| ("AWSEvents.DeleteEventBus", json!({ "Name": bus }))));
        let urls = self.plan.queues.iter().map(|queue| self.emulator.queue(&queue.name));
        calls.extend(urls.map(|url| ("AmazonSQS.DeleteQueue", json!({ "QueueUrl": url }))));
        let tables = self.plan.tables.iter().map(|table| json!({ "TableName": table.name }));
        calls.extend(tables.map(|table| ("DynamoDB_20120810.DeleteTable", table)));
        for (operation, arguments) in calls {
            let _ = self.emulator.try_call(operation, &arguments).await;
        }
    }

    /// A function as the template describes it, but with a shorter timeout.
    pub(crate) fn function(&self, name: &str, endpoint_url: String) -> FunctionSpec {
        let function: &Function = self.plan.functions.iter().find(|f| f.name == name).unwrap();
        let mut spec = FunctionSpec::new(name, binaries().join(&function.binary));
        spec.environment = function.environment.clone();
        for (variable, secret) in &self.secrets {
            spec.environment.insert((*variable).to_owned(), secret.clone());
        }
        (spec.timeout, spec.endpoint_url) = (FUNCTION_TIMEOUT, Some(endpoint_url));
        spec
    }

    pub(crate) fn table(&self) -> &str {
        &self.plan.tables[0].name
    }
}

fn queue_arguments(queue: &QueueSpec) -> Value {
    let mut attributes = json!({ "VisibilityTimeout": VISIBILITY.as_secs().to_string() });
    if let Some(dead_letters) = &queue.dead_letters {
        let arn = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{}", dead_letters.queue);
        let policy = json!({ "deadLetterTargetArn": arn, "maxReceiveCount": dead_letters.max_receive_count });
        attributes["RedrivePolicy"] = json!(policy.to_string());
    }
    json!({ "QueueName": queue.name, "Attributes": attributes })
}

fn table_arguments(table: &TableSpec) -> Value {
    let keys = |key: &KeySchema| {
        let parts = [("HASH", Some(&key.partition)), ("RANGE", key.sort.as_ref())];
        let parts = parts.iter().filter_map(|(kind, part)| Some((kind, (*part)?)));
        parts.map(|(kind, part)| json!({ "AttributeName": part.name, "KeyType": kind })).collect::<Vec<_>>()
    };
    let schemas = [&table.key].into_iter().chain(table.indexes.values().map(|index| &index.key));
    let attributes: BTreeMap<&str, &str> = schemas
        .flat_map(|key| [Some(&key.partition), key.sort.as_ref()])
        .flatten()
        .map(|part| (part.name.as_str(), kind(&part.kind)))
        .collect();
    let attributes =
        attributes.iter().map(|(name, kind)| json!({ "AttributeName": name, "AttributeType": kind }));
    let mut arguments = json!({
        "TableName": table.name, "BillingMode": "PAY_PER_REQUEST", "KeySchema": keys(&table.key),
        "AttributeDefinitions": attributes.collect::<Vec<_>>(),
    });
    let indexes = table.indexes.iter().map(|(name, index)| {
        let projection = match &index.carries {
            None => json!({ "ProjectionType": "ALL" }),
            Some(carried) if carried.is_empty() => json!({ "ProjectionType": "KEYS_ONLY" }),
            Some(carried) => json!({ "ProjectionType": "INCLUDE", "NonKeyAttributes": carried }),
        };
        json!({ "IndexName": name, "KeySchema": keys(&index.key), "Projection": projection })
    });
    let indexes: Vec<_> = indexes.collect();
    if !indexes.is_empty() {
        arguments["GlobalSecondaryIndexes"] = json!(indexes);
    }
    arguments
}

fn kind(kind: &KeyKind) -> &'static str {
    match kind {
        KeyKind::S => "S",
        KeyKind::N => "N",
        KeyKind::B => "B",
    }
}
