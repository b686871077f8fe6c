//! Where an ingress stores an event: the workflow's queue or the event bus.

use async_trait::async_trait;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use deliveries::{Content, SOURCE};
use workflow::BoxError;

/// The longest `detail-type` that EventBridge accepts, in bytes.
const DETAIL_TYPE_LIMIT: usize = 128;

/// The IAM action that sends a message to a queue.
pub(crate) const SEND_MESSAGE: &str = "sqs:SendMessage";
const PUT_EVENTS: &str = "events:PutEvents";

/// Checks that SQS has stored a message: SQS's answer contains the message's id. A `200` without an id may come from
/// something else, such as a proxy.
///
/// Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>
///
/// # Errors
/// When there is no id: the message counts as not sent.
pub(crate) fn confirmed(message_id: Option<&str>) -> Result<(), BoxError> {
    match message_id {
        Some(id) if !id.is_empty() => Ok(()),
        _ => {
            Err(format!("{SEND_MESSAGE} was answered without a message id: the message is not confirmed")
                .into())
        }
    }
}

/// The error that the queue or bus did not confirm the event. Tableau will deliver the event again.
#[derive(Debug, thiserror::Error)]
#[error("the event was not stored")]
pub(crate) struct NotStored(#[source] pub(crate) BoxError);

/// Where an ingress stores an event before it answers: a queue or the event bus.
#[async_trait]
pub(crate) trait EventPublisher: Send + Sync {
    /// Stores the event. Returns when the queue or bus has confirmed it.
    ///
    /// # Errors
    /// [`NotStored`], also when it is unknown whether the event was stored.
    async fn publish(&self, content: &Content) -> Result<(), NotStored>;
}

/// A workflow's own queue. The body of a message is the event's content as JSON.
#[derive(Clone, Debug)]
pub(crate) struct WorkflowQueue {
    client: aws_sdk_sqs::Client,
    url: String,
}

impl WorkflowQueue {
    /// Creates the publisher for the queue at `url`.
    pub(crate) fn new(client: aws_sdk_sqs::Client, url: impl Into<String>) -> Self {
        Self { client, url: url.into() }
    }
}

#[async_trait]
impl EventPublisher for WorkflowQueue {
    async fn publish(&self, content: &Content) -> Result<(), NotStored> {
        let request = self.client.send_message().queue_url(&self.url).message_body(content.to_json());
        let answer = request.send().await;
        let answer = answer.map_err(|error| NotStored(aws_http::reason(SEND_MESSAGE, &error).into()))?;
        confirmed(answer.message_id()).map_err(NotStored)
    }
}

/// The event bus. An event's `detail-type` is its name, its `detail` is the event's content as JSON.
#[derive(Clone, Debug)]
pub(crate) struct EventBus {
    client: aws_sdk_eventbridge::Client,
    name: String,
}

impl EventBus {
    /// Creates the publisher for the event bus `name`.
    pub(crate) fn new(client: aws_sdk_eventbridge::Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into() }
    }
}

#[async_trait]
impl EventPublisher for EventBus {
    async fn publish(&self, content: &Content) -> Result<(), NotStored> {
        // The sender chooses the event's name; EventBridge would refuse an event whose `detail-type` has other
        // characters.
        let is_plain = |name: &&str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
        let name =
            Some(content.name()).filter(|n| !n.is_empty() && n.len() <= DETAIL_TYPE_LIMIT).filter(is_plain);
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source(SOURCE)
            .detail_type(name.unwrap_or("Unknown"))
            .detail(content.to_json())
            .build();
        let answer = self.client.put_events().entries(entry).send().await;
        let answer = answer.map_err(|error| NotStored(aws_http::reason(PUT_EVENTS, &error).into()))?;
        // PutEvents answers `200` even if it refused the entry; the body says so. A body without entries did not come
        // from EventBridge.
        let is_stored = match answer.entries() {
            [entry] => entry.error_code().is_none() && entry.event_id().is_some_and(|id| !id.is_empty()),
            _ => false,
        };
        if answer.failed_entry_count() == 0 && is_stored {
            return Ok(());
        }
        let failed = answer.entries().iter().find_map(|entry| entry.error_code());
        Err(NotStored(match failed {
            Some(text) => format!("EventBridge refused the event: {}", aws_http::code(text)).into(),
            None => {
                format!("{PUT_EVENTS} was answered without an event id: the event is not confirmed").into()
            }
        }))
    }
}
