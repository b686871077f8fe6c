//! One attempt at one event: claims the event, runs the workflow, records the outcome, writes the log line.

pub(crate) use crate::attempted::Attempted;
use crate::causes;
use crate::queue::FailedMessages;
pub(crate) use crate::request::Request;
use crate::retry::{LONGEST_FIX, MOST_DEFERRALS, Next, Retry, TRIES};
use crate::telemetry::{self, Metric};
use async_trait::async_trait;
use deliveries::{
    Claim, ClaimStore, Claimant, Content, DeliveryKey, End, Ended, EventFacts, Progress, StoreError,
};
use jiff::{SignedDuration, Timestamp};
use rules::LoadedRules;
use std::sync::Arc;
use std::time::Duration;
use tableau::Event;
use tokio::time::Instant;
use workflow::{
    BoxError, Effect, EffectLog, Failure, FoundCause, Invocation, Outcome, Workflow, chain,
    counts_for_objective,
};

/// The time kept back from the workflow at the end of an invocation, to release the claim and to answer Lambda.
pub(crate) const RESERVE: Duration = Duration::from_millis(1_000);

/// The workflow, or the reason why it cannot start.
pub(crate) type Started<W> = Result<W, String>;

/// A workflow, the settings that decide whether an event is for the workflow, and the store of delivery records.
pub(crate) struct Worker<W> {
    workflow: Started<W>,
    rules: LoadedRules,
    claims: Arc<dyn ClaimStore>,
}

/// The queue message of an event, and how that message is retried.
#[derive(Clone, Copy)]
pub(crate) struct Message<'a> {
    pub(crate) id: &'a str,
    pub(crate) body: &'a str,
    /// Set for a copy that a deferred attempt sent: the number of that attempt.
    pub(crate) copy_of: Option<u32>,
    pub(crate) retry: Retry,
    pub(crate) queue: &'a dyn FailedMessages,
}

/// Records effects in the delivery record while this attempt holds the claim.
struct ClaimedEffects {
    claims: Arc<dyn ClaimStore>,
    key: DeliveryKey,
    attempt: u32,
}

#[async_trait]
impl EffectLog for ClaimedEffects {
    async fn record(&self, effect: &Effect) -> Result<(), BoxError> {
        let recorded = self.claims.record_effect(&self.key, self.attempt, effect).await;
        recorded.map_err(|error| {
            // This warning is the only trace if a later attempt repeats the effect because the record lacks it.
            tracing::warn!(event.id = %self.key.event, %effect, error = chain(&error), "an effect was not recorded");
            error.into()
        })
    }
}

impl<W: Workflow> Worker<W> {
    pub(crate) fn new(workflow: Started<W>, rules: LoadedRules, claims: Arc<dyn ClaimStore>) -> Self {
        Self { workflow, rules, claims }
    }

    /// The workflow, or the failure that keeps it from starting. Events wait while a setting is wrong.
    pub(crate) fn workflow(&self) -> Result<&W, Failure> {
        self.workflow.as_ref().map_err(|problem| Failure::misconfigured(problem.as_str()))
    }

