//! What a group sends when its timer fires.

use super::documents::{Versioned, unavailable};
use super::{Attempt, Engine, event_of, keys};
use crate::capabilities::Capabilities;
use crate::digest::{Entry, Meaning};
use crate::group::{GroupHead, GroupStep, Member, Placement, is_group_id};
use crate::incident::{Incident, REMINDER};
use crate::lease::LeaseOwner;
use crate::notification::{self, Mentioned, Person, Place, Status};
use crate::notifier::{Delivered, Delivery, Notifier, Occurrence, Routing, Targeted};
use crate::time::later;
use jiff::Timestamp;
use rules::Schedule;
use store::records::Key;
use tableau::Action;
use timer::TimerMessage;
use workflow::{Failure, Invocation, Outcome};

/// One firing of a group's timer: the group's documents and what is needed to send.
pub(super) struct Firing<'a, T> {
    pub(super) partition: &'a str,
    pub(super) invocation: &'a Invocation,
    pub(super) owner: LeaseOwner,
    pub(super) head: GroupHead,
    pub(super) sample: Occurrence,
    pub(super) target: Targeted<T>,
    capabilities: Capabilities,
}

impl<T> Firing<'_, T> {
    pub(super) fn now(&self) -> Timestamp {
        self.invocation.now
    }

    /// The group's id.
    pub(super) fn id(&self) -> &str {
        self.partition.rsplit('#').next().unwrap_or_default()
    }

    pub(super) fn is_of_incidents(&self) -> bool {
        self.sample.name.action() == Some(Action::RefreshFailed)
    }

    fn is_audible(&self) -> bool {
        matches!(self.target.schedule, Schedule::Now | Schedule::Critical)
    }
}

/// The result of one firing of a group's timer.
enum Fired {
    Sent { shown: usize, delivered: Delivered, closes: bool },
    Done(&'static str),
    Again(Timestamp),
}

impl<N: Notifier, R: Routing<N::Target>> Engine<N, R> {
    /// Sends what has changed in a group since its last message.
    pub(super) async fn on_group_timer(
        &self,
        timer: &TimerMessage,
        invocation: &Invocation,
    ) -> Result<Outcome, Failure> {
        let now = invocation.now;
        let owner = LeaseOwner::new(invocation.ends_at());
        let key = keys::head(&timer.key);
        let Some(head) = self.begin(&key, timer, owner, now).await? else {
            return Ok(Outcome::skipped("the group was announced by another timer"));
        };
        let fired = self.fire(timer, invocation, owner, head).await;
        let done = |head: &mut GroupHead| {
            head.done_generation = head.done_generation.max(timer.generation);
        };
        match fired {
            Ok(Fired::Sent { shown, delivered, closes }) => {
                self.end(&key, now, |head| {
                    head.sent(owner, shown, &delivered, now);
                    head.closed |= closes && head.pending.is_none();
                    done(head);
                })
                .await?;
                Ok(Outcome::Done)
            }
            Ok(Fired::Done(why)) => {
                self.end(&key, now, |head| {
                    head.end(owner);
                    done(head);
                })
                .await?;
                Ok(Outcome::skipped(why))
            }
            Ok(Fired::Again(due)) => {
                self.end(&key, now, |head| {
                    head.end(owner);
                    done(head);
                    if head.pending.is_none() {
                        head.set_pending(due);
                    }
                })
                .await?;
                self.arm(&timer.key, now).await?;
                Ok(Outcome::skipped("the group waits for more"))
            }
            Err((failure, maybe_sent)) => {
                self.end(&key, now, |head| head.unsent(owner, maybe_sent)).await?;
                Err(failure)
            }
        }
    }

