//! The hourly sweep: repairs timers that never fired, reminds of incidents that stay open, and finds successes whose
//! events were lost.

use super::documents::{Versioned, unavailable};
use super::mutation::Mutation;
use super::{Attempt, Engine, Summary, event_of, keys};
use crate::group::GroupHead;
use crate::incident::{Incident, Open, REMINDER, Signal, Transition};
use crate::notifier::{Notifier, Occurrence, Routing, Targeted};
use crate::time::later;
use jiff::{SignedDuration, Timestamp};
use rules::Schedule;
use std::time::Duration;
use store::records::Key;
use workflow::{Failure, Invocation, Outcome};

/// A timer this long after its due time is lost, and the sweep sends it again.
const OVERDUE: SignedDuration = SignedDuration::from_mins(5);
/// The largest number of documents that one sweep reads, if it has the time.
const DOCUMENTS: usize = 1_000;
/// The sweep stops when the invocation has less time than this left.
const RESERVE: Duration = Duration::from_secs(10);
/// The longest that a reminder waits for Tableau's answer. After that the reminder is sent without the answer.
const LONGEST_HELD: SignedDuration = SignedDuration::from_hours(3);

/// The delay of a reminder that could not be sent, so that one broken channel does not hold up the reminders of
/// others.
pub(super) const PUT_OFF: SignedDuration = SignedDuration::from_hours(6);

/// The state of one run of the sweep.
pub(super) struct Sweep<'a> {
    pub(super) invocation: &'a Invocation,
    /// Why Tableau did not answer. If set, this run of the sweep does not ask Tableau again.
    unanswered: Option<Failure>,
}

impl Sweep<'_> {
    pub(super) fn now(&self) -> Timestamp {
        self.invocation.now
    }

    /// Whether the invocation has time for one more request.
    pub(super) fn has_time(&self) -> bool {
        self.invocation.remaining() >= RESERVE
    }

    /// Whether a reminder that was due at `due` still waits for Tableau's answer.
    pub(super) fn is_held(&self, due: Option<Timestamp>) -> bool {
        self.unanswered.is_some() && due.is_some_and(|due| later(due, LONGEST_HELD) > self.now())
    }
}

/// What Tableau's job list says about the last refresh of an object whose incident is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LastRefresh {
    /// The last refresh succeeded, and the incident has been resolved.
    Succeeded,
    /// The last refresh did not succeed, or Tableau cannot say whether it did.
    NotSucceeded,
    /// Tableau did not answer.
    Unanswered,
}

impl<N: Notifier, R: Routing<N::Target>> Engine<N, R> {
    /// Runs one sweep. It repairs documents whose timers are overdue and reminds targets of incidents that stay open.
    /// Before each reminder it asks Tableau for the object's last refresh: if that succeeded, the success event was
    /// lost, and the sweep resolves the incident.
    ///
    /// # Errors
    /// [`Failure`] when the store does not answer, or else the most serious failure of the run. The next sweep tries
    /// again.
    pub async fn on_sweep(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let mut due = self.records.due(invocation.now, DOCUMENTS).await.map_err(unavailable)?;
        // Groups and digests come first, because their timers are overdue. Incidents take longer: each costs a
        // request to Tableau.
        fastrand::shuffle(&mut due);
        due.sort_by_key(|key| key.partition.starts_with(keys::INCIDENT));
        let mut sweep = Sweep { invocation, unanswered: None };
        let mut failed = None;
        let mut swept = 0;
        for key in due {
            if !sweep.has_time() {
                break;
            }
            // This worker's cached copy may be outdated: another worker may have written the document since.
            self.forget(&key);
            let result = if key.partition.starts_with(keys::INCIDENT) {
                self.sweep_incident(&key, &mut sweep).await
            } else {
                self.sweep_head(&key, &mut sweep).await
            };
            match result {
                Ok(is_done) => swept += usize::from(is_done),
                Err(failure) => failed = Some(Failure::worse(failed, failure)),
            }
        }
        if let Some(failure) = sweep.unanswered {
            failed = Some(Failure::worse(failed, failure));
        }
        match (failed, swept) {
            (Some(failure), _) => Err(failure),
            (None, 0) => Ok(Outcome::skipped("nothing is overdue")),
            (None, _) => Ok(Outcome::Done),
        }
    }

    async fn sweep_head(&self, key: &Key, sweep: &mut Sweep<'_>) -> Result<bool, Failure> {
        let mut transaction = self.transaction(sweep.now());
        let head: Versioned<GroupHead> = transaction.get(key).await?;
        let head = head.document;
        let now = sweep.now();
        let timer = match (&head.pending, head.gives_up_at()) {
            (Some(pending), _) if later(pending.due, OVERDUE) > now => return Ok(false),
            (Some(pending), _) => (pending.due, pending.generation),
            // The timer has failed for good and is in the dead-letter queue.
            (None, Some(at)) if at <= now => (now, head.generation),
            (None, _) => return self.sweep_open_group(&key.partition, &head, sweep).await,
        };
        // The sweep only sends the timer again and leaves the work to the timer: a timer that fails is retried, a
        // sweep is not.
        tracing::warn!(
            key = key.partition,
            "a timer did not fire in time, or failed permanently; it is sent again"
        );
        let (due, generation) = timer;
        self.ensure_timer(&key.partition, due, generation, now).await?;
        if head.pending.is_none() {
            self.end(key, now, |head| head.begun_at = Some(now)).await?;
        }
        Ok(true)
    }

