//! Handles an SQS batch: one attempt per message. The reply lists the messages that SQS must deliver again.

use crate::attempt::{Attempted, Message, Request, Worker, until_then};
use crate::queue::{COPY_OF, DeadLetterAttributes, FailedMessages};
use crate::retry::{Next, RECEIVES, Retry};
use crate::telemetry::{self, Metric};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use deliveries::Content;
use std::sync::Arc;
use std::time::Duration;
use timer::Timer;
use workflow::Workflow;

/// If the invocation has less time left than this, no further message is handled: SQS delivers the rest again soon.
const LEAST_TIME: Duration = Duration::from_secs(3);
const SOON: Duration = Duration::from_secs(5);

/// The part of a workflow's function that handles queue messages.
pub(crate) struct Batches<W> {
    pub(crate) worker: Arc<Worker<W>>,
    pub(crate) failed: Arc<dyn FailedMessages>,
    /// Sets a timer again when its message arrives too early.
    pub(crate) timer: Arc<dyn Timer>,
}

impl<W: Workflow> Batches<W> {
    /// Handles the messages one after the other. The reply lists the messages that stay in the queue; SQS deletes the
    /// others.
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

    /// Handles one message. Returns whether SQS must deliver it again.
    async fn message(&self, message: &SqsMessage, request: &Request) -> bool {
        let body = message.body.as_deref().unwrap_or_default();
        if timer::is_timer(body) {
            return self.fire(message, body, request).await;
        }
        let has_attribute = |name: &str| message.message_attributes.contains_key(name);
        let content = match deliveries::of_message(body, has_attribute) {
            Ok(content) => content,
            Err(error) => {
                tracing::error!(workflow = W::NAME, reason = %error, request.id = request.id, "message is not an event");
                let attributes = DeadLetterAttributes {
                    reason: &format!("the message is not an event: {error}"),
                    workflow: W::NAME,
                    event_id: "",
                };
                return self.to_dead_letters(body, &attributes, request).await;
            }
        };
        let body = content.to_json();
        let received = receive_count(message);
        let retry = Retry::of(received);
        let carried = Message {
            id: message.message_id.as_deref().unwrap_or_default(),
            body: &body,
            copy_of: copy_of(message),
            retry,
            queue: self.failed.as_ref(),
        };
        let attempted = if received >= RECEIVES {
            self.worker.give_up(&content, request, carried, received).await
        } else {
            self.worker.attempt(&content, request, Some(carried)).await
        };
        match attempted {
            Attempted::Done
            | Attempted::Skipped(_)
            | Attempted::Ignored(_)
            | Attempted::Deferred { .. }
            | Attempted::Duplicate => false,
            Attempted::Busy { until } => self.later(message, until_then(until, request.now())).await,
            Attempted::Failed { next: Next::RetryAfter(wait), .. } => self.later(message, wait).await,
            Attempted::Failed { failure, next: Next::GiveUp } => {
                self.give_up(&content, &body, &failure.reason(), request).await
            }
        }
    }

    async fn give_up(&self, content: &Content, body: &str, reason: &str, request: &Request) -> bool {
        let id = content.event_id();
        let attributes = DeadLetterAttributes { reason, workflow: W::NAME, event_id: id.as_str() };
        self.to_dead_letters(body, &attributes, request).await
    }

    pub(crate) async fn later(&self, message: &SqsMessage, delay: Duration) -> bool {
        let receipt = message.receipt_handle.as_deref().unwrap_or_default();
        if let Err(error) = self.failed.delay(receipt, delay).await {
            // Without the new visibility timeout, SQS delivers the message again after the queue's own visibility
            // timeout.
            tracing::warn!(workflow = W::NAME, reason = %error, "cannot delay the message");
        }
        true
    }

    /// Sends the message to the dead-letter queue. Returns whether SQS must deliver it again, because that failed.
    pub(crate) async fn to_dead_letters(
        &self,
        body: &str,
        attributes: &DeadLetterAttributes<'_>,
        request: &Request,
    ) -> bool {
        match self.failed.dead_letter(body, attributes).await {
            Ok(()) => {
                let dimensions = [("workflow", W::NAME)];
                telemetry::report(
                    &dimensions,
                    &[Metric::count("DeadLetters")],
                    request.now().as_millisecond(),
                );
                false
            }
            Err(error) => {
                tracing::error!(workflow = W::NAME, reason = %error, "cannot reach the dead-letter queue");
                true
            }
        }
    }
}

pub(crate) fn receive_count(message: &SqsMessage) -> u32 {
    message.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok()).unwrap_or(1)
}