    async fn fire(
        &self,
        timer: &TimerMessage,
        invocation: &Invocation,
        owner: LeaseOwner,
        head: GroupHead,
    ) -> Result<Fired, (Failure, bool)> {
        let unsent = |failure| (failure, false);
        let members = self.members(&timer.key, invocation.now).await.map_err(unsent)?;
        let Some(sample) = self.sample(&head, &members, invocation.now).await.map_err(unsent)? else {
            return Ok(Fired::Done("its stored documents are damaged"));
        };
        let is_unannounced = head.sent == 0 && !head.maybe_sent;
        let key = keys::target(self.workflow, &timer.key);
        let target = self.target_of_group(key, &sample, &members, invocation.now).map_err(unsent)?;
        let Some(target) = target else {
            if !is_unannounced {
                return Ok(Fired::Again(later(invocation.now, REMINDER)));
            }
            for (id, member) in members.iter().filter(|(_, member)| member.is_in_group()) {
                self.leave_or_drop(&timer.key, &sample, id, member, invocation.now).await.map_err(unsent)?;
            }
            return Ok(Fired::Done("no rule sends to this target now"));
        };
        let capabilities = self.notifier.capabilities().await.map_err(unsent)?;
        let partition = timer.key.as_str();
        let firing = Firing { partition, invocation, owner, head, sample, target, capabilities };
        let first_is_open = self.first_is_open(&firing).await.map_err(unsent)?;
        let mut members = members;
        if is_unannounced {
            let why = self.let_out(&firing, &mut members).await.map_err(unsent)?;
            if let Some(why) = why.filter(|_| !members.iter().any(|(_, member)| member.is_in_group())) {
                return Ok(Fired::Done(why));
            }
        }
        if firing.head.sent == 0 && firing.is_of_incidents() {
            // An earlier attempt may have decided to announce these members alone, and ended before it sent their
            // messages.
            let alone = members.iter().filter(|(_, member)| member.placement == Placement::Alone);
            for (_, member) in alone.filter(|(_, member)| member.is_firing()) {
                let announced =
                    self.announce_separately(member, firing.id(), &firing.target, firing.invocation);
                announced.await.map_err(unsent)?;
            }
        }
        match firing.head.step(&members, first_is_open, firing.now(), capabilities) {
            GroupStep::Announce if firing.head.sent > 0 && !self.notifier.sends_updates() => {
                Ok(Fired::Done("the group is announced, and updates are not sent to this destination"))
            }
            GroupStep::Nothing => Ok(Fired::Done("no new message is needed now")),
            GroupStep::WaitUntil(due) => Ok(Fired::Again(due)),
            GroupStep::Separate(ids) => {
                for (id, member) in members.iter().filter(|(id, _)| ids.contains(id)) {
                    self.separate(&firing, id, member).await.map_err(unsent)?;
                }
                Ok(Fired::Done("too few for a group message; each gets its own message"))
            }
            GroupStep::Announce => self.announce_group(&firing, members, first_is_open).await,
            GroupStep::Close => self.close_group(&firing, &members).await,
        }
    }

    pub(super) async fn members(
        &self,
        partition: &str,
        now: Timestamp,
    ) -> Result<Vec<(String, Member)>, Failure> {
        let listed = self.records.list(partition).await.map_err(unavailable)?;
        let members = listed.into_iter().filter_map(|(sort, record)| {
            let id = sort.strip_prefix(keys::MEMBER)?.to_owned();
            let key = Key { partition: partition.to_owned(), sort };
            let member = Versioned::<Member>::read(&key, Some(&record), now).document;
            // A damaged member is replaced by an empty one without an id: its content is lost, but it still counts.
            let member = if member.id.is_empty() { Member::new(&id, "", None, now) } else { member };
            Some((id, member))
        });
        Ok(members.collect())
    }

