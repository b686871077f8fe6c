//! The HTTP endpoint of the AWS double: identifies the operation, applies planned faults, and waits for long polls.

use super::keys::Denied;
use super::names::last_part;
use super::scheduler::Operation;
use super::sqs::{Batch, Received};
use super::{Fault, Notice, Refusal, Shared, State, invoke, query_protocol, s3, ses, sns, sqs};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State as Extract};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::HeaderMap;
use http::request::Parts;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};

/// The largest request body that is read, in bytes; above every service's own limit.
const BODY_LIMIT_BYTES: usize = 32 * 1024 * 1024;

/// Each operation: its `x-amz-target`, and its name in call counts and faults.
const OPERATIONS: [(&str, &str); 18] = [
    ("AmazonSQS.SendMessage", "SQS.SendMessage"),
    ("AmazonSQS.SendMessageBatch", "SQS.SendMessageBatch"),
    ("AmazonSQS.ReceiveMessage", "SQS.ReceiveMessage"),
    ("AmazonSQS.DeleteMessage", "SQS.DeleteMessage"),
    ("AmazonSQS.DeleteMessageBatch", "SQS.DeleteMessageBatch"),
    ("AmazonSQS.ChangeMessageVisibility", "SQS.ChangeMessageVisibility"),
    ("AmazonSQS.ChangeMessageVisibilityBatch", "SQS.ChangeMessageVisibilityBatch"),
    ("AmazonSQS.GetQueueAttributes", "SQS.GetQueueAttributes"),
    ("DynamoDB_20120810.GetItem", "DynamoDB.GetItem"),
    ("DynamoDB_20120810.PutItem", "DynamoDB.PutItem"),
    ("DynamoDB_20120810.UpdateItem", "DynamoDB.UpdateItem"),
    ("DynamoDB_20120810.DeleteItem", "DynamoDB.DeleteItem"),
    ("DynamoDB_20120810.Query", "DynamoDB.Query"),
    ("DynamoDB_20120810.BatchGetItem", "DynamoDB.BatchGetItem"),
    ("DynamoDB_20120810.TransactWriteItems", "DynamoDB.TransactWriteItems"),
    ("AWSEvents.PutEvents", "EventBridge.PutEvents"),
    ("secretsmanager.GetSecretValue", "SecretsManager.GetSecretValue"),
    ("secretsmanager.PutSecretValue", "SecretsManager.PutSecretValue"),
];

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new().fallback(handle).with_state(shared)
}

