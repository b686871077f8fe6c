//! What happens to a single member of a group: announced alone, moved to a digest, or not announced.

use super::groups::Firing;
use super::{Attempt, Engine, event_of, keys};
use crate::group::{Member, Placement};
use crate::notifier::{Notifier, Occurrence, Routing, Targeted};
use jiff::Timestamp;
use rules::Schedule;
use tableau::{Action, Event};
use workflow::Failure;

impl<N: Notifier, R: Routing<N::Target>> Engine<N, R> {
    /// The target of a group, with the settings of its members' rules. If several rules name the target, the one that
    /// notifies first counts, and those whom any of them calls are called. `sample` is an event of the group, used for members that have no event of their
    /// own.
    pub(super) fn target_of_group(
        &self,
        key: &str,
        sample: &Occurrence,
        members: &[(String, Member)],
        now: Timestamp,
    ) -> Result<Option<Targeted<N::Target>>, Failure> {
        let mut earliest: Option<Targeted<N::Target>> = None;
        let members = members.iter().filter(|(_, member)| member.placement == Placement::Grouped);
        let mut events: Vec<Occurrence> =
            members.filter_map(|(_, member)| event_of(&member.sample)).collect();
        if events.is_empty() {
            events.push(sample.clone());
        }
        for event in &events {
            earliest = match (earliest, self.target_of(key, event, now)?) {
                (Some(earliest), Some(target)) => Some(earliest.or(target)),
                (earliest, target) => earliest.or(target),
            };
        }
        Ok(earliest)
    }

    /// The target of one member, with what the member's own rules say about it.
    pub(super) fn own_target(
        &self,
        target: &Targeted<N::Target>,
        event: &Occurrence,
        now: Timestamp,
    ) -> Result<Targeted<N::Target>, Failure> {
        let own = self.routing.targets(event, now)?.into_iter().find(|own| own.key == target.key);
        Ok(own.map_or_else(|| target.clone(), |own| Targeted { schedule: target.schedule, ..own }))
    }

    fn target_of(
        &self,
        key: &str,
        event: &Occurrence,
        now: Timestamp,
    ) -> Result<Option<Targeted<N::Target>>, Failure> {
        self.target(key, &self.routing.targets(event, now)?, now)
    }

    /// Removes members from a group that has not been announced, if the member's own rule is now muted or in quiet
    /// hours. Returns why, if any was removed; `members` keeps the others.
    pub(super) async fn let_out(
        &self,
        firing: &Firing<'_, N::Target>,
        members: &mut Vec<(String, Member)>,
    ) -> Result<Option<&'static str>, Failure> {
        let mut why = None;
        let mut others = Vec::new();
        for (id, member) in std::mem::take(members) {
            let event = event_of(&member.sample).filter(|_| member.is_in_group());
            let target = match &event {
                Some(event) => self.target_of(&firing.target.key, event, firing.now())?,
                None => None,
            };
            match (event, target.map(|target| target.schedule)) {
                (Some(event), Some(Schedule::DeferUntil(until))) => {
                    self.move_to_digest(firing, &id, &member, &event, until).await?;
                    why = Some("quiet hours have begun; its members are in the digest");
                }
                // The incident is treated as if it had opened while the rule was muted: the next failure after the
                // mute announces it.
                (Some(event), Some(Schedule::Muted(_) | Schedule::Maintenance(_)) | None) => {
                    self.leave_or_drop(firing.partition, &event, &id, &member, firing.now()).await?;
                    why = why.or(Some("the rule is muted"));
                }
                (_, _) => others.push((id, member)),
            }
        }
        *members = others;
        Ok(why)
    }

    /// Removes an incident from a group that has not been announced; marks an event as left out of the group.
    pub(super) async fn leave_or_drop(
        &self,
        partition: &str,
        event: &Event,
        id: &str,
        member: &Member,
        now: Timestamp,
    ) -> Result<(), Failure> {
        if event.name.action() != Some(Action::RefreshFailed) {
            return self.place(partition, id, member, Placement::Left, now).await;
        }
        let group = partition.rsplit('#').next().unwrap_or_default();
        self.leave_group(member, group, keys::target(self.workflow, partition), None, now).await
    }

    /// Moves a member to a digest, because quiet hours began while the group's members waited for each other.
    async fn move_to_digest(
        &self,
        firing: &Firing<'_, N::Target>,
        id: &str,
        member: &Member,
        event: &Occurrence,
        until: Timestamp,
    ) -> Result<(), Failure> {
        let target = Targeted { schedule: Schedule::DeferUntil(until), ..firing.target.clone() };
        if firing.is_of_incidents() {
            return self.announce_separately(member, firing.id(), &target, firing.invocation).await;
        }
        let attempt = Attempt::of(event, firing.invocation);
        self.event_into_digest(&attempt, &target, until).await?;
        self.place(firing.partition, id, member, Placement::Alone, firing.now()).await
    }

    /// Announces one member with a message of its own.
    pub(super) async fn separate(
        &self,
        firing: &Firing<'_, N::Target>,
        id: &str,
        member: &Member,
    ) -> Result<(), Failure> {
        if firing.is_of_incidents() {
            return self.announce_separately(member, firing.id(), &firing.target, firing.invocation).await;
        }
        if let Some(event) = event_of(&member.sample) {
            let target = self.own_target(&firing.target, &event, firing.now())?;
            self.post_event(&Attempt::of(&event, firing.invocation), &target).await?;
        }
        self.place(firing.partition, id, member, Placement::Alone, firing.now()).await
    }

    /// Records how a member of a group of events is announced.
    async fn place(
        &self,
        partition: &str,
        id: &str,
        member: &Member,
        placement: Placement,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let key = keys::member(partition, id);
        let placed = Member { placement, ..member.clone() };
        let mut transaction = self.transaction(now);
        loop {
            transaction.overwrite(&key, &placed)?;
            if transaction.commit().await?.is_some() {
                return Ok(());
            }
        }
    }
}