    /// Makes one attempt at an event. `message` is the queue message that brought the event; `None` in inline mode,
    /// where a failed event is not retried.
    pub(crate) async fn attempt(
        &self,
        content: &Content,
        request: &Request,
        message: Option<Message<'_>>,
    ) -> Attempted {
        let started = Instant::now();
        let key = DeliveryKey::new(W::NAME, content.event_id());
        let facts = EventFacts::from(content);
        let began = request.now();
        let mut deferrals = 0;
        let (attempted, attempt) = match self.claim(&key, &facts, request, message).await {
            Err(error) => (unclaimed(Failure::transient(error), message, request), 0),
            Ok(Claim::Unknown { state }) => {
                (unclaimed(Failure::transient(unknown_state(&state)), message, request), 0)
            }
            Ok(Claim::Finished | Claim::ExtraCopy) => (Attempted::Duplicate, 0),
            Ok(Claim::Busy { until }) => (Attempted::Busy { until }, 0),
            Ok(Claim::Granted { attempt, progress }) => {
                let log = ClaimedEffects { claims: Arc::clone(&self.claims), key: key.clone(), attempt };
                let mut invocation = Invocation::new(request.id.clone(), request.now(), request.remaining())
                    .repeated(attempt, progress.effects.clone(), Arc::new(log));
                invocation.retried = message.is_some();
                if let Content::Event(payload) = content {
                    invocation = invocation.with_payload(payload.clone());
                }
                let outcome = self.handle(content, &invocation, request).await;
                let found = invocation.cause_of(&key.event);
                deferrals = progress.deferrals;
                let claimed = Claimed { key: &key, attempt, progress, began, found };
                (self.conclude(&claimed, outcome, request, message).await, attempt)
            }
        };
        log(&key, &facts, &attempted, attempt, started.elapsed(), request);
        if matches!(attempted, Attempted::Done) {
            report_message_time(W::NAME, content, deferrals, request.now());
        }
        attempted
    }

    /// Gives an event up without another attempt, because its message was received for the last time. A record that
    /// is finished, or deferred with a newer message, is not changed.
    pub(crate) async fn give_up(
        &self,
        content: &Content,
        request: &Request,
        message: Message<'_>,
        received: u32,
    ) -> Attempted {
        let key = DeliveryKey::new(W::NAME, content.event_id());
        let facts = EventFacts::from(content);
        let began = request.now();
        let given_up = |why: String| Attempted::Failed {
            failure: Failure::transient(format!("received {received} times; {why}")),
            next: Next::GiveUp,
        };
        let (attempted, attempt) = match self.claim(&key, &facts, request, Some(message)).await {
            Ok(Claim::Finished | Claim::ExtraCopy) => (Attempted::Duplicate, 0),
            Ok(Claim::Granted { attempt, progress }) => {
                let why = progress.last_reason.clone().map_or_else(
                    || {
                        "no attempt recorded its end: the function crashed, timed out or ran out of memory"
                            .to_owned()
                    },
                    |reason| format!("the last reason: {reason}"),
                );
                let attempted = given_up(why);
                let claimed = Claimed { key: &key, attempt, progress, began, found: None };
                let ended = claimed.ended(&attempted, request.now());
                if let Err(error) = self.claims.end(&key, &ended).await {
                    tracing::error!(event.id = %key.event, error = chain(&error), "the delivery record does not show that the event failed");
                }
                (attempted, attempt)
            }
            Ok(Claim::Busy { until }) => {
                (given_up(format!("another worker has claimed the event until {until:.0}")), 0)
            }
            Ok(Claim::Unknown { state }) => (given_up(unknown_state(&state)), 0),
            Err(error) => (given_up(chain(&error)), 0),
        };
        log(&key, &facts, &attempted, attempt, Duration::ZERO, request);
        attempted
    }

    async fn claim(
        &self,
        key: &DeliveryKey,
        facts: &EventFacts,
        request: &Request,
        message: Option<Message<'_>>,
    ) -> Result<Claim, StoreError> {
        let now = request.now();
        let lasts = SignedDuration::try_from(request.remaining()).unwrap_or_default();
        let deadline = now.checked_add(lasts).unwrap_or(now);
        let owner = format!("{} {}", request.id, message.map_or("", |message| message.id));
        let copy_of = message.and_then(|message| message.copy_of);
        self.claims.claim(key, facts, &Claimant { owner, now, deadline, copy_of }).await
    }

    async fn handle(
        &self,
        content: &Content,
        invocation: &Invocation,
        request: &Request,
    ) -> Result<Outcome, Failure> {
        let payload = match content {
            Content::Event(payload) => payload,
            Content::Unreadable(unreadable) => return Ok(Outcome::ignored(unreadable.reason.clone())),
        };
        let event = match Event::try_from(payload) {
            Ok(event) => Event { created_at: event.credible_time(invocation.now), ..event },
            Err(incomplete) => return Ok(Outcome::ignored(incomplete.to_string())),
        };
        if !self.rules.current().map_err(Failure::misconfigured)?.welcomes(&event) {
            let site = &event.site;
            return Ok(Outcome::ignored(format!("`sites` in rules.yaml does not list the site `{site}`")));
        }
        let workflow = self.workflow()?;
        let time = request.remaining().saturating_sub(RESERVE);
        match tokio::time::timeout(time, workflow.handle(&event, invocation)).await {
            Ok(result) => result,
            Err(_) => Err(Failure::transient("the workflow did not finish before the function's timeout")),
        }
    }

