//! An SQS batch: one attempt per message, and a reply that names the messages to see again.

use crate::attempt::{Attempted, Request, Worker};
use crate::queue::{FailedMessages, LONGEST_SEND_DELAY, Note};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tableau::{EventId, Payload};
use workflow::{Failure, Workflow};

/// With less time than this no message is begun: it goes back untouched, to be seen again soon.
const LEAST_TIME: Duration = Duration::from_secs(3);
const SOON: Duration = Duration::from_secs(5);
/// The first wait after a failure; doubles with every attempt up to the longest.
const FIRST_WAIT: Duration = Duration::from_secs(15);
/// So long that the tries last for eight hours also when a destination asked for the first waits.
const LONGEST_WAIT: Duration = Duration::from_secs(930);
/// The longest wait that a destination gets when it asks for one: with more, a message could come to the end of its
/// queue's days before its tries are over, and would be gone instead of a dead letter.
const LONGEST_ASKED: Duration = Duration::from_secs(60 * 60);

/// The queue side of a workflow's function.
pub(crate) struct Batches<W> {
    pub(crate) worker: Arc<Worker<W>>,
    pub(crate) failed: Arc<dyn FailedMessages>,
}

impl<W: Workflow> Batches<W> {
    /// Handles the messages one after the other. Those that are named in the reply stay in the queue.
    pub(crate) async fn handle(&self, batch: SqsEvent, request: &Request) -> SqsBatchResponse {
        let mut response = SqsBatchResponse::default();
        for message in &batch.records {
            let again = if request.remaining() < LEAST_TIME {
                self.later(message, SOON).await
            } else {
                self.message(message, request).await
            };
            if again {
                response.add_failure(message.message_id.clone().unwrap_or_default());
            }
        }
        response
    }

    /// Whether the message is to be seen again.
    async fn message(&self, message: &SqsMessage, request: &Request) -> bool {
        let body = message.body.as_deref().unwrap_or_default();
        let payload = match Payload::parse(body.as_bytes()) {
            Ok(payload) => payload,
            Err(error) => {
                tracing::error!(workflow = W::NAME, reason = %error, request.id = request.id, "message is no event");
                return self.to_dead_letters(body, &format!("the message is no event: {error}"), "").await;
            }
        };
        match self.worker.attempt(&payload, request, true).await {
            Attempted::Done | Attempted::Skipped(_) | Attempted::Duplicate => false,
            Attempted::Busy { until } => self.later(message, until_then(until, request.now())).await,
            Attempted::Deferred { until, .. } => {
                self.put_off(message, body, until_then(until, request.now())).await
            }
            Attempted::Failed(Failure::Transient { retry_after, .. }) => {
                self.later(message, wait(receive_count(message), retry_after)).await
            }
            Attempted::Failed(failure @ Failure::Permanent { .. }) => {
                let id = EventId::of(&payload);
                self.to_dead_letters(body, &failure.reason(), id.as_str()).await
            }
        }
    }

    /// What waits is sent anew, each quarter of an hour if it waits for long: a message that stays becomes old, which is what
    /// the alarm on the queue's age is for, uses up its tries, and is gone when the queue's days are over.
    async fn put_off(&self, message: &SqsMessage, body: &str, delay: Duration) -> bool {
        let delay = delay.min(LONGEST_SEND_DELAY);
        match self.failed.send_again(body, delay).await {
            Ok(()) => false,
            Err(error) => {
                tracing::warn!(workflow = W::NAME, reason = %error, "cannot send the message anew");
                self.later(message, delay).await
            }
        }
    }

    async fn later(&self, message: &SqsMessage, delay: Duration) -> bool {
        let receipt = message.receipt_handle.as_deref().unwrap_or_default();
        if let Err(error) = self.failed.delay(receipt, delay).await {
            // The message comes back all the same, when the queue's own visibility timeout is over.
            tracing::warn!(workflow = W::NAME, reason = %error, "cannot put the message off");
        }
        true
    }

    /// A message that reached the dead-letter queue is done with here; one that did not comes back.
    async fn to_dead_letters(&self, body: &str, reason: &str, event_id: &str) -> bool {
        let note = Note { reason, workflow: W::NAME, event_id };
        match self.failed.dead_letter(body, &note).await {
            Ok(()) => false,
            Err(error) => {
                tracing::error!(workflow = W::NAME, reason = %error, "cannot reach the dead-letter queue");
                true
            }
        }
    }
}