async fn handle(Extract(shared): Extract<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let called = authentic(&shared, &parts, body).await;
    let (mut response, content_type) = if s3::is_s3(&parts.headers) {
        let answer = match called {
            Ok(body) => answer_s3(&shared, &parts, &body).await,
            Err(_) => s3::denied(),
        };
        (answer, "application/xml")
    } else if is_form(&parts.headers) {
        let answer = match called {
            Ok(body) => answer_form(&shared, &body).await,
            Err(wrong) => Err(wrong.of_forms()),
        };
        (answer.map_or_else(Refusal::into_xml, IntoResponse::into_response), "text/xml")
    } else if let Some(name) = invoke::function(&parts) {
        let answer = match called {
            Ok(body) => answer_lambda(&shared, &parts, name, &body).await,
            Err(wrong) => Err(wrong.of_json()),
        };
        (answer.unwrap_or_else(Refusal::into_rest), "application/json")
    } else if let Some((operation, name)) = Operation::read(&parts.method, parts.uri.path()) {
        let answer = match called {
            Ok(body) => answer_scheduler(&shared, &parts, operation, name, &body).await,
            Err(wrong) => Err(wrong.of_json()),
        };
        let answer = answer.map(|body| body.to_string());
        (answer.map_or_else(Refusal::into_rest, IntoResponse::into_response), "application/json")
    } else if let Some(address) = ses::suppressed(&parts.method, parts.uri.path()) {
        let answer = match called {
            Ok(_) => answer_suppressed(&shared, address).await,
            Err(wrong) => Err(wrong.of_json()),
        };
        (answer.map(|body| body.to_string()).into_response(), "application/json")
    } else if ses::is_send(&parts.method, parts.uri.path()) {
        let answer = match called {
            Ok(body) => answer_ses(&shared, &body).await,
            Err(wrong) => Err(wrong.of_json()),
        };
        (answer.map(|body| body.to_string()).into_response(), "application/json")
    } else {
        let answer = match called {
            Ok(body) => answer(&shared, &parts, &body).await,
            Err(wrong) => Err(wrong.of_json()),
        };
        (answer.map(|body| body.to_string()).into_response(), "application/x-amz-json-1.0")
    };
    let id = uuid::Uuid::new_v4().to_string();
    let is_object = response.extensions().get::<s3::IsObject>().is_some();
    let content_type = (!is_object).then_some(("content-type", content_type));
    for (name, value) in std::iter::once(("x-amzn-requestid", id.as_str())).chain(content_type) {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// Why a request is not a valid call of a service.
enum Wrong {
    Denied(Denied),
    /// The request's body cannot be parsed.
    Body(axum::Error),
}

impl Wrong {
    fn of_json(self) -> Refusal {
        match self {
            Self::Denied(denied) => denied.refusal(),
            Self::Body(error) => unreadable(error.to_string()),
        }
    }

    fn of_forms(self) -> Refusal {
        match self {
            Self::Denied(denied) => denied.refusal_of_forms(),
            Self::Body(error) => malformed(error.to_string()),
        }
    }
}

/// Reads the body of a request, after the request's signature headers were checked: the body of a request signed with
/// other keys is not read.
async fn authentic(shared: &Shared, parts: &Parts, body: Body) -> Result<Bytes, Wrong> {
    let signed = shared.keys.look_at(&parts.headers).map_err(Wrong::Denied)?;
    let body = axum::body::to_bytes(body, BODY_LIMIT_BYTES).await.map_err(Wrong::Body)?;
    shared.keys.verify(&signed, parts, &body).map_err(Wrong::Denied)?;
    Ok(body)
}

/// CloudFormation and SNS take forms; every other service here takes JSON.
fn is_form(headers: &HeaderMap) -> bool {
    let content_type = headers.get("content-type").and_then(|value| value.to_str().ok());
    content_type.is_some_and(|content_type| content_type.starts_with("application/x-www-form-urlencoded"))
}

fn malformed(message: String) -> Refusal {
    Refusal::new("MalformedQueryString", message)
}

fn unreadable(message: String) -> Refusal {
    Refusal::new("com.amazon.coral.service#SerializationException", message)
}

async fn answer_form(shared: &Shared, body: &[u8]) -> Result<String, Refusal> {
    let text = std::str::from_utf8(body).map_err(|e| malformed(e.to_string()))?;
    let fields = query_protocol::fields(text);
    let action = fields.get("Action").map(String::as_str).unwrap_or_default();
    match action {
        "DescribeStacks" => {
            fail(shared, "CloudFormation.DescribeStacks").await?;
            shared.lock().stacks.describe_stacks(&fields)
        }
        "ListStackResources" => {
            fail(shared, "CloudFormation.ListStackResources").await?;
            shared.lock().stacks.list_stack_resources(&fields)
        }
        "Publish" => {
            let fault = fail(shared, sns::PUBLISH).await?;
            let answer = shared.lock().publish(&fields);
            match fault.and_then(|fault| fault.refusal_after(sns::PUBLISH)) {
                Some(refusal) => answer.and(Err(refusal)),
                None => answer,
            }
        }
        _ => Err(Refusal::new("InvalidAction", format!("local-aws does not implement {action}"))),
    }
}

/// EventBridge Scheduler has a path and an HTTP method per operation, and no `x-amz-target`.
async fn answer_scheduler(
    shared: &Shared,
    parts: &Parts,
    operation: Operation,
    name: &str,
    body: &[u8],
) -> Result<Value, Refusal> {
    fail(shared, operation.name()).await?;
    let query = query_protocol::fields(parts.uri.query().unwrap_or_default());
    let body = if body.is_empty() { b"{}" } else { body };
    let body = serde_json::from_slice(body).map_err(|error| unreadable(error.to_string()))?;
    let answer = shared.lock().call_scheduler(operation, name, &query, &body);
    shared.changed.notify_waiters();
    answer
}

/// Lambda has a path per function.
async fn answer_lambda(shared: &Shared, parts: &Parts, name: &str, body: &[u8]) -> Result<Response, Refusal> {
    fail(shared, invoke::INVOKE).await?;
    invoke::invoke(shared, parts, name, body).await
}

/// Amazon SES has a path and an HTTP method per operation too.
async fn answer_ses(shared: &Shared, body: &[u8]) -> Result<Value, Refusal> {
    let fault = fail(shared, ses::SEND).await?;
    let body = serde_json::from_slice(body).map_err(|error| unreadable(error.to_string()))?;
    let answer = shared.lock().send_email(&body);
    match fault.and_then(|fault| fault.refusal_after(ses::SEND)) {
        Some(refusal) => answer.and(Err(refusal)),
        None => answer,
    }
}

async fn answer_suppressed(shared: &Shared, address: &str) -> Result<Value, Refusal> {
    fail(shared, ses::GET_SUPPRESSED).await?;
    shared.lock().suppressed_destination(address)
}

/// Counts the call. Returns the planned error if the call must fail, else a planned fault that is no error.
async fn fail(shared: &Shared, operation: &'static str) -> Result<Option<Fault>, Refusal> {
    let fault = shared.lock().faults.arrive(operation);
    if let Some(Fault::Hang(duration)) = fault {
        sleep(duration).await;
    }
    match fault.and_then(|fault| fault.refusal(operation)) {
        Some(refusal) => Err(refusal),
        None => Ok(fault),
    }
}

async fn answer_s3(shared: &Shared, parts: &Parts, body: &[u8]) -> Response {
    let fault = match s3::operation(parts) {
        Some(operation) => fail(shared, operation).await,
        None => Ok(None),
    };
    match fault {
        Err(refusal) => s3::failed(&refusal),
        Ok(fault) => {
            let answer = shared.lock().buckets.answer(parts, body);
            if fault == Some(Fault::AnswerLost) { s3::internal_error() } else { answer }
        }
    }
}

async fn answer(shared: &Shared, parts: &Parts, body: &[u8]) -> Result<Value, Refusal> {
    let target = parts.headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let operation = OPERATIONS.iter().find(|(known, _)| *known == target).map(|(_, name)| *name);
    let Some(operation) = operation else {
        let what =
            if target.is_empty() { format!("{} {}", parts.method, parts.uri) } else { target.to_owned() };
        let message = format!("local-aws does not implement {what}");
        return Err(Refusal::new("com.amazon.coral.service#UnknownOperationException", message));
    };
    let body = serde_json::from_slice(body).map_err(|error| unreadable(error.to_string()));
    if let (true, Ok(body)) = (operation.starts_with("DynamoDB."), &body) {
        shared.lock().count(operation, body);
    }
    let fault = fail(shared, operation).await?;
    let body: Value = body?;
    if operation == "SQS.ReceiveMessage" {
        let receive = sqs::Receive::read(&body)?;
        let received = shared.receive(receive.queue, receive.max, receive.hidden, receive.wait).await?;
        return Ok(receive.answer(&received));
    }
    let trace = parts.headers.get("x-amzn-trace-id").and_then(|value| value.to_str().ok());
    let call = Call { operation, body: &body, trace, fault };
    let answer = shared.lock().call(call);
    shared.changed.notify_waiters();
    match fault.and_then(|fault| fault.refusal_after(operation)) {
        Some(refusal) => answer.and(Err(refusal)),
        None => answer,
    }
}

/// A call that is answered without waiting, unlike a long poll.
struct Call<'a> {
    operation: &'a str,
    body: &'a Value,
    /// The value of the request's `X-Amzn-Trace-Id` header.
    trace: Option<&'a str>,
    fault: Option<Fault>,
}

impl State {
    /// Counts a DynamoDB request by the kinds of its items.
    fn count(&mut self, operation: &'static str, body: &Value) {
        let kinds = self.tables.kinds(operation, body);
        self.faults.count_request(operation, kinds);
    }

    /// Carries out a call that is answered without waiting.
    fn call(&mut self, call: Call<'_>) -> Result<Value, Refusal> {
        let Call { operation, body, trace, fault } = call;
        let partly = fault == Some(Fault::PartialFailure);
        match operation {
            "SQS.SendMessage" => self.send_message(body, trace),
            "SQS.SendMessageBatch" => self.queues.batch(Batch::Send, body, trace, partly),
            "SQS.DeleteMessageBatch" => self.queues.batch(Batch::Delete, body, None, partly),
            "SQS.ChangeMessageVisibilityBatch" => {
                self.queues.batch(Batch::ChangeVisibility, body, None, partly)
            }
            "SQS.DeleteMessage" => self.queues.delete_message(body),
            "SQS.ChangeMessageVisibility" => self.queues.change_message_visibility(body),
            "SQS.GetQueueAttributes" => self.queues.get_queue_attributes(body),
            "DynamoDB.GetItem" => self.tables.get_item(body),
            "DynamoDB.PutItem" => self.tables.put_item(body),
            "DynamoDB.UpdateItem" => self.tables.update_item(body),
            "DynamoDB.DeleteItem" => self.tables.delete_item(body),
            "DynamoDB.Query" => self.tables.query(body),
            "DynamoDB.BatchGetItem" => self.tables.batch_get_item(body, partly),
            "DynamoDB.TransactWriteItems" => self.tables.transact_write_items(body, partly),
            "EventBridge.PutEvents" => self.put_events(body, partly),
            "SecretsManager.GetSecretValue" => self.secrets.get_secret_value(body),
            "SecretsManager.PutSecretValue" => self.secrets.put_secret_value(body),
            // Every operation in `OPERATIONS` has an arm above.
            _ => Ok(json!({})),
        }
    }

    /// Sends a message. A function that sends to a dead-letter queue itself has given the message up, so watchers are
    /// notified.
    fn send_message(&mut self, body: &Value, trace: Option<&str>) -> Result<Value, Refusal> {
        let answer = self.queues.send_message(body, trace)?;
        let queue = last_part(body["QueueUrl"].as_str().unwrap_or_default());
        if self.queues.takes_dead_letters(queue) {
            self.notify(Notice::DeadLettered { queue: queue.to_owned() });
        }
        Ok(answer)
    }

    /// Publishes events to buses and delivers them to the queues of matching rules.
    fn put_events(&mut self, body: &Value, fail: bool) -> Result<Value, Refusal> {
        let (answer, published) = self.buses.put_events(body, fail)?;
        for event in published {
            let (targets, messages): (Vec<_>, Vec<_>) = event.deliveries.into_iter().unzip();
            for (queue, message) in targets.iter().zip(messages) {
                // A target that is gone loses the event, as on AWS without a dead-letter queue for the target.
                let _ = self.queues.send(queue, message);
            }
            self.notify(Notice::Published { bus: event.bus, detail_type: event.detail_type, targets });
        }
        Ok(answer)
    }
}

impl Shared {
    /// Receives from a queue; waits up to `wait` for the first message.
    pub(crate) async fn receive(
        &self,
        queue: &str,
        max: usize,
        hidden: Option<Duration>,
        wait: Duration,
    ) -> Result<Received, Refusal> {
        let deadline = Instant::now() + wait;
        loop {
            // Register for notifications before looking at the queue, so that no message is missed in between.
            let changed = self.changed.notified();
            let next_visible_at = {
                let mut state = self.lock();
                let received = state.queues.receive(queue, max, hidden)?;
                for letters in &received.dead_lettered {
                    state.notify(Notice::DeadLettered { queue: letters.clone() });
                }
                if !received.dead_lettered.is_empty() {
                    self.changed.notify_waiters();
                }
                if !received.messages.is_empty() || Instant::now() >= deadline {
                    return Ok(received);
                }
                state.queues.next_visible_at(queue)
            };
            let until = next_visible_at.map_or(deadline, |at| at.min(deadline));
            // Woken or timed out: look at the queue again.
            let _ = timeout_at(until, changed).await;
        }
    }
}
