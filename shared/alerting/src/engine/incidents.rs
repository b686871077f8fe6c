//! Handles failures and recoveries of objects, from events and from timers.

use super::decide::why;
use super::documents::{Transaction, Versioned, unavailable};
use super::mutation::Mutation;
use super::{Attempt, Engine, Handled, Summary, event_of, keys};
use crate::group::{GroupHead, Member, Placement, is_group_id};
use crate::incident::{Incident, LogEntry, RefreshKind, Route, Signal, Transition};
use crate::notifier::{Notifier, Routing, Targeted};
use crate::plan::Suppression;
use jiff::Timestamp;
use rules::Schedule;
use store::records::{Key, Marked};
use tableau::{Action, Event};
use timer::TimerMessage;
use workflow::{Failure, Invocation, Outcome};

impl<N: Notifier, R: Routing<N::Target>> Engine<N, R> {
    /// Whether the refresh of a `…RefreshStarted` event has ended by now: a later success or failure is known.
    pub(super) async fn has_ended(&self, attempt: &Attempt<'_>) -> Result<bool, Failure> {
        let mut transaction = self.transaction(attempt.now());
        let mut incident: Versioned<Incident> = transaction.get(&self.incident_key(attempt)).await?;
        let started = Signal::Started(attempt.happened_at());
        Ok(incident.document.apply(attempt.event.id.short(), started) == Transition::Outdated)
    }

    pub(super) async fn on_failure(
        &self,
        attempt: &Attempt<'_>,
        targets: &[Targeted<N::Target>],
        summary: &mut Summary,
    ) -> Result<(), Failure> {
        let is_announced = targets
            .iter()
            .any(|target| !matches!(target.schedule, Schedule::Muted(_) | Schedule::Maintenance(_)));
        let kind = if is_announced { self.context(attempt).await?.refresh } else { RefreshKind::Unknown };
        let signal = Signal::Failed(attempt.happened_at(), kind);
        let transition = self.advance(attempt, Mutation::Signal(signal), targets, None, summary).await?;
        if transition == Transition::Outdated {
            summary.note(Ok(Handled::Nothing("a later refresh has succeeded since".to_owned())));
        }
        Ok(())
    }

    /// Handles a success or a deletion: it ends the open incident; without an open incident it is handled like any
    /// other event.
    pub(super) async fn on_end(
        &self,
        attempt: &Attempt<'_>,
        targets: &[Targeted<N::Target>],
        summary: &mut Summary,
    ) -> Result<(), Failure> {
        let at = attempt.happened_at();
        let key = self.incident_key(attempt);
        let now = attempt.now();
        let expires_at = super::soon(now, 400 * 24 * 3_600);
        let marked = self.records.raise_mark(&key, at.as_millisecond(), expires_at).await;
        let Marked::Active(record) = marked.map_err(unavailable)? else {
            if attempt.event.name.action() == Some(Action::RefreshSucceeded) {
                self.note_success_event(&attempt.event.site, false, now).await?;
                self.repeat_ends(attempt, summary).await?;
            }
            // No incident is open. If an earlier attempt at this same event resolved the incident, the recovery may
            // still have to be announced.
            return self.after_end(attempt, targets, None, summary).await;
        };
        let incident = Versioned::<Incident>::read(&key, Some(&record), now).document;
        let failing = incident.failing_kinds();
        let signal = match attempt.event.name.action() {
            Some(Action::Deleted) => Signal::Deleted(at),
            _ if failing.iter().all(|kind| *kind == RefreshKind::Unknown) => {
                Signal::Succeeded(at, RefreshKind::Unknown)
            }
            _ => {
                let kind = self.routing.success_kind(attempt.event, attempt.invocation).await?;
                Signal::Succeeded(at, kind)
            }
        };
        let failure_targets = self.failure_targets(attempt, incident.sample())?;
        let mutation = Mutation::Signal(signal);
        let transition = self.advance(attempt, mutation, &failure_targets, Some(record), summary).await?;
        if transition == Transition::Outdated {
            summary.note(Ok(Handled::Nothing("a later refresh has failed since".to_owned())));
            return Ok(());
        }
        if summary.is_empty() {
            let reason = match transition {
                Transition::Resolved => Some(why(Suppression::NotAnnounced)),
                _ if !failing.is_empty() => {
                    Some("the incident stays open: it was another kind of refresh".to_owned())
                }
                _ => None,
            };
            reason.into_iter().for_each(|reason| summary.note(Ok(Handled::Nothing(reason))));
        }
        if matches!(signal, Signal::Succeeded(..)) {
            let has_resolved = transition == Transition::Resolved;
            self.note_success_event(&attempt.event.site, has_resolved, now).await?;
        }
        self.after_end(attempt, targets, Some(transition), summary).await
    }

    /// How many times the event's refresh has failed in a row with this event, if a rule asks.
    pub(super) async fn failures_in_a_row(
        &self,
        event: &Event,
        now: Timestamp,
    ) -> Result<Option<u32>, Failure> {
        let is_failure = event.name.action() == Some(Action::RefreshFailed);
        if !is_failure || !self.routing.asks_for_failures(event)? {
            return Ok(None);
        }
        let key = keys::incident(self.workflow, event.subject.luid());
        let mut transaction = self.transaction(now);
        let incident: Versioned<Incident> = transaction.get(&key).await?;
        Ok(Some(incident.document.failures_with(event.id.short())))
    }

    /// The targets of the failure that a success or deletion ends. `sample`: the failure, as its incident has it.
    fn failure_targets(
        &self,
        attempt: &Attempt<'_>,
        sample: Option<&str>,
    ) -> Result<Vec<Targeted<N::Target>>, Failure> {
        match sample.and_then(event_of) {
            Some(failure) => self.routing.targets(&failure, attempt.now()),
            None => self.routing.failure_targets(attempt.event, attempt.now()),
        }
    }