    /// Records the outcome of an attempt. If that fails, the message becomes visible again; the next attempt finds
    /// the claim expired and skips the effects that were recorded.
    async fn conclude(
        &self,
        claimed: &Claimed<'_>,
        outcome: Result<Outcome, Failure>,
        request: &Request,
        message: Option<Message<'_>>,
    ) -> Attempted {
        let at = request.now();
        let attempted = match outcome {
            Ok(Outcome::Done) => Attempted::Done,
            Ok(Outcome::Skipped(reason)) => Attempted::Skipped(reason.into_owned()),
            Ok(Outcome::Ignored(reason)) => Attempted::Ignored(reason.into_owned()),
            Ok(Outcome::Deferred { until, reason }) => {
                defer(claimed, (until, reason.into_owned()), at, message).await
            }
            Err(failure) => failed(failure, Some(&claimed.progress), at, message),
        };
        let ended = claimed.ended(&attempted, at);
        match (self.claims.end(claimed.key, &ended).await, attempted) {
            (Ok(()), attempted) => {
                causes::count(W::NAME, ended.cause.as_deref(), claimed.progress.cause.as_deref(), request);
                attempted
            }
            // Another attempt has taken the event over. The message becomes visible again later, to check what that
            // attempt decided.
            (Err(StoreError::Superseded), _) => Attempted::Busy { until: at },
            // The message (or its copy) will be received again anyway, so the failure is reported and not the missing
            // record.
            (Err(_), again @ (Attempted::Failed { .. } | Attempted::Deferred { .. })) => again,
            (Err(error), _) => failed(Failure::transient(error), Some(&claimed.progress), at, message),
        }
    }
}

fn unknown_state(state: &str) -> String {
    format!("the delivery record has the state `{state}`, which this version does not know")
}

/// An attempt that holds the claim on its event.
struct Claimed<'a> {
    key: &'a DeliveryKey,
    attempt: u32,
    progress: Progress,
    began: Timestamp,
    /// What the attempt found out about the cause of the event's failure.
    found: Option<FoundCause>,
}

impl Claimed<'_> {
    /// The outcome of an attempt, as the delivery record stores it.
    fn ended(&self, attempted: &Attempted, at: Timestamp) -> Ended {
        let mut next_at = None;
        let end = match attempted {
            Attempted::Skipped(reason) => End::Skipped(reason.clone()),
            Attempted::Ignored(reason) => End::Ignored(reason.clone()),
            Attempted::Deferred { until, reason } => {
                next_at = Some(*until);
                End::Deferred(reason.clone())
            }
            Attempted::Failed { failure, next: Next::GiveUp } => End::Failed(failure.reason()),
            Attempted::Failed { failure, next: Next::RetryAfter(wait) } => {
                next_at = SignedDuration::try_from(*wait).ok().and_then(|wait| at.checked_add(wait).ok());
                match failure {
                    Failure::Misconfigured { .. } => End::Misconfigured(failure.reason()),
                    Failure::Transient { .. } | Failure::Permanent { .. } => End::Released(failure.reason()),
                }
            }
            Attempted::Done | Attempted::Duplicate | Attempted::Busy { .. } => End::Done,
        };
        let cause = causes::recorded(self.found, attempted.is_over()).map(str::to_owned);
        Ended { attempt: self.attempt, began: self.began, at, end, next_at, cause }
    }
}

