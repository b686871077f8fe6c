//! A workflow's dead-letter queue while it is looked through.

use crate::aws::Account;
use crate::stack::WorkflowQueues;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use std::collections::BTreeMap;
use tokio::task::JoinSet;
use workflow::BoxError;

/// How many messages SQS gives at once.
const BATCH: i32 = 10;
/// SQS asks all of its servers only when it is given time: an empty answer then means that nothing is left.
const WAIT_SECONDS: i32 = 1;
/// How long others do not see what was received. What is killed half-way gives nothing back, so this is not long.
const HELD_SECONDS: i32 = 300;
/// How many answers with nothing but what was held before it takes to believe that there is nothing else. Receiving hides
/// them again, so what is behind them comes forward.
const REPEATS: u32 = 1_000;
/// How many messages are given back at the same time.
const AT_ONCE: usize = 16;

/// A workflow's dead-letter queue, and what was received from it and is still there.
#[derive(Debug)]
pub(super) struct DeadLetters<'a> {
    account: &'a Account,
    sqs: aws_sdk_sqs::Client,
    queues: &'a WorkflowQueues,
    /// Receipts by the messages' ids.
    held: BTreeMap<String, String>,
}

impl<'a> DeadLetters<'a> {
    pub(super) fn open(account: &'a Account, queues: &'a WorkflowQueues) -> Self {
        let sqs = aws_sdk_sqs::Client::new(&account.config);
        Self { account, sqs, queues, held: BTreeMap::new() }
    }

    /// Receives some messages, those that are new to us. `None`: SQS has no more, or only what we have held for so long
    /// that it comes again.
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

    /// Remembers the receipts, and leaves out what was held before.
    fn hold(&mut self, mut messages: Vec<Message>) -> Vec<Message> {
        messages.retain(|message| {
            let (id, receipt) = (message.message_id(), message.receipt_handle());
            let (Some(id), Some(receipt)) = (id, receipt) else { return false };
            self.held.insert(id.to_owned(), receipt.to_owned()).is_none()
        });
        messages
    }

    /// Puts `body` into the workflow's queue, and then takes the message that held it out of the dead letters.
    pub(super) async fn replay(&mut self, message: &Message, body: &str) -> Result<(), BoxError> {
        let send = self.sqs.send_message().queue_url(&self.queues.queue).message_body(body);
        send.send().await.map_err(|error| self.account.explain("sqs:SendMessage", error))?;
        let id = message.message_id().unwrap_or_default();
        let receipt = self.held.get(id).cloned().unwrap_or_default();
        let delete = self.sqs.delete_message().queue_url(&self.queues.dead_letters).receipt_handle(receipt);
        delete.send().await.map_err(|error| -> BoxError {
            let error = self.account.explain("sqs:DeleteMessage", error);
            format!("an event was put into the queue, and stays with the dead letters all the same: {error}")
                .into()
        })?;
        self.held.remove(id);
        Ok(())
    }

    /// Lets others see what is still there.
    pub(super) async fn give_back(self) -> Result<(), BoxError> {
        let mut receipts = self.held.into_values();
        let mut answers = JoinSet::new();
        let mut result = Ok(());
        loop {
            while answers.len() < AT_ONCE
                && let Some(receipt) = receipts.next()
            {
                let request = self.sqs.change_message_visibility().queue_url(&self.queues.dead_letters);
                answers.spawn(request.receipt_handle(receipt).visibility_timeout(0).send());
            }
            match answers.join_next().await {
                None => return result,
                Some(Ok(Err(error))) if result.is_ok() => {
                    let error = self.account.explain("sqs:ChangeMessageVisibility", error);
                    let minutes = HELD_SECONDS / 60;
                    let what = format!("what stays is out of sight for {minutes} minutes: {error}");
                    result = Err(what.into());
                }
                Some(_) => {}
            }
        }
    }
}
