//! The story of an object that fails: one message from the first failure to the recovery, or one for many objects that
//! begin to fail together.

use crate::details::Attempt;
use crate::digest::burst_of_digest;
use crate::guarded::{To, may_have_arrived};
use crate::message::{message, name_of};
use crate::{Channels, NotifySlack, Progress, Step, nobody, roundup};
use incidents::{Board, Burst, Change, Holder, How, Incident, Member, Next, Observation, Streak, Turn};
use jiff::Timestamp;
use rules::{Rules, Schedule};
use workflow::{Effect, Failure, Outcome, Workflow};

pub(crate) const OVER: &str = "a later refresh has succeeded since";

/// One telling: who is told by whom.
pub(crate) struct Telling<'a> {
    pub(crate) attempt: &'a Attempt<'a>,
    rules: &'a Rules,
    pub(crate) channel: &'a str,
    when: Schedule,
    /// Of leases.
    pub(crate) holder: Holder,
    /// Whether messages can be changed.
    pub(crate) changes: bool,
    /// Whether a new message may be posted, which calls people.
    pub(crate) aloud: bool,
    /// The end of the quiet hours whose digest the event is to be put into.
    pub(crate) digest: Option<Timestamp>,
}

impl<'a> Telling<'a> {
    pub(crate) fn to(&self) -> To<'a> {
        To { invocation: self.attempt.invocation, channel: self.channel }
    }

    pub(crate) fn is_muted(&self) -> bool {
        matches!(self.when, Schedule::Muted(_))
    }
}

impl NotifySlack {
    /// Whether the refresh that began has ended by now.
    pub(crate) async fn is_late(&self, attempt: &Attempt<'_>) -> Result<bool, Failure> {
        let started = Observation::Started(attempt.happened_at());
        let mut incident: Incident = self.documents.read(&self.object(attempt)).await?;
        incident.forget_future(attempt.now());
        Ok(incident.observe(attempt.event.id.short(), started) == Change::Late)
    }

    /// Tells a failure, as part of its object's story.
    pub(crate) async fn failed(
        &self,
        attempt: &Attempt<'_>,
        rules: &Rules,
        channels: &Channels,
    ) -> Result<Outcome, Failure> {
        let mut progress = Progress::of(attempt);
        self.tell_digests(attempt, &mut progress).await;
        let (incident, change) = self.observe(attempt, Observation::Failed(attempt.happened_at())).await?;
        let Some(streak) = incident.streak.filter(|_| change != Change::Late) else {
            return progress.outcome(|| OVER.to_owned());
        };
        let mut damped = false;
        for (channel, when) in channels {
            let is_damped = streak.is_damped() && *when != Schedule::Critical;
            damped |= is_damped;
            let is_told = attempt.has_told(channel) || self.digest_of(attempt, channel).is_some();
            if is_damped || is_told || matches!(when, Schedule::Muted(_)) {
                continue;
            }
            let telling = self.telling(attempt, rules, channel, *when).await?;
            // In a box, as in `guarded`.
            match Box::pin(self.tell_failure(&telling, &streak)).await {
                Ok(step) => progress.note(self.noted(attempt, channel, step).await),
                Err(failure) => progress.note(Err(failure)),
            }
        }
        progress.outcome(|| match damped {
            true => format!("it flaps: streak no. {} within a day is not told", streak.nth),
            false => nobody(attempt.event, channels),
        })
    }

    /// Writes down that a channel is told, if it is: for later attempts, and for whoever looks where it was told.
    pub(crate) async fn noted(
        &self,
        attempt: &Attempt<'_>,
        channel: &str,
        step: Step,
    ) -> Result<Step, Failure> {
        if matches!(step, Step::Told) && self.digest_of(attempt, channel).is_none() {
            attempt.note_told(channel).await?;
        }
        Ok(step)
    }

    pub(crate) async fn observe(
        &self,
        attempt: &Attempt<'_>,
        observation: Observation,
    ) -> Result<(Incident, Change), Failure> {
        let (event, key) = (attempt.event.id.short(), self.object(attempt));
        if attempt.invocation.has_happened(&Effect::Observed) {
            // An object remembers its last events only, and one that waits for a night comes again many times.
            let incident: Incident = self.documents.read(&key).await?;
            let change = match observation {
                Observation::Failed(_) if incident.streak.is_some() => Change::Failing,
                Observation::Failed(_) | Observation::Started(_) => Change::Late,
                _ if incident.closed_by(event).is_some() => Change::Recovered,
                _ => Change::Nothing,
            };
            return Ok((incident, change));
        }
        let observe = |incident: &mut Incident| {
            incident.forget_future(attempt.now());
            incident.observe(event, observation)
        };
        let observed = self.documents.change(&key, attempt.now(), observe).await?;
        if matches!(observed.1, Change::Failing | Change::Recovered) {
            attempt.invocation.once(Effect::Observed, async { Ok::<_, Failure>(()) }).await?;
        }
        Ok(observed)
    }

