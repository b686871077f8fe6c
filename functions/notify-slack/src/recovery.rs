//! The end of a story: the object that failed has recovered or was deleted, or all that began to fail together have.

use crate::details::Attempt;
use crate::digest::burst_of_digest;
use crate::message::name_of;
use crate::story::{Telling, burst_key};
use crate::{Channels, NotifySlack, Progress, Step, channels, nobody, roundup};
use incidents::{Burst, Change, Closed, How, Incident, Next, Observation, Recovery, Told, Turn};
use rules::{Rules, Schedule, settings};
use std::collections::BTreeSet;
use tableau::{Action, EventName};
use workflow::{Effect, Failure, Outcome};

/// The channels that any rule names.
fn named_channels(rules: &Rules) -> Result<BTreeSet<String>, Failure> {
    let settings = rules.settings::<settings::NotifySlack>().map_err(Failure::misconfigured)?;
    Ok(settings.iter().map(|options| options.channel().to_owned()).collect())
}

impl NotifySlack {
    /// Tells that a refresh succeeded or an object was deleted: that a story is over, if there was one.
    pub(crate) async fn ended(
        &self,
        attempt: &Attempt<'_>,
        rules: &Rules,
        channels: &Channels,
    ) -> Result<Outcome, Failure> {
        let mut progress = Progress::of(attempt);
        self.tell_digests(attempt, &mut progress).await;
        let observation = match attempt.event.name.action() {
            Some(Action::Deleted) => Observation::Deleted(attempt.happened_at()),
            _ => Observation::Succeeded(attempt.happened_at()),
        };
        let (incident, change) = self.observe(attempt, observation).await?;
        let closed = match change {
            Change::Late => return progress.outcome(|| "a later refresh has failed since".to_owned()),
            Change::Recovered => incident.closed_by(attempt.event.id.short()),
            Change::Nothing | Change::Failing => None,
        };
        let mut others = channels.clone();
        if let Some(closed) = closed {
            // A story has the hours of the rules that began it.
            let hours = self.hours_of_failures(attempt, rules)?;
            let named = named_channels(rules)?;
            for (channel, told) in &closed.streak.told {
                let when = hours.get(channel).min(channels.get(channel).or(hours.get(channel)));
                // A document alone opens no channel: one that no rule names any more sees the end in its message, if it
                // has one, and gets no new message.
                let otherwise =
                    if named.contains(channel) { Schedule::Now } else { Schedule::Muted(attempt.now()) };
                let telling =
                    self.telling(attempt, rules, channel, when.copied().unwrap_or(otherwise)).await?;
                // In a box, as in `guarded`.
                match Box::pin(self.tell_recovery(&telling, closed, told)).await {
                    // Who was told nothing of the failure is told of the success, if a rule says so.
                    Ok(None) => continue,
                    Ok(Some(step)) => progress.note(self.noted(attempt, channel, step).await),
                    Err(failure) => progress.note(Err(failure)),
                }
                others.remove(channel);
            }
        }
        self.tell_each(attempt, rules, &others, &mut progress).await;
        progress.outcome(|| nobody(attempt.event, channels))
    }

    /// When each channel would be told of a failure of the object.
    fn hours_of_failures(&self, attempt: &Attempt<'_>, rules: &Rules) -> Result<Channels, Failure> {
        let Some(name) = attempt.event.name.object().and_then(EventName::refresh_failed) else {
            return Ok(Channels::new());
        };
        channels(rules, &name, &attempt.event.site, attempt.now())
    }

    /// Tells a channel that a story is over; `None` when it was told nothing of it.
    async fn tell_recovery(
        &self,
        telling: &Telling<'_>,
        closed: &Closed,
        told: &Told,
    ) -> Result<Option<Step>, Failure> {
        let Telling { attempt, channel, .. } = *telling;
        if attempt.has_told(channel) {
            return Ok(Some(Step::Told));
        }
        match &told.how {
            How::Alone => self.close_alone(telling, closed).await,
            How::Burst(burst) => {
                self.recover_together(telling, closed, told, &burst_key(channel, burst)).await
            }
            How::Digest(until) => {
                let waits = attempt.now() < *until
                    || self.digest(channel, *until).await?.has_untold(attempt.event.subject.luid());
                if waits && !telling.is_muted() {
                    return self.tell_in_digest(attempt, channel, *until, Turn::Ended).await.map(Some);
                }
                self.recover_together(telling, closed, told, &burst_of_digest(channel, *until)).await
            }
        }
    }

    /// Tells that an object's story is over that may have been told with others.
    async fn recover_together(
        &self,
        telling: &Telling<'_>,
        closed: &Closed,
        told: &Told,
        key: &str,
    ) -> Result<Option<Step>, Failure> {
        let Telling { attempt, channel, .. } = *telling;
        let (luid, now) = (attempt.event.subject.luid(), attempt.now());
        let recover = |burst: &mut Burst| {
            burst.forget_future(now);
            burst.recover(luid, closed.at)
        };
        let (burst, recovery) = self.documents.change(key, now, recover).await?;
        match recovery {
            Recovery::Alone => {
                let alone = self.close_alone(telling, closed).await?;
                // The others may have waited for it.
                let together = self.close_if_recovered(telling, key, &burst).await?;
                return Ok(match (alone, together) {
                    (Some(alone), Some(together)) => Some(alone.and(together)),
                    (alone, together) => alone.or(together),
                });
            }
            // What it was told of by itself has its end all the same.
            Recovery::FailsAgain if told.failures > 0 => return self.close_alone(telling, closed).await,
            Recovery::FailsAgain => return Ok(Some(Step::Over("it has failed again since"))),
            Recovery::Together => {}
        }
        let (event, object) = (attempt.event.id.short(), self.object(attempt));
        let incident: Incident = self.documents.read(&object).await?;
        if let Some(until) = incident.is_being_told(event, channel, telling.holder, now) {
            return Ok(Some(Step::Wait(until)));
        }
        let in_digest = self.end_in_digest(telling).await?;
        // It may have been posted since the attempt began.
        let told = incident.closed_by(event).and_then(|closed| closed.streak.told.get(channel));
        if let Some(message) = told.and_then(|told| told.message.as_ref()) {
            // It had a message of its own before there were many: the one for all calls attention to the end.
            let end = self.end_of(attempt, closed).await?;
            let put = self.slack.put(telling.to(), Some(message), &end, false);
            attempt.invocation.once(Effect::Ended { target: channel.to_owned() }, put).await?;
        }
        Ok(Some(in_digest.and(self.close_together(telling, key).await?)))
    }

