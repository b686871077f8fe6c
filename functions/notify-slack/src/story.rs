//! The story of an object that fails: one message from the first failure to the recovery, or one for many objects that
//! begin to fail together.

use crate::details::Attempt;
use crate::guarded::{To, kept};
use crate::message::{message, name_of};
use crate::{Channels, NotifySlack, Progress, Step, nobody, roundup};
use incidents::{
    Board, Burst, Change, Closed, How, Incident, Member, Next, Observation, Place, Streak, Told,
};
use rules::{Rules, When};
use workflow::{Failure, Outcome, Workflow};

/// One telling: who is told by whom.
struct Telling<'a> {
    attempt: &'a Attempt<'a>,
    rules: &'a Rules,
    channel: &'a str,
    /// Of leases.
    holder: u64,
    /// Whether messages can be changed.
    changes: bool,
}

impl<'a> Telling<'a> {
    fn to(&self) -> To<'a> {
        To { invocation: self.attempt.invocation, channel: self.channel }
    }
}

impl NotifySlack {
    /// Whether the refresh that began has ended by now.
    pub(crate) async fn is_late(&self, attempt: &Attempt<'_>) -> Result<bool, Failure> {
        let started = Observation::Started(attempt.happened_at());
        let mut incident: Incident = self.documents.read(&self.object(attempt)).await?;
        Ok(incident.observe(attempt.event.id.short(), started) == Change::Late)
    }

    /// Tells a failure, as part of its object's story.
    pub(crate) async fn failed(
        &self,
        attempt: &Attempt<'_>,
        rules: &Rules,
        channels: &Channels,
    ) -> Result<Outcome, Failure> {
        let (incident, change) = self.observe(attempt, Observation::Failed(attempt.happened_at())).await?;
        let Some(streak) = incident.streak.filter(|_| change != Change::Late) else {
            return Ok(Outcome::skipped("a later refresh has succeeded since"));
        };
        if let Some(reason) = nobody(attempt.event, channels) {
            return Ok(Outcome::skipped(reason));
        }
        if streak.is_damped() {
            let nth = streak.nth;
            return Ok(Outcome::skipped(format!("it flaps: streak no. {nth} within a day is not told")));
        }
        let mut progress = Progress::default();
        for (channel, when) in channels {
            progress.note(self.tell_failure(attempt, rules, channel, *when, &streak).await);
        }
        progress.outcome()
    }

    /// Tells a success: that a story is over, if there was one.
    pub(crate) async fn succeeded(
        &self,
        attempt: &Attempt<'_>,
        rules: &Rules,
        channels: &Channels,
    ) -> Result<Outcome, Failure> {
        let (incident, change) = self.observe(attempt, Observation::Succeeded(attempt.happened_at())).await?;
        let closed = match change {
            Change::Late => return Ok(Outcome::skipped("a later refresh has failed since")),
            Change::Recovered => incident.closed,
            Change::Nothing | Change::Failing => None,
        };
        let Some(closed) = closed else { return self.tell(attempt, rules, channels).await };
        let mut progress = Progress::default();
        for (channel, told) in &closed.streak.told {
            let telling = self.telling(attempt, rules, channel).await?;
            progress.note(self.tell_recovery(&telling, &closed, told).await);
        }
        let others = channels.iter().filter(|(channel, _)| !closed.streak.told.contains_key(*channel));
        let others: Channels = others.map(|(channel, when)| (channel.clone(), *when)).collect();
        match progress.outcome()? {
            Outcome::Done if nobody(attempt.event, &others).is_none() => {
                self.tell(attempt, rules, &others).await
            }
            outcome => Ok(outcome),
        }
    }

    async fn observe(
        &self,
        attempt: &Attempt<'_>,
        observation: Observation,
    ) -> Result<(Incident, Change), Failure> {
        let event = attempt.event.id.short();
        let observe = |incident: &mut Incident| incident.observe(event, observation);
        Ok(self.documents.change(&self.object(attempt), attempt.now(), observe).await?)
    }

