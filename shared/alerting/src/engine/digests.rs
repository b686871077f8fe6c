//! Writes the entries of digests, and sends a digest when quiet hours end.

use super::documents::Transaction;
use super::documents::{Versioned, unavailable};
use super::{Attempt, Engine, event_of, keys};
use crate::digest::{Entry, members, still_failing};
use crate::group::{GroupHead, Member, Placement, is_group_id};
use crate::incident::Incident;
use crate::lease::LeaseOwner;
use crate::notification;
use crate::notifier::{Delivered, Delivery, Notifier, Routing, Targeted};
use crate::plan::digest_group;
use jiff::Timestamp;
use rules::Schedule;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use store::records::Key;
use tableau::{Action, Event};
use timer::TimerMessage;
use workflow::{Failure, Invocation, Outcome};

/// The largest number of group members written in one transaction.
pub(super) const BATCH: usize = 90;
/// The title of a digest entry whose record is damaged and cannot be read.
const DAMAGED: &str = "An event whose record is damaged";

impl<N: Notifier, R: Routing<N::Target>> Engine<N, R> {
    /// Writes an entry, once, into the digest of the quiet hours that end at `until`. `key` names the entry in the
    /// digest. Returns the digest's partition.
    pub(super) async fn write_entry(
        &self,
        attempt: &Attempt<'_>,
        transaction: &mut Transaction<'_>,
        key: &str,
        entry: Entry,
        target: &Targeted<N::Target>,
        until: Timestamp,
    ) -> Result<String, Failure> {
        let partition = keys::digest(self.workflow, &target.key, until);
        let entry_key = keys::entry(&partition, key);
        let head_key = keys::head(&partition);
        let written: Versioned<Entry> = transaction.get(&entry_key).await?;
        if written.version > 0 {
            return Ok(partition);
        }
        let head: Versioned<GroupHead> = transaction.get(&head_key).await?;
        let mut changed = head.document.clone();
        changed.target.clone_from(&target.key);
        // The digest keeps a sample event for its timer. A failure is preferred: the group of objects that still fail
        // is about failures.
        let is_failure = |event: &Event| event.name.action() == Some(Action::RefreshFailed);
        let has_failure = event_of(&changed.sample).is_some_and(|stored| is_failure(&stored));
        if changed.sample.is_empty() || (is_failure(attempt.event) && !has_failure) {
            changed.sample.clone_from(&attempt.payload);
        }
        if changed.pending.is_none() {
            changed.set_pending(until.max(attempt.now()));
        }
        let generation = changed.generation;
        transaction.put(&head_key, &head, &changed)?;
        transaction.create(&entry_key, &Entry { generation, ..entry })?;
        Ok(partition)
    }

    /// Like `write_entry`, in a transaction of its own, and arms the digest's timer.
    pub(super) async fn put_entry(
        &self,
        attempt: &Attempt<'_>,
        key: &str,
        entry: Entry,
        target: &Targeted<N::Target>,
        until: Timestamp,
    ) -> Result<(), Failure> {
        let mut transaction = self.transaction(attempt.now());
        let partition = loop {
            let partition =
                self.write_entry(attempt, &mut transaction, key, entry.clone(), target, until).await?;
            if transaction.commit().await?.is_some() {
                break partition;
            }
        };
        self.arm(&partition, attempt.now()).await
    }

    /// Sends a digest when its timer fires.
    pub(super) async fn on_digest_timer(
        &self,
        timer: &TimerMessage,
        invocation: &Invocation,
    ) -> Result<Outcome, Failure> {
        let now = invocation.now;
        let owner = LeaseOwner::new(invocation.ends_at());
        let head_key = keys::head(&timer.key);
        let Some(head) = self.begin(&head_key, timer, owner, now).await? else {
            return Ok(Outcome::skipped("the digest was sent by another timer"));
        };
        match self.send_digest(&head, timer, invocation).await {
            Ok(SentDigest { outcome, again: Some(due), .. }) => {
                self.end(&head_key, now, |head| {
                    head.end(owner);
                    if head.pending.is_none() {
                        head.set_pending(due);
                    }
                })
                .await?;
                self.arm(&timer.key, now).await?;
                Ok(outcome)
            }
            Ok(SentDigest { outcome, group, again: None }) => {
                self.end_digest(&head_key, owner, timer.generation, group, now).await?;
                Ok(outcome)
            }
            Err((failure, maybe_sent)) => {
                self.end(&head_key, now, |head| head.unsent(owner, maybe_sent)).await?;
                Err(failure)
            }
        }
    }

