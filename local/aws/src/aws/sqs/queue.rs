//! One queue: which messages are visible when. The time is an argument; no I/O.

use super::super::names::random_alphanumeric;
use super::spec::{QueueSpec, StoredMessage};
use serde_json::{Map, Value};
use std::time::Duration;
use tokio::time::Instant;

/// A stored message and its state.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) body: String,
    /// The message attributes, as the request wrote them.
    pub(crate) attributes: Map<String, Value>,
    pub(crate) trace_header: Option<String>,
    pub(crate) sent_at_ms: i64,
    pub(crate) first_received_at_ms: Option<i64>,
    pub(crate) receive_count: u32,
    /// The receipt handle of the latest receive; only this handle is valid.
    pub(crate) receipt: Option<String>,
    /// The ARN of the source queue, when the message is a dead letter.
    pub(crate) dead_letter_of: Option<String>,
    visible_at: Instant,
}

impl Message {
    fn in_flight(&self, now: Instant) -> bool {
        self.receipt.is_some() && self.visible_at > now
    }

    fn stored(&self, now: Instant) -> StoredMessage {
        let text = |value: &Value| {
            let text = value["StringValue"].as_str().or(value["BinaryValue"].as_str());
            text.unwrap_or_default().to_owned()
        };
        StoredMessage {
            id: self.id.clone(),
            body: self.body.clone(),
            attributes: self.attributes.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
            receive_count: self.receive_count,
            in_flight: self.in_flight(now),
        }
    }
}

/// The number of messages in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) visible: usize,
    pub(crate) in_flight: usize,
    pub(crate) delayed: usize,
}

/// What a receipt handle refers to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Receipt {
    /// The latest handle of a message, in flight or not.
    Current { in_flight: bool },
    /// The handle of a message that was deleted or received again since.
    Stale,
    /// A text that never was a receipt handle of this queue.
    Unknown,
}

/// A queue and its messages, oldest first.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) spec: QueueSpec,
    pub(crate) created_at_s: i64,
    /// The upper limit for the delay of messages, whatever the sender asked for.
    pub(crate) longest_delay: Duration,
    messages: Vec<Message>,
}

/// The prefix of this queue's receipt handles, by which handles of deleted messages are recognised.
const RECEIPT: &str = "AQEB";

impl Queue {
    pub(crate) fn new(spec: QueueSpec, created_at_s: i64) -> Self {
        Self { spec, created_at_s, longest_delay: Duration::MAX, messages: Vec::new() }
    }

    /// Adds a message and returns its id.
    pub(crate) fn send(
        &mut self,
        (now, now_ms): (Instant, i64),
        body: String,
        attributes: Map<String, Value>,
        trace_header: Option<String>,
        delay: Duration,
    ) -> String {
        let id = uuid::Uuid::new_v4().to_string();
        self.messages.push(Message {
            id: id.clone(),
            body,
            attributes,
            trace_header,
            sent_at_ms: now_ms,
            first_received_at_ms: None,
            receive_count: 0,
            receipt: None,
            dead_letter_of: None,
            visible_at: now + delay.min(self.longest_delay),
        });
        id
    }

    /// Adds a message that another queue gave up, with its id, age and receive count.
    pub(crate) fn take_in(&mut self, now: Instant, mut message: Message, source_arn: String) {
        message.receipt = None;
        message.visible_at = now;
        message.dead_letter_of = Some(source_arn);
        self.messages.push(message);
    }

    /// Receives up to `max` messages and hides them for `hidden`. The second list has the messages that were received
    /// too often: they are removed from this queue and belong in the dead-letter queue.
    pub(crate) fn receive(
        &mut self,
        (now, now_ms): (Instant, i64),
        max: usize,
        hidden: Duration,
    ) -> (Vec<Message>, Vec<Message>) {
        let limit = self.spec.dead_letters.as_ref().map(|letters| letters.max_receive_count);
        let spent = self.messages.extract_if(.., |message| {
            message.visible_at <= now && limit.is_some_and(|limit| message.receive_count >= limit)
        });
        let spent = spent.collect();
        let visible = self.messages.iter_mut().filter(|message| message.visible_at <= now).take(max);
        let received = visible.map(|message| {
            message.visible_at = now + hidden;
            message.receive_count += 1;
            message.first_received_at_ms.get_or_insert(now_ms);
            message.receipt = Some(format!("{RECEIPT}{}", random_alphanumeric(40)));
            message.clone()
        });
        (received.collect(), spent)
    }

    /// When the next hidden message becomes visible.
    pub(crate) fn next_visible_at(&self) -> Option<Instant> {
        self.messages.iter().map(|message| message.visible_at).min()
    }

    pub(crate) fn receipt(&self, now: Instant, handle: &str) -> Receipt {
        match self.messages.iter().find(|message| message.receipt.as_deref() == Some(handle)) {
            Some(message) => Receipt::Current { in_flight: message.in_flight(now) },
            None if handle.starts_with(RECEIPT) => Receipt::Stale,
            None => Receipt::Unknown,
        }
    }

