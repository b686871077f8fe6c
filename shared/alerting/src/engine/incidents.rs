//! Failures, recoveries, and what is sent about one incident.

use super::documents::{Transaction, Versioned, unavailable};
use super::{Attempt, Engine, Handled, Summary, event_of, keys};
use crate::capabilities::Capabilities;
use crate::digest::{Entry, Meaning};
use crate::group::{GroupHead, Member, Placement, Window};
use crate::incident::{Incident, LogEntry, Open, Receipt, RefreshKind, Resolved, Route, Signal, Transition};
use crate::notification::{self, About, Notification, title_of};
use crate::notifier::{Delivered, Delivery, Notifier, Routing, Targeted, Undelivered};
use crate::plan::{
    Decision, DigestState, Operation, Situation, Suppression, digest_group, is_reminder_due, plan,
};
use crate::records::{Key, Marked, Record};
use jiff::Timestamp;
use rules::Schedule;
use tableau::Action;
use timer::TimerMessage;
use workflow::{Failure, Invocation, Outcome};

/// How many notifications one attempt sends at most: one a target, and what happens meanwhile.
const MOST_ROUNDS: u32 = 100;

/// What changes an incident's document.
#[derive(Clone, Debug)]
pub(super) enum Mutation {
    /// An event.
    Signal(Signal),
    /// A notification was sent, or not.
    Receipt { incident: String, target: String, receipt: Receipt },
    /// A timer: look again at an incident that was suppressed.
    LookAgain,
    /// The sweep: a target may be to be reminded.
    Remind,
}

/// What is to be done after the commit, for one target.
#[derive(Clone, Debug)]
struct Send<T> {
    target: Targeted<T>,
    operation: Operation,
    audible: bool,
    about: Announced,
    is_reminder: bool,
}

/// The state of the incident that a notification is about.
#[derive(Clone, Debug)]
enum Announced {
    Open(Open),
    Resolved(Resolved),
}

impl Announced {
    fn incident(&self) -> &Open {
        match self {
            Self::Open(open) => open,
            Self::Resolved(resolved) => &resolved.incident,
        }
    }
}

/// What a committed change leaves to be done.
struct Advance<T> {
    transition: Transition,
    /// What is known of the incident's record now.
    record: Option<Record>,
    sends: Vec<Send<T>>,
    /// Heads whose timers have to exist: partitions.
    arm: Vec<String>,
    look_again: Option<Timestamp>,
    handled: Vec<(String, Handled)>,
}

impl<N: Notifier, R: Routing<N::Target>> Engine<N, R> {
    fn incident_key(&self, attempt: &Attempt<'_>) -> Key {
        keys::incident(self.workflow, attempt.event.subject.luid())
    }

    /// Whether the refresh that began has ended by now.
    pub(super) async fn has_ended(&self, attempt: &Attempt<'_>) -> Result<bool, Failure> {
        let mut transaction = self.transaction(attempt.now(), []);
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
        let is_announced = targets.iter().any(|target| !matches!(target.schedule, Schedule::Muted(_)));
        let kind = if is_announced {
            self.context(attempt).await?;
            self.routing.refresh_kind(attempt.event, attempt.invocation).await?
        } else {
            RefreshKind::Unknown
        };
        let signal = Signal::Failed(attempt.happened_at(), kind);
        let transition = self.advance(attempt, Mutation::Signal(signal), targets, None, summary).await?;
        if transition == Transition::Outdated {
            summary.note(Ok(Handled::Nothing("a later refresh has succeeded since".to_owned())));
        }
        Ok(())
    }

