//! The alerting engine: reads documents, decides with [`crate::plan`], writes, arms timers, and calls the destination
//! to send.
//!
//! The order never changes: write the documents, arm the timers, then send the notification or acknowledge the event.
//! If a worker dies in between, the queue delivers the event or timer again, and the next attempt continues from the
//! documents.

mod advance;
mod again;
mod decide;
mod digests;
mod documents;
mod events;
mod first;
mod groups;
mod heads;
mod impact;
mod incidents;
mod keys;
mod members;
mod mutation;
mod reminders;
mod send;
mod site;
mod status;
mod sweep;
mod trial;

pub use status::{SharedStatus, TimerSubject};

use crate::context::Context;
use crate::impact::ImpactLookup;
use crate::incident::KnownCause;
use crate::lease::LeaseOwner;
use crate::notifier::{Notifier, Occurrence, Routed, Routing, Targeted};
use documents::{Seen, Transaction};
use facts::is_deletion;
use jiff::{SignedDuration, Timestamp};
use rules::{Matched, Schedule};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use store::records::{Key, Records};
use tableau::{Action, Event, EventId, Object, Payload, SiteLuid};
use timer::{Timer, TimerMessage};
use tokio::sync::OnceCell;
use workflow::{Failure, Invocation, Outcome, SharedMessage};

/// How soon a timer is retried when another worker is sending for the same group.
const BUSY: std::time::Duration = std::time::Duration::from_secs(5);

/// Announces events and incidents to the targets that the rules name.
pub struct Engine<N, R> {
    workflow: &'static str,
    records: Arc<dyn Records>,
    timer: Option<Arc<dyn Timer>>,
    notifier: N,
    routing: R,
    seen: Seen,
    sites: Mutex<HashMap<SiteLuid, SeenSite>>,
}

/// A cached fact about a site: whether its success events fail to arrive, and when this worker read the fact.
#[derive(Clone, Copy, Debug)]
struct SeenSite {
    at: Timestamp,
    is_missing: bool,
}

impl<N, R> std::fmt::Debug for Engine<N, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("workflow", &self.workflow).finish_non_exhaustive()
    }
}

/// One attempt at an event or a timer.
pub(crate) struct Attempt<'a> {
    pub(crate) event: &'a Event,
    pub(crate) matched: Matched,
    pub(crate) payload: String,
    pub(crate) invocation: &'a Invocation,
    pub(crate) owner: LeaseOwner,
    context: OnceCell<Context>,
    unasked: Context,
    /// Which workbooks use the data source, if this attempt has asked.
    impact: OnceCell<Option<ImpactLookup>>,
}

impl<'a> Attempt<'a> {
    /// An attempt at an event that has arrived, with the rules that match it.
    fn new(event: &'a Event, matched: Matched, invocation: &'a Invocation) -> Self {
        Self {
            event,
            payload: sample_of(event, Some(&matched)),
            matched,
            invocation,
            owner: LeaseOwner::new(invocation.ends_at()),
            context: OnceCell::new(),
            unasked: Context::default(),
            impact: OnceCell::new(),
        }
    }

    /// An attempt at a stored event.
    fn of(stored: &'a Occurrence, invocation: &'a Invocation) -> Self {
        let payload = sample_of(&stored.event, stored.matched.as_ref());
        let matched = stored.matched.clone().unwrap_or_default();
        Self { payload, ..Self::new(&stored.event, matched, invocation) }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.invocation.now
    }

    /// The cause of the failure, if it was looked up and found.
    fn known_cause(&self) -> Option<KnownCause> {
        self.context.get().and_then(|context| context.cause.found()).map(KnownCause::of)
    }

    /// When the event happened at Tableau. If Tableau gave no time, or an impossible one: when the event arrived.
    pub(crate) fn happened_at(&self) -> Timestamp {
        self.event.credible_time(self.now()).unwrap_or(self.now())
    }
}

