//! Quiet hours: what happens in them is told together when they end.

use crate::details::Attempt;
use crate::guarded::To;
use crate::message::{name_of, short};
use crate::story::{OVER, Telling, burst_key};
use crate::{NotifySlack, Progress, Step, roundup};
use alerting::notification::title;
use incidents::{Burst, Digest, Entry, How, Next, Place, Streak, Turn};
use jiff::Timestamp;
use workflow::{Effect, Failure, Workflow};

impl NotifySlack {
    /// The end of the quiet hours whose digest an earlier attempt put the event into.
    pub(crate) fn digest_of(&self, attempt: &Attempt<'_>, channel: &str) -> Option<Timestamp> {
        attempt.invocation.happened().find_map(|effect| match effect {
            Effect::InDigest { target, until } if target == channel => Some(*until),
            _ => None,
        })
    }

    /// Tells the digests that earlier attempts put the event into, whatever has become of its story.
    pub(crate) async fn tell_digests(&self, attempt: &Attempt<'_>, progress: &mut Progress) {
        for effect in attempt.invocation.happened() {
            let Effect::InDigest { target: channel, until } = effect else { continue };
            progress.note(self.tell_in_digest(attempt, channel, *until, Turn::None).await);
        }
    }

    /// The digest of a channel's quiet hours that end at `until`.
    pub(crate) async fn digest(&self, channel: &str, until: Timestamp) -> Result<Digest, Failure> {
        Ok(self.documents.read(&digest_key(channel, until)).await?)
    }

    pub(crate) async fn add_to_digest(
        &self,
        channel: &str,
        until: Timestamp,
        id: &str,
        now: Timestamp,
        entry: &Entry,
    ) -> Result<(), Failure> {
        let add = |digest: &mut Digest| digest.add(id, entry.clone());
        self.documents.change(&digest_key(channel, until), now, add).await?;
        Ok(())
    }

    /// Tells a failure in quiet hours that end at `until`: a message may be changed, which calls nobody; a new one waits.
    pub(crate) async fn tell_quietly(
        &self,
        telling: &Telling<'_>,
        streak: &Streak,
        until: Timestamp,
    ) -> Result<Step, Failure> {
        let Telling { attempt, channel, .. } = *telling;
        let told = streak.told.get(channel);
        let (luid, how) = (attempt.event.subject.luid(), told.map(|told| &told.how));
        let mut is_told = told.is_some_and(|told| told.failures > 0);
        if let Some(How::Burst(id)) = how {
            let key = burst_key(channel, id);
            let burst: Burst = self.documents.read(&key).await?;
            let member = burst.failing(luid, attempt.happened_at());
            let member = member.filter(|member| member.place == Place::Together);
            is_told |= member.is_some_and(|member| member.shown);
            if member.is_some() && telling.changes && burst.message.is_some() {
                return self.tell_together(telling, &key, streak).await;
            }
            if !is_told {
                let leave = |burst: &mut Burst| burst.leave(luid);
                let (burst, ()) = self.documents.change(&key, attempt.now(), leave).await?;
                if let Some(wait @ Step::Wait(_)) = self.close_if_recovered(telling, &key, &burst).await? {
                    return Ok(wait);
                }
            }
        }
        if let Some(How::Digest(earlier)) = how {
            let burst: Burst = self.documents.read(&burst_of_digest(channel, *earlier)).await?;
            is_told |= burst.failing(luid, attempt.happened_at()).is_some();
        }
        if telling.changes && told.is_some_and(|told| told.message.is_some()) {
            return self.tell_alone(telling).await;
        }
        if is_told {
            return self.tell_in_digest(attempt, channel, until, Turn::FailsOn).await;
        }
        match self.settle(telling, How::Digest(until), how).await? {
            Some(How::Digest(until)) => self.tell_in_digest(attempt, channel, until, Turn::Failed).await,
            Some(_) => self.tell_in_digest(attempt, channel, until, Turn::FailsOn).await,
            None => Ok(Step::Over(OVER)),
        }
    }

    async fn put_into_digest(
        &self,
        attempt: &Attempt<'_>,
        channel: &str,
        until: Timestamp,
        turn: Turn,
    ) -> Result<(), Failure> {
        let event = attempt.event;
        let details = attempt.details(self).await?;
        let entry = Entry {
            what: title(event),
            object: event.subject.luid().to_owned(),
            name: short(&name_of(event, details)),
            at: attempt.happened_at(),
            cause: details.cause.as_option().map(|cause| cause.class.title().to_owned()),
            turn,
            told: false,
        };
        self.add_to_digest(channel, until, event.id.short(), attempt.now(), &entry).await
    }

    /// Puts an event into the digest of the quiet hours that end at `until`, if no earlier attempt did, and sees to it
    /// that it is told: when to come again, if not yet.
    pub(crate) async fn tell_in_digest(
        &self,
        attempt: &Attempt<'_>,
        channel: &str,
        until: Timestamp,
        turn: Turn,
    ) -> Result<Step, Failure> {
        let (event, now, key) = (attempt.event, attempt.now(), digest_key(channel, until));
        if self.digest_of(attempt, channel).is_none() {
            // In a box, as in `guarded`.
            let add = Box::pin(self.put_into_digest(attempt, channel, until, turn));
            let in_digest = Effect::InDigest { target: channel.to_owned(), until };
            attempt.invocation.once(in_digest, add).await?;
        }
        let holder = attempt.holder();
        let next = |digest: &mut Digest| digest.next(event.id.short(), holder, now, until);
        let (mut digest, mut next_step) = self.documents.change(&key, now, next).await?;
        if next_step == Next::Alone {
            // The digest was damaged and has begun anew, without what earlier attempts put into it.
            Box::pin(self.put_into_digest(attempt, channel, until, turn)).await?;
            (digest, next_step) = self.documents.change(&key, now, next).await?;
        }
        let next = next_step;
        match next {
            Next::Wait(until) => return Ok(Step::Wait(until)),
            Next::Tell => {}
            Next::Told | Next::Close | Next::Alone => return Ok(Step::Told),
        }
        // First where their recoveries are told, then that they fail.
        let together = digest.together();
        if !together.is_empty() {
            let adopt = |burst: &mut Burst| burst.adopt(together.clone());
            self.documents.change(&burst_of_digest(channel, until), now, adopt).await?;
        }
        let to = To { invocation: attempt.invocation, channel };
        let posted = self.slack.post(to, &roundup::digest(&digest, self.zone(attempt))).await;
        let noted = |newest: &mut Digest| match &posted {
            Ok(_) => newest.told(holder, &digest),
            Err(_) => newest.not_told(holder),
        };
        self.documents.change(&key, now, noted).await?;
        posted.map(|_| Step::Told).map_err(Failure::from)
    }
}

fn digest_key(channel: &str, until: Timestamp) -> String {
    format!("{}#{channel}#{until}", NotifySlack::NAME)
}

/// Where the recoveries are told of those that a digest told of.
pub(crate) fn burst_of_digest(channel: &str, until: Timestamp) -> String {
    burst_key(channel, &format!("digest/{until}"))
}
