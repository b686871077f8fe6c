//! One attempt at one event: claim, handle, write down how it ended, log.

use crate::claims::{Claim, ClaimKey, ClaimStore, End, Ended, EventFacts, StoreError};
use crate::retry::Retry;
use crate::telemetry::{self, Metric};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tableau::{Event, EventId, Payload};
use tokio::time::Instant;
use workflow::{BoxError, EffectLog, Failure, Invocation, Outcome, Workflow, chain};

/// What is left for giving the claim back and answering, when a workflow has used up its time.
const RESERVE: Duration = Duration::from_millis(1_000);

/// One call of the function by Lambda.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) id: String,
    started: Timestamp,
    started_at: Instant,
    pub(crate) deadline: Instant,
}

impl Request {
    pub(crate) fn new(id: String, now: Timestamp, timeout: Duration) -> Self {
        let started_at = Instant::now();
        Self { id, started: now, started_at, deadline: started_at + timeout }
    }

    pub(crate) fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.started_at.elapsed()).unwrap_or_default();
        self.started.checked_add(passed).unwrap_or(self.started)
    }

    pub(crate) fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

/// How an attempt ended.
#[derive(Debug)]
pub(crate) enum Attempted {
    Done,
    Skipped(String),
    /// Its time has not come.
    Deferred {
        until: Timestamp,
        reason: String,
    },
    /// An earlier delivery of the event was handled.
    Duplicate,
    /// Someone else is at it.
    Busy {
        until: Timestamp,
    },
    Failed(Failure),
}

impl Attempted {
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Skipped(_) => "skipped",
            Self::Deferred { .. } => "deferred",
            Self::Duplicate => "duplicate",
            Self::Busy { .. } => "busy",
            Self::Failed(failure) => failure.kind(),
        }
    }
}

/// A workflow and the record of what it has done.
pub(crate) struct Worker<W> {
    workflow: W,
    claims: Arc<dyn ClaimStore>,
}

/// Writes effects into the claim.
struct ClaimedEffects {
    claims: Arc<dyn ClaimStore>,
    key: ClaimKey,
    attempt: u32,
}

#[async_trait]
impl EffectLog for ClaimedEffects {
    async fn record(&self, effect: &str) -> Result<(), BoxError> {
        let recorded = self.claims.record_effect(&self.key, self.attempt, effect).await;
        recorded.map_err(|error| {
            // A later attempt may repeat the effect: the one trace of why it did.
            tracing::warn!(event.id = %self.key.event, effect, error = chain(&error), "an effect was not written down");
            error.into()
        })
    }
}

impl<W: Workflow> Worker<W> {
    pub(crate) fn new(workflow: W, claims: Arc<dyn ClaimStore>) -> Self {
        Self { workflow, claims }
    }

    /// One attempt. `retry`: when a failure that may pass is tried again; nothing where nobody does.
    pub(crate) async fn attempt(
        &self,
        payload: &Payload,
        request: &Request,
        retry: Option<Retry>,
    ) -> Attempted {
        let started = Instant::now();
        let key = ClaimKey { workflow: W::NAME, event: EventId::of(payload) };
        let (facts, began) = (EventFacts::from(payload), request.now());
        let (attempted, attempt) = match self.claim(&key, &facts, request).await {
            Err(error) => (Attempted::Failed(Failure::transient(error)), 0),
            Ok(Claim::Finished) => (Attempted::Duplicate, 0),
            Ok(Claim::Busy { until }) => (Attempted::Busy { until }, 0),
            Ok(Claim::Granted { attempt, effects }) => {
                let log = ClaimedEffects { claims: Arc::clone(&self.claims), key: key.clone(), attempt };
                let mut invocation = Invocation::new(request.id.clone(), request.now(), request.remaining())
                    .repeated(attempt, effects, Arc::new(log));
                invocation.retried = retry.is_some();
                let outcome = self.handle(payload, &invocation, request).await;
                (self.settle(&key, (attempt, began), outcome, (request, retry)).await, attempt)
            }
        };
        log(&key, &facts, &attempted, attempt, started.elapsed(), request);
        attempted
    }

    async fn claim(
        &self,
        key: &ClaimKey,
        facts: &EventFacts,
        request: &Request,
    ) -> Result<Claim, StoreError> {
        let now = request.now();
        let lasts = SignedDuration::try_from(request.remaining()).unwrap_or_default();
        let deadline = now.checked_add(lasts).unwrap_or(now);
        self.claims.claim(key, facts, now, deadline).await
    }

