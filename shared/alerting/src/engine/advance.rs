//! Applies one change after another to an incident and sends the resulting notifications, until nothing is left to
//! send.

use super::documents::Versioned;
use super::mutation::Mutation;
use super::send::{Send, receipt};
use super::{Attempt, Engine, Handled, Summary, keys};
use crate::capabilities::Capabilities;
use crate::incident::{Incident, Receipt, Route, Signal, Transition};
use crate::notifier::{Delivered, Notifier, Routing, Targeted};
use jiff::Timestamp;
use rules::Schedule;
use std::collections::{BTreeSet, VecDeque};
use store::records::{Key, Record};
use workflow::{Effect, Failure};

/// The largest number of changes of an incident in one attempt: the first, one for the receipt of each notification, and
/// one for each further batch of targets.
const MOST_ROUNDS: u32 = 500;

/// The largest number of targets decided in one transaction: each target may write two documents, and a DynamoDB
/// transaction takes a hundred.
const MOST_TARGETS: usize = 40;

/// An incident's id and a target, for which a decision is due.
pub(super) type Due<T> = (String, Targeted<T>);

/// What is left to do after a change of the incident was committed.
pub(super) struct Advance<T> {
    pub(super) transition: Transition,
    /// The incident's record, as last read or written.
    pub(super) record: Option<Record>,
    pub(super) sends: Vec<Send<T>>,
    /// The partitions of the group and digest heads whose timers must exist.
    pub(super) arm: Vec<String>,
    pub(super) look_again: Option<Timestamp>,
    /// The change to apply next, for the remaining targets, if there are more targets than one transaction takes.
    pub(super) rest: Option<Mutation>,
    pub(super) handled: Vec<(String, Handled)>,
}

impl<N: Notifier, R: Routing<N::Target>> Engine<N, R> {
    pub(super) fn incident_key(&self, attempt: &Attempt<'_>) -> Key {
        keys::incident(self.workflow, attempt.event.subject.luid())
    }

    /// Changes the incident, arms timers and sends notifications until nothing is left to send. Each notification's
    /// receipt is written before the next notification is sent, so a worker that dies repeats at most one of them.
    pub(super) async fn advance(
        &self,
        attempt: &Attempt<'_>,
        mutation: Mutation,
        targets: &[Targeted<N::Target>],
        record: Option<Record>,
        summary: &mut Summary,
    ) -> Result<Transition, Failure> {
        let capabilities = self.notifier.capabilities().await?;
        let mut next = Some(mutation);
        let mut record = record;
        let mut transition = None;
        let mut rounds = 0;
        let mut notified = BTreeSet::new();
        let mut sends: VecDeque<Send<N::Target>> = VecDeque::new();
        loop {
            let mutation = if let Some(mutation) = next.take() {
                mutation
            } else if rounds >= MOST_ROUNDS && !sends.is_empty() {
                self.release(attempt, sends).await;
                return Err(Failure::transient("an incident changes faster than it can be announced"));
            } else if let Some(send) = sends.pop_front() {
                if send.has_ended(record.as_ref(), attempt.now()) {
                    // The incident's resolution is in the same document, so the opening message is not sent any more:
                    // a target that did not receive the opening needs no end.
                    next = Some(send.unsent());
                    continue;
                }
                let sent = self.send(attempt, &send).await;
                if sent.as_ref().is_ok_and(|delivered| delivered.skipped.is_none()) {
                    notified.insert(send.target.key.clone());
                }
                let mutation = receipt(&send, &sent, attempt.now());
                summary.note(match sent {
                    Ok(Delivered { skipped: Some(why), .. }) => Ok(Handled::Skipped(why)),
                    Ok(_) => Ok(Handled::Sent),
                    Err(undelivered) => Err(undelivered.failure),
                });
                mutation
            } else {
                break;
            };
            rounds += 1;
            let advanced =
                self.change_and_arm(attempt, &mutation, targets, capabilities, record.take(), &mut sends);
            let advance = match advanced.await {
                Ok(advance) => advance,
                Err(failure) => {
                    self.release(attempt, sends).await;
                    return Err(failure);
                }
            };
            transition = transition.or(Some(advance.transition));
            record = advance.record;
            next = advance.rest;
            advance.handled.into_iter().for_each(|(_, handled)| summary.note(Ok(handled)));
        }
        for target in notified {
            // Read by people who ask what happened to an event. Decisions use the notification log instead.
            let nothing = async { Ok::<_, Failure>(()) };
            attempt.invocation.once(Effect::Notified { target }, nothing).await?;
        }
        Ok(transition.unwrap_or(Transition::Unchanged))
    }

