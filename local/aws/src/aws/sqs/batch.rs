//! SQS batch operations: up to ten entries in one request, each with its own result.

use super::super::{Input, Refusal};
use super::attributes::SIZE_LIMIT_BYTES;
use super::{Queues, no_such_queue};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The most entries in a batch.
const LIMIT: usize = 10;

/// The operation that a batch applies to each entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Batch {
    Send,
    Delete,
    ChangeVisibility,
}

impl Queues {
    /// Carries out a batch. With `partly`, the first entry fails as if the service had an internal error.
    pub(crate) fn batch(
        &mut self,
        batch: Batch,
        body: &Value,
        trace: Option<&str>,
        partly: bool,
    ) -> Result<Value, Refusal> {
        let operation = match batch {
            Batch::Send => "SendMessageBatch",
            Batch::Delete => "DeleteMessageBatch",
            Batch::ChangeVisibility => "ChangeMessageVisibilityBatch",
        };
        let input = Input::new(operation, body, &["QueueUrl", "Entries"])?;
        let entries = input.list("Entries")?;
        check(entries)?;
        let url = input.text("QueueUrl")?.ok_or_else(no_such_queue)?;
        let mut successful = Vec::new();
        let mut failed = Vec::new();
        for (at, entry) in entries.iter().enumerate() {
            let answer = if partly && at == 0 {
                Err(Refusal::internal("com.amazonaws.sqs#InternalError"))
            } else {
                self.single(batch, url, entry, trace)
            };
            match answer {
                Ok(mut answer) => {
                    answer["Id"] = entry["Id"].clone();
                    successful.push(answer);
                }
                // A queue that does not exist fails the whole request, not single entries.
                Err(refusal) if refusal == no_such_queue() => return Err(refusal),
                Err(refusal) => failed.push(refusal.entry(&entry["Id"])),
            }
        }
        let mut answer = json!({ "Successful": successful });
        if !failed.is_empty() {
            answer["Failed"] = Value::Array(failed);
        }
        Ok(answer)
    }

    /// A batch entry as a request for the single operation.
    fn single(
        &mut self,
        batch: Batch,
        url: &str,
        entry: &Value,
        trace: Option<&str>,
    ) -> Result<Value, Refusal> {
        let mut request = entry.clone();
        if let Some(members) = request.as_object_mut() {
            members.remove("Id");
            members.insert("QueueUrl".to_owned(), Value::String(url.to_owned()));
        }
        match batch {
            Batch::Send => self.send_message(&request, trace),
            Batch::Delete => self.delete_message(&request),
            Batch::ChangeVisibility => self.change_message_visibility(&request),
        }
    }
}

/// Refuses a batch that SQS refuses as a whole, such as one with duplicate entry ids.
fn check(entries: &[Value]) -> Result<(), Refusal> {
    let refusal =
        |kind: &'static str, code: &'static str, message: String| Err(Refusal::sqs(kind, code, message));
    if entries.is_empty() {
        let message = "There should be at least one SendMessageBatchRequestEntry in the request.".to_owned();
        return refusal("EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest", message);
    }
    if entries.len() > LIMIT {
        let message =
            format!("Maximum number of entries per request are {LIMIT}. You have sent {}.", entries.len());
        let code = "AWS.SimpleQueueService.TooManyEntriesInBatchRequest";
        return refusal("TooManyEntriesInBatchRequest", code, message);
    }
    let mut ids = BTreeSet::new();
    for entry in entries {
        let id = entry["Id"].as_str().unwrap_or_default();
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if !(1..=80).contains(&id.len()) || !id.bytes().all(allowed) {
            let message = "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It \
                           can be at most 80 letters long.";
            let code = "AWS.SimpleQueueService.InvalidBatchEntryId";
            return refusal("InvalidBatchEntryId", code, message.to_owned());
        }
        if !ids.insert(id) {
            let code = "AWS.SimpleQueueService.BatchEntryIdsNotDistinct";
            return refusal("BatchEntryIdsNotDistinct", code, format!("Id {id} repeated."));
        }
    }
    let size: usize = entries.iter().map(|entry| entry["MessageBody"].as_str().map_or(0, str::len)).sum();
    if size > SIZE_LIMIT_BYTES {
        let message = format!(
            "Batch requests cannot be longer than {SIZE_LIMIT_BYTES} bytes. You have sent {size} bytes."
        );
        return refusal("BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong", message);
    }
    Ok(())
}
