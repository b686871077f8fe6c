//! The end of a story: the object that failed has recovered, or all that began to fail together have.

use crate::details::Attempt;
use crate::message::name_of;
use crate::story::{Telling, burst_key};
use crate::{Channels, NotifySlack, Progress, Step, channels, roundup};
use incidents::{Burst, Change, Closed, How, Incident, Next, Observation, Told};
use jiff::Timestamp;
use rules::{Rules, When};
use tableau::{Event, EventName};
use workflow::{Failure, Outcome};

impl NotifySlack {
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
            Change::Recovered => incident.closed_by(attempt.event.id.short()),
            Change::Nothing | Change::Failing => None,
        };
        let Some(closed) = closed else { return self.tell(attempt, rules, channels).await };
        // A story has the hours of the rules that began it.
        let hours = self.hours_of_failures(attempt, rules)?;
        let mut progress = Progress::default();
        for (channel, told) in &closed.streak.told {
            let telling = self.telling(attempt, rules, channel).await?;
            let when = hours.get(channel).min(channels.get(channel).or(hours.get(channel)));
            let when = when.copied().unwrap_or(When::Now);
            progress.note(self.tell_recovery(&telling, closed, told, when).await);
        }
        let others = channels.iter().filter(|(channel, _)| !closed.streak.told.contains_key(*channel));
        let others: Channels = others.map(|(channel, when)| (channel.clone(), *when)).collect();
        self.tell_each(attempt, rules, &others, &mut progress).await;
        progress.outcome()
    }

    /// When each channel would be told of a failure of the object that has recovered.
    fn hours_of_failures(&self, attempt: &Attempt<'_>, rules: &Rules) -> Result<Channels, Failure> {
        let name = attempt.event.name.as_str().replace("Succeeded", "Failed");
        let failed = Event { name: EventName::from(name.as_str()), ..attempt.event.clone() };
        channels(rules, &failed, attempt.now())
    }

    async fn tell_recovery(
        &self,
        telling: &Telling<'_>,
        closed: &Closed,
        told: &Told,
        when: When,
    ) -> Result<Step, Failure> {
        let Telling { attempt, channel, .. } = *telling;
        if let Some(until) = self.digest_of(attempt, channel) {
            return self.tell_in_digest(attempt, channel, until).await;
        }
        let quiet = match when {
            When::Muted(_) => return Ok(Step::Told),
            When::Later(until) if attempt.invocation.retried => Some(until),
            When::Later(_) | When::Critical | When::Now => None,
        };
        match &told.how {
            How::Alone => self.close_alone(telling, closed, quiet).await,
            How::Burst(burst) => {
                let (luid, now) = (attempt.event.subject.luid(), attempt.now());
                let recover = |burst: &mut Burst| burst.recover(luid, closed.at);
                let key = burst_key(channel, burst);
                let (_, together) = self.documents.change(&key, now, recover).await?;
                if !together {
                    return self.close_alone(telling, closed, quiet).await;
                }
                if let Some(message) = &told.message {
                    // It had a message of its own before there were many: the one for all calls attention to the end.
                    let details = attempt.details(self).await?;
                    let end = roundup::recovery(&name_of(attempt.event, details), closed);
                    self.slack.put(telling.to(), Some(message), &end).await?;
                }
                self.close_together(telling, &key, quiet.is_some()).await
            }
            How::Digest(until) if attempt.now() < *until && attempt.invocation.retried => {
                self.tell_in_digest(attempt, channel, *until).await
            }
            How::Digest(_) => self.close_alone(telling, closed, quiet).await,
        }
    }

    /// Tells that an object's story is over: in the place of its message and below it, where that is possible. In quiet
    /// hours that end at `quiet`, in its place only, and in the digest.
    async fn close_alone(
        &self,
        telling: &Telling<'_>,
        closed: &Closed,
        quiet: Option<Timestamp>,
    ) -> Result<Step, Failure> {
        let Telling { attempt, channel, holder, .. } = *telling;
        let details = attempt.details(self).await?;
        let (key, now, event) = (self.object(attempt), attempt.now(), attempt.event.id.short());
        let next = |incident: &mut Incident| incident.next_of_recovery(event, channel, holder, now);
        let (incident, next) = self.documents.change(&key, now, next).await?;
        match next {
            Next::Wait(until) => return Ok(Step::Wait(until)),
            Next::Close => {}
            Next::Told | Next::Tell | Next::Alone => return Ok(Step::Told),
        }
        let before = incident.closed_by(event).and_then(|closed| closed.streak.told.get(channel));
        let before = before.and_then(|told| told.message.as_ref());
        let message = roundup::recovery(&name_of(attempt.event, details), closed);
        let ended = match (quiet, before) {
            (None, before) => self.slack.end(telling.to(), before, &message, &message).await,
            (Some(_), Some(before)) => {
                self.slack.put(telling.to(), Some(before), &message).await.map(|_| ()).map_err(Failure::from)
            }
            (Some(_), None) => Ok(()),
        };
        let noted = |incident: &mut Incident| match &ended {
            Ok(()) => incident.recovery_told(event, channel, holder),
            Err(_) => incident.untold(channel, holder, false),
        };
        self.documents.change(&key, now, noted).await?;
        ended?;
        match quiet {
            Some(until) => self.tell_in_digest(attempt, channel, until).await,
            None => Ok(Step::Told),
        }
    }

    /// Tells how far those that failed together have recovered; at the end in the place of their message and below it, in
    /// `quiet` hours in its place only.
    pub(crate) async fn close_together(
        &self,
        telling: &Telling<'_>,
        key: &str,
        quiet: bool,
    ) -> Result<Step, Failure> {
        let Telling { attempt, holder, changes, .. } = *telling;
        let (luid, now) = (attempt.event.subject.luid(), attempt.now());
        let next = |burst: &mut Burst| burst.next_of_recovery(luid, holder, now, changes);
        let (burst, next) = self.documents.change(key, now, next).await?;
        match next {
            Next::Wait(until) => return Ok(Step::Wait(until)),
            Next::Tell => return self.show(telling, key, &burst).await,
            Next::Close => {}
            Next::Told | Next::Alone => return Ok(Step::Told),
        }
        let (in_place, below) = (roundup::burst(&burst), roundup::burst_is_over(&burst));
        let before = burst.message.as_ref();
        let ended = match before {
            Some(_) if quiet => {
                self.slack.put(telling.to(), before, &in_place).await.map(|_| ()).map_err(Failure::from)
            }
            _ => self.slack.end(telling.to(), before, &in_place, &below).await,
        };
        let noted = |newest: &mut Burst| match &ended {
            Ok(()) => newest.closed(holder),
            Err(_) => newest.not_told(holder, false),
        };
        self.documents.change(key, now, noted).await?;
        ended.map(|()| Step::Told)
    }
}