    /// A success or a deletion: the end of an incident, if one is open; otherwise an event like others.
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
            // Nothing fails. An incident that this very event has resolved may still have to be announced.
            return self.after_end(attempt, targets, None, summary).await;
        };
        let failing = Versioned::<Incident>::read(&key, Some(&record), now).document.failing_kinds();
        let signal = match attempt.event.name.action() {
            Some(Action::Deleted) => Signal::Deleted(at),
            _ if failing.iter().all(|kind| *kind == RefreshKind::Unknown) => {
                Signal::Succeeded(at, RefreshKind::Unknown)
            }
            _ => {
                let kind = self.routing.refresh_kind(attempt.event, attempt.invocation).await?;
                Signal::Succeeded(at, kind)
            }
        };
        let failure_targets = self.routing.failure_targets(attempt.event, now)?;
        let mutation = Mutation::Signal(signal);
        let transition = self.advance(attempt, mutation, &failure_targets, Some(record), summary).await?;
        if transition == Transition::Outdated {
            summary.note(Ok(Handled::Nothing("a later refresh has failed since".to_owned())));
            return Ok(());
        }
        self.after_end(attempt, targets, Some(transition), summary).await
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
        // Without a transition nothing failed when this attempt began; an earlier attempt may have resolved the incident.
        let may_have_resolved = transition == Some(Transition::Resolved) || attempt.invocation.attempt > 1;
        if may_have_resolved {
            let mut transaction = self.transaction(attempt.now(), []);
            let incident: Versioned<Incident> = transaction.get(&key).await?;
            if let Some(resolved) = incident.document.resolved_by(attempt.event.id.short()) {
                let known = |(_, entry): &(&String, &LogEntry)| {
                    entry.resolution_sent || entry.resolution_handed_over || !entry.is_certainly_unsent()
                };
                notified = resolved.incident.log.iter().filter(known).map(|(key, _)| key.clone()).collect();
            }
            if transition.is_none() {
                let failure_targets = self.routing.failure_targets(attempt.event, attempt.now())?;
                self.advance(attempt, Mutation::LookAgain, &failure_targets, None, summary).await?;
            }
        }
        let others: Vec<_> =
            targets.iter().filter(|target| !notified.contains(&target.key)).cloned().collect();
        self.on_other(attempt, &others, summary).await;
        Ok(())
    }

    /// A timer of an incident that was suppressed: it is announced if it lasts.
    pub(super) async fn on_incident_timer(
        &self,
        timer: &TimerMessage,
        invocation: &Invocation,
    ) -> Result<Outcome, Failure> {
        let key = Key::single(timer.key.clone());
        let mut transaction = self.transaction(invocation.now, []);
        let incident: Versioned<Incident> = transaction.get(&key).await?;
        let sample = incident.document.open.as_ref().and_then(|open| event_of(&open.sample));
        let Some(event) = sample else { return Ok(Outcome::skipped("the incident is over")) };
        let attempt = Attempt::new(&event, invocation);
        let targets = self.routing.targets(&event, invocation.now)?;
        let mut summary = Summary::default();
        self.advance(&attempt, Mutation::LookAgain, &targets, None, &mut summary).await?;
        summary.outcome(|| "the incident is announced already".to_owned())
    }

    /// Reminds a target of an incident that has been open for a day without a new message.
    fn remind(
        &self,
        attempt: &Attempt<'_>,
        incident: &mut Incident,
        target: &Targeted<N::Target>,
        capabilities: Capabilities,
        advance: &mut Advance<N::Target>,
    ) {
        let Some(open) = &incident.open else { return };
        let situation = Situation {
            transition: Transition::FailedAgain,
            incident: open,
            entry: open.log.get(&target.key),
            window: None,
            digest: DigestState::Waiting,
            schedule: target.schedule,
            capabilities,
            has_timers: true,
            owner: attempt.owner,
            now: attempt.now(),
        };
        if !is_reminder_due(&situation) {
            return;
        }
        let Some(open) = &mut incident.open else { return };
        let Some(entry) = open.log.get_mut(&target.key) else { return };
        if entry.acquire(attempt.owner, attempt.now()) {
            advance.sends.push(Send {
                target: target.clone(),
                operation: Operation::Post,
                audible: true,
                about: Announced::Open(open.clone()),
                is_reminder: true,
            });
        }
    }

    /// Changes the incident, arms timers, sends, and goes on until nothing is left to send.
    pub(super) async fn advance(
        &self,
        attempt: &Attempt<'_>,
        mutation: Mutation,
        targets: &[Targeted<N::Target>],
        record: Option<Record>,
        summary: &mut Summary,
    ) -> Result<Transition, Failure> {
        let capabilities = self.notifier.capabilities().await?;
        let mut next = vec![mutation];
        let mut record = record;
        let mut transition = None;
        let mut rounds = 0;
        while let Some(mutation) = next.pop() {
            rounds += 1;
            if rounds > MOST_ROUNDS {
                return Err(Failure::transient("an incident changes faster than it can be announced"));
            }
            let advance = self.change(attempt, &mutation, targets, capabilities, record.take()).await?;
            transition = transition.or(Some(advance.transition));
            record = advance.record;
            for partition in &advance.arm {
                self.arm(partition, attempt.now()).await?;
            }
            if let Some(at) = advance.look_again {
                self.ensure_timer(&self.incident_key(attempt).partition, at, 0, attempt.now()).await?;
            }
            advance.handled.into_iter().for_each(|(_, handled)| summary.note(Ok(handled)));
            for send in advance.sends {
                let sent = self.send(attempt, &send).await;
                let receipt = match &sent {
                    Ok(delivered) => Receipt::Sent {
                        failures: send.about.incident().failures,
                        resolution: matches!(send.about, Announced::Resolved(_)),
                        // The first message shows how the incident ends; a reminder is one more.
                        message: delivered.message.clone().filter(|_| !send.is_reminder),
                        audible_at: delivered.audible.then(|| attempt.now()),
                    },
                    Err(undelivered) => Receipt::Unsent { maybe_sent: undelivered.maybe_sent },
                };
                let incident = send.about.incident().id.clone();
                next.push(Mutation::Receipt { incident, target: send.target.key, receipt });
                summary.note(match sent {
                    Ok(_) => Ok(Handled::Sent),
                    Err(undelivered) => Err(undelivered.failure),
                });
            }
        }
        Ok(transition.unwrap_or(Transition::Unchanged))
    }

    /// One transaction: the mutation, and what it means for each target.
    async fn change(
        &self,
        attempt: &Attempt<'_>,
        mutation: &Mutation,
        targets: &[Targeted<N::Target>],
        capabilities: Capabilities,
        record: Option<Record>,
    ) -> Result<Advance<N::Target>, Failure> {
        let key = self.incident_key(attempt);
        let now = attempt.now();
        // Most objects fail for the first time: a failure writes without reading. If there is a document, the store says so.
        let is_probably_new = record.is_none() && matches!(mutation, Mutation::Signal(Signal::Failed(..)));
        let mut transaction = self.transaction(now, is_probably_new.then(|| key.clone()));
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
                    self.remind(attempt, &mut incident, target, capabilities, &mut advance);
                }
            }
            for (id, target) in pending {
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
                self.remember(&written);
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

    /// The heads that an earlier attempt may have written without having armed their timers.
    fn armed_before(
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

    fn mutate(
        &self,
        attempt: &Attempt<'_>,
        mutation: &Mutation,
        incident: &mut Incident,
    ) -> Advance<N::Target> {
        let transition = match mutation {
            Mutation::Signal(signal) => {
                let transition = incident.apply(attempt.event.id.short(), *signal);
                if let (Signal::Failed(..), Some(open)) = (signal, &mut incident.open)
                    && matches!(transition, Transition::Opened | Transition::FailedAgain)
                {
                    open.sample.clone_from(&attempt.payload);
                }
                transition
            }
            Mutation::Receipt { incident: id, target, receipt } => {
                incident.record(id, target, attempt.owner, receipt);
                Transition::Unchanged
            }
            Mutation::LookAgain if incident.open.is_some() => Transition::FailedAgain,
            Mutation::LookAgain | Mutation::Remind => Transition::Unchanged,
        };
        Advance {
            transition,
            record: None,
            sends: Vec::new(),
            arm: Vec::new(),
            look_again: None,
            handled: Vec::new(),
        }
    }

    /// For which incident and which target something is to be decided.
    fn pending(
        &self,
        attempt: &Attempt<'_>,
        mutation: &Mutation,
        incident: &Incident,
        transition: Transition,
        targets: &[Targeted<N::Target>],
    ) -> Result<Vec<(String, Targeted<N::Target>)>, Failure> {
        let mut pending = Vec::new();
        let has_failed = matches!(mutation, Mutation::Receipt { receipt: Receipt::Unsent { .. }, .. });
        // After an attempt that failed, the event comes again. Trying at once would hammer a destination that is down.
        let failed_target =
            |key: &str| has_failed && matches!(mutation, Mutation::Receipt { target, .. } if target == key);
        for resolved in incident.resolved() {
            for (key, entry) in &resolved.incident.log {
                if entry.awaits_resolution() && !failed_target(key) {
                    if let Some(target) = self.target(key, targets, attempt.now())? {
                        pending.push((resolved.incident.id.clone(), target));
                    }
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
            _ if matches!(transition, Transition::Opened | Transition::FailedAgain) => {
                pending.extend(targets.iter().map(|target| (open.id.clone(), target.clone())));
            }
            _ => {}
        }
        Ok(pending)
    }

    /// Decides for one incident and one target, and writes the decision into the transaction.
    #[expect(clippy::too_many_arguments, reason = "what one decision needs, each of another kind")]
    async fn decide(
        &self,
        attempt: &Attempt<'_>,
        transaction: &mut Transaction<'_>,
        incident: &mut Incident,
        id: &str,
        target: &Targeted<N::Target>,
        capabilities: Capabilities,
        advance: &mut Advance<N::Target>,
    ) -> Result<(), Failure> {
        let now = attempt.now();
        let resolved = incident.resolved().iter().find(|resolved| resolved.incident.id == id).cloned();
        let about = match (&resolved, &incident.open) {
            (Some(resolved), _) => Announced::Resolved(resolved.clone()),
            (None, Some(open)) if open.id == id => Announced::Open(open.clone()),
            _ => return Ok(()),
        };
        let current = about.incident();
        let entry = current.log.get(&target.key).cloned();
        let window_key = keys::window(self.workflow, &target.key, flood(target.schedule));
        // The window matters only for a first notification.
        let needs_window = resolved.is_none()
            && entry
                .as_ref()
                .is_none_or(|entry| entry.route != Route::Alone && !matches!(entry.route, Route::Group(_)));
        let window: Versioned<Window> =
            if needs_window { transaction.get(&window_key).await? } else { Versioned::absent() };
        let digest = match entry.as_ref().map(|entry| &entry.route) {
            Some(Route::Digest(until)) => {
                self.digest_state(transaction, &target.key, *until, id, now).await?
            }
            _ => DigestState::Waiting,
        };
        let transition = match &about {
            Announced::Resolved(_) => Transition::Resolved,
            Announced::Open(_) if current.failures == 1 => Transition::Opened,
            Announced::Open(_) => Transition::FailedAgain,
        };
        let situation = Situation {
            transition,
            incident: current,
            entry: entry.as_ref(),
            window: window.document.current(now),
            digest,
            schedule: target.schedule,
            capabilities,
            has_timers: self.has_timers(attempt.invocation),
            owner: attempt.owner,
            now,
        };
        let decisions = plan(&situation);
        for decision in decisions {
            match decision {
                Decision::Send { operation, audible } => {
                    let opens_window =
                        entry.is_none() && audible && needs_window && self.has_timers(attempt.invocation);
                    if opens_window && capabilities.grouping && window.document.current(now).is_none() {
                        let mut opened = window.document.clone();
                        opened.open(id, attempt.event.subject.luid(), now);
                        transaction.put(&window_key, &window, &opened)?;
                    }
                    let log = incident.find_mut(id).map(|open| &mut open.log);
                    let Some(log) = log else { continue };
                    let entry = log.entry(target.key.clone()).or_insert_with(|| LogEntry::new(Route::Alone));
                    if operation == Operation::Post {
                        entry.route = Route::Alone;
                    }
                    if entry.acquire(attempt.owner, now) {
                        let about = match &about {
                            Announced::Open(_) => incident.open.clone().map(Announced::Open),
                            Announced::Resolved(_) => {
                                let mut all = incident.resolved().iter();
                                all.find(|resolved| resolved.incident.id == id)
                                    .cloned()
                                    .map(Announced::Resolved)
                            }
                        };
                        let send = about.map(|about| Send {
                            target: target.clone(),
                            operation,
                            audible,
                            about,
                            is_reminder: false,
                        });
                        advance.sends.extend(send);
                    }
                }
                Decision::Group { id: group } => {
                    self.join(attempt, transaction, &about, target, &group, capabilities).await?;
                    if needs_window {
                        let mut joined = window.document.clone();
                        joined.joined(now);
                        if joined != window.document {
                            transaction.put(&window_key, &window, &joined)?;
                        }
                    }
                    let partition = keys::group(self.workflow, &target.key, &group);
                    self.hand_over(incident, id, target, Route::Group(group), &about);
                    advance.arm.push(partition);
                    let how = "grouped with other incidents of the same time".to_owned();
                    advance.handled.push((target.key.clone(), Handled::Grouped(how)));
                }
                Decision::Digest { until } => {
                    let partition = self
                        .add_to_digest(attempt, transaction, &about, entry.as_ref(), target, until)
                        .await?;
                    let route = match &entry {
                        Some(entry) if entry.notified_failures > 0 => entry.route.clone(),
                        _ => Route::Digest(until),
                    };
                    self.hand_over(incident, id, target, route, &about);
                    advance.arm.push(partition);
                    let how = format!("in the digest of the quiet hours until {until:.0}");
                    advance.handled.push((target.key.clone(), Handled::Grouped(how)));
                }
                Decision::LookAgain { at } => advance.look_again = Some(at),
                Decision::Suppress(reason) => {
                    if let Suppression::Muted(_) | Suppression::NotAnnounced = reason
                        && resolved.is_some()
                        && let Some(entry) =
                            incident.find_mut(id).and_then(|open| open.log.get_mut(&target.key))
                    {
                        entry.resolution_sent = true;
                    }
                    advance.handled.push((target.key.clone(), Handled::Nothing(why(reason))));
                }
            }
        }
        Ok(())
    }

    /// Notes that a group or digest announces the incident from now on.
    fn hand_over(
        &self,
        incident: &mut Incident,
        id: &str,
        target: &Targeted<N::Target>,
        route: Route,
        about: &Announced,
    ) {
        let Some(open) = incident.find_mut(id) else { return };
        let entry = open.log.entry(target.key.clone()).or_insert_with(|| LogEntry::new(route.clone()));
        entry.route = route;
        entry.resolution_handed_over |= matches!(about, Announced::Resolved(_));
    }

    async fn digest_state(
        &self,
        transaction: &mut Transaction<'_>,
        target: &str,
        until: Timestamp,
        id: &str,
        now: Timestamp,
    ) -> Result<DigestState, Failure> {
        if now < until {
            return Ok(DigestState::Waiting);
        }
        let head = keys::head(&keys::digest(self.workflow, target, until));
        let head: Versioned<GroupHead> = transaction.get(&head).await?;
        if head.document.sent == 0 {
            return Ok(DigestState::Waiting);
        }
        for generation in head.document.sent_generations.iter().rev().copied() {
            let group = keys::group(self.workflow, target, &digest_group(until, generation));
            let member: Versioned<Member> = transaction.get(&keys::member(&group, id)).await?;
            if member.version > 0 {
                return Ok(DigestState::SentAsGroup { generation });
            }
        }
        Ok(DigestState::Sent)
    }

    /// Writes the incident into a group, and asks for the group's timer.
    async fn join(
        &self,
        attempt: &Attempt<'_>,
        transaction: &mut Transaction<'_>,
        about: &Announced,
        target: &Targeted<N::Target>,
        group: &str,
        capabilities: Capabilities,
    ) -> Result<(), Failure> {
        let partition = keys::group(self.workflow, &target.key, group);
        let incident = about.incident();
        let event = event_of(&incident.sample);
        let name = event.as_ref().and_then(|event| event.resource_name.clone()).unwrap_or_default();
        let mut member = Member::new(&incident.id, &name, None, incident.since);
        if let Announced::Open(_) = about {
            let context = self.context(attempt).await?;
            let described = About { event: attempt.event, site: None, context };
            member = Member::new(&incident.id, &described.name(), described.cause_title(), incident.since);
            member.sample.clone_from(&incident.sample);
        }
        member.object = attempt.event.subject.luid().to_owned();
        if let Announced::Resolved(resolved) = about {
            let written: Versioned<Member> = transaction.get(&keys::member(&partition, &incident.id)).await?;
            if written.version > 0 {
                member = written.document;
            }
            member.resolved_at = Some(resolved.at);
        }
        transaction.overwrite(&keys::member(&partition, &incident.id), &member)?;
        let head_key = keys::head(&partition);
        let head: Versioned<GroupHead> = transaction.get(&head_key).await?;
        let mut changed = head.document.clone();
        if changed.target.is_empty() {
            changed.target.clone_from(&target.key);
            changed.sample.clone_from(&incident.sample);
        }
        changed.changed(attempt.now(), matches!(about, Announced::Open(_)), capabilities);
        transaction.put(&head_key, &head, &changed)
    }

    /// Writes what happened into a digest, and asks for the digest's timer. Returns the digest's partition.
    async fn add_to_digest(
        &self,
        attempt: &Attempt<'_>,
        transaction: &mut Transaction<'_>,
        about: &Announced,
        entry: Option<&LogEntry>,
        target: &Targeted<N::Target>,
        until: Timestamp,
    ) -> Result<String, Failure> {
        let meaning = match (about, entry) {
            (Announced::Resolved(_), _) => Meaning::Resolved,
            (Announced::Open(_), Some(entry)) if entry.notified_failures > 0 => Meaning::FailedAgain,
            (Announced::Open(_), _) => Meaning::Failed,
        };
        let context = self.context(attempt).await?;
        let described = About { event: attempt.event, site: None, context };
        let incident = about.incident();
        // The attempt that finds the end may be that of the failure, if its worker died and the success came meanwhile.
        let (title, at) = match about {
            Announced::Resolved(resolved) if resolved.by != attempt.event.id.short() => {
                ("Recovered".to_owned(), resolved.at)
            }
            _ => (title_of(attempt.event), attempt.happened_at()),
        };
        let entry = Entry {
            title,
            object: attempt.event.subject.luid().to_owned(),
            name: described.name(),
            at,
            cause: described.cause_title().map(str::to_owned),
            incident: Some(incident.id.clone()),
            meaning,
            generation: 0,
        };
        self.write_entry(attempt, transaction, entry, target, until).await
    }

    /// Sends one notification about an incident.
    async fn send(&self, attempt: &Attempt<'_>, send: &Send<N::Target>) -> Result<Delivered, Undelivered> {
        let unsent = |failure| Undelivered { failure, maybe_sent: false };
        let notification = self.notification(attempt, send).await.map_err(unsent)?;
        let entry = send.about.incident().log.get(&send.target.key);
        let message = entry.and_then(|entry| entry.message.as_ref());
        let delivery = match (send.operation, message) {
            (Operation::Post, _) | (Operation::Edit, None) => Delivery::Post,
            (Operation::Edit, Some(message)) => Delivery::Edit { message, audible: send.audible },
            (Operation::Close, message) => Delivery::Close { message, audible: send.audible },
        };
        self.notifier.deliver(&send.target.settings, delivery, &notification, attempt.invocation).await
    }

    async fn notification(
        &self,
        attempt: &Attempt<'_>,
        send: &Send<N::Target>,
    ) -> Result<Notification, Failure> {
        let site = self.routing.site(attempt.event);
        let context = self.context(attempt).await?;
        let described = About { event: attempt.event, site: site.as_ref(), context };
        Ok(match &send.about {
            Announced::Open(open) if send.is_reminder => {
                notification::updated(&described, open, Some(attempt.now()))
            }
            Announced::Open(open) if open.failures == 1 => notification::opened(&described, open),
            Announced::Open(open) => notification::updated(&described, open, None),
            Announced::Resolved(resolved) => notification::resolved(&described, resolved),
        })
    }

    /// Announces a member of a group alone: too few came for a message of their own.
    pub(super) async fn announce_separately(
        &self,
        member: &Member,
        group: &str,
        target: &Targeted<N::Target>,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        let Some(event) = event_of(&member.sample) else { return Ok(()) };
        let attempt = Attempt::new(&event, invocation);
        let key = self.incident_key(&attempt);
        let partition = keys::group(self.workflow, &target.key, group);
        let mut transaction = self.transaction(invocation.now, []);
        loop {
            let read: Versioned<Incident> = transaction.get(&key).await?;
            let mut incident = read.document.clone();
            let entry = incident.find_mut(&member.id).and_then(|open| open.log.get_mut(&target.key));
            match entry {
                Some(entry) if entry.route == Route::Group(group.to_owned()) => entry.route = Route::Alone,
                _ => break,
            }
            transaction.put(&key, &read, &incident)?;
            let alone = Member { placement: Placement::Alone, ..member.clone() };
            transaction.overwrite(&keys::member(&partition, &member.id), &alone)?;
            if transaction.commit().await?.is_some() {
                break;
            }
        }
        let mut summary = Summary::default();
        let targets = [target.clone()];
        self.advance(&attempt, Mutation::LookAgain, &targets, None, &mut summary).await?;
        summary.outcome(String::new).map(|_| ())
    }
}

/// Which incidents form groups together: what is critical does not drown in what is not.
fn flood(schedule: Schedule) -> &'static str {
    if schedule == Schedule::Critical { "critical" } else { "incidents" }
}

fn why(reason: Suppression) -> String {
    match reason {
        Suppression::Muted(until) => format!("the rule is muted until {until:.0}"),
        Suppression::Flapping(nth) => {
            format!("suppressed: the object flaps (incident no. {nth} within a day)")
        }
        Suppression::AlreadyAnnounced => "grouped into an announced incident".to_owned(),
        Suppression::NotAnnounced => "the target was not notified of the failure".to_owned(),
        Suppression::BeingSent => "another worker is sending a notification of this incident".to_owned(),
    }
}