    async fn handle(
        &self,
        payload: &Payload,
        invocation: &Invocation,
        request: &Request,
    ) -> Result<Outcome, Failure> {
        let event = match Event::try_from(payload) {
            Ok(event) => event,
            Err(incomplete) => return Ok(Outcome::skipped(incomplete.to_string())),
        };
        let time = request.remaining().saturating_sub(RESERVE);
        match tokio::time::timeout(time, self.workflow.handle(&event, invocation)).await {
            Ok(result) => result,
            Err(_) => Err(Failure::transient("the workflow used up the function's time")),
        }
    }

    /// Records how the attempt ended. What was not recorded did not end: the message comes back, finds the claim
    /// run out, and leaves out the effects that were written down.
    async fn settle(
        &self,
        key: &ClaimKey,
        (attempt, began): (u32, Timestamp),
        outcome: Result<Outcome, Failure>,
        (request, retry): (&Request, Option<Retry>),
    ) -> Attempted {
        let at = request.now();
        let mut next_at = None;
        let (attempted, end) = match outcome {
            Ok(Outcome::Done) => (Attempted::Done, End::Done),
            Ok(Outcome::Skipped(reason)) => {
                let reason = reason.into_owned();
                (Attempted::Skipped(reason.clone()), End::Skipped(reason))
            }
            Ok(Outcome::Deferred { until, reason }) => {
                let reason = reason.into_owned();
                next_at = Some(until);
                (Attempted::Deferred { until, reason: reason.clone() }, End::Deferred(reason))
            }
            Err(failure) => {
                let end = match &failure {
                    Failure::Permanent { .. } => End::Failed(failure.reason()),
                    Failure::Transient { .. } | Failure::Misconfigured { .. } => {
                        let wait = retry.and_then(|retry| retry.wait(&failure).try_into().ok());
                        next_at = wait.and_then(|wait: SignedDuration| at.checked_add(wait).ok());
                        End::Released(failure.reason())
                    }
                };
                (Attempted::Failed(failure), end)
            }
        };
        let recorded = self.claims.end(key, &Ended { attempt, began, at, end, next_at }).await;
        match (recorded, attempted) {
            (Ok(()), attempted) => attempted,
            // The attempt that took over decides; the message comes back to see what it decided.
            (Err(StoreError::Superseded), _) => Attempted::Busy { until: at },
            // What comes back by itself needs no record, and a failure counts more than that it could not be recorded.
            (Err(_), again @ (Attempted::Failed(_) | Attempted::Deferred { .. })) => again,
            (Err(error), _) => Attempted::Failed(Failure::transient(error)),
        }
    }
}

/// The one line about an attempt, and its metrics.
fn log(
    key: &ClaimKey,
    facts: &EventFacts,
    attempted: &Attempted,
    attempt: u32,
    took: Duration,
    request: &Request,
) {
    let workflow = key.workflow;
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let outcome = attempted.as_str();
    let reason = match attempted {
        Attempted::Skipped(reason) => reason.clone(),
        Attempted::Failed(failure) => failure.reason(),
        Attempted::Deferred { until, reason } => format!("until {until:.0}: {reason}"),
        Attempted::Busy { until } => format!("claimed until {until:.0}"),
        Attempted::Done | Attempted::Duplicate => String::new(),
    };
    macro_rules! line {
        ($level:ident, $message:literal) => {
            tracing::$level!(
                workflow,
                event.id = %key.event,
                event.name = facts.name,
                site.luid = facts.site,
                resource.luid = facts.resource,
                request.id = request.id,
                attempt,
                outcome,
                reason,
                duration_ms,
                $message
            )
        };
    }
    match attempted {
        Attempted::Done | Attempted::Skipped(_) | Attempted::Duplicate => line!(info, "event handled"),
        Attempted::Busy { .. } | Attempted::Deferred { .. } => line!(info, "event put off"),
        Attempted::Failed(Failure::Transient { .. }) => line!(warn, "event failed for now"),
        Attempted::Failed(Failure::Misconfigured { .. }) => {
            line!(error, "event waits until a person fixes this")
        }
        Attempted::Failed(Failure::Permanent { .. }) => line!(error, "event failed for good"),
    }
    let now = request.now();
    let created_at: Option<Timestamp> = facts.created_at.parse().ok();
    let mut metrics = vec![
        Metric::count("Attempts"),
        Metric::milliseconds("AttemptDuration", took.as_secs_f64() * 1_000.0),
    ];
    if let (Some(at), Attempted::Done) = (created_at, attempted) {
        let age_ms = now.as_millisecond().saturating_sub(at.as_millisecond()).max(0);
        metrics.push(Metric::milliseconds("EventAge", age_ms as f64));
    }
    telemetry::report(&[("workflow", workflow), ("outcome", outcome)], &metrics, now.as_millisecond());
}