    pub(crate) async fn telling<'a>(
        &self,
        attempt: &'a Attempt<'a>,
        rules: &'a Rules,
        channel: &'a str,
        when: Schedule,
    ) -> Result<Telling<'a>, Failure> {
        let changes = self.slack.changes_messages().await?;
        // Nobody comes again to tell what was put off.
        let when = if attempt.invocation.retried || matches!(when, Schedule::Muted(_)) {
            when
        } else {
            Schedule::Now
        };
        let is_in_digest = self.digest_of(attempt, channel).is_some();
        let (aloud, digest) = match when {
            Schedule::Critical | Schedule::Now => (!is_in_digest, None),
            Schedule::DeferUntil(until) => (false, Some(until).filter(|_| !is_in_digest)),
            Schedule::Muted(_) => (false, None),
        };
        Ok(Telling { attempt, rules, channel, when, holder: attempt.holder(), changes, aloud, digest })
    }

    async fn tell_failure(&self, telling: &Telling<'_>, streak: &Streak) -> Result<Step, Failure> {
        let told = streak.told.get(telling.channel);
        if let Some(until) = telling.digest {
            return self.tell_quietly(telling, streak, until).await;
        }
        let how = match told.map(|told| &told.how) {
            Some(How::Alone) => Some(How::Alone),
            Some(how @ How::Burst(burst)) => {
                let burst: Burst = self.documents.read(&burst_key(telling.channel, burst)).await?;
                let (luid, at) = (telling.attempt.event.subject.luid(), telling.attempt.happened_at());
                match burst.failing(luid, at) {
                    Some(_) => Some(how.clone()),
                    // An attempt has ended in between.
                    None => self.admit(telling, Some(how.clone())).await?,
                }
            }
            // Nobody comes again to tell it together with others.
            None if !telling.attempt.invocation.retried => self.settle(telling, How::Alone, None).await?,
            None => self.admit(telling, None).await?,
            Some(how @ How::Digest(until)) => {
                let luid = telling.attempt.event.subject.luid();
                let burst = burst_of_digest(telling.channel, *until);
                let burst: Burst = self.documents.read(&burst).await?;
                if burst.failing(luid, telling.attempt.happened_at()).is_some() {
                    return Ok(Step::Counted);
                }
                if self.digest(telling.channel, *until).await?.has_untold(luid) {
                    // It is about to be told there.
                    Some(how.clone())
                } else {
                    self.admit(telling, Some(how.clone())).await?
                }
            }
        };
        match how {
            Some(How::Alone) => self.tell_alone(telling).await,
            Some(How::Burst(burst)) => {
                self.tell_together(telling, &burst_key(telling.channel, &burst), streak).await
            }
            Some(How::Digest(until)) => {
                self.tell_in_digest(telling.attempt, telling.channel, until, Turn::Failed).await
            }
            None => Ok(Step::Over(OVER)),
        }
    }

    /// Finds the burst that an object belongs to, which is told `instead_of` another way. `None` when the object has
    /// recovered meanwhile.
    async fn admit(
        &self,
        telling: &Telling<'_>,
        mut instead_of: Option<How>,
    ) -> Result<Option<How>, Failure> {
        let (attempt, channel, now) = (telling.attempt, telling.channel, telling.attempt.now());
        let (event, luid) = (attempt.event.id.short(), attempt.event.subject.luid());
        let details = attempt.details(self).await?;
        let cause = details.cause.as_option().map(|cause| cause.class.title());
        let member = Member::new(&name_of(attempt.event, details), cause, attempt.happened_at());
        // What is critical does not drown in what is not.
        let board = match telling.when {
            Schedule::Critical => format!("{}#{channel}#critical", Self::NAME),
            _ => format!("{}#{channel}", Self::NAME),
        };
        let mut over: Option<String> = None;
        loop {
            let join = |board: &mut Board| board.join(event, over.as_deref(), now);
            let (_, (burst, first)) = self.documents.change(&board, now, join).await?;
            // First where it is told, then that it is there: whoever recovers meanwhile finds it.
            let how = How::Burst(burst.clone());
            match self.settle(telling, how.clone(), instead_of.as_ref()).await? {
                Some(settled) if settled == how => {}
                other => return Ok(other),
            }
            let admit = |burst: &mut Burst| burst.admit(luid, member.clone(), first, now);
            let (_, admitted) = self.documents.change(&burst_key(channel, &burst), now, admit).await?;
            // A burst of its own that is over is that of this very event, which was told then.
            if admitted || burst == event {
                let incident: Incident = self.documents.read(&self.object(attempt)).await?;
                if incident.streak.is_none() {
                    let (key, recover) =
                        (burst_key(channel, &burst), |burst: &mut Burst| burst.recover(luid, now));
                    let (burst, _) = self.documents.change(&key, now, recover).await?;
                    self.close_if_recovered(telling, &key, &burst).await?;
                    return Ok(None);
                }
                return Ok(Some(how));
            }
            (over, instead_of) = (Some(burst), Some(how));
        }
    }

    /// How the channel is told of the streak: as settled before, unless that is `instead_of`, or else `how`.
    pub(crate) async fn settle(
        &self,
        telling: &Telling<'_>,
        how: How,
        instead_of: Option<&How>,
    ) -> Result<Option<How>, Failure> {
        let (key, now) = (self.object(telling.attempt), telling.attempt.now());
        let settle = |incident: &mut Incident| incident.settle(telling.channel, how.clone(), instead_of);
        Ok(self.documents.change(&key, now, settle).await?.1)
    }

    /// Tells a failure with a message of its own, which follows the streak where it can be changed.
    pub(crate) async fn tell_alone(&self, telling: &Telling<'_>) -> Result<Step, Failure> {
        let Telling { attempt, rules, channel, holder, changes, aloud, .. } = *telling;
        let (key, now) = (self.object(attempt), attempt.now());
        let mut incident: Incident = self.documents.read(&key).await?;
        if incident.next(channel, holder, now, changes) == Next::Told {
            return Ok(counted(incident.streak.as_ref(), channel));
        }
        // Before the lease: others wait for it.
        let details = attempt.details(self).await?;
        let next = |incident: &mut Incident| incident.next(channel, holder, now, changes);
        let (incident, next) = self.documents.change(&key, now, next).await?;
        let streak = match (next, incident.streak) {
            (Next::Wait(until), _) => return Ok(Step::Wait(until)),
            (Next::Tell, Some(streak)) => streak,
            (_, streak) => return Ok(counted(streak.as_ref(), channel)),
        };
        let message = message(attempt.event, rules.site(&attempt.event.site), details, Some(&streak));
        let before = streak.told.get(channel).and_then(|told| told.message.as_ref());
        let put = self.slack.put(telling.to(), before, &message, aloud).await;
        let noted = |incident: &mut Incident| match &put {
            Ok(kept) => incident.told(channel, holder, streak.failures, kept.clone()),
            Err(error) => incident.untold(channel, holder, may_have_arrived(error)),
        };
        let noted = self.documents.change(&key, now, noted).await;
        put?;
        noted?;
        Ok(Step::Told)
    }

    /// Tells a failure together with others, if it is not told yet.
    pub(crate) async fn tell_together(
        &self,
        telling: &Telling<'_>,
        key: &str,
        streak: &Streak,
    ) -> Result<Step, Failure> {
        let Telling { attempt, holder, changes, .. } = *telling;
        let (luid, now) = (attempt.event.subject.luid(), attempt.now());
        let next = |burst: &mut Burst| burst.next(luid, holder, now, changes);
        let (burst, next) = self.documents.change(key, now, next).await?;
        match next {
            Next::Wait(until) => Ok(Step::Wait(until)),
            Next::Alone => self.tell_alone(telling).await,
            Next::Tell => self.show(telling, key, &burst).await,
            // It was told when it began to fail; that it fails again is part of the same story.
            Next::Told | Next::Close if streak.since < attempt.happened_at() => Ok(Step::Counted),
            Next::Told | Next::Close => Ok(Step::Told),
        }
    }

    /// Posts or changes the message about those that fail together.
    pub(crate) async fn show(
        &self,
        telling: &Telling<'_>,
        key: &str,
        burst: &Burst,
    ) -> Result<Step, Failure> {
        let (holder, now) = (telling.holder, telling.attempt.now());
        let message = roundup::burst(burst, self.zone(telling.attempt));
        let put = self.slack.put(telling.to(), burst.message.as_ref(), &message, telling.aloud).await;
        let noted = |newest: &mut Burst| match &put {
            Ok(kept) => newest.told(holder, burst, now, kept.clone()),
            Err(error) => newest.not_told(holder, may_have_arrived(error)),
        };
        let (newest, ()) = self.documents.change(key, now, noted).await?;
        put?;
        // All may have recovered while the message was on its way: then nobody else comes to close it.
        if newest.is_recovered() {
            return Box::pin(self.close_together(telling, key)).await;
        }
        Ok(Step::Told)
    }

    /// What an object's story is kept under.
    pub(crate) fn object(&self, attempt: &Attempt<'_>) -> String {
        format!("{}#{}", Self::NAME, attempt.event.subject.luid())
    }
}

/// What became of a failure that needs no telling: somebody told it, or it is counted in what is told next.
fn counted(streak: Option<&Streak>, channel: &str) -> Step {
    let Some(streak) = streak else { return Step::Over(OVER) };
    let told = streak.told.get(channel).is_some_and(|told| told.failures >= streak.failures);
    if told { Step::Told } else { Step::Counted }
}

pub(crate) fn burst_key(channel: &str, burst: &str) -> String {
    format!("{}#{channel}#{burst}", NotifySlack::NAME)
}