/// The number of the deferred attempt that sent this message, if one did.
fn copy_of(message: &SqsMessage) -> Option<u32> {
    message.message_attributes.get(COPY_OF)?.string_value.as_ref()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::DeadLetterAttributes;
    use async_trait::async_trait;
    use aws_lambda_events::sqs::SqsMessageAttribute;
    use deliveries::{
        Claim, ClaimStore, Claimant, DeliveryKey, Ended, EventFacts, MemoryClaims, Progress, StoreError,
    };
    use jiff::{SignedDuration, Timestamp};
    use rules::Rules;
    use std::collections::HashMap;
    use std::sync::Mutex;
    use tableau::Event;
    use timer::MemoryTimer;
    use workflow::{BoxError, Effect, Failure, Invocation, Outcome};

    /// A test double that records how long events are deferred in the delivery record and in the queue.
    #[derive(Debug, Default)]
    struct Waits {
        recorded: Mutex<Vec<Option<Timestamp>>>,
        messages: Mutex<Vec<Duration>>,
    }

    #[async_trait]
    impl ClaimStore for Waits {
        async fn claim(&self, _: &DeliveryKey, _: &EventFacts, _: &Claimant) -> Result<Claim, StoreError> {
            Ok(Claim::Granted { attempt: 1, progress: Progress::default() })
        }

        async fn record_effect(&self, _: &DeliveryKey, _: u32, _: &Effect) -> Result<(), StoreError> {
            Ok(())
        }

        async fn end(&self, _: &DeliveryKey, ended: &Ended) -> Result<(), StoreError> {
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

        async fn send_copy(&self, _: &str, _: u32, delay: Duration) -> Result<(), BoxError> {
            self.messages.lock().unwrap().push(delay);
            Ok(())
        }

        async fn dead_letter(&self, _: &str, _: &DeadLetterAttributes<'_>) -> Result<(), BoxError> {
            Ok(())
        }
    }

    fn rules() -> rules::LoadedRules {
        Rules::default().into()
    }

    /// A test workflow whose outcome is named in the event's resource.
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
        let worker = Arc::new(Worker::new(Ok(Ends), rules(), Arc::<Waits>::clone(&waits)));
        let batches =
            Batches { worker, failed: Arc::<Waits>::clone(&waits), timer: Arc::new(MemoryTimer::default()) };
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
        // The message is delayed by one second more than the record says, so that it does not arrive early.
        assert_eq!(waited(recorded[1]).map(|wait| wait + Duration::from_secs(1)), Some(messages[1]));
        assert_eq!((&recorded[2..], messages.len()), (&[None, None][..], 2));
    }

    /// A queue that stores every copy twice, as happens when the SDK repeats a request after a slow answer.
    #[derive(Default)]
    struct Twice(Mutex<Vec<(Option<u32>, Duration)>>);

    #[async_trait]
    impl FailedMessages for Twice {
        async fn delay(&self, _: &str, _: Duration) -> Result<(), BoxError> {
            Ok(())
        }

        async fn send_copy(&self, _: &str, attempt: u32, delay: Duration) -> Result<(), BoxError> {
            self.0.lock().unwrap().extend([(Some(attempt), delay); 2]);
            Ok(())
        }

        async fn dead_letter(&self, _: &str, _: &DeadLetterAttributes<'_>) -> Result<(), BoxError> {
            Ok(())
        }
    }

    const BODY: &str =
        r#"{"event_type":"SiteUpdated","resource_name":"later","resource_luid":"r","site_luid":"s"}"#;

    fn message(copy_of: Option<u32>) -> SqsEvent {
        let mut message = SqsMessage::default();
        message.body = Some(BODY.to_owned());
        message.message_id = Some("m".to_owned());
        if let Some(attempt) = copy_of {
            let mut attribute = SqsMessageAttribute::default();
            attribute.string_value = Some(attempt.to_string());
            message.message_attributes = HashMap::from([(COPY_OF.to_owned(), attribute)]);
        }
        let mut batch = SqsEvent::default();
        batch.records = vec![message];
        batch
    }

    #[tokio::test(start_paused = true)]
    async fn copies_of_a_deferred_event_do_not_multiply_while_the_queue_takes_each_twice() {
        let queue = Arc::new(Twice::default());
        let worker = Arc::new(Worker::new(Ok(Ends), rules(), Arc::new(MemoryClaims::default())));
        let batches =
            Batches { worker, failed: Arc::<Twice>::clone(&queue), timer: Arc::new(MemoryTimer::default()) };
        let mut now = Timestamp::UNIX_EPOCH;
        let mut messages = vec![None];
        let mut most = 0;
        for hop in 0..60 {
            for copy_of in std::mem::take(&mut messages) {
                let request = Request::new(format!("{hop} {copy_of:?}"), now, Duration::from_secs(60));
                let response = batches.handle(message(copy_of), &request).await;
                assert!(response.batch_item_failures.is_empty());
            }
            messages.extend(queue.0.lock().unwrap().drain(..).map(|(copy_of, _)| copy_of));
            assert!(!messages.is_empty(), "the event is lost after {hop} hops");
            most = most.max(messages.len());
            now += SignedDuration::from_secs(900);
        }
        assert_eq!(most, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn an_event_that_is_deferred_without_end_becomes_a_dead_letter() {
        let queue = Arc::new(Twice::default());
        let worker = Arc::new(Worker::new(Ok(Ends), rules(), Arc::new(MemoryClaims::default())));
        let batches =
            Batches { worker, failed: Arc::<Twice>::clone(&queue), timer: Arc::new(MemoryTimer::default()) };
        let mut copy_of = None;
        let mut hops = 0;
        loop {
            let now = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(900 * hops);
            let request = Request::new(hops.to_string(), now, Duration::from_secs(60));
            batches.handle(message(copy_of), &request).await;
            let Some((next, _)) = queue.0.lock().unwrap().drain(..).next() else { break };
            copy_of = next;
            hops += 1;
        }
        assert_eq!(hops, 500);
    }
}
