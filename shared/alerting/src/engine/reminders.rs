//! Reminders of groups whose members still fail a day after the group's last new message.

use super::digests::BATCH;
use super::documents::{Versioned, unavailable};
use super::groups::{grouped, owners};
use super::sweep::{LastRefresh, PUT_OFF, Sweep};
use super::{Engine, event_of, keys};
use crate::group::{GroupHead, Member, is_group_id};
use crate::incident::{Incident, REMINDER};
use crate::lease::LeaseOwner;
use crate::notification::{self, Mentioned};
use crate::notifier::{Delivered, Delivery, Notifier, Routing, Targeted};
use crate::time::later;
use rules::Schedule;
use store::records::Key;
use tableau::{Action, Event};
use workflow::Failure;

/// The approximate number of members of one group that a sweep asks Tableau about. The next sweep asks about others.
const LOOKUPS: usize = 20;

impl<N: Notifier, R: Routing<N::Target>> Engine<N, R> {
    /// Handles a group without a new message for a day. Returns whether anything was sent or written.
    pub(super) async fn sweep_open_group(
        &self,
        partition: &str,
        head: &GroupHead,
        sweep: &mut Sweep<'_>,
    ) -> Result<bool, Failure> {
        let now = sweep.now();
        if !head.is_reminder_due(now) {
            return Ok(false);
        }
        let key = keys::head(partition);
        let sample = event_of(&head.sample);
        if sample.as_ref().is_some_and(|event| event.name.action() != Some(Action::RefreshFailed)) {
            self.end(&key, now, |head| head.is_of_events = true).await?;
            return Ok(false);
        }
        let members = self.members(partition, now).await?;
        let mut target = None;
        if let Some(sample) = &sample {
            target = self.target_of_group(keys::target(self.workflow, partition), sample, &members, now)?;
        }
        let in_a_day = later(now, REMINDER);
        let looks_again = match target.as_ref().map(|target| target.schedule) {
            _ if members.is_empty() || !self.notifier.sends_updates() => Some(in_a_day),
            Some(Schedule::Now | Schedule::Critical) => None,
            // The rule is muted or quiet. The sweep looks again before the end of a mute, since an administrator may
            // lift the mute.
            Some(Schedule::DeferUntil(until) | Schedule::Muted(until) | Schedule::Maintenance(until))
                if until > now =>
            {
                Some(until.min(in_a_day))
            }
            _ => Some(in_a_day),
        };
        if self.refresh_members(partition, &members, sweep).await? {
            return Ok(true);
        }
        let (Some(sample), Some(target), None) = (sample, target, looks_again) else {
            self.end(&key, now, |head| head.looks_again = looks_again).await?;
            return Ok(false);
        };
        if sweep.is_held(head.next_reminder()) || !sweep.has_time() {
            return Ok(false);
        }
        let reminded = self.remind_group(partition, &sample, &target, &members, sweep).await;
        if reminded.is_err() {
            let later = later(now, PUT_OFF);
            self.end(&key, now, |head| head.looks_again = Some(later)).await?;
        }
        reminded
    }

    /// Finds members that have recovered unnoticed: their success event never came, or it came while the digest that
    /// formed the group was being sent. Returns whether there are any; if so, the group's timer announces them.
    async fn refresh_members(
        &self,
        partition: &str,
        members: &[(String, Member)],
        sweep: &mut Sweep<'_>,
    ) -> Result<bool, Failure> {
        let now = sweep.now();
        let mut recovered = Vec::new();
        let mut failing = Vec::new();
        let is_known = !members.is_empty();
        let members: Vec<&Member> =
            members.iter().map(|(_, member)| member).filter(|member| member.is_in_group()).collect();
        let known = members.iter().filter(|member| is_group_id(&member.object));
        let keys: Vec<Key> =
            known.clone().map(|member| keys::incident(self.workflow, &member.object)).collect();
        let records = self.records.load(&keys).await.map_err(unavailable)?;
        for ((member, key), record) in known.zip(&keys).zip(&records) {
            let incident = Versioned::<Incident>::read(key, record.as_ref(), now).document;
            if incident.has_ended(&member.id, member.since) {
                let mut resolved = incident.resolved().iter();
                let end = resolved.find(|resolved| resolved.incident.id == member.id);
                let resolved_at = Some(end.map_or(now, |end| end.at));
                recovered.push(Member { resolved_at, ..(*member).clone() });
            } else {
                failing.extend(incident.open.as_ref().and_then(|open| event_of(&open.sample)));
            }
        }
        let mut is_changed = !recovered.is_empty() || (is_known && members.is_empty());
        if is_changed {
            self.write_recovered(partition, &recovered, sweep).await?;
        }
        fastrand::shuffle(&mut failing);
        for event in failing.iter().take(LOOKUPS) {
            // This sweep has no time left to ask Tableau. The next sweep asks before it reminds.
            if !sweep.has_time() {
                return Ok(true);
            }
            is_changed |= self.last_refresh(event, sweep).await? == LastRefresh::Succeeded;
        }
        Ok(is_changed)
    }