    /// Changes the incident and arms the timers that the change asks for. The notifications to send are appended to
    /// `sends`, also when this returns an error.
    async fn change_and_arm(
        &self,
        attempt: &Attempt<'_>,
        mutation: &Mutation,
        targets: &[Targeted<N::Target>],
        capabilities: Capabilities,
        record: Option<Record>,
        sends: &mut VecDeque<Send<N::Target>>,
    ) -> Result<Advance<N::Target>, Failure> {
        let mut advance = self.change(attempt, mutation, targets, capabilities, record, sends).await?;
        sends.iter_mut().for_each(|send| send.is_late = true);
        sends.extend(advance.sends.drain(..));
        for partition in &advance.arm {
            self.arm(partition, attempt.now()).await?;
        }
        if let Some(at) = advance.look_again {
            self.ensure_timer(&self.incident_key(attempt).partition, at, 0, attempt.now()).await?;
        }
        Ok(advance)
    }

    /// Gives back the leases of notifications that were not sent, so that the next attempt knows that nothing has
    /// arrived.
    async fn release(&self, attempt: &Attempt<'_>, sends: VecDeque<Send<N::Target>>) {
        if sends.is_empty() {
            return;
        }
        let key = self.incident_key(attempt);
        let released = async {
            let mut transaction = self.transaction(attempt.now());
            loop {
                let read: Versioned<Incident> = transaction.get(&key).await?;
                let mut incident = read.document.clone();
                for send in &sends {
                    let unsent = Receipt::Unsent { maybe_sent: false };
                    incident.record(&send.about.incident().id, &send.target.key, attempt.owner, &unsent);
                }
                transaction.put(&key, &read, &incident)?;
                if transaction.commit().await?.is_some() {
                    return Ok::<_, Failure>(());
                }
            }
        };
        if let Err(failure) = released.await {
            let reason = failure.reason();
            tracing::warn!(event.id = %attempt.event.id, reason, "leases were not released; they expire by themselves");
        }
    }

    /// Runs one transaction: applies the mutation to the incident and decides for each target what follows from it.
    pub(super) async fn change(
        &self,
        attempt: &Attempt<'_>,
        mutation: &Mutation,
        targets: &[Targeted<N::Target>],
        capabilities: Capabilities,
        record: Option<Record>,
        queued: &VecDeque<Send<N::Target>>,
    ) -> Result<Advance<N::Target>, Failure> {
        let key = self.incident_key(attempt);
        let now = attempt.now();
        // Most objects fail for the first time, so a failure is written without reading the incident first. If a
        // document exists, the conditional write fails and the store returns the document.
        let is_probably_new = record.is_none() && matches!(mutation, Mutation::Signal(Signal::Failed(..)));
        let mut transaction = self.transaction(now);
        if is_probably_new {
            transaction.assume_absent(&key);
        }
        if let Some(record) = record {
            transaction.assume(&key, record);
        }
        loop {
            let read: Versioned<Incident> = transaction.get(&key).await?;
            let mut incident = read.document.clone();
            let mut advance = self.mutate(attempt, mutation, &mut incident);
            let pending = self.pending(attempt, mutation, &incident, advance.transition, targets)?;
            if matches!(mutation, Mutation::Remind) {
                for target in targets {
                    self.remind(attempt, &mut transaction, &mut incident, target, &mut advance).await?;
                }
            }
            // This attempt already holds the leases of these notifications and sends them next.
            let is_queued =
                |due: &Due<N::Target>| queued.iter().any(|send| send.is_about(&due.0, &due.1.key));
            let is_decided = |due: &Due<N::Target>| mutation.is_decided(&due.0, &due.1.key);
            let pending: Vec<_> =
                pending.into_iter().filter(|due| !is_queued(due) && !is_decided(due)).collect();
            if pending.len() > MOST_TARGETS {
                let decided =
                    pending.iter().take(MOST_TARGETS).map(|(id, target)| (id.clone(), target.key.clone()));
                advance.rest = Some(mutation.rest(decided));
            }
            for (id, target) in pending.into_iter().take(MOST_TARGETS) {
                let decided = self.decide(
                    attempt,
                    &mut transaction,
                    &mut incident,
                    &id,
                    &target,
                    capabilities,
                    &mut advance,
                );
                decided.await?;
            }
            if attempt.invocation.attempt > 1 {
                advance.arm.extend(self.armed_before(attempt, &incident, targets));
            }
            transaction.put(&key, &read, &incident)?;
            if let Some(written) = transaction.commit().await? {
                let unchanged = || Record {
                    version: read.version,
                    text: serde_json::to_string(&incident).unwrap_or_default(),
                    mark: None,
                };
                advance.record = match written.get(&key) {
                    Some(record) => Some(record.clone()),
                    None => (read.version > 0).then(unchanged),
                };
                return Ok(advance);
            }
        }
    }

