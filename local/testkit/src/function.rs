//! A function under test.

use crate::Request;
use local_aws::{InvocationError, LambdaProcess};
use serde_json::{Value, json};

/// A function's real binary, running.
#[derive(Debug)]
pub struct Function {
    pub(crate) process: LambdaProcess,
}

/// What an ingress answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: u64,
    /// The body, which is always JSON.
    pub body: Value,
    /// The headers.
    pub headers: Value,
}

/// An SQS batch as Lambda's poller hands it over.
#[derive(Clone, Debug, Default)]
pub struct Batch(Vec<Value>);

impl Batch {
    /// A batch of one message with the body of a fixture in `events/tableau/`.
    pub fn of_fixture(name: &str) -> Self {
        let body = crate::fixtures::bytes(&format!("tableau/{name}.json"));
        Self::default().message(&String::from_utf8(body).expect("the fixture is UTF-8"))
    }

    /// With one more message. Messages are called `m-1`, `m-2`, …
    #[must_use]
    pub fn message(mut self, body: &str) -> Self {
        let number = self.0.len() + 1;
        self.0.push(json!({
            "messageId": format!("m-{number}"),
            "receiptHandle": format!("receipt-{number}"),
            "body": body,
            "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1736961286000"},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:queue",
            "awsRegion": "us-east-1",
        }));
        self
    }

    /// With its last message received so often.
    #[must_use]
    pub fn received(mut self, times: u32) -> Self {
        if let Some(message) = self.0.last_mut() {
            message["attributes"]["ApproximateReceiveCount"] = json!(times.to_string());
        }
        self
    }

    /// With a message attribute on its last message.
    #[must_use]
    pub fn attribute(mut self, name: &str, value: &str) -> Self {
        if let Some(message) = self.0.last_mut() {
            message["messageAttributes"][name] = json!({ "dataType": "String", "stringValue": value });
        }
        self
    }

    /// The event that Lambda gets.
    pub fn event(&self) -> Value {
        json!({ "Records": self.0 })
    }
}

impl Function {
    /// Sends a request and reads the answer.
    pub async fn answer(&self, request: &Request) -> Answer {
        self.answer_to(&request.event()).await
    }

    /// Sends an API Gateway event and reads the answer.
    pub async fn answer_to(&self, event: &Value) -> Answer {
        let response =
            self.process.invoke(event).await.unwrap_or_else(|e| panic!("{e}\n{}", self.logs().join("\n")));
        let body = response["body"].as_str().unwrap_or_else(|| panic!("no body in {response}"));
        Answer {
            status: response["statusCode"].as_u64().expect("a status"),
            body: serde_json::from_str(body).unwrap_or_else(|e| panic!("{body}: {e}")),
            headers: response["headers"].clone(),
        }
    }

    /// Hands a batch over; returns the ids of the messages that are to be seen again.
    pub async fn failures(&self, batch: &Batch) -> Vec<String> {
        let response = self.process.invoke(&batch.event()).await;
        let response = response.unwrap_or_else(|e| panic!("{e}\n{}", self.logs().join("\n")));
        let failures = response["batchItemFailures"].as_array().expect("a batch reply");
        failures.iter().map(|item| item["itemIdentifier"].as_str().expect("an id").to_owned()).collect()
    }

    /// Invokes the function with anything.
    ///
    /// # Errors
    /// [`InvocationError`] as Lambda would report it.
    pub async fn invoke(&self, event: &Value) -> Result<Value, InvocationError> {
        self.process.invoke(event).await
    }

    /// What the function wrote so far, line by line.
    pub fn logs(&self) -> Vec<String> {
        self.process.logs()
    }

    /// The process, for tests that end it.
    pub fn process(&self) -> &LambdaProcess {
        &self.process
    }
}