    /// Records that members have recovered, and requests the group's timer.
    async fn write_recovered(
        &self,
        partition: &str,
        recovered: &[Member],
        sweep: &Sweep<'_>,
    ) -> Result<(), Failure> {
        let now = sweep.now();
        let capabilities = self.notifier.capabilities().await?;
        let head_key = keys::head(partition);
        // The head is written with every batch of members, so that a worker that dies between two batches leaves a
        // timer for the members already written.
        let mut batches: Vec<&[Member]> = recovered.chunks(BATCH).collect();
        if batches.is_empty() {
            batches.push(&[]);
        }
        for batch in batches {
            let mut transaction = self.transaction(now);
            loop {
                let read: Versioned<GroupHead> = transaction.get(&head_key).await?;
                let mut head = read.document.clone();
                head.changed(now, false, capabilities);
                transaction.put(&head_key, &read, &head)?;
                for member in batch {
                    transaction.overwrite(&keys::member(partition, &member.id), member)?;
                }
                if transaction.commit().await?.is_some() {
                    break;
                }
            }
        }
        self.arm(partition, now).await
    }

    /// Reminds a target that members of a group still fail a day after the group's last new message.
    async fn remind_group(
        &self,
        partition: &str,
        sample: &Event,
        target: &Targeted<N::Target>,
        members: &[(String, Member)],
        sweep: &Sweep<'_>,
    ) -> Result<bool, Failure> {
        let now = sweep.now();
        let invocation = sweep.invocation;
        if !members.iter().any(|(_, member)| member.is_in_group()) {
            return Ok(false);
        }
        let key = keys::head(partition);
        self.forget(&key);
        let owner = LeaseOwner::new(invocation.ends_at());
        let mut transaction = self.transaction(now);
        let read: Versioned<GroupHead> = transaction.get(&key).await?;
        // A member has joined since, so the group's timer will send; or another sweep has already sent the reminder.
        if read.document.pending.is_some() || !read.document.is_reminder_due(now) {
            return Ok(false);
        }
        let mut taken = read.document.clone();
        if !taken.begin(owner, now) {
            return Ok(false);
        }
        transaction.put(&key, &read, &taken)?;
        if transaction.commit().await?.is_none() {
            return Ok(false);
        }
        let zone = self.routing.site(sample).map(|site| site.timezone);
        let mut shown = notification::group_announced(sample, members, false, zone);
        shown.thread = partition.rsplit('#').next().map(str::to_owned);
        self.add_small_print(&mut shown, &sample.site, now).await;
        shown.mentioned = Mentioned::of_many(&target.mentions, owners(members.iter()));
        let sent = self.notifier.deliver(&target.settings, Delivery::Post, &shown, invocation).await;
        let is_unsent = sent.as_ref().is_err_and(|undelivered| !undelivered.maybe_sent);
        // The reference of the first message is kept: that message, and not the reminder, is edited when the group
        // ends.
        let reminded = Delivered { message: None, audible: true, note: None, skipped: None };
        self.end(&key, now, |head| match is_unsent {
            true => head.unsent(owner, false),
            // Counts as sent even if the reminder's answer was lost: the next reminder then comes in a day and not in
            // an hour.
            false => head.sent(owner, grouped(members), &reminded, now),
        })
        .await?;
        sent.map(|_| true).map_err(|undelivered| undelivered.failure)
    }
}
