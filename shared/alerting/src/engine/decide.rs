//! Decides what one target receives about one incident, and writes the decision into a transaction.

use super::advance::Advance;
use super::documents::{Transaction, Versioned};
use super::send::{Announced, Send};
use super::sweep::PUT_OFF;
use super::{Attempt, Engine, Handled, event_of, keys};
use crate::capabilities::Capabilities;
use crate::digest::{Entry, Meaning};
use crate::group::{GroupHead, Member, Window};
use crate::incident::{End, Incident, LogEntry, REMINDER, Route, Transition};
use crate::notification::{About, suspends_after, title};
use crate::notifier::{Notifier, Routing, Targeted};
use crate::plan::{
    Decision, DigestState, Operation, Situation, Suppression, digest_group, is_reminder_due, plan,
};
use crate::time::later;
use jiff::Timestamp;
use rules::Schedule;
use workflow::{Failure, SharedMessage, Why};

impl<N: Notifier, R: Routing<N::Target>> Engine<N, R> {
    /// Reminds a target of an incident that has been open for a day without a new message.
    pub(super) async fn remind(
        &self,
        attempt: &Attempt<'_>,
        transaction: &mut Transaction<'_>,
        incident: &mut Incident,
        target: &Targeted<N::Target>,
        advance: &mut Advance<N::Target>,
    ) -> Result<(), Failure> {
        let now = attempt.now();
        let Some(open) = &mut incident.open else { return Ok(()) };
        let Some(entry) = open.log.get_mut(&target.key) else { return Ok(()) };
        if let Route::Digest(until) = entry.route
            && later(until, REMINDER) <= now
        {
            self.forget(&keys::head(&keys::digest(self.workflow, &target.key, until)));
            // After its digest was sent, the incident continues either alone or in the group of the objects that the
            // digest named as failing.
            match self.digest_state(transaction, &target.key, until, &open.id, now).await? {
                // The digest's timer is still to come, or the sweep sends the timer again. After one more day the
                // digest has failed for good.
                DigestState::Waiting if now < later(until, REMINDER * 2) => {
                    incident.looks_again = Some(later(now, PUT_OFF));
                    return Ok(());
                }
                DigestState::Waiting | DigestState::Sent => entry.announced_by_digest(until),
                DigestState::SentAsGroup { generation } => {
                    entry.route = Route::Group(digest_group(until, generation));
                }
            }
        }
        let is_due = is_reminder_due(open, &target.key, target.schedule, attempt.owner, now);
        let Some(entry) = open.log.get_mut(&target.key).filter(|_| is_due) else { return Ok(()) };
        if entry.acquire(attempt.owner, now) {
            advance.sends.push(Send {
                target: target.clone(),
                operation: Operation::Post,
                audible: true,
                about: Announced::Open(open.clone()),
                is_reminder: true,
                is_late: false,
            });
        }
        Ok(())
    }

    /// Decides what one target receives about one incident, and writes the decision into the transaction.
    #[expect(clippy::too_many_arguments, reason = "what one decision needs, each of another kind")]
    pub(super) async fn decide(
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
        // Only a first notification can open or join a group, so only then is the window (the group now open) read.
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
            sends_updates: self.notifier.sends_updates(),
            ends_by_key: self.notifier.ends_by_key(),
            suspends_after: suspends_after(self.routing.site(attempt.event).as_ref(), current),
            has_timers: self.has_timers(),
            owner: attempt.owner,
            now,
        };
        let decisions = plan(&situation);
        for decision in decisions {
            match decision {
                Decision::Send { operation, audible } => {
                    let opens_window = entry.is_none() && audible && needs_window && self.has_timers();
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
                    if operation == Operation::Close && entry.message.is_none() {
                        entry.closes_by_key = self.notifier.ends_by_key();
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
                            is_late: false,
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
                    let why = if resolved.is_some() { Why::ItsFailure } else { Why::OtherIncidents };
                    let how = SharedMessage::Group { id: group.clone(), target: target.key.clone() };
                    let how = how.reason(why);
                    self.hand_over(incident, id, target, Route::Group(group), &about);
                    advance.arm.push(partition);
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
                    let how = SharedMessage::Digest { until, target: target.key.clone() };
                    let how = how.reason(Why::QuietHours);
                    advance.handled.push((target.key.clone(), Handled::Grouped(how)));
                }
                Decision::LookAgain { at } => {
                    advance.look_again = Some(at);
                    if let Some(open) = incident.find_mut(id) {
                        open.suppressed_until = Some(at);
                    }
                }
                Decision::Suppress(reason) => {
                    if let Suppression::Muted(_) | Suppression::Maintenance(_) | Suppression::NotAnnounced =
                        reason
                        && resolved.is_some()
                        && let Some(entry) =
                            incident.find_mut(id).and_then(|open| open.log.get_mut(&target.key))
                    {
                        entry.resolution_sent = true;
                    }
                    let handled = match reason {
                        Suppression::BeingSent => Handled::BeingSent,
                        Suppression::AlreadyAnnounced => Handled::Nothing(announced(entry.as_ref(), target)),
                        reason => Handled::Nothing(why(reason)),
                    };
                    advance.handled.push((target.key.clone(), handled));
                }
            }
        }
        Ok(())
    }