/// Sends a delayed copy of the message of a deferred event. The copy is sent before the delivery record says so:
/// after a crash in between there is one copy too many, which does nothing, and never one too few.
async fn defer(
    claimed: &Claimed<'_>,
    (until, reason): (Timestamp, String),
    at: Timestamp,
    message: Option<Message<'_>>,
) -> Attempted {
    let Some(message) = message else { return Attempted::Deferred { until, reason } };
    if claimed.progress.deferrals >= MOST_DEFERRALS {
        let failure =
            Failure::permanent(format!("deferred {MOST_DEFERRALS} times, the last time because: {reason}"));
        return Attempted::Failed { failure, next: Next::GiveUp };
    }
    match message.queue.send_copy(message.body, claimed.attempt, until_then(until, at)).await {
        Ok(()) => Attempted::Deferred { until, reason },
        Err(error) => {
            let failure = Failure::transient(format!("cannot defer the event: {}", chain(error.as_ref())));
            failed(failure, Some(&claimed.progress), at, Some(message))
        }
    }
}

/// The wait from `now` to `until`, plus one second, so that the message does not arrive too early.
pub(crate) fn until_then(until: Timestamp, now: Timestamp) -> Duration {
    let left = until.duration_since(now).max(SignedDuration::ZERO);
    Duration::try_from(left).unwrap_or_default() + Duration::from_secs(1)
}

/// The outcome of an attempt at an event that could not be claimed.
fn unclaimed(failure: Failure, message: Option<Message<'_>>, request: &Request) -> Attempted {
    failed(failure, None, request.now(), message)
}

fn failed(
    failure: Failure,
    progress: Option<&Progress>,
    at: Timestamp,
    message: Option<Message<'_>>,
) -> Attempted {
    // Inline mode has no queue and no retry: the sender of the request receives the failure.
    let retry = message.map_or(Retry::of(1), |message| message.retry);
    let next = retry.next(&failure, progress, at);
    let failure = match (next, failure) {
        (Next::GiveUp, Failure::Transient { source, .. }) => Failure::transient(format!(
            "given up after {TRIES} failed attempts in a row, the last: {}",
            chain(source.as_ref())
        )),
        (Next::GiveUp, Failure::Misconfigured { source }) => Failure::misconfigured(format!(
            "given up after {} hours: {}",
            LONGEST_FIX.as_hours(),
            chain(source.as_ref())
        )),
        (_, failure) => failure,
    };
    Attempted::Failed { failure, next }
}

/// Reports how long after its event a message was sent, for the alarm on the service objective: one metric for all destinations.
fn report_message_time(workflow: &str, content: &Content, deferrals: u32, now: Timestamp) {
    let Content::Event(payload) = content else { return };
    let Ok(event) = Event::try_from(payload) else { return };
    let happened =
        event.credible_time(now).filter(|_| counts_for_objective(workflow, &event.name, deferrals));
    if let Some(at) = happened {
        let time = now.as_millisecond().saturating_sub(at.as_millisecond()).max(0);
        let metrics = [Metric::milliseconds("MessageTime", time as f64)];
        telemetry::report(&[("objective", "message")], &metrics, now.as_millisecond());
    }
}

/// Writes the one log line about an attempt, and its metrics.
fn log(
    key: &DeliveryKey,
    facts: &EventFacts,
    attempted: &Attempted,
    attempt: u32,
    took: Duration,
    request: &Request,
) {
    let workflow = key.workflow.as_ref();
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let outcome = attempted.as_str();
    let reason = match attempted {
        Attempted::Skipped(reason) | Attempted::Ignored(reason) => reason.clone(),
        Attempted::Failed { failure, .. } => failure.reason(),
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
        Attempted::Ignored(_) => line!(warn, "event ignored"),
        Attempted::Busy { .. } => line!(info, "another worker handles the event; its message comes back"),
        Attempted::Deferred { .. } => line!(info, "event deferred"),
        Attempted::Failed { next: Next::GiveUp, .. } => line!(error, "event failed permanently"),
        Attempted::Failed { failure: Failure::Misconfigured { .. }, .. } => {
            line!(error, "event waits until a person fixes this");
        }
        Attempted::Failed { .. } => line!(warn, "event failed temporarily"),
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
