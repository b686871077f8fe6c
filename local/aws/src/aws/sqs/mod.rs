//! SQS: standard queues with visibility timeouts and dead-letter queues.

mod attributes;
mod batch;
pub(crate) mod checksum;
mod queue;
mod requests;
mod spec;

pub(crate) use attributes::system_attributes;
pub(super) use batch::Batch;
pub(crate) use queue::Message;
pub(crate) use requests::Receive;
pub use spec::{DeadLetters, QueueSpec, StoredMessage};

use super::Refusal;
use super::names::arn;
use jiff::Timestamp;
use queue::Queue;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// All queues, by name.
#[derive(Debug, Default)]
pub(super) struct Queues(BTreeMap<String, Queue>);

/// The result of a receive.
#[derive(Debug, Default)]
pub(crate) struct Received {
    pub(crate) messages: Vec<Message>,
    /// The names of the dead-letter queues that got a message during this receive, once per message.
    pub(crate) dead_lettered: Vec<String>,
}

pub(crate) fn no_such_queue() -> Refusal {
    Refusal::sqs(
        "QueueDoesNotExist",
        "AWS.SimpleQueueService.NonExistentQueue",
        "The specified queue does not exist.",
    )
}

fn now() -> (Instant, i64) {
    (Instant::now(), Timestamp::now().as_millisecond())
}

impl Queues {
    /// Creates a queue. An existing queue of the same name keeps its messages and gets the new settings.
    pub(super) fn create(&mut self, spec: QueueSpec) {
        match self.0.get_mut(&spec.name) {
            Some(queue) => queue.spec = spec,
            None => {
                self.0.insert(spec.name.clone(), Queue::new(spec, Timestamp::now().as_second()));
            }
        }
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether this queue is the dead-letter queue of another queue.
    pub(super) fn takes_dead_letters(&self, name: &str) -> bool {
        let mut policies = self.0.values().filter_map(|queue| queue.spec.dead_letters.as_ref());
        policies.any(|letters| letters.queue == name)
    }

    pub(super) fn stored(&self, name: &str) -> Vec<StoredMessage> {
        self.0.get(name).map(|queue| queue.stored(Instant::now())).unwrap_or_default()
    }

    pub(super) fn stored_with(&self, name: &str, body: &str) -> Option<StoredMessage> {
        self.0.get(name)?.stored_with(body, Instant::now())
    }

    pub(super) fn set_visibility_timeout(&mut self, name: &str, timeout: Duration) {
        if let Some(queue) = self.0.get_mut(name) {
            queue.spec.visibility_timeout = timeout;
        }
    }

    pub(super) fn visibility_timeout(&self, name: &str) -> Option<Duration> {
        self.0.get(name).map(|queue| queue.spec.visibility_timeout)
    }

    pub(super) fn set_longest_delay(&mut self, name: &str, delay: Duration) {
        if let Some(queue) = self.0.get_mut(name) {
            queue.longest_delay = delay;
        }
    }

    fn queue(&mut self, name: &str) -> Result<&mut Queue, Refusal> {
        self.0.get_mut(name).ok_or_else(no_such_queue)
    }

    /// Puts a message into a queue without a request, as an EventBridge rule does.
    pub(super) fn send(&mut self, name: &str, body: String) -> Result<(), Refusal> {
        self.send_with(name, body, Map::new())
    }

    /// Puts a message with message attributes into a queue without a request.
    pub(super) fn send_with(
        &mut self,
        name: &str,
        body: String,
        attributes: Attributes,
    ) -> Result<(), Refusal> {
        self.queue(name)?.send(now(), body, attributes, None, Duration::ZERO);
        Ok(())
    }

    /// Receives visible messages, and moves messages that were received too often to the dead-letter queue.
    pub(super) fn receive(
        &mut self,
        name: &str,
        max: usize,
        hidden: Option<Duration>,
    ) -> Result<Received, Refusal> {
        let now = now();
        let queue = self.queue(name)?;
        let (messages, spent) = queue.receive(now, max, hidden.unwrap_or(queue.spec.visibility_timeout));
        let letters = queue.spec.dead_letters.as_ref().map(|letters| letters.queue.clone());
        let mut dead_lettered = Vec::new();
        // A message is lost when the dead-letter queue does not exist; SQS refuses to configure such a queue.
        if let Some(target) = letters.and_then(|name| self.0.get_mut(&name)) {
            for message in spent {
                target.take_in(now.0, message, arn("sqs", name));
                dead_lettered.push(target.spec.name.clone());
            }
        }
        Ok(Received { messages, dead_lettered })
    }

    /// When the next hidden message of a queue becomes visible.
    pub(super) fn next_visible_at(&self, name: &str) -> Option<Instant> {
        self.0.get(name)?.next_visible_at()
    }

    /// Deletes a message by its receipt handle.
    pub(super) fn delete(&mut self, name: &str, receipt: &str) -> Result<(), Refusal> {
        self.queue(name)?.delete(receipt);
        Ok(())
    }
}

/// A message's attributes with their types, as the request wrote them.
pub(crate) type Attributes = Map<String, Value>;
