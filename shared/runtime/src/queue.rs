//! What a workflow's queue does with a message that failed: delay, copy, or move to the dead-letter queue.

use crate::publish::{SEND_MESSAGE, confirmed};
use async_trait::async_trait;
use aws_sdk_sqs::types::MessageAttributeValue;
use std::time::Duration;
use workflow::BoxError;

/// The longest visibility timeout that SQS accepts.
const LONGEST_DELAY: Duration = Duration::from_secs(12 * 60 * 60);
/// The message attribute of a copy that a deferred attempt sent: the attempt's number.
pub(crate) const COPY_OF: &str = "copy_of";
/// The longest delay that SQS accepts for a new message.
const LONGEST_SEND_DELAY: Duration = Duration::from_secs(15 * 60);
/// How many characters of a failure's reason are kept on a dead letter. SQS would accept more, but people read it.
const REASON_LIMIT: usize = 1_000;

/// What a workflow's queue does with a message that failed.
#[async_trait]
pub(crate) trait FailedMessages: Send + Sync {
    /// Makes the message visible again after `delay`.
    async fn delay(&self, receipt: &str, delay: Duration) -> Result<(), BoxError>;

    /// Sends a copy of the message that becomes visible after `delay`, at most 15 minutes. The copy carries the
    /// number of the attempt that sends it.
    async fn send_copy(&self, body: &str, attempt: u32, delay: Duration) -> Result<(), BoxError>;

    /// Sends the message to the dead-letter queue, where it waits for a person.
    async fn dead_letter(&self, body: &str, attributes: &DeadLetterAttributes<'_>) -> Result<(), BoxError>;
}

/// The attributes of a message in the dead-letter queue: why and when the event failed.
pub(crate) struct DeadLetterAttributes<'a> {
    pub(crate) reason: &'a str,
    pub(crate) workflow: &'a str,
    pub(crate) event_id: &'a str,
}

/// A workflow's SQS queue and its dead-letter queue.
pub(crate) struct SqsQueue {
    pub(crate) client: aws_sdk_sqs::Client,
    pub(crate) url: String,
    pub(crate) dead_letters_url: String,
}

#[async_trait]
impl FailedMessages for SqsQueue {
    async fn delay(&self, receipt: &str, delay: Duration) -> Result<(), BoxError> {
        let seconds = delay.min(LONGEST_DELAY).as_secs().try_into().unwrap_or(i32::MAX);
        let request = self.client.change_message_visibility().queue_url(&self.url).receipt_handle(receipt);
        let answer = request.visibility_timeout(seconds).send().await;
        answer.map_err(|error| aws_http::reason("sqs:ChangeMessageVisibility", &error))?;
        Ok(())
    }

    async fn send_copy(&self, body: &str, attempt: u32, delay: Duration) -> Result<(), BoxError> {
        let seconds = delay.min(LONGEST_SEND_DELAY).as_secs().try_into().unwrap_or(i32::MAX);
        let number = MessageAttributeValue::builder().data_type("Number").string_value(attempt.to_string());
        let request = self.client.send_message().queue_url(&self.url).message_body(body);
        let request = request.message_attributes(COPY_OF, number.build()?);
        let answer = request.delay_seconds(seconds).send().await;
        let answer = answer.map_err(|error| aws_http::reason(SEND_MESSAGE, &error))?;
        confirmed(answer.message_id())
    }

    async fn dead_letter(&self, body: &str, attributes: &DeadLetterAttributes<'_>) -> Result<(), BoxError> {
        let mut request = self.client.send_message().queue_url(&self.dead_letters_url).message_body(body);
        for (name, value) in [
            ("reason", attributes.reason),
            ("workflow", attributes.workflow),
            ("event_id", attributes.event_id),
        ] {
            // SQS refuses empty attributes, most control characters, U+FFFE and U+FFFF.
            let is_taken = |c: &char| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}');
            let value: String = value.chars().filter(is_taken).take(REASON_LIMIT).collect();
            if !value.is_empty() {
                let attribute = MessageAttributeValue::builder().data_type("String").string_value(value);
                request = request.message_attributes(name, attribute.build()?);
            }
        }
        let answer = request.send().await;
        let answer = answer.map_err(|error| aws_http::reason(SEND_MESSAGE, &error))?;
        confirmed(answer.message_id())
    }
}
