//! Circuits that all instances of a function share, and what this instance knows of them.

use crate::circuit::{Ask, Change, Circuit, End, Ticket};
use crate::error::{Guarded, LeftAlone};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use store::Documents;
use tokio::time::Instant;
use workflow::chain;

/// For how long an instance that leaves a destination alone takes its word for it, before it looks again.
const VIEW: SignedDuration = SignedDuration::from_secs(5);
/// How long the table may take. A call does not fail because of it.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a call that failed tells of the destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is there: it refused, for good.
    Answered,
    /// It did not answer, or is in trouble.
    Failed,
    /// It is in trouble, and asks to be left alone for so long.
    Asked(Duration),
    /// It is well, and the part of it that was called takes no more for so long.
    Throttled(Duration),
    /// Nothing: it was not asked.
    Nothing,
}

/// The circuits of one destination of one workflow: one for the whole of it, and one for each part, such as a channel.
pub struct Circuits {
    documents: Documents,
    workflow: &'static str,
    destination: &'static str,
    known: Mutex<HashMap<String, Known>>,
}

/// What this instance knows of one circuit.
#[derive(Clone, Debug, Default)]
struct Known {
    circuit: Circuit,
    seen: Timestamp,
    /// When a call of this instance was last answered.
    answered: Option<Timestamp>,
}

impl fmt::Debug for Circuits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Circuits").field("destination", &self.destination).finish_non_exhaustive()
    }
}

impl Circuits {
    /// The circuits of `destination`, as `workflow` calls it.
    pub fn new(documents: Documents, workflow: &'static str, destination: &'static str) -> Self {
        Self { documents, workflow, destination, known: Mutex::default() }
    }