    /// An event that represents the group: from the group's head or, if the head is damaged, from a member or its
    /// incident.
    async fn sample(
        &self,
        head: &GroupHead,
        members: &[(String, Member)],
        now: Timestamp,
    ) -> Result<Option<Occurrence>, Failure> {
        let samples = members.iter().map(|(_, member)| &member.sample);
        if let Some(event) = std::iter::once(&head.sample).chain(samples).find_map(|sample| event_of(sample))
        {
            return Ok(Some(event));
        }
        let mut transaction = self.transaction(now);
        for (_, member) in members.iter().filter(|(_, member)| is_group_id(&member.object)) {
            let key = keys::incident(self.workflow, &member.object);
            let incident: Versioned<Incident> = transaction.get(&key).await?;
            let resolved = incident.document.resolved().iter().map(|resolved| &resolved.incident);
            let mut incidents = incident.document.open.iter().chain(resolved);
            if let Some(event) = incidents.find_map(|incident| event_of(&incident.sample)) {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    async fn announce_group(
        &self,
        firing: &Firing<'_, N::Target>,
        mut members: Vec<(String, Member)>,
        first_is_open: bool,
    ) -> Result<Fired, (Failure, bool)> {
        let unsent = |failure| (failure, false);
        if first_is_open {
            let first = self.merge_first(firing).await.map_err(unsent)?;
            members.extend(first);
        }
        let zone = self.routing.site(&firing.sample).map(|site| site.timezone);
        let is_first = firing.head.sent == 0;
        let mut shown = notification::group_announced(&firing.sample, &members, is_first, zone);
        if firing.is_of_incidents() {
            self.add_small_print(&mut shown, &firing.sample.site, firing.now()).await;
        }
        let message = firing.head.message.as_ref();
        let audible = firing.is_audible();
        let delivery = match message.filter(|_| firing.capabilities.edit) {
            Some(message) => Delivery::Edit { message, audible },
            None if audible => Delivery::Post,
            None => return Ok(self.put_off(firing)),
        };
        let grouped = grouped(&members);
        let new = grouped.saturating_sub(firing.head.shown_members);
        if matches!(delivery, Delivery::Post) && !is_first && new > 0 {
            shown.status.insert(0, Status::New { count: new });
        }
        if matches!(delivery, Delivery::Post) && is_first {
            // The message of the first one, which has the group's id, has called its owner.
            let others = members.iter().filter(|(_, member)| member.id != firing.id());
            shown.mentioned = Mentioned::of_many(&firing.target.mentions, owners(others));
        }
        shown.thread = Some(firing.id().to_owned());
        let sent = self.notifier.deliver(&firing.target.settings, delivery, &shown, firing.invocation).await;
        match sent {
            // A group of events closes with its first message: events, unlike incidents, have no end to announce.
            Ok(delivered) => Ok(Fired::Sent { shown: grouped, delivered, closes: !firing.is_of_incidents() }),
            Err(undelivered) => Err((undelivered.failure, undelivered.maybe_sent)),
        }
    }

    /// Postpones a group's message that quiet hours or a mute forbid. The timer fires again when they end, but after
    /// a day at the latest: an administrator may lift a mute earlier.
    fn put_off(&self, firing: &Firing<'_, N::Target>) -> Fired {
        let in_a_day = later(firing.now(), REMINDER);
        match firing.target.schedule {
            Schedule::DeferUntil(until) | Schedule::Muted(until) | Schedule::Maintenance(until)
                if until > firing.now() =>
            {
                Fired::Again(until.min(in_a_day))
            }
            _ => Fired::Again(in_a_day),
        }
    }

    async fn close_group(
        &self,
        firing: &Firing<'_, N::Target>,
        members: &[(String, Member)],
    ) -> Result<Fired, (Failure, bool)> {
        let zone = self.routing.site(&firing.sample).map(|site| site.timezone);
        let mut end = notification::group_resolved(members, zone);
        end.thread = Some(firing.id().to_owned());
        // Maintenance lets recoveries through.
        let audible = firing.is_audible() || matches!(firing.target.schedule, Schedule::Maintenance(_));
        let message = firing.head.message.as_ref();
        if let Schedule::DeferUntil(until) = firing.target.schedule {
            let entry = Entry {
                title: "Recovered".to_owned(),
                object: String::new(),
                name: end.title.clone(),
                at: members.iter().filter_map(|(_, member)| member.resolved_at).max().unwrap_or(firing.now()),
                cause: None,
                class: None,
                incident: None,
                meaning: Meaning::None,
                generation: 0,
                owner: None,
                place: Place::default(),
            };
            let attempt = Attempt::of(&firing.sample, firing.invocation);
            // One entry each time that it ends.
            let key = format!("{}-{}", firing.id(), firing.head.sent);
            let put = self.put_entry(&attempt, &key, entry, &firing.target, until);
            put.await.map_err(|failure| (failure, false))?;
        }
        let shown = grouped(members);
        if message.is_none() && !audible && !self.notifier.ends_by_key() {
            return Ok(Fired::Sent { shown, delivered: Delivered::default(), closes: true });
        }
        let delivery = Delivery::Close { message, audible };
        let sent = self.notifier.deliver(&firing.target.settings, delivery, &end, firing.invocation).await;
        match sent {
            Ok(delivered) => {
                let delivered = Delivered { message: None, ..delivered };
                Ok(Fired::Sent { shown, delivered, closes: true })
            }
            Err(undelivered) => Err((undelivered.failure, undelivered.maybe_sent)),
        }
    }
}

/// The owners of the objects that still fail.
pub(super) fn owners<'a>(
    members: impl Iterator<Item = &'a (String, Member)>,
) -> impl Iterator<Item = &'a Person> {
    let firing = members.filter(|(_, member)| member.is_in_group());
    firing.filter_map(|(_, member)| member.owner.as_ref())
}

/// The number of members that the group announces itself; members announced alone are not counted.
pub(super) fn grouped(members: &[(String, Member)]) -> usize {
    members.iter().filter(|(_, member)| member.placement == Placement::Grouped).count()
}
