//! One attempt at one event: claim, handle, complete or release, log.

use crate::claims::{Claim, ClaimKey, ClaimStore, End, EventFacts, StoreError};
use crate::telemetry::{self, Metric};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tableau::{Event, EventId, Payload};
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

    /// One attempt. `retried`: whether a failure that may pass is tried again by someone.
    pub(crate) async fn attempt(&self, payload: &Payload, request: &Request, retried: bool) -> Attempted {
        let started = Instant::now();
        let key = ClaimKey { workflow: W::NAME, event: EventId::of(payload) };
        let (attempted, attempt) = match self.claim(&key, payload, request).await {
            Err(error) => (Attempted::Failed(Failure::transient(error)), 0),
            Ok(Claim::Finished) => (Attempted::Duplicate, 0),
            Ok(Claim::Busy { until }) => (Attempted::Busy { until }, 0),
            Ok(Claim::Granted { attempt, effects }) => {
                let log = ClaimedEffects { claims: Arc::clone(&self.claims), key: key.clone(), attempt };
                let mut invocation = Invocation::new(request.id.clone(), request.now(), request.remaining())
                    .repeated(attempt, effects, Arc::new(log));
                invocation.retried = retried;
                let outcome = self.handle(payload, &invocation, request).await;
                (self.settle(&key, attempt, outcome, request).await, attempt)
            }
        };
        log(W::NAME, &key.event, payload, &attempted, attempt, started.elapsed(), request);
        attempted
    }

    async fn claim(&self, key: &ClaimKey, payload: &Payload, request: &Request) -> Result<Claim, StoreError> {
        let now = request.now();
        let lasts = SignedDuration::try_from(request.remaining()).unwrap_or_default();
        let deadline = now.checked_add(lasts).unwrap_or(now);
        self.claims.claim(key, &EventFacts::from(payload), now, deadline).await
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
        attempt: u32,
        outcome: Result<Outcome, Failure>,
        request: &Request,
    ) -> Attempted {
        let now = request.now();
        let (attempted, recorded) = match outcome {
            Ok(Outcome::Done) => (Attempted::Done, self.claims.complete(key, attempt, &End::Done, now).await),
            Ok(Outcome::Skipped(reason)) => {
                let reason = reason.into_owned();
                let end = End::Skipped(reason.clone());
                (Attempted::Skipped(reason), self.claims.complete(key, attempt, &end, now).await)
            }
            Err(failure) => {
                let reason = failure.reason();
                let recorded = match &failure {
                    Failure::Permanent { .. } => {
                        self.claims.complete(key, attempt, &End::Failed(reason), now).await
                    }
                    Failure::Transient { .. } => self.claims.release(key, attempt, &reason, now).await,
                };
                (Attempted::Failed(failure), recorded)
            }
        };
        match (recorded, attempted) {
            (Ok(()), attempted) => attempted,
            // The attempt that took over decides; the message comes back to see what it decided.
            (Err(StoreError::Superseded), _) => Attempted::Busy { until: now },
            // The failure counts more than that it could not be recorded.
            (Err(_), failed @ Attempted::Failed(_)) => failed,
            (Err(error), _) => Attempted::Failed(Failure::transient(error)),
        }
    }
}

/// The one line about an attempt, and its metrics.
fn log(
    workflow: &str,
    id: &EventId,
    payload: &Payload,
    attempted: &Attempted,
    attempt: u32,
    took: Duration,
    request: &Request,
) {
    let facts = EventFacts::from(payload);
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let outcome = attempted.as_str();
    let reason = match attempted {
        Attempted::Skipped(reason) => reason.clone(),
        Attempted::Failed(failure) => failure.reason(),
        Attempted::Busy { until } => format!("claimed until {until}"),
        Attempted::Done | Attempted::Duplicate => String::new(),
    };
    macro_rules! line {
        ($level:ident, $message:literal) => {
            tracing::$level!(
                workflow,
                event.id = %id,
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
        Attempted::Busy { .. } => line!(info, "event put off"),
        Attempted::Failed(Failure::Transient { .. }) => line!(warn, "event failed for now"),
        Attempted::Failed(Failure::Permanent { .. }) => line!(error, "event failed for good"),
    }
    let now = request.now();
    let created_at: Option<Timestamp> = payload.created_at.as_deref().and_then(|at| at.parse().ok());
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
