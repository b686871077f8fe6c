//! Posts a Slack message about an event: what happened, where, whose it is, why, and what to do next. Failures of one
//! object are one story, and many that begin together are one message.

mod config;
mod details;
mod digest;
mod guarded;
mod message;
mod recovery;
mod roundup;
mod story;
mod wording;

pub use config::Config;
pub use guarded::GuardedSlack;

use destinations::slack::MessageOptions;
use details::Attempt;
use guarded::To;
use incidents::Documents;
use jiff::Timestamp;
use message::message;
use rules::{Rules, When};
use runtime::{LoadedRules, rules_of};
use std::collections::BTreeMap;
use tableau::{Action, Event};
use tableau_client::TableauClient;
use workflow::{Failure, Invocation, Outcome, Workflow};

/// The workflow and what it talks to.
#[derive(Debug)]
pub struct NotifySlack {
    /// The site that sends the events.
    pub tableau: TableauClient,
    /// The workspace that gets the messages.
    pub slack: GuardedSlack,
    /// Which event goes to which channel.
    pub rules: LoadedRules,
    /// What is known of failures, and who was told.
    pub documents: Documents,
}

/// Channels, and when each is told.
type Channels = BTreeMap<String, When>;

/// How it went in one channel.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// It is told, or there is nothing to tell.
    Told,
    /// It is counted, and told with one of those that follow.
    Counted,
    /// Come again then.
    Wait(Timestamp),
}

/// How far the telling of an event has come.
#[derive(Debug, Default)]
struct Progress {
    told: bool,
    counted: bool,
    wait: Option<Timestamp>,
    failed: Option<Failure>,
}

impl Progress {
    fn note(&mut self, step: Result<Step, Failure>) {
        match step {
            Ok(Step::Told) => self.told = true,
            Ok(Step::Counted) => self.counted = true,
            Ok(Step::Wait(until)) => self.wait = Some(self.wait.map_or(until, |wait| wait.min(until))),
            Err(failure) => self.failed = Some(Failure::worse(self.failed.take(), failure)),
        }
    }

    fn outcome(self) -> Result<Outcome, Failure> {
        match (self.failed, self.wait) {
            // What failed for good is told when nothing waits any more: a dead letter would be the end of the rest.
            (Some(Failure::Permanent { .. }), Some(until)) | (None, Some(until)) => {
                Ok(Outcome::deferred(until, "told together with what else happens"))
            }
            (Some(failure), _) => Err(failure),
            (None, None) if self.counted && !self.told => {
                Ok(Outcome::skipped("counted: it is part of a story that was told"))
            }
            (None, None) => Ok(Outcome::Done),
        }
    }
}

impl Workflow for NotifySlack {
    const NAME: &'static str = "notify-slack";

    async fn handle(&self, event: &Event, invocation: &Invocation) -> Result<Outcome, Failure> {
        let rules = rules_of(&self.rules)?;
        let channels = channels(rules, event, invocation.now)?;
        let attempt = Attempt::new(event, invocation);
        match event.name.action() {
            Some(Action::RefreshFailed) => self.failed(&attempt, rules, &channels).await,
            Some(Action::RefreshSucceeded) => self.succeeded(&attempt, rules, &channels).await,
            Some(Action::RefreshStarted) if !channels.is_empty() && self.is_late(&attempt).await? => {
                Ok(Outcome::skipped("the refresh has ended since"))
            }
            _ => self.tell(&attempt, rules, &channels).await,
        }
    }
}

impl NotifySlack {
    /// Tells an event that is a story of its own.
    async fn tell(
        &self,
        attempt: &Attempt<'_>,
        rules: &Rules,
        channels: &Channels,
    ) -> Result<Outcome, Failure> {
        let event = attempt.event;
        if let Some(reason) = nobody(event, channels) {
            return Ok(Outcome::skipped(reason));
        }
        let mut progress = Progress::default();
        self.tell_each(attempt, rules, channels, &mut progress).await;
        progress.outcome()
    }

    /// Tells an event that is a story of its own to these channels.
    async fn tell_each(
        &self,
        attempt: &Attempt<'_>,
        rules: &Rules,
        channels: &Channels,
        progress: &mut Progress,
    ) {
        for (channel, when) in channels {
            let told = match (self.digest_of(attempt, channel), *when) {
                (Some(until), _) | (None, When::Later(until)) if attempt.invocation.retried => {
                    self.tell_in_digest(attempt, channel, until).await
                }
                (_, When::Muted(_)) => continue,
                _ => self.post(attempt, rules, channel).await.map(|()| Step::Told),
            };
            progress.note(told);
        }
    }

    async fn post(&self, attempt: &Attempt<'_>, rules: &Rules, channel: &str) -> Result<(), Failure> {
        let details = attempt.details(self).await?;
        let message = message(attempt.event, rules.site(&attempt.event.site), details, None);
        let to = To { invocation: attempt.invocation, channel };
        let post = self.slack.post(to, &message);
        attempt.invocation.once(&format!("slack/{channel}"), post).await.map(|_| ())
    }
}

/// Who is told of an event, and when; of several rules for a channel the one counts that speaks first.
fn channels(rules: &Rules, event: &Event, now: Timestamp) -> Result<Channels, Failure> {
    let mut channels = Channels::new();
    for action in rules.actions::<MessageOptions>(NotifySlack::NAME, event).map_err(Failure::transient)? {
        let when = action.when(now);
        // With or without `#` it is the same channel.
        let channel = action.settings.channel.trim_start_matches('#').to_owned();
        let earliest = channels.entry(channel).or_insert(when);
        *earliest = when.min(*earliest);
    }
    Ok(channels)
}

/// Why nobody is told, if that is so.
fn nobody(event: &Event, channels: &Channels) -> Option<String> {
    let mut muted = channels.values().map(|when| match when {
        When::Muted(until) => Some(*until),
        When::Critical | When::Now | When::Later(_) => None,
    });
    if channels.is_empty() {
        return Some(format!("no rule sends {} to Slack", event.name));
    }
    let until = muted.try_fold(None, |latest, until| until.map(|until| Some(until).max(latest)))??;
    Some(format!("every rule for {} is muted, until {until:.0} at most", event.name))
}
