//! One attempt at one event: claim, handle, write down how it ended, log.

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
use workflow::{BoxError, Effect, EffectLog, Failure, Invocation, Outcome, Workflow, chain};

/// What is left for giving the claim back and answering, when a workflow has used up its time.
pub(crate) const RESERVE: Duration = Duration::from_millis(1_000);

/// How an attempt ended.
#[derive(Debug)]
pub(crate) enum Attempted {
    Done,
    Skipped(String),
    /// The event cannot be acted on.
    Ignored(String),
    /// Its time has not come; a copy of its message comes then.
    Deferred {
        until: Timestamp,
        reason: String,
    },
    /// An earlier delivery of the event was handled, or a later copy of its message will be.
    Duplicate,
    /// Another worker handles it.
    Busy {
        until: Timestamp,
    },
    Failed {
        failure: Failure,
        next: Next,
    },
}

impl Attempted {
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Skipped(_) => "skipped",
            Self::Ignored(_) => "ignored",
            Self::Deferred { .. } => "deferred",
            Self::Duplicate => "duplicate",
            Self::Busy { .. } => "busy",
            Self::Failed { failure: Failure::Permanent { .. }, .. } => "permanent",
            Self::Failed { next: Next::GiveUp, .. } => "exhausted",
            Self::Failed { failure, next: Next::RetryAfter(_) } => failure.kind(),
        }
    }
}

/// A workflow, or why it cannot start.
pub(crate) type Started<W> = Result<W, String>;

/// A workflow, what it needs to decide whether an event is for it, and the record of what it has done.
pub(crate) struct Worker<W> {
    workflow: Started<W>,
    rules: LoadedRules,
    claims: Arc<dyn ClaimStore>,
}

/// The queue message that carries an event, and how it comes again.
#[derive(Clone, Copy)]
pub(crate) struct Message<'a> {
    pub(crate) id: &'a str,
    pub(crate) body: &'a str,
    /// Of a copy that a deferred attempt sent: which attempt.
    pub(crate) copy_of: Option<u32>,
    pub(crate) retry: Retry,
    pub(crate) queue: &'a dyn FailedMessages,
}

/// Writes effects into the claim.
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
            // A later attempt may repeat the effect: the one trace of why it did.
            tracing::warn!(event.id = %self.key.event, %effect, error = chain(&error), "an effect was not recorded");
            error.into()
        })
    }
}

impl<W: Workflow> Worker<W> {
    pub(crate) fn new(workflow: Started<W>, rules: LoadedRules, claims: Arc<dyn ClaimStore>) -> Self {
        Self { workflow, rules, claims }
    }

    /// The workflow, unless a setting keeps it from starting: what is for it waits then.
    pub(crate) fn workflow(&self) -> Result<&W, Failure> {
        self.workflow.as_ref().map_err(|problem| Failure::misconfigured(problem.as_str()))
    }

    /// One attempt. `message`: what brought the event; nothing in inline mode, where no attempt follows.
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
                let outcome = self.handle(content, &invocation, request).await;
                let claimed = Claimed { key: &key, attempt, progress, began };
                (self.conclude(&claimed, outcome, request, message).await, attempt)
            }
        };
        log(&key, &facts, &attempted, attempt, started.elapsed(), request);
        attempted
    }

    /// Gives an event up without another attempt: its message has come for the last time. What is finished, or deferred
    /// with a message of its own, is left as it is.
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
                let claimed = Claimed { key: &key, attempt, progress, began };
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
        if !self.rules.current().map_err(Failure::misconfigured)?.accepts(event.site.as_str()) {
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

    /// Records how the attempt ended. An attempt whose end was not recorded did not end: the message comes back, finds the
    /// claim over, and leaves out the effects that were written down.
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
            (Ok(()), attempted) => attempted,
            // The attempt that took over decides; the message comes back to see what it decided.
            (Err(StoreError::Superseded), _) => Attempted::Busy { until: at },
            // The message comes back by itself, or a copy of it does. A failure counts more than its missing record.
            (Err(_), again @ (Attempted::Failed { .. } | Attempted::Deferred { .. })) => again,
            (Err(error), _) => failed(Failure::transient(error), Some(&claimed.progress), at, message),
        }
    }
}

fn unknown_state(state: &str) -> String {
    format!("the delivery record has the state `{state}`, which this version does not know")
}

/// An attempt that holds the claim.
struct Claimed<'a> {
    key: &'a DeliveryKey,
    attempt: u32,
    progress: Progress,
    began: Timestamp,
}

impl Claimed<'_> {
    /// What the record says of the attempt.
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
        Ended { attempt: self.attempt, began: self.began, at, end, next_at }
    }
}

/// Sends the copy that comes when the event's time has come. The copy is sent before the record says so: a crash in between
/// leaves a copy too many, which ends early, and never one too few.
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

/// The time from `now` to `until`, and a second more, so that the message does not come before its time.
pub(crate) fn until_then(until: Timestamp, now: Timestamp) -> Duration {
    let left = until.duration_since(now).max(SignedDuration::ZERO);
    Duration::try_from(left).unwrap_or_default() + Duration::from_secs(1)
}

/// An attempt at an event that could not be claimed.
fn unclaimed(failure: Failure, message: Option<Message<'_>>, request: &Request) -> Attempted {
    failed(failure, None, request.now(), message)
}

fn failed(
    failure: Failure,
    progress: Option<&Progress>,
    at: Timestamp,
    message: Option<Message<'_>>,
) -> Attempted {
    // In inline mode no attempt follows: what the sender reads is the failure.
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

/// The one line about an attempt, and its metrics.
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
        Attempted::Busy { .. } | Attempted::Deferred { .. } => line!(info, "event deferred"),
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