    async fn telling<'a>(
        &self,
        attempt: &'a Attempt<'a>,
        rules: &'a Rules,
        channel: &'a str,
    ) -> Result<Telling<'a>, Failure> {
        let changes = self.slack.changes_messages().await?;
        Ok(Telling { attempt, rules, channel, holder: fastrand::u64(..), changes })
    }

    async fn tell_failure(
        &self,
        attempt: &Attempt<'_>,
        rules: &Rules,
        channel: &str,
        when: When,
        streak: &Streak,
    ) -> Result<Step, Failure> {
        let telling = self.telling(attempt, rules, channel).await?;
        let how = match (streak.told.get(channel).map(|told| told.how.clone()), when) {
            (Some(how), _) => how,
            (None, When::Muted(_)) => return Ok(Step::Told),
            // Nobody comes again to tell what was put off.
            (None, _) if !attempt.invocation.retried => How::Alone,
            (None, When::Later(until)) => How::Digest(until),
            (None, When::Now) => self.admit(&telling).await?,
        };
        match self.settle(&telling, how).await? {
            Some(How::Alone) => self.tell_alone(&telling).await,
            Some(How::Burst(burst)) => self.tell_together(&telling, &burst).await,
            Some(How::Digest(_)) => match (self.digest_of(attempt, channel), when) {
                (Some(until), _) | (None, When::Later(until)) => {
                    self.tell_in_digest(attempt, channel, until).await
                }
                // It goes on failing after the quiet hours.
                _ => self.tell_alone_after_all(&telling).await,
            },
            Some(How::Damped) | None => Ok(Step::Told),
        }
    }

    /// Finds the burst that an object belongs to.
    async fn admit(&self, telling: &Telling<'_>) -> Result<How, Failure> {
        let (attempt, channel, now) = (telling.attempt, telling.channel, telling.attempt.now());
        let (event, luid) = (attempt.event.id.short(), attempt.event.subject.luid());
        let details = attempt.details(self).await?;
        let cause = details.cause.as_option().map_or("Cause not available", |cause| cause.class.title());
        let member = Member {
            name: name_of(attempt.event, details),
            cause: cause.to_owned(),
            at: attempt.happened_at(),
            recovered: None,
            place: Place::Waiting,
            shown: false,
        };
        let mut over: Option<String> = None;
        loop {
            let join = |board: &mut Board| board.join(event, over.as_deref(), now);
            let board = format!("{}#{channel}", Self::NAME);
            let (_, (burst, first)) = self.documents.change(&board, now, join).await?;
            let admit = |burst: &mut Burst| burst.admit(luid, member.clone(), first, now);
            let (_, admitted) = self.documents.change(&burst_key(channel, &burst), now, admit).await?;
            // A burst of its own that is over is that of this very event, which was told then.
            if admitted || burst == event {
                return Ok(How::Burst(burst));
            }
            over = Some(burst);
        }
    }

    /// How the channel is told of the streak: as settled before, or else `how`.
    async fn settle(&self, telling: &Telling<'_>, how: How) -> Result<Option<How>, Failure> {
        let (key, now) = (self.object(telling.attempt), telling.attempt.now());
        let settle = |incident: &mut Incident| incident.settle(telling.channel, how.clone());
        Ok(self.documents.change(&key, now, settle).await?.1)
    }

    async fn tell_alone_after_all(&self, telling: &Telling<'_>) -> Result<Step, Failure> {
        let (key, now) = (self.object(telling.attempt), telling.attempt.now());
        let settle = |incident: &mut Incident| incident.settle_anew(telling.channel, &How::Alone);
        self.documents.change(&key, now, settle).await?;
        self.tell_alone(telling).await
    }

    /// Tells a failure with a message of its own, which follows the streak where it can be changed.
    async fn tell_alone(&self, telling: &Telling<'_>) -> Result<Step, Failure> {
        let Telling { attempt, rules, channel, holder, changes } = *telling;
        // Before the lease: others wait for it.
        let details = attempt.details(self).await?;
        let (key, now) = (self.object(attempt), attempt.now());
        let next = |incident: &mut Incident| incident.next(channel, holder, now, changes);
        let (incident, next) = self.documents.change(&key, now, next).await?;
        let streak = match (next, incident.streak) {
            (Next::Wait(until), _) => return Ok(Step::Wait(until)),
            (Next::Tell, Some(streak)) => streak,
            (_, Some(streak)) => {
                let told = streak.told.get(channel).is_some_and(|told| told.failures >= streak.failures);
                return Ok(if told { Step::Told } else { Step::Counted });
            }
            _ => return Ok(Step::Told),
        };
        let message = message(attempt.event, rules.site(&attempt.event.site), details, Some(&streak));
        let before = streak.told.get(channel).and_then(|told| told.message.as_ref());
        let posted = self.slack.put(telling.to(), before, &message).await;
        let failures = streak.failures;
        let noted = match &posted {
            Ok(posted) => {
                let sent = posted.message.as_ref().map(kept);
                let told =
                    move |incident: &mut Incident| incident.told(channel, holder, failures, sent.clone());
                self.documents.change(&key, now, told).await.map(|_| ())
            }
            Err(_) => {
                let untold = |incident: &mut Incident| incident.untold(channel, holder);
                self.documents.change(&key, now, untold).await.map(|_| ())
            }
        };
        posted?;
        noted?;
        Ok(Step::Told)
    }

    /// Tells a failure together with others.
    async fn tell_together(&self, telling: &Telling<'_>, burst: &str) -> Result<Step, Failure> {
        let Telling { attempt, channel, holder, changes, .. } = *telling;
        let (key, now) = (burst_key(channel, burst), attempt.now());
        let luid = attempt.event.subject.luid();
        let next = |burst: &mut Burst| burst.next(luid, holder, now, changes);
        let (burst, next) = self.documents.change(&key, now, next).await?;
        match next {
            Next::Wait(until) => Ok(Step::Wait(until)),
            Next::Alone => self.tell_alone(telling).await,
            Next::Tell => self.show(telling, &key, &burst).await.map(|()| Step::Told),
            Next::Told | Next::Close => Ok(Step::Told),
        }
    }

    /// Posts or changes the message about those that fail together.
    async fn show(&self, telling: &Telling<'_>, key: &str, burst: &Burst) -> Result<(), Failure> {
        let (holder, now) = (telling.holder, telling.attempt.now());
        let posted = self.slack.put(telling.to(), burst.message.as_ref(), &roundup::burst(burst)).await;
        let sent = posted.as_ref().ok().and_then(|posted| posted.message.as_ref()).map(kept);
        let noted = |newest: &mut Burst| match &posted {
            Ok(_) => newest.told(holder, burst, now, sent.clone()),
            Err(_) => newest.not_told(holder),
        };
        self.documents.change(key, now, noted).await?;
        posted.map(|_| ())
    }

    async fn tell_recovery(
        &self,
        telling: &Telling<'_>,
        closed: &Closed,
        told: &Told,
    ) -> Result<Step, Failure> {
        let Telling { attempt, channel, .. } = *telling;
        match &told.how {
            How::Damped => Ok(Step::Told),
            How::Alone => self.close_alone(telling, closed).await,
            How::Burst(burst) => {
                let (luid, now) = (attempt.event.subject.luid(), attempt.now());
                let recover = |burst: &mut Burst| burst.recover(luid, closed.at);
                let key = burst_key(channel, burst);
                let (_, together) = self.documents.change(&key, now, recover).await?;
                if together {
                    self.close_together(telling, &key).await
                } else {
                    self.close_alone(telling, closed).await
                }
            }
            How::Digest(until) if attempt.now() < *until && attempt.invocation.retried => {
                self.tell_in_digest(attempt, channel, *until).await
            }
            How::Digest(until) if self.digest_of(attempt, channel) == Some(*until) => {
                self.tell_in_digest(attempt, channel, *until).await
            }
            How::Digest(_) => self.close_alone(telling, closed).await,
        }
    }

    /// Tells that an object's story is over: in the place of its message and below it, where that is possible.
    async fn close_alone(&self, telling: &Telling<'_>, closed: &Closed) -> Result<Step, Failure> {
        let Telling { attempt, channel, holder, .. } = *telling;
        let details = attempt.details(self).await?;
        let (key, now) = (self.object(attempt), attempt.now());
        let next = |incident: &mut Incident| incident.next_of_recovery(channel, holder, now);
        let (incident, next) = self.documents.change(&key, now, next).await?;
        match next {
            Next::Wait(until) => return Ok(Step::Wait(until)),
            Next::Close => {}
            Next::Told | Next::Tell | Next::Alone => return Ok(Step::Told),
        }
        let before = incident.closed.as_ref().and_then(|closed| closed.streak.told.get(channel));
        let before = before.and_then(|told| told.message.as_ref());
        let message = roundup::recovery(&name_of(attempt.event, details), closed);
        let ended = self.slack.end(telling.to(), before, &message, &message).await;
        let noted = |incident: &mut Incident| match &ended {
            Ok(()) => incident.recovery_told(channel, holder),
            Err(_) => incident.untold(channel, holder),
        };
        self.documents.change(&key, now, noted).await?;
        ended.map(|()| Step::Told)
    }

    async fn close_together(&self, telling: &Telling<'_>, key: &str) -> Result<Step, Failure> {
        let Telling { attempt, holder, changes, .. } = *telling;
        let (luid, now) = (attempt.event.subject.luid(), attempt.now());
        let next = |burst: &mut Burst| burst.next_of_recovery(luid, holder, now, changes);
        let (burst, next) = self.documents.change(key, now, next).await?;
        match next {
            Next::Wait(until) => return Ok(Step::Wait(until)),
            Next::Tell => return self.show(telling, key, &burst).await.map(|()| Step::Told),
            Next::Close => {}
            Next::Told | Next::Alone => return Ok(Step::Told),
        }
        let (in_place, below) = (roundup::burst(&burst), roundup::burst_is_over(&burst));
        let ended = self.slack.end(telling.to(), burst.message.as_ref(), &in_place, &below).await;
        let noted = |newest: &mut Burst| match &ended {
            Ok(()) => newest.closed(holder),
            Err(_) => newest.not_told(holder),
        };
        self.documents.change(key, now, noted).await?;
        ended.map(|()| Step::Told)
    }

    /// What an object's story is kept under.
    fn object(&self, attempt: &Attempt<'_>) -> String {
        format!("{}#{}", Self::NAME, attempt.event.subject.luid())
    }
}

fn burst_key(channel: &str, burst: &str) -> String {
    format!("{}#{channel}#{burst}", NotifySlack::NAME)
}