    /// Deletes the message with this receipt handle, if the handle is the message's latest.
    pub(crate) fn delete(&mut self, handle: &str) {
        self.messages.retain(|message| message.receipt.as_deref() != Some(handle));
    }

    /// Hides the message with this receipt handle until `visible_at`.
    pub(crate) fn hide_until(&mut self, handle: &str, visible_at: Instant) {
        let found = self.messages.iter_mut().find(|message| message.receipt.as_deref() == Some(handle));
        if let Some(message) = found {
            message.visible_at = visible_at;
        }
    }

    pub(crate) fn counts(&self, now: Instant) -> Counts {
        self.messages.iter().fold(Counts::default(), |mut counts, message| {
            match (message.visible_at <= now, message.receipt.is_some()) {
                (true, _) => counts.visible += 1,
                (false, true) => counts.in_flight += 1,
                (false, false) => counts.delayed += 1,
            }
            counts
        })
    }

    /// All messages, oldest first.
    pub(crate) fn stored(&self, now: Instant) -> Vec<StoredMessage> {
        self.messages.iter().map(|message| message.stored(now)).collect()
    }

    /// The oldest message with this body.
    pub(crate) fn stored_with(&self, body: &str, now: Instant) -> Option<StoredMessage> {
        self.messages.iter().find(|message| message.body == body).map(|message| message.stored(now))
    }
}

#[cfg(test)]
mod tests {
    use super::super::DeadLetters;
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn queue(max_receive_count: u32) -> Queue {
        let letters = DeadLetters { queue: "spent".to_owned(), max_receive_count };
        Queue::new(QueueSpec { dead_letters: Some(letters), ..QueueSpec::new("work") }, 0)
    }

    fn send(queue: &mut Queue, now: Instant, body: &str) {
        queue.send((now, 0), body.to_owned(), Map::new(), None, Duration::ZERO);
    }

    #[test]
    fn a_received_message_is_out_of_sight_until_its_time_is_up() {
        let mut queue = queue(9);
        let start = Instant::now();
        send(&mut queue, start, "one");

        let (first, _) = queue.receive((start, 0), 10, 5 * SECOND);
        let (early, _) = queue.receive((start + 4 * SECOND, 0), 10, 5 * SECOND);
        let (late, _) = queue.receive((start + 5 * SECOND, 0), 10, 5 * SECOND);

        assert_eq!((first.len(), early.len(), late.len()), (1, 0, 1));
        assert_eq!(late[0].receive_count, 2);
        assert_ne!(first[0].receipt, late[0].receipt);
    }

    #[test]
    fn a_message_is_given_up_when_it_would_be_received_once_too_often() {
        let mut queue = queue(2);
        let mut now = Instant::now();
        send(&mut queue, now, "poison");
        for _ in 0..2 {
            let (received, spent) = queue.receive((now, 0), 10, SECOND);
            assert_eq!((received.len(), spent.len()), (1, 0));
            now += SECOND;
        }
        let (received, spent) = queue.receive((now, 0), 10, SECOND);
        assert_eq!((received.len(), spent.len()), (0, 1));
        assert_eq!(queue.counts(now), Counts::default());
    }

    #[test]
    fn only_the_latest_receipt_handle_counts() {
        let mut queue = queue(9);
        let start = Instant::now();
        send(&mut queue, start, "one");
        let first = queue.receive((start, 0), 1, SECOND).0.remove(0).receipt.unwrap();
        let second = queue.receive((start + SECOND, 0), 1, SECOND).0.remove(0).receipt.unwrap();

        assert_eq!(queue.receipt(start + SECOND, &first), Receipt::Stale);
        assert_eq!(queue.receipt(start + SECOND, &second), Receipt::Current { in_flight: true });
        assert_eq!(queue.receipt(start + 2 * SECOND, &second), Receipt::Current { in_flight: false });
        assert_eq!(queue.receipt(start, "made up"), Receipt::Unknown);
        queue.delete(&first);
        assert_eq!(queue.stored(start).len(), 1);
        queue.delete(&second);
        assert!(queue.stored(start).is_empty());
    }

    #[test]
    fn a_delayed_message_is_neither_visible_nor_in_flight() {
        let mut queue = queue(9);
        let start = Instant::now();
        queue.send((start, 0), "later".to_owned(), Map::new(), None, SECOND);
        assert_eq!(queue.counts(start), Counts { delayed: 1, ..Counts::default() });
        assert_eq!(queue.counts(start + SECOND), Counts { visible: 1, ..Counts::default() });
    }

    #[test]
    fn delays_can_be_cut_short() {
        let mut queue = queue(9);
        let start = Instant::now();
        queue.longest_delay = SECOND;
        queue.send((start, 0), "later".to_owned(), Map::new(), None, 900 * SECOND);
        assert_eq!(queue.receive((start, 0), 10, SECOND).0.len(), 0);
        assert_eq!(queue.receive((start + SECOND, 0), 10, SECOND).0.len(), 1);
    }
}