/// What was done about an event for one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Handled {
    /// A notification was sent.
    Sent,
    /// A group or digest contains the event, and the timer that will send it exists. The text names the group or
    /// digest.
    Grouped(String),
    /// Nothing is sent; the text says why.
    Nothing(String),
    /// The destination left everything as it is; the text says why.
    Skipped(String),
    /// The event has to come again at this time.
    Deferred(Timestamp),
    /// Another worker holds the lease and is sending; it will also send this event.
    BeingSent,
}

/// What was done about an event for all targets together.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    sent: bool,
    grouped: Option<String>,
    nothing: Option<String>,
    skipped: Option<String>,
    being_sent: bool,
    deferred: Option<Timestamp>,
    failed: Option<Failure>,
}

impl Summary {
    pub(crate) fn note(&mut self, handled: Result<Handled, Failure>) {
        match handled {
            Ok(Handled::Sent) => self.sent = true,
            Ok(Handled::Grouped(how)) => {
                self.grouped = Some(match self.grouped.take() {
                    Some(other) if other != how => SharedMessage::reasons(&other, &how),
                    _ => how,
                });
            }
            Ok(Handled::Nothing(why)) => self.nothing = Some(why),
            Ok(Handled::Skipped(why)) => self.skipped = Some(why),
            Ok(Handled::Deferred(until)) => {
                self.deferred = Some(self.deferred.map_or(until, |earlier| earlier.min(until)));
            }
            Ok(Handled::BeingSent) => {
                self.being_sent = true;
                self.nothing = Some("another worker is sending a notification of this incident".to_owned());
            }
            Err(failure) => self.failed = Some(Failure::worse(self.failed.take(), failure)),
        }
    }

    /// Whether nothing has been noted in this summary yet.
    pub(crate) fn is_empty(&self) -> bool {
        let texts = [&self.grouped, &self.nothing, &self.skipped];
        !self.sent && texts.iter().all(|text| text.is_none()) && self.failed.is_none()
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failed.is_some()
    }

    /// The outcome of a timer's message. When another attempt holds the lease, that may be an earlier attempt at this
    /// same timer which has failed; no other attempt would then send the rest, so the timer is retried.
    fn outcome_of_timer(self) -> Result<Outcome, Failure> {
        if self.being_sent && self.failed.is_none() {
            let source = "another worker is sending a notification of this incident".into();
            return Err(Failure::Transient { source, retry_after: Some(BUSY) });
        }
        self.outcome(|| "there is nothing to send".to_owned())
    }

    fn outcome(self, otherwise: impl FnOnce() -> String) -> Result<Outcome, Failure> {
        if let (None, Some(until)) = (&self.failed, self.deferred) {
            return Ok(Outcome::deferred(until, "it is announced when the quiet hours of its rule end"));
        }
        match (self.failed, self.sent, self.grouped) {
            (Some(failure), _, _) => Err(failure),
            (None, true, _) => Ok(Outcome::Done),
            (None, false, Some(how)) => Ok(Outcome::skipped(how)),
            (None, false, None) => {
                // What the destination says of its own is more than that the event is recorded.
                Ok(Outcome::skipped(self.skipped.or(self.nothing).unwrap_or_else(otherwise)))
            }
        }
    }
}

impl<N: Notifier, R: Routing<N::Target>> Engine<N, R> {
    /// Creates an engine. Without `timer` (inline mode) nothing can be sent later.
    pub fn new(
        workflow: &'static str,
        records: Arc<dyn Records>,
        timer: Option<Arc<dyn Timer>>,
        notifier: N,
        routing: R,
    ) -> Self {
        Self { workflow, records, timer, notifier, routing, seen: Seen::default(), sites: Mutex::default() }
    }