    /// Records that a group or digest announces the incident from now on.
    pub(super) fn hand_over(
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

    pub(super) async fn digest_state(
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

    /// Writes the incident into an alert group, and requests the group's timer.
    pub(super) async fn join(
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
            member = Member::new(&incident.id, &described.name(), described.cause_title(), incident.since)
                .of_class(described.cause_class());
            member.sample.clone_from(&incident.sample);
            member.owner = described.asked_owner().filter(|_| target.mentions.owner);
            member.place = described.place();
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

    /// Writes an event into a digest, and requests the digest's timer. Returns the digest's partition.
    pub(super) async fn add_to_digest(
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
        let context = self.context_for_name(attempt).await?;
        let described = About { event: attempt.event, site: None, context };
        let incident = about.incident();
        // The attempt that notices the recovery may be the attempt at the failure event: its worker died and the
        // success came meanwhile, or no success event came at all.
        let found_later = match about {
            Announced::Resolved(resolved)
                if resolved.by != attempt.event.id.short() || resolved.end == End::RecoveredWithoutEvent =>
            {
                Some(resolved.at)
            }
            _ => None,
        };
        let entry = Entry {
            title: if found_later.is_some() { "Recovered".to_owned() } else { title(attempt.event) },
            object: attempt.event.subject.luid().to_owned(),
            name: described.name(),
            at: found_later.unwrap_or(attempt.happened_at()),
            cause: described.cause_title().map(str::to_owned),
            class: described.cause_class().map(|class| class.name().to_owned()),
            incident: Some(incident.id.clone()),
            meaning,
            generation: 0,
            owner: described.asked_owner().filter(|_| target.mentions.owner),
            place: described.place(),
        };
        let key = match about {
            Announced::Open(_) => attempt.event.id.short().to_owned(),
            // The failure event has a digest entry of its own, so the recovery needs a key that differs.
            Announced::Resolved(_) => format!("{}-resolved", attempt.event.id.short()),
        };
        self.write_entry(attempt, transaction, &key, entry, target, until).await
    }
}

/// The name of the flood whose incidents form one group. Incidents of `critical` rules form groups
/// of their own, so that less urgent incidents do not hide them.
fn flood(schedule: Schedule) -> &'static str {
    if schedule == Schedule::Critical { "critical" } else { "incidents" }
}

/// Explains why a target that already knows of the incident receives nothing now. Names the group message that
/// announced the incident, if a group did.
fn announced<T>(entry: Option<&LogEntry>, target: &Targeted<T>) -> String {
    match entry.map(|entry| &entry.route) {
        Some(Route::Group(id)) => {
            SharedMessage::Group { id: id.clone(), target: target.key.clone() }.reason(Why::ItsIncident)
        }
        _ => why(Suppression::AlreadyAnnounced),
    }
}

pub(super) fn why(reason: Suppression) -> String {
    match reason {
        Suppression::Muted(until) => format!("the rule is muted until {until:.0}"),
        Suppression::Maintenance(until) => format!("maintenance until {until:.0}"),
        Suppression::Flapping(nth) => {
            format!("suppressed: the object flaps (incident no. {nth} within a day)")
        }
        Suppression::AlreadyAnnounced => {
            "recorded with its incident, which needs no new message now".to_owned()
        }
        Suppression::NotAnnounced => "the target was not notified of the failure".to_owned(),
        Suppression::BeingSent => "another worker is sending".to_owned(),
    }
}