    /// Announces a success to those that were not notified of the failure, if a rule says so.
    async fn after_end(
        &self,
        attempt: &Attempt<'_>,
        targets: &[Targeted<N::Target>],
        transition: Option<Transition>,
        summary: &mut Summary,
    ) -> Result<(), Failure> {
        if targets.is_empty() && transition.is_some() {
            return Ok(());
        }
        let key = self.incident_key(attempt);
        let mut notified = Vec::new();
        // No transition means that no incident was open when this attempt began; an earlier attempt may have resolved
        // the incident.
        let may_have_resolved = transition == Some(Transition::Resolved) || attempt.invocation.attempt > 1;
        if may_have_resolved {
            let mut transaction = self.transaction(attempt.now());
            let incident: Versioned<Incident> = transaction.get(&key).await?;
            if let Some(resolved) = incident.document.resolved_by(attempt.event.id.short()) {
                for (key, entry) in &resolved.incident.log {
                    if self.is_notified(attempt, key, entry).await? {
                        notified.push(key.clone());
                    }
                }
            }
            if transition.is_none() {
                let failure_targets = self.failure_targets(attempt, incident.document.sample())?;
                self.advance(attempt, Mutation::LookAgain, &failure_targets, None, summary).await?;
                if summary.is_empty() && incident.document.resolved_by(attempt.event.id.short()).is_some() {
                    summary.note(Ok(Handled::Nothing(why(Suppression::NotAnnounced))));
                }
            }
        }
        let others: Vec<_> =
            targets.iter().filter(|target| !notified.contains(&target.key)).cloned().collect();
        self.on_other(attempt, &others, summary).await;
        Ok(())
    }

    /// Whether a target has been notified of a resolved incident, or will be.
    async fn is_notified(
        &self,
        attempt: &Attempt<'_>,
        target: &str,
        entry: &LogEntry,
    ) -> Result<bool, Failure> {
        if let Route::Group(group) = &entry.route
            && entry.is_certainly_unsent()
            && !entry.resolution_sent
        {
            // A group that has not sent its first message yet leaves out members that recover before that.
            let key = keys::head(&keys::group(self.workflow, target, group));
            // Reads the group from the store and not from this worker's cache, which may be outdated.
            let mut transaction = Transaction::new(self.records.as_ref(), attempt.now());
            let head: Versioned<GroupHead> = transaction.get(&key).await?;
            return Ok(!head.document.is_unannounced());
        }
        Ok(entry.resolution_sent || entry.resolution_handed_over || !entry.is_certainly_unsent())
    }

    /// Handles the timer of a suppressed incident: if the incident still lasts, it is announced now.
    pub(super) async fn on_incident_timer(
        &self,
        timer: &TimerMessage,
        invocation: &Invocation,
    ) -> Result<Outcome, Failure> {
        let key = Key::single(timer.key.clone());
        let mut transaction = self.transaction(invocation.now);
        let incident: Versioned<Incident> = transaction.get(&key).await?;
        let Some(event) = incident.document.sample().and_then(event_of) else {
            return Ok(Outcome::skipped("the incident is over"));
        };
        let attempt = Attempt::of(&event, invocation);
        let targets = self.routing.targets(&event, invocation.now)?;
        let mut summary = Summary::default();
        self.advance(&attempt, Mutation::LookAgain, &targets, None, &mut summary).await?;
        summary.outcome_of_timer()
    }

    /// Announces a group's member alone, because too few members joined for a group message.
    pub(super) async fn announce_separately(
        &self,
        member: &Member,
        group: &str,
        target: &Targeted<N::Target>,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        let Some(event) = event_of(&member.sample) else { return Ok(()) };
        let attempt = Attempt::of(&event, invocation);
        self.leave_group(member, group, &target.key, Some(Route::Alone), invocation.now).await?;
        let mut summary = Summary::default();
        let targets = [self.own_target(target, &event, invocation.now)?];
        self.advance(&attempt, Mutation::LookAgain, &targets, None, &mut summary).await?;
        summary.outcome_of_timer().map(|_| ())
    }

    /// Removes an incident from a group that has not announced it. `route` says how the incident is announced from
    /// now on; `None` if that is not decided yet.
    pub(super) async fn leave_group(
        &self,
        member: &Member,
        group: &str,
        target: &str,
        route: Option<Route>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        if !is_group_id(&member.object) {
            return Ok(());
        }
        let key = keys::incident(self.workflow, &member.object);
        let partition = keys::group(self.workflow, target, group);
        let mut transaction = self.transaction(now);
        loop {
            let read: Versioned<Incident> = transaction.get(&key).await?;
            let mut incident = read.document.clone();
            let Some(open) = incident.find_mut(&member.id) else { return Ok(()) };
            let Some(entry) = open.log.get_mut(target) else { return Ok(()) };
            if entry.route != Route::Group(group.to_owned()) {
                return Ok(());
            }
            match &route {
                Some(route) => entry.route = route.clone(),
                None if entry.is_certainly_unsent() => {
                    open.log.remove(target);
                }
                None => entry.route = Route::Alone,
            }
            transaction.put(&key, &read, &incident)?;
            let placement = if route.is_some() { Placement::Alone } else { Placement::Left };
            let left = Member { placement, ..member.clone() };
            transaction.overwrite(&keys::member(&partition, &member.id), &left)?;
            if transaction.commit().await?.is_some() {
                return Ok(());
            }
        }
    }
}