    /// Handles an event: announces it to the targets of the rules that match it.
    ///
    /// # Errors
    /// [`Failure`], which says what must happen to the event's message. The same event may be handled again at any
    /// time.
    pub async fn on_event(&self, event: &Event, invocation: &Invocation) -> Result<Outcome, Failure> {
        self.forget_after_failure(invocation);
        let failures = self.failures_in_a_row(event, invocation.now).await?;
        let Routed { targets, matched } = self.routing.route(event, failures, invocation).await?;
        let mut attempt = Attempt::new(event, matched, invocation);
        attempt.owner = attempt.owner.of_event(&event.id);
        let is_refreshed = matches!(event.name.object(), Some(Object::Workbook | Object::Datasource));
        let mut summary = Summary::default();
        match event.name.action() {
            Some(Action::RefreshFailed) => self.on_failure(&attempt, &targets, &mut summary).await?,
            Some(Action::RefreshSucceeded) => self.on_end(&attempt, &targets, &mut summary).await?,
            Some(Action::Deleted) if is_refreshed => self.on_end(&attempt, &targets, &mut summary).await?,
            Some(Action::RefreshStarted) if !targets.is_empty() && self.has_ended(&attempt).await? => {
                return Ok(Outcome::skipped("the refresh has already ended"));
            }
            _ => self.on_other(&attempt, &targets, &mut summary).await,
        }
        summary.outcome(|| no_target(event, &targets))
    }

    /// Handles a timer that this engine has set.
    ///
    /// # Errors
    /// [`Failure`], which says what must happen to the timer's message. The same timer may be handled again at any
    /// time.
    pub async fn on_timer(&self, timer: &TimerMessage, invocation: &Invocation) -> Result<Outcome, Failure> {
        self.forget_after_failure(invocation);
        if timer.key.starts_with(keys::GROUP) {
            self.on_group_timer(timer, invocation).await
        } else if timer.key.starts_with(keys::DIGEST) {
            self.on_digest_timer(timer, invocation).await
        } else if timer.key.starts_with(keys::INCIDENT) {
            self.on_incident_timer(timer, invocation).await
        } else {
            Ok(Outcome::ignored(format!("the timer `{}` is of an unknown kind", timer.key)))
        }
    }

    pub(crate) async fn context<'a>(&self, attempt: &'a Attempt<'_>) -> Result<&'a Context, Failure> {
        attempt.context.get_or_try_init(|| self.routing.context(attempt.event, attempt.invocation)).await
    }

    /// The context for a line of a group or digest, which says the object's name and no more. The name of a deleted object is
    /// in the event, so a flood of deletions asks Tableau nothing.
    pub(crate) async fn context_for_name<'a>(
        &self,
        attempt: &'a Attempt<'_>,
    ) -> Result<&'a Context, Failure> {
        if is_deletion(attempt.event) { Ok(&attempt.unasked) } else { self.context(attempt).await }
    }

    /// Starts a transaction that reads windows and heads from this worker's cache.
    pub(crate) fn transaction(&self, now: Timestamp) -> Transaction<'_> {
        Transaction::new(self.records.as_ref(), now).with(&self.seen)
    }

    /// Clears this worker's cache when an earlier attempt failed: that attempt may have written without receiving the
    /// answer, so the cache may be outdated, and a timer that the cache calls armed may not exist.
    fn forget_after_failure(&self, invocation: &Invocation) {
        if invocation.attempt > 1 {
            self.seen.clear();
        }
    }

    pub(crate) fn forget(&self, key: &Key) {
        self.seen.forget(key);
    }

    fn seen_sites(&self) -> std::sync::MutexGuard<'_, HashMap<SiteLuid, SeenSite>> {
        self.sites.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether timers are available, so that a notification can be sent later. Inline mode has none.
    pub(crate) fn has_timers(&self) -> bool {
        self.timer.is_some()
    }

    /// Makes sure that the timer of a document exists.
    pub(crate) async fn ensure_timer(
        &self,
        key: &str,
        due: Timestamp,
        generation: u64,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let Some(timer) = &self.timer else { return Ok(()) };
        let message = TimerMessage::new(key, due, generation);
        timer.ensure(&message, now).await.map_err(|error| match error.is_permanent() {
            true => Failure::permanent(error),
            false => Failure::transient(error),
        })
    }

    /// Finds the target with this key: among `targets`, or else among the targets of all rules, or else with settings
    /// that suffice only to end a message sent earlier.
    pub(crate) fn target(
        &self,
        key: &str,
        targets: &[Targeted<N::Target>],
        now: Timestamp,
    ) -> Result<Option<Targeted<N::Target>>, Failure> {
        if let Some(target) = targets.iter().find(|target| target.key == key) {
            return Ok(Some(target.clone()));
        }
        let targeted = |settings, schedule| Targeted::new(key, settings, schedule);
        if let Some(settings) = self.routing.named(key)? {
            return Ok(Some(targeted(settings, Schedule::Now)));
        }
        Ok(self.routing.unnamed(key).map(|settings| targeted(settings, Schedule::Muted(now))))
    }
}

