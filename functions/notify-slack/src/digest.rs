//! Quiet hours: what happens in them is told together when they end.

use crate::details::Attempt;
use crate::guarded::To;
use crate::message::name_of;
use crate::wording::headline;
use crate::{NotifySlack, Step, roundup};
use incidents::{Digest, Entry, Next};
use jiff::Timestamp;
use workflow::{Failure, Workflow};

impl NotifySlack {
    /// The end of the quiet hours whose digest an earlier attempt put the event into.
    pub(crate) fn digest_of(&self, attempt: &Attempt<'_>, channel: &str) -> Option<Timestamp> {
        attempt.invocation.happened(&beginning(channel)).and_then(|until| until.parse().ok())
    }

    /// Puts an event into the digest of the quiet hours that end at `until`, and sees to it that it is told: when to
    /// come again, if not yet.
    pub(crate) async fn tell_in_digest(
        &self,
        attempt: &Attempt<'_>,
        channel: &str,
        until: Timestamp,
    ) -> Result<Step, Failure> {
        let (event, now) = (attempt.event, attempt.now());
        let key = format!("{}#{channel}#{until}", Self::NAME);
        if self.digest_of(attempt, channel).is_none() {
            let details = attempt.details(self).await?;
            let entry = Entry {
                what: headline(event),
                name: name_of(event, details),
                at: attempt.happened_at(),
                cause: details.cause.as_option().map(|cause| cause.class.title().to_owned()),
                told: false,
            };
            let add = |digest: &mut Digest| digest.add(event.id.as_str(), entry.clone());
            let effect = format!("{}{until}", beginning(channel));
            attempt.invocation.once(&effect, self.documents.change(&key, now, add)).await?;
        }
        let holder = attempt.holder();
        let next = |digest: &mut Digest| digest.next(event.id.as_str(), holder, now, until);
        let (digest, next) = self.documents.change(&key, now, next).await?;
        match next {
            Next::Wait(until) => return Ok(Step::Wait(until)),
            Next::Tell => {}
            Next::Told | Next::Close | Next::Alone => return Ok(Step::Told),
        }
        let to = To { invocation: attempt.invocation, channel };
        let posted = self.slack.post(to, &roundup::digest(&digest)).await;
        let noted = |told: bool| {
            let digest = digest.clone();
            move |newest: &mut Digest| {
                if told {
                    newest.told(holder, &digest);
                } else {
                    newest.not_told(holder);
                }
            }
        };
        self.documents.change(&key, now, noted(posted.is_ok())).await?;
        posted.map(|_| Step::Told).map_err(Failure::from)
    }
}

fn beginning(channel: &str) -> String {
    format!("digest/{channel}/")
}
