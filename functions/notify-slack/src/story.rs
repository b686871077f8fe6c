//! The story of an object that fails: one message from the first failure to the recovery, or one for many objects that
//! begin to fail together.

use crate::details::Attempt;
use crate::guarded::{To, kept, may_have_arrived};
use crate::message::{message, name_of, short};
use crate::{Channels, NotifySlack, Progress, Step, nobody, roundup};
use incidents::{Board, Burst, Change, Holder, How, Incident, Member, Next, Observation, Place, Streak};
use rules::{Rules, When};
use workflow::{Failure, Outcome, Workflow};

/// The name under which an attempt writes down that its event is counted.
const OBSERVED: &str = "observed";

/// One telling: who is told by whom.
pub(crate) struct Telling<'a> {
    pub(crate) attempt: &'a Attempt<'a>,
    rules: &'a Rules,
    pub(crate) channel: &'a str,
    /// Of leases.
    pub(crate) holder: Holder,
    /// Whether messages can be changed.
    pub(crate) changes: bool,
}

impl<'a> Telling<'a> {
    pub(crate) fn to(&self) -> To<'a> {
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
        let damped = |when: &When| streak.is_damped() && *when != When::Critical;
        if channels.values().all(damped) {
            let nth = streak.nth;
            return Ok(Outcome::skipped(format!("it flaps: streak no. {nth} within a day is not told")));
        }
        let mut progress = Progress::default();
        for (channel, when) in channels.iter().filter(|(_, when)| !damped(when)) {
            progress.note(self.tell_failure(attempt, rules, channel, *when, &streak).await);
        }
        progress.outcome()
    }

    pub(crate) async fn observe(
        &self,
        attempt: &Attempt<'_>,
        observation: Observation,
    ) -> Result<(Incident, Change), Failure> {
        let (event, key) = (attempt.event.id.short(), self.object(attempt));
        if attempt.invocation.happened(OBSERVED).is_some() {
            // An object remembers its last events only, and one that waits for a night comes again many times.
            let incident: Incident = self.documents.read(&key).await?;
            let change = match observation {
                Observation::Failed(_) if incident.streak.is_some() => Change::Failing,
                Observation::Succeeded(_) if incident.closed_by(event).is_some() => Change::Recovered,
                Observation::Succeeded(_) => Change::Nothing,
                Observation::Failed(_) | Observation::Started(_) => Change::Late,
            };
            return Ok((incident, change));
        }
        let observe = |incident: &mut Incident| incident.observe(event, observation);
        let observed = self.documents.change(&key, attempt.now(), observe).await?;
        if observed.1 != Change::Late {
            attempt.invocation.once(OBSERVED, async { Ok::<_, Failure>(()) }).await?;
        }
        Ok(observed)
    }

    pub(crate) async fn telling<'a>(
        &self,
        attempt: &'a Attempt<'a>,
        rules: &'a Rules,
        channel: &'a str,
    ) -> Result<Telling<'a>, Failure> {
        let changes = self.slack.changes_messages().await?;
        Ok(Telling { attempt, rules, channel, holder: attempt.holder(), changes })
    }

    async fn tell_failure(
        &self,
        attempt: &Attempt<'_>,
        rules: &Rules,
        channel: &str,
        when: When,
        streak: &Streak,
    ) -> Result<Step, Failure> {
        if let Some(until) = self.digest_of(attempt, channel) {
            return self.tell_in_digest(attempt, channel, until).await;
        }
        let telling = self.telling(attempt, rules, channel).await?;
        let told = streak.told.get(channel);
        let how = match (told.map(|told| told.how.clone()), when) {
            (_, When::Muted(_)) => return Ok(Step::Told),
            // In quiet hours a message may be changed, which calls nobody; a new one waits.
            (Some(How::Alone), When::Later(until)) if told.is_none_or(|told| told.message.is_none()) => {
                return self.tell_in_digest(attempt, channel, until).await;
            }
            (Some(How::Burst(_)), When::Later(until)) if !telling.changes => {
                return self.tell_in_digest(attempt, channel, until).await;
            }
            (Some(how), _) => how,
            // Nobody comes again to tell what was put off.
            (None, _) if !attempt.invocation.retried => How::Alone,
            (None, When::Later(until)) => How::Digest(until),
            (None, When::Critical | When::Now) => match self.admit(&telling).await? {
                Some(how) => how,
                None => return Ok(Step::Told),
            },
        };
        match self.settle(&telling, how).await? {
            Some(How::Alone) => self.tell_alone(&telling).await,
            Some(How::Burst(burst)) => self.tell_together(&telling, &burst).await,
            Some(How::Digest(_)) => match when {
                When::Later(until) => self.tell_in_digest(attempt, channel, until).await,
                // It goes on failing after the quiet hours.
                _ => self.tell_alone_after_all(&telling).await,
            },
            None => Ok(Step::Told),
        }
    }

    /// Finds the burst that an object belongs to. `None` when the object has recovered meanwhile.
    async fn admit(&self, telling: &Telling<'_>) -> Result<Option<How>, Failure> {
        let (attempt, channel, now) = (telling.attempt, telling.channel, telling.attempt.now());
        let (event, luid) = (attempt.event.id.short(), attempt.event.subject.luid());
        let details = attempt.details(self).await?;
        let cause = details.cause.as_option().map_or("Cause not available", |cause| cause.class.title());
        let member = Member {
            name: short(&name_of(attempt.event, details)),
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
            // First where it is told, then that it is there: whoever recovers meanwhile finds it.
            let how = How::Burst(burst.clone());
            if over.is_some() {
                let settle = |incident: &mut Incident| incident.settle_anew(channel, &how);
                self.documents.change(&self.object(attempt), now, settle).await?;
            }
            match self.settle(telling, how.clone()).await? {
                Some(settled) if settled == how => {}
                other => return Ok(other),
            }
            let admit = |burst: &mut Burst| burst.admit(luid, member.clone(), first, now);
            let (_, admitted) = self.documents.change(&burst_key(channel, &burst), now, admit).await?;
            // A burst of its own that is over is that of this very event, which was told then.
            if admitted || burst == event {
                let incident: Incident = self.documents.read(&self.object(attempt)).await?;
                if incident.streak.is_none() {
                    let recover = |burst: &mut Burst| burst.recover(luid, now);
                    self.documents.change(&burst_key(channel, &burst), now, recover).await?;
                    return Ok(None);
                }
                return Ok(Some(how));
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
        let posted = self.slack.put(telling.to(), before, &message).await;
        let failures = streak.failures;
        let noted = match &posted {
            Ok(posted) => {
                let sent = posted.message.as_ref().map(kept);
                let told =
                    move |incident: &mut Incident| incident.told(channel, holder, failures, sent.clone());
                self.documents.change(&key, now, told).await.map(|_| ())
            }
            Err(error) => {
                let perhaps = may_have_arrived(error);
                let untold = |incident: &mut Incident| incident.untold(channel, holder, perhaps);
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
            Next::Tell => self.show(telling, &key, &burst).await,
            // It was told when it began to fail; that it fails again is part of the same story.
            Next::Told | Next::Close => Ok(Step::Counted),
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
        let posted = self.slack.put(telling.to(), burst.message.as_ref(), &roundup::burst(burst)).await;
        let sent = posted.as_ref().ok().and_then(|posted| posted.message.as_ref()).map(kept);
        let noted = |newest: &mut Burst| match &posted {
            Ok(_) => newest.told(holder, burst, now, sent.clone()),
            Err(error) => newest.not_told(holder, may_have_arrived(error)),
        };
        let (newest, ()) = self.documents.change(key, now, noted).await?;
        posted?;
        // All may have recovered while the message was on its way: then nobody else comes to close it.
        if newest.is_recovered() {
            return Box::pin(self.close_together(telling, key, false)).await;
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
    let Some(streak) = streak else { return Step::Told };
    let told = streak.told.get(channel).is_some_and(|told| told.failures >= streak.failures);
    if told { Step::Told } else { Step::Counted }
}

pub(crate) fn burst_key(channel: &str, burst: &str) -> String {
    format!("{}#{channel}#{burst}", NotifySlack::NAME)
}
