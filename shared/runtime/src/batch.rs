//! An SQS batch: one attempt per message, and a reply that names the messages to see again.

use crate::attempt::{Attempted, Request, Worker};
use crate::queue::{FailedMessages, LONGEST_SEND_DELAY, Note};
use crate::retry::Retry;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tableau::{EventId, Payload};
use workflow::{Failure, Workflow};

/// With less time than this no message is begun: it goes back untouched, to be seen again soon.
const LEAST_TIME: Duration = Duration::from_secs(3);
const SOON: Duration = Duration::from_secs(5);

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
        let retry = Retry::of(receive_count(message));
        match self.worker.attempt(&payload, request, Some(retry)).await {
            Attempted::Done | Attempted::Skipped(_) | Attempted::Duplicate => false,
            Attempted::Busy { until } => self.later(message, until_then(until, request.now())).await,
            Attempted::Deferred { until, .. } => {
                self.put_off(message, body, until_then(until, request.now())).await
            }
            Attempted::Failed(failure @ (Failure::Transient { .. } | Failure::Misconfigured { .. })) => {
                self.later(message, retry.wait(&failure)).await
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::{Claim, ClaimKey, ClaimStore, Ended, EventFacts, StoreError};
    use async_trait::async_trait;
    use std::collections::BTreeSet;
    use std::sync::Mutex;
    use tableau::Event;
    use workflow::{BoxError, Invocation, Outcome};

    /// Notes until when the record says that an event waits, and how long its message does.
    #[derive(Debug, Default)]
    struct Waits {
        recorded: Mutex<Vec<Option<Timestamp>>>,
        messages: Mutex<Vec<Duration>>,
    }

    #[async_trait]
    impl ClaimStore for Waits {
        async fn claim(
            &self,
            _: &ClaimKey,
            _: &EventFacts,
            _: Timestamp,
            _: Timestamp,
        ) -> Result<Claim, StoreError> {
            Ok(Claim::Granted { attempt: 1, effects: BTreeSet::new() })
        }

        async fn record_effect(&self, _: &ClaimKey, _: u32, _: &str) -> Result<(), StoreError> {
            Ok(())
        }

        async fn end(&self, _: &ClaimKey, ended: &Ended) -> Result<(), StoreError> {
            self.recorded.lock().unwrap().push(ended.next_at);
            Ok(())
        }
    }

    #[async_trait]
    impl FailedMessages for Waits {
        async fn delay(&self, _: &str, delay: Duration) -> Result<(), BoxError> {
            self.messages.lock().unwrap().push(delay);
            Ok(())
        }

        async fn send_again(&self, _: &str, delay: Duration) -> Result<(), BoxError> {
            self.messages.lock().unwrap().push(delay);
            Ok(())
        }

        async fn dead_letter(&self, _: &str, _: &Note<'_>) -> Result<(), BoxError> {
            Ok(())
        }
    }

    /// Ends as its events' resources say.
    struct Ends;

    impl Workflow for Ends {
        const NAME: &'static str = "ends";

        async fn handle(&self, event: &Event, invocation: &Invocation) -> Result<Outcome, Failure> {
            match event.resource_name.as_deref().unwrap_or_default() {
                "for now" => Err(Failure::transient("500")),
                "for good" => Err(Failure::permanent("404")),
                "later" => {
                    Ok(Outcome::deferred(invocation.now + jiff::SignedDuration::from_secs(60), "not yet"))
                }
                _ => Ok(Outcome::Done),
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_record_says_when_its_message_comes_again() {
        let waits = Arc::new(Waits::default());
        let worker = Arc::new(Worker::new(Ends, Arc::<Waits>::clone(&waits)));
        let batches = Batches { worker, failed: Arc::<Waits>::clone(&waits) };
        let now = Timestamp::UNIX_EPOCH;
        let mut batch = SqsEvent::default();
        batch.records = ["for now", "later", "for good", "done"]
            .map(|name| {
                let mut message = SqsMessage::default();
                let luid = "4cdd2055-930d-4eaf-94f4-733f3e7d1bfb";
                message.body = Some(format!(
                    r#"{{"event_type":"WorkbookUpdated","resource":"WORKBOOK","resource_name":"{name}",
                        "resource_luid":"{luid}","site_luid":"{luid}","created_at":"2026-11-22T14:00:00Z"}}"#
                ));
                message
            })
            .to_vec();

        batches.handle(batch, &Request::new("r".to_owned(), now, Duration::from_secs(60))).await;

        let messages = waits.messages.lock().unwrap();
        let recorded = waits.recorded.lock().unwrap();
        let waited = |at: Option<Timestamp>| at.map(|at| Duration::try_from(at.duration_since(now)).unwrap());
        assert_eq!(waited(recorded[0]), Some(messages[0]));
        // A second more, so that it does not come before its time.
        assert_eq!(waited(recorded[1]).map(|wait| wait + Duration::from_secs(1)), Some(messages[1]));
        assert_eq!((&recorded[2..], messages.len()), (&[None, None][..], 2));
    }
}
