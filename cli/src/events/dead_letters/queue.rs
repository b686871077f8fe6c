//! Reads a workflow's dead-letter queue.

use super::batch::{LIMIT, Queue, runs};
use super::dead_letter::DeadLetter;
use crate::aws::Account;
use crate::stack::WorkflowQueues;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};
use std::collections::BTreeMap;
use workflow::BoxError;

/// How many messages SQS returns at once.
const BATCH: i32 = 10;
/// How long SQS may wait for messages. Only with a wait does SQS ask all of its servers, so that an empty answer
/// means an empty queue.
const WAIT_SECONDS: i32 = 1;
/// How long other programs cannot see a received message. Short, because a command that is killed cannot give the
/// messages back.
pub(super) const HELD_SECONDS: i32 = 300;
/// How many answers with only known messages are received before the queue counts as read. Receiving hides these
/// messages again, so that others behind them appear.
const REPEATS: u32 = 1_000;

/// The approximate number of messages in a workflow's dead-letter queue.
pub(in crate::events) async fn count(account: &Account, queues: &WorkflowQueues) -> Result<u64, BoxError> {
    let sqs = aws_sdk_sqs::Client::new(&account.config);
    let visible = QueueAttributeName::ApproximateNumberOfMessages;
    let hidden = QueueAttributeName::ApproximateNumberOfMessagesNotVisible;
    let request = sqs.get_queue_attributes().queue_url(&queues.dead_letters);
    let request = request.attribute_names(visible.clone()).attribute_names(hidden.clone());
    let answer = request.send().await.map_err(|error| account.explain("sqs:GetQueueAttributes", error))?;
    let attributes = answer.attributes.unwrap_or_default();
    let number = |name| attributes.get(&name).and_then(|text| text.parse::<u64>().ok()).unwrap_or_default();
    Ok(number(visible) + number(hidden))
}

/// A workflow's dead-letter queue, with the messages that were received and not deleted.
#[derive(Debug)]
pub(super) struct DeadLetterQueue<'a> {
    account: &'a Account,
    sqs: aws_sdk_sqs::Client,
    pub(super) queues: &'a WorkflowQueues,
    /// The receipts of received messages, by message id.
    held: BTreeMap<String, String>,
}

/// How many dead letters were processed, and the refusal, if any.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// The positions of the processed dead letters.
    pub(super) letters: Vec<usize>,
    pub(super) refused: Option<BoxError>,
}

impl<'a> DeadLetterQueue<'a> {
    pub(super) fn open(account: &'a Account, queues: &'a WorkflowQueues) -> Self {
        let sqs = aws_sdk_sqs::Client::new(&account.config);
        Self { account, sqs, queues, held: BTreeMap::new() }
    }

    /// Receives messages, and returns those that were not received before. `None` if the queue has no more, or only
    /// messages that are visible again because the read took so long.
    pub(super) async fn receive(&mut self) -> Result<Option<Vec<Message>>, BoxError> {
        for _ in 0..REPEATS {
            let messages = self.receive_once().await?;
            let some = !messages.is_empty();
            let new = self.hold(messages);
            if !new.is_empty() || !some {
                return Ok(some.then_some(new));
            }
        }
        Ok(None)
    }

    async fn receive_once(&self) -> Result<Vec<Message>, BoxError> {
        let request = self.sqs.receive_message().queue_url(&self.queues.dead_letters);
        let request = request.max_number_of_messages(BATCH).wait_time_seconds(WAIT_SECONDS);
        let request = request.visibility_timeout(HELD_SECONDS).message_attribute_names("All");
        let request = request.message_system_attribute_names(MessageSystemAttributeName::All);
        let received = request.send().await;
        let received = received.map_err(|error| self.account.explain("sqs:ReceiveMessage", error))?;
        Ok(received.messages.unwrap_or_default())
    }

    /// Stores the receipts of messages, and removes messages that were received before.
    fn hold(&mut self, mut messages: Vec<Message>) -> Vec<Message> {
        messages.retain(|message| {
            let id = message.message_id();
            let receipt = message.receipt_handle();
            let (Some(id), Some(receipt)) = (id, receipt) else { return false };
            self.held.insert(id.to_owned(), receipt.to_owned()).is_none()
        });
        messages
    }

    fn queue<'q>(&'q self, url: &'q str) -> Queue<'q> {
        Queue { account: self.account, sqs: &self.sqs, url }
    }

    /// Sends dead letters to the workflow's queue, and deletes those that the queue has confirmed.
    pub(super) async fn replay(&mut self, letters: &[DeadLetter]) -> Done {
        let mut done = Done::default();
        let bodies: Vec<&str> = letters.iter().map(|letter| letter.body.as_str()).collect();
        let mut from = 0;
        for run in runs(&bodies) {
            let bodies = bodies.get(from..from + run).unwrap_or_default();
            let sent = self.queue(&self.queues.queue).send(bodies).await;
            let sent_letters: Vec<usize> = sent.done.iter().map(|at| from + at).collect();
            let deleted = self.delete(letters, &sent_letters).await;
            done.letters.extend(sent_letters);
            let kept = deleted.refused.map(|error| -> BoxError {
                format!(
                    "an event was sent back to its queue, but its dead letter could not be deleted: {error}"
                )
                .into()
            });
            done.refused = sent.refused.or(kept);
            if done.refused.is_some() {
                break;
            }
            from += run;
        }
        done
    }

    /// Deletes the dead letters at these positions.
    pub(super) async fn delete(&mut self, letters: &[DeadLetter], places: &[usize]) -> Done {
        let mut done = Done::default();
        for places in places.chunks(LIMIT) {
            let ids: Vec<&str> = places
                .iter()
                .filter_map(|at| letters.get(*at))
                .map(|letter| letter.message_id.as_str())
                .collect();
            let receipts: Vec<&str> =
                ids.iter().map(|id| self.held.get(*id).map(String::as_str).unwrap_or_default()).collect();
            let deleted = self.queue(&self.queues.dead_letters).delete(&receipts).await;
            for at in &deleted.done {
                if let (Some(id), Some(place)) = (ids.get(*at), places.get(*at)) {
                    self.held.remove(*id);
                    done.letters.push(*place);
                }
            }
            if deleted.refused.is_some() {
                done.refused = deleted.refused;
                break;
            }
        }
        done
    }

    /// Makes the remaining messages visible to other programs again.
    pub(super) async fn give_back(self) -> Result<(), BoxError> {
        let receipts: Vec<&str> = self.held.values().map(String::as_str).collect();
        let mut result = Ok(());
        for receipts in receipts.chunks(LIMIT) {
            let shown = self.queue(&self.queues.dead_letters).show(receipts).await;
            if let (Some(error), true) = (shown.refused, result.is_ok()) {
                let minutes = HELD_SECONDS / 60;
                result = Err(format!(
                    "the remaining dead letters are hidden from other readers for {minutes} minutes: {error}"
                )
                .into());
            }
        }
        result
    }
}
