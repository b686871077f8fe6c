//! Circuit breakers that all instances of a function share through the table, with a copy in this instance.

use crate::circuit::{Ask, Change, Circuit, End, Ticket};
use crate::error::{CircuitOpen, Guarded};
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

/// How long an instance uses its copy of an open circuit before it reads the table again.
const VIEW: SignedDuration = SignedDuration::from_secs(5);
/// The timeout of a table request. A slow table must not make a call fail.
const TIMEOUT: Duration = Duration::from_secs(3);

/// What a failed call says about the destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallResult {
    /// The destination answered: it refused this call for good.
    Answered,
    /// The destination did not answer, or reported a problem of its own.
    Failed,
    /// The destination has a problem and asked for a pause of this length.
    RetryAfter(Duration),
    /// The destination works, but the called part (such as a channel) takes no calls for this time.
    Throttled(Duration),
    /// Nothing: the call did not reach the destination.
    NotCalled,
}

/// The circuits of one destination in one workflow: one for the destination, and one for each of its parts, such as a
/// channel. Where the parts are services of their own, each has its circuit and the destination has none.
pub struct Circuits {
    documents: Documents,
    workflow: &'static str,
    destination: &'static str,
    /// Whether what fails in one part says nothing about the others.
    independent: bool,
    known: Mutex<HashMap<String, Known>>,
}

/// This instance's copy of one circuit.
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
    /// The circuits of `destination`, for `workflow`.
    pub fn new(documents: Documents, workflow: &'static str, destination: &'static str) -> Self {
        Self { documents, workflow, destination, independent: false, known: Mutex::default() }
    }

    /// The circuits of `destination` whose parts are services of their own, such as flows of different authors: what
    /// fails in one opens the circuit of that one only.
    pub fn of_independent_parts(
        documents: Documents,
        workflow: &'static str,
        destination: &'static str,
    ) -> Self {
        Self { independent: true, ..Self::new(documents, workflow, destination) }
    }

    /// Makes `call` at `now`, unless the circuit of the destination or of this part is open. An empty `part` stands
    /// for the destination alone; circuits of independent parts need a part.
    ///
    /// # Errors
    /// [`Guarded::CircuitOpen`] when the call was not made, otherwise the call's own error.
    pub async fn call<T, E: Error + 'static>(
        &self,
        part: &str,
        now: Timestamp,
        call: impl Future<Output = Result<T, E>>,
        result_of: impl Fn(&E) -> CallResult,
    ) -> Result<T, Guarded<E>> {
        self.call_or_kept(part, now, call, |result| result.map_or_else(&result_of, |_| CallResult::Answered))
            .await
    }

    /// The same for a call that may return what an earlier one has brought: `result_of` also says what a success says about
    /// the destination.
    ///
    /// # Errors
    /// As for [`Circuits::call`].
    pub async fn call_or_kept<T, E: Error + 'static>(
        &self,
        part: &str,
        now: Timestamp,
        call: impl Future<Output = Result<T, E>>,
        result_of: impl Fn(Result<&T, &E>) -> CallResult,
    ) -> Result<T, Guarded<E>> {
        let id = fastrand::u64(..);
        let began = Instant::now();
        let (whole, part) = if self.independent { (part, "") } else { ("", part) };
        let of_whole = self.enter(whole, id, now).await.map_err(Guarded::CircuitOpen)?;
        let of_part = match part {
            "" => of_whole,
            part => match self.enter(part, id, now).await {
                Ok(ticket) => ticket,
                Err(open) => {
                    self.leave(whole, of_whole, now, End::Unknown).await;
                    return Err(Guarded::CircuitOpen(open));
                }
            },
        };
        let result = call.await;
        let now = later(now, began.elapsed());
        let call_result = result_of(result.as_ref());
        let (end_of_whole, end_of_part) = match (call_result, &result) {
            (CallResult::Answered, _) | (CallResult::Failed, Ok(_)) => (End::Answered, End::Answered),
            (CallResult::Failed, Err(error)) => {
                let answered = self.known(whole).and_then(|known| known.answered);
                (End::Failed { reason: chain(error), answered }, End::Unknown)
            }
            (CallResult::RetryAfter(wait), _) => (End::RetryAfter(signed(wait)), End::Unknown),
            (CallResult::Throttled(wait), _) if self.independent => {
                (End::Throttled(signed(wait)), End::Unknown)
            }
            (CallResult::Throttled(wait), _) => (End::Answered, End::Throttled(signed(wait))),
            (CallResult::NotCalled, _) => (End::Unknown, End::Unknown),
        };
        self.leave(whole, of_whole, now, end_of_whole).await;
        if !part.is_empty() {
            self.leave(part, of_part, now, end_of_part).await;
        }
        result.map_err(Guarded::Call)
    }

    /// Asks a circuit. Reads the table only if this instance's copy of the circuit is open and outdated.
    async fn enter(&self, part: &str, call: u64, now: Timestamp) -> Result<Ticket, CircuitOpen> {
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
            Ask::Wait { until, why } => Err(CircuitOpen {
                destination: self.name(part),
                until,
                retry_after: whole_seconds(until.duration_since(now)),
                why,
            }),
        }
    }

    /// Records the result of a call. A result that changes nothing is not written to the table.
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
        let random = fastrand::f64();
        let ended = |circuit: &mut Circuit| circuit.ended(ticket, now, end.clone(), random);
        match self.change(part, now, ended).await {
            Change::Nothing => {}
            Change::Opened { until, why } => self.log_opened(part, until, &why),
            Change::Closed => {
                let workflow = self.workflow;
                let destination = self.name(part);
                tracing::info!(workflow, destination, "circuit closed: the destination answers again");
            }
        }
    }

    fn log_opened(&self, part: &str, until: Timestamp, reason: &str) {
        let workflow = self.workflow;
        let destination = self.name(part);
        let until = format!("{until:.0}");
        tracing::warn!(workflow, destination, reason, until, "circuit open: the destination is not called");
        // The destination is the only dimension: every value of a field becomes a metric of its own.
        let destination = self.destination;
        tracing::debug!(monotonic_counter.circuit_openings = 1, destination, "circuit open");
    }

    /// Changes a circuit in the table, for all instances. If the table does not answer, only this instance's copy is
    /// changed.
    async fn change<T: Send>(
        &self,
        part: &str,
        now: Timestamp,
        mut change: impl FnMut(&mut Circuit) -> T + Send,
    ) -> T {
        let key = self.key(part);
        let changed = self.documents.change(&key, now, &mut change);
        let reason = match tokio::time::timeout(TIMEOUT, changed).await {
            Ok(Ok((circuit, result))) => {
                let mut all = self.all_known();
                let known = all.entry(part.to_owned()).or_default();
                known.circuit = circuit;
                known.seen = now;
                return result;
            }
            Ok(Err(error)) => chain(&error),
            Err(_) => format!("the table did not answer within {} s", TIMEOUT.as_secs()),
        };
        let workflow = self.workflow;
        let destination = self.name(part);
        tracing::warn!(
            workflow,
            destination,
            reason,
            "circuit state not persisted: other instances do not know of this call"
        );
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

/// Rounds a wait up to whole seconds: a queue counts in seconds, and a call that comes too early would be refused
/// again.
fn whole_seconds(wait: SignedDuration) -> Duration {
    Duration::from_secs(u64::try_from(wait.as_millis()).unwrap_or_default().div_ceil(1_000))
}

fn signed(wait: Duration) -> SignedDuration {
    SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX)
}

fn later(at: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by).ok().and_then(|by| at.checked_add(by).ok()).unwrap_or(at)
}
