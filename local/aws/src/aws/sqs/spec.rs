//! Queues to create, and messages to look at.

use std::collections::BTreeMap;
use std::time::Duration;

/// A queue to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueSpec {
    /// Its name.
    pub name: String,
    /// How long a received message stays out of sight. SQS's default is 30 seconds.
    pub visibility_timeout: Duration,
    /// Where messages go that were received too often.
    pub dead_letters: Option<DeadLetters>,
}

impl QueueSpec {
    /// A queue with a visibility timeout of 30 seconds that keeps every message until it is deleted.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), visibility_timeout: Duration::from_secs(30), dead_letters: None }
    }
}

/// The redrive policy of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetters {
    /// The name of the dead-letter queue.
    pub queue: String,
    /// A message received this often goes to the dead-letter queue instead of being received again.
    pub max_receive_count: u32,
}

/// A message that lies in a queue, to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMessage {
    /// Its id, the same in the dead-letter queue.
    pub id: String,
    /// What was sent.
    pub body: String,
    /// The values of its message attributes; binary ones in base64.
    pub attributes: BTreeMap<String, String>,
    /// How often it was received.
    pub receive_count: u32,
    /// Whether a receiver has it and its visibility timeout is still running.
    pub in_flight: bool,
}