fn receive_count(message: &SqsMessage) -> u32 {
    message.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok()).unwrap_or(1)
}

fn until_then(until: Timestamp, now: Timestamp) -> Duration {
    let left = until.duration_since(now).max(jiff::SignedDuration::ZERO);
    Duration::try_from(left).unwrap_or_default() + Duration::from_secs(1)
}

/// How often a destination's own wait is taken at its word, before ours grows beyond it.
const TRUSTED: u32 = 3;
/// Messages that were asked to wait for the same time return within so long of each other.
const LONGEST_SPREAD: Duration = Duration::from_secs(30);

/// The wait before the next attempt: what the destination asked for, and more the longer that does not help.
fn wait(received: u32, asked: Option<Duration>) -> Duration {
    match asked {
        None => back_off(received),
        Some(asked) => {
            let asked = asked.min(LONGEST_ASKED);
            let asked = asked + (asked / 2).min(LONGEST_SPREAD).mul_f64(fastrand::f64());
            if received <= TRUSTED { asked } else { asked.max(back_off(received - TRUSTED)) }
        }
    }
}

/// Between half of and the whole doubled wait, so that messages that failed together do not return together.
fn back_off(received: u32) -> Duration {
    let ceiling = FIRST_WAIT.saturating_mul(1 << received.clamp(1, 16).saturating_sub(1)).min(LONGEST_WAIT);
    ceiling.mul_f64(0.5 + fastrand::f64() / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As in every block of template.yaml.
    const TRIES: u32 = 50;
    const QUEUE_KEEPS: Duration = Duration::from_secs(4 * 24 * 60 * 60);

    #[test]
    fn a_message_becomes_a_dead_letter_after_about_eight_hours() {
        // docs/operations.md and the alarms' texts say so.
        let longest: Duration = (1..=TRIES)
            .map(|n| FIRST_WAIT.saturating_mul(1 << n.min(16).saturating_sub(1)).min(LONGEST_WAIT))
            .sum();
        let hours = longest.mul_f64(0.75).as_secs_f64() / 3_600.0;
        assert!((8.0..9.0).contains(&hours), "{hours}");
    }

    #[test]
    fn a_message_is_tried_out_before_its_queue_deletes_it_whatever_a_destination_asks_for() {
        let asked = Some(Duration::from_secs(24 * 60 * 60));
        let longest = (1..=TRIES).map(|received| (0..100).map(|_| wait(received, asked)).max().unwrap());
        assert!(longest.sum::<Duration>() < QUEUE_KEEPS);
    }

    #[test]
    fn a_wait_that_was_asked_for_is_the_least_and_grows_when_it_does_not_help() {
        let asked = Some(Duration::from_secs(2));
        for (received, least, most) in [(1, 2, 3), (3, 2, 3), (4, 7, 15), (6, 30, 60), (60, 465, 930)] {
            let seconds = wait(received, asked).as_secs();
            assert!((least..=most).contains(&seconds), "{received}: {seconds}");
        }
        assert!(wait(60, Some(Duration::from_secs(3_600))).as_secs() >= 3_600);
    }

    #[test]
    fn waits_that_are_asked_for_use_the_tries_up_no_sooner() {
        // Such as those of a circuit: 15 seconds to 5 minutes, or what is left of them.
        for asked in [0, 1, 15, 300] {
            let asked = Some(Duration::from_secs(asked));
            let all: Duration = (0..100).flat_map(|_| (1..=TRIES).map(|n| wait(n, asked))).sum();
            let hours = all.as_secs_f64() / 100.0 / 3_600.0;
            assert!(hours >= 8.0, "{asked:?}: {hours}");
        }
    }

    #[test]
    fn messages_that_waited_for_the_same_time_return_at_its_end_and_not_all_at_once() {
        let open = Duration::from_secs(300);
        let waits: Vec<u64> = (0..200).map(|_| wait(1, Some(open)).as_secs()).collect();
        assert!(waits.iter().all(|wait| (300..=330).contains(wait)), "{waits:?}");
        assert!(waits.iter().max().unwrap() - waits.iter().min().unwrap() > 15, "{waits:?}");
    }

    #[test]
    fn the_wait_grows_and_has_an_end() {
        for (received, least, most) in [(0, 7, 15), (1, 7, 15), (2, 15, 30), (4, 60, 120), (60, 465, 930)] {
            let wait = back_off(received).as_secs();
            assert!((least..=most).contains(&wait), "{received}: {wait}");
        }
    }
}
