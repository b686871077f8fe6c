//! The hourly sweep: timers that never came, incidents that stay open, and successes whose events were lost.

use super::advance::Mutation;
use super::documents::{Versioned, unavailable};
use super::{Attempt, Engine, Summary, event_of, keys};
use crate::group::{GroupHead, Member};
use crate::incident::{Incident, Signal, Transition};
use crate::notifier::{Notifier, Routing};
use crate::time::later;
use jiff::SignedDuration;
use std::time::Duration;
use store::records::Key;
use tableau::Event;
use workflow::{Failure, Invocation, Outcome};

/// A timer that is later than this is not on its way any more.
const OVERDUE: SignedDuration = SignedDuration::from_mins(5);
/// How many documents one sweep looks at, if there is time.
const DOCUMENTS: usize = 1_000;
/// How many members of one group Tableau is asked about.
const LOOKUPS: usize = 20;
/// The sweep stops when less time than this is left.
const RESERVE: Duration = Duration::from_secs(10);

impl<N: Notifier, R: Routing<N::Target>> Engine<N, R> {
    /// Looks for documents that are due and that no timer has brought back, and for incidents of which a target is to be
    /// reminded. Before a reminder Tableau is asked for the object's last refresh: if it succeeded, its event was lost, and
    /// the incident is resolved.
    ///
    /// # Errors
    /// [`Failure`] when the store does not answer, or the worst of what failed. The next sweep tries again.
    pub async fn on_sweep(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let mut due = self.records.due(invocation.now, DOCUMENTS).await.map_err(unavailable)?;
        // Groups and digests first: their timers are overdue. Incidents may stay due, and Tableau is asked about each.
        due.sort_by_key(|key| key.partition.starts_with(keys::INCIDENT));
        let mut failed = None;
        let mut swept = 0;
        for key in due {
            if invocation.remaining() < RESERVE {
                break;
            }
            let result = if key.partition.starts_with(keys::INCIDENT) {
                self.sweep_incident(&key, invocation).await
            } else {
                self.sweep_head(&key, invocation).await
            };
            match result {
                Ok(is_done) => swept += usize::from(is_done),
                Err(failure) => failed = Some(Failure::worse(failed, failure)),
            }
        }
        match (failed, swept) {
            (Some(failure), _) => Err(failure),
            (None, 0) => Ok(Outcome::skipped("nothing is overdue")),
            (None, _) => Ok(Outcome::Done),
        }
    }

    async fn sweep_head(&self, key: &Key, invocation: &Invocation) -> Result<bool, Failure> {
        let mut transaction = self.transaction(invocation.now, []);
        let head: Versioned<GroupHead> = transaction.get(key).await?;
        let Some(pending) = &head.document.pending else {
            return self.sweep_open_group(&key.partition, &head.document, invocation).await;
        };
        if later(pending.due, OVERDUE) > invocation.now {
            return Ok(false);
        }
        // Nothing brings back a sweep that fails. A timer comes back until its work is done.
        tracing::warn!(key = key.partition, "a timer did not fire in time; it is sent again");
        let timer = self.ensure_timer(&key.partition, pending.due, pending.generation, invocation.now);
        timer.await.map(|()| true)
    }

    /// A group with members that fail, about which nothing was sent for a day.
    async fn sweep_open_group(
        &self,
        partition: &str,
        head: &GroupHead,
        invocation: &Invocation,
    ) -> Result<bool, Failure> {
        let members = self.members(partition, invocation.now).await?;
        let firing: Vec<&Member> =
            members.iter().map(|(_, member)| member).filter(|member| member.is_firing()).collect();
        for member in firing.iter().take(LOOKUPS) {
            if let Some(event) = event_of(&member.sample) {
                self.resolve_if_succeeded(&event, invocation).await?;
            }
        }
        self.remind_group(partition, head, invocation).await
    }

    async fn sweep_incident(&self, key: &Key, invocation: &Invocation) -> Result<bool, Failure> {
        let mut transaction = self.transaction(invocation.now, []);
        let incident: Versioned<Incident> = transaction.get(key).await?;
        let Some(event) = incident.document.sample().and_then(event_of) else { return Ok(false) };
        if self.resolve_if_succeeded(&event, invocation).await? {
            return Ok(true);
        }
        let attempt = Attempt::new(&event, invocation);
        let targets = self.routing.targets(&event, invocation.now)?;
        let mut summary = Summary::default();
        self.advance(&attempt, Mutation::Remind, &targets, None, &mut summary).await?;
        summary.outcome(|| "nothing to remind of".to_owned()).map(|outcome| outcome == Outcome::Done)
    }

    /// Resolves an object's incident if Tableau's job list shows a later success of each kind of refresh that fails.
    async fn resolve_if_succeeded(&self, event: &Event, invocation: &Invocation) -> Result<bool, Failure> {
        let attempt = Attempt::new(event, invocation);
        let mut transaction = self.transaction(invocation.now, []);
        let incident: Versioned<Incident> = transaction.get(&self.incident_key(&attempt)).await?;
        let mut transition = Transition::Unchanged;
        for kind in incident.document.failing_kinds() {
            let Some(at) = self.routing.last_success(event, kind, invocation).await? else { continue };
            let targets = self.routing.failure_targets(event, invocation.now)?;
            let mut summary = Summary::default();
            let signal = Mutation::Signal(Signal::FoundSucceeded(at, kind));
            transition = self.advance(&attempt, signal, &targets, None, &mut summary).await?;
            summary.outcome(String::new)?;
            if transition == Transition::Resolved {
                break;
            }
        }
        if transition == Transition::Resolved {
            self.note_missing_success(&event.site, invocation.now).await?;
        }
        Ok(transition == Transition::Resolved)
    }
}