/// An event as this crate stores it, for timers: its id, the payload from which the rest can be read again, and the rules that
/// matched it.
#[derive(Serialize, Deserialize)]
struct Sample {
    id: EventId,
    payload: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    matched: Option<Matched>,
}

fn sample_of(event: &Event, matched: Option<&Matched>) -> String {
    let created_at = event.created_at.map(|at| at.to_string());
    let payload = json!({
        "resource": event.subject.resource(),
        "event_type": event.name.as_str(),
        "resource_name": event.resource_name,
        "site_luid": event.site.as_str(),
        "resource_luid": event.subject.luid(),
        "created_at": created_at.as_deref(),
    });
    // The message of such an event has more than its name.
    let of_webhook = event.webhook.as_ref().map(|webhook| webhook.payload(&event.site));
    let of_report = event.report.as_ref().map(|report| {
        let name = event.resource_name.as_deref().unwrap_or_default();
        Payload { created_at: created_at.clone(), ..report.payload(&event.site, name, Timestamp::UNIX_EPOCH) }
    });
    let whole = of_webhook.or(of_report).map(|payload| payload.canonical_json());
    let payload = whole.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or(payload);
    match matched {
        Some(matched) => json!({ "id": event.id, "payload": payload, "matched": matched }).to_string(),
        None => json!({ "id": event.id, "payload": payload }).to_string(),
    }
}

/// The event that this crate has stored. `None` for a damaged one.
pub(crate) fn event_of(sample: &str) -> Option<Occurrence> {
    let Sample { id, payload, matched } = serde_json::from_str(sample).ok()?;
    let event = Event::try_from(&Payload::parse(payload.to_string().as_bytes()).ok()?).ok()?;
    Some(Occurrence { event: Event { id, ..event }, matched })
}

/// Explains why an event is announced to no target.
fn no_target<T>(event: &Event, targets: &[Targeted<T>]) -> String {
    let muted = targets.iter().filter_map(|target| match target.schedule {
        Schedule::Muted(until) | Schedule::Maintenance(until) => Some(until),
        Schedule::Critical | Schedule::Now | Schedule::DeferUntil(_) => None,
    });
    match muted.max() {
        None if event.name.action() == Some(Action::RefreshSucceeded) => {
            format!(
                "no failure was announced, so there is no recovery to announce, and no rule matches this {}",
                event.name
            )
        }
        None => format!("no rule matches this {}", event.name),
        Some(until) if targets.iter().any(|target| matches!(target.schedule, Schedule::Maintenance(_))) => {
            format!("maintenance or a mute suppresses {}, until {until:.0} at most", event.name)
        }
        Some(until) => format!("every rule for {} is muted, until {until:.0} at most", event.name),
    }
}

/// The time `seconds` after now.
pub(crate) fn soon(now: Timestamp, seconds: i64) -> Timestamp {
    now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(now)
}