    /// The heads (of groups and digests) that an earlier attempt may have written before it could arm their timers.
    pub(super) fn armed_before(
        &self,
        attempt: &Attempt<'_>,
        incident: &Incident,
        targets: &[Targeted<N::Target>],
    ) -> Vec<String> {
        let mut partitions = Vec::new();
        let resolved = incident.resolved_by(attempt.event.id.short()).map(|resolved| &resolved.incident);
        for (target, entry) in incident.open.iter().chain(resolved).flat_map(|open| &open.log) {
            match &entry.route {
                Route::Group(group) => partitions.push(keys::group(self.workflow, target, group)),
                Route::Digest(until) => partitions.push(keys::digest(self.workflow, target, *until)),
                Route::Alone => {}
            }
        }
        for target in targets {
            if let Schedule::DeferUntil(until) = target.schedule {
                partitions.push(keys::digest(self.workflow, &target.key, until));
            }
        }
        partitions.sort();
        partitions.dedup();
        partitions
    }

    pub(super) fn mutate(
        &self,
        attempt: &Attempt<'_>,
        mutation: &Mutation,
        incident: &mut Incident,
    ) -> Advance<N::Target> {
        let transition = match mutation {
            Mutation::Signal(signal) => {
                let transition = incident.apply(attempt.event.id.short(), *signal);
                if transition == Transition::Resolved {
                    incident.note_resolved_at(attempt.now());
                }
                if let (Signal::Failed(..), Some(open)) = (signal, &mut incident.open)
                    && matches!(transition, Transition::Opened | Transition::FailedAgain)
                {
                    open.sample.clone_from(&attempt.payload);
                    open.cause = attempt.known_cause().or(open.cause.take());
                }
                transition
            }
            Mutation::Receipt { incident: id, target, receipt } => {
                incident.record(id, target, attempt.owner, receipt);
                if let Some(Some(impact)) = attempt.impact.get() {
                    incident.keep_impact(id, impact);
                }
                Transition::Unchanged
            }
            Mutation::LookAgain if let Some(open) = &mut incident.open => {
                open.suppressed_until = None;
                Transition::FailedAgain
            }
            Mutation::Overdue => {
                incident.give_up_resolutions(attempt.now());
                Transition::Unchanged
            }
            Mutation::LookAgain | Mutation::Remind | Mutation::Continue(_) => Transition::Unchanged,
        };
        Advance {
            transition,
            record: None,
            sends: Vec::new(),
            arm: Vec::new(),
            look_again: None,
            rest: None,
            handled: Vec::new(),
        }
    }

    /// The incidents and targets for which a decision is due.
    pub(super) fn pending(
        &self,
        attempt: &Attempt<'_>,
        mutation: &Mutation,
        incident: &Incident,
        transition: Transition,
        targets: &[Targeted<N::Target>],
    ) -> Result<Vec<Due<N::Target>>, Failure> {
        let mut pending = Vec::new();
        let has_failed = matches!(mutation, Mutation::Receipt { receipt: Receipt::Unsent { .. }, .. });
        // When an attempt has failed for a target, the queue delivers the event again later. Trying at once would
        // burden a destination that is down.
        let failed_target =
            |key: &str| has_failed && matches!(mutation, Mutation::Receipt { target, .. } if target == key);
        for resolved in incident.resolved() {
            for (key, entry) in &resolved.incident.log {
                if entry.awaits_resolution()
                    && !failed_target(key)
                    && let Some(target) = self.target(key, targets, attempt.now())?
                {
                    pending.push((resolved.incident.id.clone(), target));
                }
            }
        }
        let Some(open) = &incident.open else { return Ok(pending) };
        match mutation {
            Mutation::Receipt { target: key, .. } if !failed_target(key) => {
                if let Some(target) = self.target(key, targets, attempt.now())? {
                    pending.push((open.id.clone(), target));
                }
            }
            Mutation::Receipt { .. } => {}
            _ if matches!(transition, Transition::Opened | Transition::FailedAgain)
                || matches!(mutation, Mutation::Continue(_)) =>
            {
                pending.extend(targets.iter().map(|target| (open.id.clone(), target.clone())));
            }
            _ => {}
        }
        Ok(pending)
    }
}
