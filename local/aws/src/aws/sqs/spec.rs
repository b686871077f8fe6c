//! The settings of queues to create, and the messages that tests look at.

use std::collections::BTreeMap;
use std::time::Duration;

/// The settings of a queue to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueSpec {
    /// The queue's name.
    pub name: String,
    /// The visibility timeout of received messages; 30 seconds on SQS unless set.
    pub visibility_timeout: Duration,
    /// The redrive policy: where messages go that were received too often.
    pub dead_letters: Option<DeadLetters>,
}

impl QueueSpec {
    /// A queue with a visibility timeout of 30 seconds and without a dead-letter queue.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), visibility_timeout: Duration::from_secs(30), dead_letters: None }
    }
}

/// The redrive policy of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetters {
    /// The name of the dead-letter queue.
    pub queue: String,
    /// A message that was received this often goes to the dead-letter queue instead of being received again.
    pub max_receive_count: u32,
}

/// A message in a queue, for tests to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMessage {
    /// The message's id, which stays the same in the dead-letter queue.
    pub id: String,
    /// The message's body.
    pub body: String,
    /// The values of the message's attributes; binary values in base64.
    pub attributes: BTreeMap<String, String>,
    /// How often the message was received.
    pub receive_count: u32,
    /// Whether a receiver has the message and the visibility timeout is still running.
    pub in_flight: bool,
}