    /// When a digest is late and its rule is in quiet hours again: the end of those quiet hours.
    fn quiet_again_until(
        &self,
        head: &GroupHead,
        target: &str,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, Failure> {
        let Some(sample) = event_of(&head.sample) else { return Ok(None) };
        let targets = self.routing.targets(&sample, now)?;
        let schedule = targets.iter().find(|one| one.key == target).map(|one| one.schedule);
        Ok(match schedule {
            Some(Schedule::DeferUntil(until)) => Some(until),
            _ => None,
        })
    }

    /// Records that a digest was sent, together with the group of the objects that it named as failing, if there are
    /// many.
    async fn end_digest(
        &self,
        head_key: &Key,
        owner: LeaseOwner,
        generation: u64,
        group: Option<(String, usize)>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let mut transaction = self.transaction(now);
        loop {
            let read: Versioned<GroupHead> = transaction.get(head_key).await?;
            let mut head = read.document.clone();
            head.sent(owner, 0, &Delivered::default(), now);
            head.digest_sent(generation);
            transaction.put(head_key, &read, &head)?;
            if let Some((partition, shown)) = &group {
                let key = keys::head(partition);
                let read: Versioned<GroupHead> = transaction.get(&key).await?;
                let mut announced = read.document.clone();
                announced.announced_elsewhere(*shown, now);
                transaction.put(&key, &read, &announced)?;
            }
            if transaction.commit().await?.is_some() {
                return Ok(());
            }
        }
    }

    async fn send_digest(
        &self,
        head: &GroupHead,
        timer: &TimerMessage,
        invocation: &Invocation,
    ) -> Result<SentDigest, (Failure, bool)> {
        let unsent = |failure| (failure, false);
        let nothing = |why| Ok(SentDigest { outcome: Outcome::skipped(why), group: None, again: None });
        let now = invocation.now;
        let key = keys::target(self.workflow, &timer.key);
        let Some(target) = self.target(key, &[], now).map_err(unsent)? else {
            return nothing("no rule sends to this target now");
        };
        if matches!(target.schedule, Schedule::Muted(_)) {
            return nothing("no rule sends to this target now");
        }
        if let Some(until) = self.quiet_again_until(head, &target.key, now).map_err(unsent)? {
            return Ok(SentDigest {
                outcome: Outcome::skipped("quiet hours have begun again"),
                group: None,
                again: Some(until),
            });
        }
        // Entries of an earlier timer are included when that timer has not sent them.
        let unsent_generations = head.done_generation + 1..=timer.generation;
        let entries = self.entries(&timer.key, unsent_generations, now).await.map_err(unsent)?;
        if entries.is_empty() {
            return nothing("the digest has no entries");
        }
        let ended = self.ended(&entries, now).await.map_err(unsent)?;
        // The group that will announce the recoveries is written first; the message that the objects fail is sent
        // after that.
        let failing = members(&entries, &ended);
        let group = self.write_digest_group(head, timer, &failing, &target.key, now);
        let group = group.await.map_err(unsent)?;
        let site = event_of(&head.sample).and_then(|event| self.routing.site(&event));
        let mut shown = notification::digest(&entries, &ended, site.map(|site| site.timezone));
        let id = |(partition, _): &(String, usize)| partition.rsplit('#').next().map(str::to_owned);
        shown.thread = group.as_ref().and_then(id);
        let sent = self.notifier.deliver(&target.settings, Delivery::Post, &shown, invocation).await;
        sent.map(|_| SentDigest { outcome: Outcome::Done, group, again: None })
            .map_err(|undelivered| (undelivered.failure, undelivered.maybe_sent))
    }

    async fn entries(
        &self,
        partition: &str,
        generations: RangeInclusive<u64>,
        now: Timestamp,
    ) -> Result<Vec<(String, Entry)>, Failure> {
        let listed = self.records.list(partition).await.map_err(unavailable)?;
        let entries = listed.into_iter().filter_map(|(sort, record)| {
            let event = sort.strip_prefix(keys::ENTRY)?.to_owned();
            let key = Key { partition: partition.to_owned(), sort };
            let mut entry = Versioned::<Entry>::read(&key, Some(&record), now).document;
            if entry.title.is_empty() {
                // A damaged entry is replaced by an empty one: its content is lost, but it still counts.
                DAMAGED.clone_into(&mut entry.title);
                entry.at = now;
                entry.generation = *generations.end();
            }
            generations.contains(&entry.generation).then_some((event, entry))
        });
        Ok(entries.collect())
    }

    /// The ids of incidents that have ended by now. Without them, a late digest would claim that their objects still
    /// fail.
    async fn ended(&self, entries: &[(String, Entry)], now: Timestamp) -> Result<BTreeSet<String>, Failure> {
        let failing = still_failing(entries, &BTreeSet::new()).into_values();
        // Only valid LUIDs may become part of a key: DynamoDB refuses some other texts as keys.
        let failing: Vec<&Entry> = failing.filter(|entry| is_group_id(&entry.object)).collect();
        let incident = |entry: &&Entry| keys::incident(self.workflow, &entry.object);
        let keys: Vec<Key> = failing.iter().map(incident).collect();
        let records = self.records.load(&keys).await.map_err(unavailable)?;
        let mut ended = BTreeSet::new();
        for ((entry, key), record) in failing.into_iter().zip(&keys).zip(&records) {
            let incident = Versioned::<Incident>::read(key, record.as_ref(), now).document;
            let is_open = incident.open.is_some_and(|open| Some(&open.id) == entry.incident.as_ref());
            ended.extend(entry.incident.clone().filter(|_| !is_open));
        }
        Ok(ended)
    }

    /// Writes the group that will announce the recoveries of many still failing objects. Nothing reads the group
    /// until the digest is sent. Returns the group's partition and its number of members.
    async fn write_digest_group(
        &self,
        head: &GroupHead,
        timer: &TimerMessage,
        members: &[(String, Member)],
        target: &str,
        now: Timestamp,
    ) -> Result<Option<(String, usize)>, Failure> {
        let until = timer.key.rsplit('#').next().and_then(|seconds| seconds.parse().ok());
        let until = until.and_then(|seconds| Timestamp::from_second(seconds).ok());
        let Some(until) = until.filter(|_| !members.is_empty()) else { return Ok(None) };
        let partition = keys::group(self.workflow, target, &digest_group(until, timer.generation));
        let mut written = Vec::new();
        for (object, member) in members {
            written.push(Member { object: object.clone(), ..member.clone() });
        }
        // An earlier attempt, which did not send the digest, may have written members that have recovered since.
        for (id, earlier) in self.members(&partition, now).await? {
            if !members.iter().any(|(_, member)| member.id == id) {
                written.push(Member { placement: Placement::Alone, ..earlier });
            }
        }
        let head_key = keys::head(&partition);
        for batch in written.chunks(BATCH) {
            loop {
                let mut transaction = self.transaction(now);
                let read: Versioned<GroupHead> = transaction.get(&head_key).await?;
                let mut group = read.document.clone();
                group.target = target.to_owned();
                group.sample.clone_from(&head.sample);
                group.opened_at = group.opened_at.or(Some(now));
                transaction.put(&head_key, &read, &group)?;
                for member in batch {
                    transaction.overwrite(&keys::member(&partition, &member.id), member)?;
                }
                if transaction.commit().await?.is_some() {
                    break;
                }
            }
        }
        Ok(Some((partition, members.len())))
    }
}

/// The result of a digest's timer.
struct SentDigest {
    outcome: Outcome,
    /// The partition and the number of members of the group of failing objects, if the digest named many.
    group: Option<(String, usize)>,
    /// If the digest was not sent: when its timer fires again.
    again: Option<Timestamp>,
}