    async fn sweep_incident(&self, key: &Key, sweep: &mut Sweep<'_>) -> Result<bool, Failure> {
        let now = sweep.now();
        let mut transaction = self.transaction(now);
        let read: Versioned<Incident> = transaction.get(key).await?;
        let incident = read.document;
        let Some(event) = incident.sample().and_then(event_of) else {
            // The document is damaged. The object's next event replaces it.
            return self.look_again(key, later(now, REMINDER), now).await.map(|()| false);
        };
        let attempt = Attempt::of(&event, sweep.invocation);
        let targets = self.routing.targets(&event, now)?;
        let mut summary = Summary::default();
        if incident.next_resolution().is_some_and(|due| due <= now) {
            self.advance(&attempt, Mutation::Overdue, &targets, None, &mut summary).await?;
        }
        if incident.next_look().is_some_and(|due| due <= now) {
            self.advance(&attempt, Mutation::LookAgain, &targets, None, &mut summary).await?;
        }
        let due = incident.next_reminder().filter(|due| *due <= now);
        if let Some(open) = incident.open.as_ref().filter(|_| due.is_some()) {
            // Tableau is asked although no target is reminded now, so that the incident can end without a reminder.
            if self.last_refresh(&event, sweep).await? == LastRefresh::Succeeded {
                return Ok(true);
            }
            let no_one = match self.notifier.sends_updates() {
                true => no_one_to_remind(open, &targets, now),
                false => Some(later(now, REMINDER)),
            };
            if let Some(at) = no_one {
                self.look_again(key, at, now).await?;
            } else if !sweep.is_held(due) && sweep.has_time() {
                self.advance(&attempt, Mutation::Remind, &targets, None, &mut summary).await?;
                if summary.has_failed() {
                    self.look_again(key, later(now, PUT_OFF), now).await?;
                }
            }
        }
        summary.outcome(|| "nothing to remind of".to_owned()).map(|outcome| outcome == Outcome::Done)
    }

    /// Asks Tableau for the last refresh of an object whose incident is open. Resolves the incident if every kind of
    /// refresh that failed has succeeded since.
    pub(super) async fn last_refresh(
        &self,
        event: &Occurrence,
        sweep: &mut Sweep<'_>,
    ) -> Result<LastRefresh, Failure> {
        if sweep.unanswered.is_some() {
            return Ok(LastRefresh::Unanswered);
        }
        let attempt = Attempt::of(event, sweep.invocation);
        let mut transaction = self.transaction(sweep.now());
        let incident: Versioned<Incident> = transaction.get(&self.incident_key(&attempt)).await?;
        for kind in incident.document.failing_kinds() {
            let at = match self.routing.last_success(event, kind, sweep.invocation).await {
                Ok(Some(at)) => at,
                Ok(None) => continue,
                Err(failure) => {
                    sweep.unanswered = Some(failure);
                    return Ok(LastRefresh::Unanswered);
                }
            };
            let targets = self.routing.targets(event, sweep.now())?;
            let mut summary = Summary::default();
            let signal = Mutation::Signal(Signal::FoundSucceeded(at, kind));
            let transition = self.advance(&attempt, signal, &targets, None, &mut summary).await?;
            if transition == Transition::Resolved {
                self.note_missing_success(&event.site, sweep.now()).await?;
            }
            summary.outcome(String::new)?;
            if transition == Transition::Resolved {
                return Ok(LastRefresh::Succeeded);
            }
        }
        Ok(LastRefresh::NotSucceeded)
    }

    /// Postpones the sweep's next look at an incident to `at`, because no target has to be reminded before.
    async fn look_again(&self, key: &Key, at: Timestamp, now: Timestamp) -> Result<(), Failure> {
        let mut transaction = self.transaction(now);
        loop {
            let read: Versioned<Incident> = transaction.get(key).await?;
            let mut incident = read.document.clone();
            incident.looks_again = Some(at);
            transaction.put(key, &read, &incident)?;
            if transaction.commit().await?.is_some() {
                return Ok(());
            }
        }
    }
}

/// When the sweep should look again at an incident that no target may be reminded of now: its rules are muted or in
/// quiet hours, or no longer name the targets.
fn no_one_to_remind<T>(open: &Open, targets: &[Targeted<T>], now: Timestamp) -> Option<Timestamp> {
    let mut looks_again = later(now, REMINDER);
    for (key, entry) in &open.log {
        let Some(due) = entry.next_reminder(open.since) else { continue };
        let target = targets.iter().find(|target| target.key == *key);
        let at = match target.map(|target| target.schedule) {
            _ if due > now => due,
            Some(Schedule::Now | Schedule::Critical) => return None,
            Some(Schedule::DeferUntil(until) | Schedule::Muted(until) | Schedule::Maintenance(until)) => {
                until
            }
            None => continue,
        };
        looks_again = looks_again.min(at);
    }
    Some(looks_again)
}