    /// Puts the end into the digest of quiet hours, if it is that time.
    async fn end_in_digest(&self, telling: &Telling<'_>) -> Result<Step, Failure> {
        match telling.digest {
            Some(until) => self.tell_in_digest(telling.attempt, telling.channel, until, Turn::Ended).await,
            None => Ok(Step::Told),
        }
    }

    async fn end_of(
        &self,
        attempt: &Attempt<'_>,
        closed: &Closed,
    ) -> Result<destinations::slack::Message, Failure> {
        let name = name_of(attempt.event, attempt.details(self).await?);
        let deleted = attempt.event.name.action() == Some(Action::Deleted);
        Ok(roundup::end(&name, closed, deleted, self.zone(attempt)))
    }

    /// Tells that an object's story is over: in the place of its message and below it, where that is possible. In quiet
    /// hours in its place only, and in the digest.
    async fn close_alone(&self, telling: &Telling<'_>, closed: &Closed) -> Result<Option<Step>, Failure> {
        let Telling { attempt, channel, holder, aloud, .. } = *telling;
        // Before the lease: others wait for it.
        let message = self.end_of(attempt, closed).await?;
        let (key, now, event) = (self.object(attempt), attempt.now(), attempt.event.id.short());
        let next = |incident: &mut Incident| incident.next_of_recovery(event, channel, holder, now);
        let (incident, next) = self.documents.change(&key, now, next).await?;
        let told = incident.closed_by(event).and_then(|closed| closed.streak.told.get(channel));
        match next {
            Next::Wait(until) => return Ok(Some(Step::Wait(until))),
            Next::Close => {}
            Next::Told | Next::Tell | Next::Alone => {
                return Ok(told.filter(|told| told.recovery).map(|_| Step::Told));
            }
        }
        let before = told.and_then(|told| told.message.as_ref());
        let is_silent = telling.is_muted() && before.is_none();
        let ended = match self.end_in_digest(telling).await {
            Ok(step) => {
                let ended = self.slack.end(telling.to(), before, &message, &message, aloud).await;
                ended.map(|()| step).map_err(Failure::from)
            }
            Err(failure) => Err(failure),
        };
        let noted = |incident: &mut Incident| match &ended {
            Ok(_) => incident.recovery_told(event, channel, holder),
            Err(_) => incident.untold(channel, holder, false),
        };
        self.documents.change(&key, now, noted).await?;
        ended.map(|step| Some(if is_silent { Step::Over("the rule is muted") } else { step }))
    }

    /// Tells that all have recovered that failed together, if that is so now.
    pub(crate) async fn close_if_recovered(
        &self,
        telling: &Telling<'_>,
        key: &str,
        burst: &Burst,
    ) -> Result<Option<Step>, Failure> {
        if !burst.is_to_be_closed() {
            return Ok(None);
        }
        self.close_together(telling, key).await.map(Some)
    }

    /// Tells how far those that failed together have recovered; at the end in the place of their message and below it, in
    /// quiet hours in its place only.
    pub(crate) async fn close_together(&self, telling: &Telling<'_>, key: &str) -> Result<Step, Failure> {
        let Telling { attempt, channel, holder, changes, aloud, .. } = *telling;
        let (luid, now) = (attempt.event.subject.luid(), attempt.now());
        let next = |burst: &mut Burst| {
            let shows = changes && (aloud || burst.message.is_some());
            burst.next_of_recovery(luid, holder, now, shows)
        };
        let (burst, next) = self.documents.change(key, now, next).await?;
        match next {
            Next::Wait(until) => return Ok(Step::Wait(until)),
            Next::Tell => return self.show(telling, key, &burst).await,
            Next::Close => {}
            // The last one tells of all.
            Next::Told | Next::Alone => return Ok(Step::Counted),
        }
        let in_place = roundup::burst(&burst, self.zone(attempt));
        let below = roundup::burst_is_over(&burst);
        let digest = self.digest_of(attempt, channel).or(telling.digest);
        let ended = match digest.filter(|_| !aloud && burst.message.is_none()) {
            Some(until) if now < until => {
                let entry = roundup::burst_in_digest(&burst, now);
                match self.add_to_digest(channel, until, key, now, &entry).await {
                    // Somebody has to come again for it.
                    Ok(()) => self.end_in_digest(telling).await,
                    Err(failure) => Err(failure),
                }
            }
            digest => {
                // The digest is over: nobody will tell another.
                let (before, aloud) = (burst.message.as_ref(), aloud || digest.is_some());
                let ended = self.slack.end(telling.to(), before, &in_place, &below, aloud).await;
                ended.map(|()| Step::Told).map_err(Failure::from)
            }
        };
        let noted = |newest: &mut Burst| match &ended {
            Ok(_) => newest.closed(holder),
            Err(_) => newest.not_told(holder, false),
        };
        self.documents.change(key, now, noted).await?;
        ended
    }
}