    /// Makes `call`, at `now`, unless the destination or this part of it is left alone. An empty `part` is none.
    ///
    /// # Errors
    /// [`Guarded::LeftAlone`] when the call was not made, and the call's own.
    pub async fn call<T, E: Error + 'static>(
        &self,
        part: &str,
        now: Timestamp,
        call: impl Future<Output = Result<T, E>>,
        judge: impl Fn(&E) -> Verdict,
    ) -> Result<T, Guarded<E>> {
        let (id, began) = (fastrand::u64(..), Instant::now());
        let whole = self.enter("", id, now).await.map_err(Guarded::LeftAlone)?;
        let of_part = match (part, whole) {
            ("", whole) => whole,
            (part, whole) => match self.enter(part, id, now).await {
                Ok(ticket) => ticket,
                Err(left_alone) => {
                    self.leave("", whole, now, End::Unknown).await;
                    return Err(Guarded::LeftAlone(left_alone));
                }
            },
        };
        let result = call.await;
        let now = later(now, began.elapsed());
        let verdict = result.as_ref().map_or_else(&judge, |_| Verdict::Answered);
        let (of_whole, of_the_part) = match (verdict, &result) {
            (Verdict::Answered, _) | (Verdict::Failed, Ok(_)) => (End::Answered, End::Answered),
            (Verdict::Failed, Err(error)) => {
                let answered = self.known("").and_then(|known| known.answered);
                (End::Failed { reason: chain(error), answered }, End::Unknown)
            }
            (Verdict::Asked(wait), _) => (End::Asked(signed(wait)), End::Unknown),
            (Verdict::Throttled(wait), _) => (End::Answered, End::Throttled(signed(wait))),
            (Verdict::Nothing, _) => (End::Unknown, End::Unknown),
        };
        self.leave("", whole, now, of_whole).await;
        if !part.is_empty() {
            self.leave(part, of_part, now, of_the_part).await;
        }
        result.map_err(Guarded::Call)
    }

    /// Asks a circuit. As long as nothing is known to have failed nobody else is asked.
    async fn enter(&self, part: &str, call: u64, now: Timestamp) -> Result<Ticket, LeftAlone> {
        let go = Ticket { call, opening: None };
        let Some(mut known) = self.known(part) else { return Ok(go) };
        let Some(until) = known.circuit.open_until() else { return Ok(go) };
        let is_fresh = now.duration_since(known.seen).abs() < VIEW;
        let answer = if now < until && is_fresh {
            known.circuit.ask(call, now)
        } else {
            self.change(part, now, |circuit| circuit.ask(call, now)).await
        };
        match answer {
            Ask::Go(ticket) => Ok(ticket),
            Ask::Wait { until, why } => Err(LeftAlone {
                destination: self.name(part),
                until,
                retry_after: whole_seconds(until.duration_since(now)),
                why,
            }),
        }
    }

    /// Takes in how a call ended. What changes nothing is kept from the table.
    async fn leave(&self, part: &str, ticket: Ticket, now: Timestamp, end: End) {
        let is_clean = self.known(part).is_none_or(|known| known.circuit.is_clean());
        if end == End::Answered {
            self.all_known().entry(part.to_owned()).or_default().answered = Some(now);
        }
        let is_probe = ticket.opening.is_some();
        match end {
            End::Answered if is_clean && !is_probe => return,
            End::Unknown if !is_probe => return,
            _ => {}
        }
        let chance = fastrand::f64();
        let ended = |circuit: &mut Circuit| circuit.ended(ticket, now, end.clone(), chance);
        match self.change(part, now, ended).await {
            Change::Nothing => {}
            Change::Opened { until, why } => self.tell_opened(part, until, &why),
            Change::Closed => {
                let (workflow, destination) = (self.workflow, self.name(part));
                tracing::info!(workflow, destination, "it answers again and is no longer left alone");
            }
        }
    }

    fn tell_opened(&self, part: &str, until: Timestamp, reason: &str) {
        let (workflow, destination) = (self.workflow, self.name(part));
        let until = format!("{until:.0}");
        tracing::warn!(workflow, destination, reason, until, "the destination is left alone");
        // By destination alone: each value of a field is a metric of its own.
        let destination = self.destination;
        tracing::debug!(monotonic_counter.circuit_openings = 1, destination, "a circuit has opened");
    }

    /// Changes a circuit where all instances see it; while the table does not answer, where this one does.
    async fn change<T: Send>(
        &self,
        part: &str,
        now: Timestamp,
        mut change: impl FnMut(&mut Circuit) -> T + Send,
    ) -> T {
        let key = self.key(part);
        let changed = self.documents.change(&key, now, &mut change);
        let reason = match tokio::time::timeout(PATIENCE, changed).await {
            Ok(Ok((circuit, result))) => {
                let mut all = self.all_known();
                let known = all.entry(part.to_owned()).or_default();
                (known.circuit, known.seen) = (circuit, now);
                return result;
            }
            Ok(Err(error)) => chain(&error),
            Err(_) => format!("the table did not answer within {} s", PATIENCE.as_secs()),
        };
        let (workflow, destination) = (self.workflow, self.name(part));
        tracing::warn!(workflow, destination, reason, "other instances do not hear of this call");
        let mut all = self.all_known();
        let known = all.entry(part.to_owned()).or_default();
        known.seen = now;
        change(&mut known.circuit)
    }

    fn all_known(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self, part: &str) -> Option<Known> {
        self.all_known().get(part).cloned()
    }

    fn key(&self, part: &str) -> String {
        let whole = format!("{}#{}", self.workflow, self.destination);
        if part.is_empty() { whole } else { format!("{whole}#{part}") }
    }

    fn name(&self, part: &str) -> String {
        if part.is_empty() { self.destination.to_owned() } else { format!("{} (`{part}`)", self.destination) }
    }
}

/// Queues know whole seconds, and whoever comes a moment too early comes in vain.
fn whole_seconds(wait: SignedDuration) -> Duration {
    Duration::from_secs(u64::try_from(wait.as_millis()).unwrap_or_default().div_ceil(1_000))
}

fn signed(wait: Duration) -> SignedDuration {
    SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX)
}

fn later(at: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by).ok().and_then(|by| at.checked_add(by).ok()).unwrap_or(at)
}
