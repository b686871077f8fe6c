//! Handles the message of a timer: delays it if it is early, otherwise lets the workflow decide.

use crate::attempt::{RESERVE, Request};
use crate::batch::{Batches, receive_count};
use crate::queue::DeadLetterAttributes;
use crate::retry::{Next, RECEIVES, Retry};
use crate::telemetry::{self, Metric};
use aws_lambda_events::sqs::SqsMessage;
use deliveries::Progress;
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use timer::TimerMessage;
use tokio::time::Instant;
use workflow::{Failure, Invocation, NoEffectLog, Outcome, Workflow};

/// How a timer's message ended without a failure.
enum Fired {
    /// The message arrived early; the timer was set again for the remaining time.
    Early,
    /// The workflow has handled the timer.
    Ended(Outcome),
}

impl<W: Workflow> Batches<W> {
    /// Handles a timer's message. Returns whether SQS must deliver it again.
    pub(crate) async fn fire(&self, message: &SqsMessage, body: &str, request: &Request) -> bool {
        let timer = match TimerMessage::parse(body) {
            Ok(timer) => timer,
            Err(error) => {
                let reason = format!("the message is not a timer: {error}");
                tracing::error!(
                    workflow = W::NAME,
                    reason,
                    request.id = request.id,
                    "message is not a timer"
                );
                return self.give_up_timer(body, &reason, request).await;
            }
        };
        let received = receive_count(message);
        let started = Instant::now();
        // On the last receive the worker itself ends the message: SQS would move it to the dead-letter queue without
        // a reason.
        let fired = if received >= RECEIVES {
            let text = format!("received {received} times; the function's log has the reasons");
            Err(Failure::permanent(text))
        } else {
            self.timer(&timer, received, request).await
        };
        let next = fired.as_ref().err().map(|failure| next(failure, message, received, request.now()));
        log::<W>(&timer, fired.as_ref(), next, received, started.elapsed(), request);
        match (fired, next) {
            (Err(_), Some(Next::RetryAfter(wait))) => self.later(message, wait).await,
            (Err(failure), _) => {
                let reason = format!("the timer of `{}`: {}", timer.key, failure.reason());
                self.give_up_timer(body, &reason, request).await
            }
            (Ok(_), _) => false,
        }
    }

    async fn timer(&self, timer: &TimerMessage, received: u32, request: &Request) -> Result<Fired, Failure> {
        let now = request.now();
        if now < timer.due {
            self.timer.ensure(&timer.again(), now).await?;
            return Ok(Fired::Early);
        }
        let mut invocation = Invocation::new(request.id.clone(), now, request.remaining()).repeated(
            received,
            BTreeSet::new(),
            Arc::new(NoEffectLog),
        );
        invocation.retried = true;
        let workflow = self.worker.workflow()?;
        let time = request.remaining().saturating_sub(RESERVE);
        let outcome = match tokio::time::timeout(time, workflow.on_timer(timer, &invocation)).await {
            Ok(outcome) => outcome?,
            Err(_) => {
                return Err(Failure::transient("the workflow did not finish before the function's timeout"));
            }
        };
        if let Outcome::Deferred { until, .. } = &outcome {
            let again = TimerMessage { due: *until, ..timer.again() };
            self.timer.ensure(&again, request.now()).await?;
        }
        Ok(Fired::Ended(outcome))
    }

    async fn give_up_timer(&self, body: &str, reason: &str, request: &Request) -> bool {
        self.to_dead_letters(body, &DeadLetterAttributes { reason, workflow: W::NAME, event_id: "" }, request)
            .await
    }
}

/// What happens to the message of a failed timer. Timers have no delivery record: a temporary failure is retried with
/// growing waits until the last receive, and a failure that a person has to fix for three days after the first
/// receive.
fn next(failure: &Failure, message: &SqsMessage, received: u32, at: Timestamp) -> Next {
    let progress = matches!(failure, Failure::Misconfigured { .. }).then(|| Progress {
        misconfigured_since: first_receive(message).filter(|_| received > 1),
        ..Progress::default()
    });
    Retry::of(received).next(failure, progress.as_ref(), at)
}

fn first_receive(message: &SqsMessage) -> Option<Timestamp> {
    let milliseconds = message.attributes.get("ApproximateFirstReceiveTimestamp")?.parse().ok()?;
    Timestamp::from_millisecond(milliseconds).ok()
}

/// Writes the one log line about a timer. A failed timer counts as a failed attempt, so that the same alarms fire;
/// other outcomes are not counted as attempts at an event.
fn log<W: Workflow>(
    timer: &TimerMessage,
    fired: Result<&Fired, &Failure>,
    next: Option<Next>,
    attempt: u32,
    took: Duration,
    request: &Request,
) {
    let given_up = next == Some(Next::GiveUp);
    let outcome = match fired {
        Ok(Fired::Early) => "early",
        Ok(Fired::Ended(outcome)) => outcome.as_str(),
        Err(Failure::Permanent { .. }) => "permanent",
        Err(_) if given_up => "exhausted",
        Err(failure) => failure.kind(),
    };
    let reason = match fired {
        Ok(Fired::Ended(Outcome::Skipped(reason) | Outcome::Ignored(reason))) => reason.to_string(),
        Ok(Fired::Ended(Outcome::Deferred { until, reason })) => format!("until {until:.0}: {reason}"),
        Ok(Fired::Ended(Outcome::Done) | Fired::Early) => String::new(),
        Err(failure) => failure.reason(),
    };
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    macro_rules! line {
        ($level:ident, $message:literal) => {
            tracing::$level!(
                workflow = W::NAME,
                timer.key = timer.key,
                timer.due = %timer.due,
                timer.generation = timer.generation,
                timer.hops = timer.hops,
                request.id = request.id,
                attempt,
                outcome,
                reason,
                duration_ms,
                $message
            )
        };
    }
    match fired {
        Ok(Fired::Early) => line!(info, "timer armed again"),
        Ok(Fired::Ended(_)) => line!(info, "timer handled"),
        Err(_) if given_up => line!(error, "timer failed permanently"),
        Err(Failure::Misconfigured { .. }) => line!(error, "timer waits until a person fixes this"),
        Err(_) => line!(warn, "timer failed temporarily"),
    }
    if fired.is_err() {
        report::<W>(outcome, request);
    }
}

/// Counts a failed attempt.
pub(super) fn report<W: Workflow>(outcome: &str, request: &Request) {
    let dimensions = [("workflow", W::NAME), ("outcome", outcome)];
    telemetry::report(&dimensions, &[Metric::count("Attempts")], request.now().as_millisecond());
}
