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

use details::Attempt;
use guarded::To;
use incidents::Turn;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use message::message;
use rules::{Rules, Schedule, settings};
use runtime::{LoadedRules, rules_of};
use std::collections::BTreeMap;
use store::Documents;
use tableau::{Action, Event, EventName, Object, SiteLuid};
use tableau_client::TableauClient;
use workflow::{Destination, Effect, Failure, Invocation, Outcome, Workflow};

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
type Channels = BTreeMap<String, Schedule>;

/// How it went in one channel.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// It is told.
    Told,
    /// It is counted, and told with one of those that follow.
    Counted,
    /// There is nothing to tell, and why.
    Over(&'static str),
    /// Come again then.
    Wait(Timestamp),
}

impl Step {
    /// Both: what comes first, if one has to come again.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Wait(one), Self::Wait(other)) => Self::Wait(one.min(other)),
            (wait @ Self::Wait(_), _) | (_, wait @ Self::Wait(_)) => wait,
            (told @ Self::Told, _) | (_, told @ Self::Told) => told,
            (_, other) => other,
        }
    }
}

/// How far the telling of an event has come.
#[derive(Debug, Default)]
struct Progress {
    told: bool,
    counted: bool,
    over: Option<&'static str>,
    wait: Option<Timestamp>,
    failed: Option<Failure>,
}

impl Progress {
    /// As far as earlier attempts have come.
    fn of(attempt: &Attempt<'_>) -> Self {
        let told = attempt.invocation.happened().any(|effect| matches!(effect, Effect::Sent { .. }));
        Self { told, ..Self::default() }
    }

    fn note(&mut self, step: Result<Step, Failure>) {
        match step {
            Ok(Step::Told) => self.told = true,
            Ok(Step::Counted) => self.counted = true,
            Ok(Step::Over(why)) => self.over = Some(why),
            Ok(Step::Wait(until)) => self.wait = Some(self.wait.map_or(until, |wait| wait.min(until))),
            Err(failure) => self.failed = Some(Failure::worse(self.failed.take(), failure)),
        }
    }

    /// `why`: nobody had to be told of it, if that turns out to be so.
    fn outcome(self, why: impl FnOnce() -> String) -> Result<Outcome, Failure> {
        match (self.failed, self.wait) {
            // What failed for good is told when nothing waits any more: a dead letter would be the end of the rest.
            (Some(Failure::Permanent { .. }), Some(until)) | (None, Some(until)) => {
                Ok(Outcome::deferred(until, "told together with what else happens"))
            }
            (Some(failure), _) => Err(failure),
            (None, None) if self.told => Ok(Outcome::Done),
            (None, None) if self.counted => {
                Ok(Outcome::skipped("counted: it is part of a story that was told"))
            }
            (None, None) => Ok(Outcome::skipped(self.over.map_or_else(why, str::to_owned))),
        }
    }
}

impl Workflow for NotifySlack {
    const NAME: &'static str = "notify-slack";

    async fn handle(&self, event: &Event, invocation: &Invocation) -> Result<Outcome, Failure> {
        let rules = rules_of(&self.rules)?;
        let channels = channels(rules, &event.name, &event.site, invocation.now)?;
        let attempt = Attempt::new(event, invocation);
        match (event.name.object(), event.name.action()) {
            (_, Some(Action::RefreshFailed)) => self.failed(&attempt, rules, &channels).await,
            (_, Some(Action::RefreshSucceeded))
            | (Some(Object::Workbook | Object::Datasource), Some(Action::Deleted)) => {
                self.ended(&attempt, rules, &channels).await
            }
            (_, Some(Action::RefreshStarted)) if !channels.is_empty() && self.is_late(&attempt).await? => {
                Ok(Outcome::skipped("the refresh has ended since"))
            }
            _ => {
                let mut progress = Progress::of(&attempt);
                self.tell_each(&attempt, rules, &channels, &mut progress).await;
                progress.outcome(|| nobody(event, &channels))
            }
        }
    }
}

impl NotifySlack {
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
                (Some(until), _) | (None, Schedule::DeferUntil(until)) if attempt.invocation.retried => {
                    self.tell_in_digest(attempt, channel, until, Turn::None).await
                }
                (_, Schedule::Muted(_)) => continue,
                _ => self.post(attempt, rules, channel).await.map(|()| Step::Told),
            };
            progress.note(told);
        }
    }

    /// The time zone of the site that sent the event, if the rules know the site.
    fn zone(&self, attempt: &Attempt<'_>) -> Option<&TimeZone> {
        rules_of(&self.rules).ok()?.site(&attempt.event.site).map(|site| &site.timezone)
    }

    async fn post(&self, attempt: &Attempt<'_>, rules: &Rules, channel: &str) -> Result<(), Failure> {
        let details = attempt.details(self).await?;
        let message = message(attempt.event, rules.site(&attempt.event.site), details, None);
        let to = To { invocation: attempt.invocation, channel };
        let post = self.slack.post(to, &message);
        attempt.invocation.once(Effect::sent(Destination::Slack, channel), post).await.map(|_| ())
    }
}

/// Which channels are notified of an event with this name at this site, and when. Of several rules for a channel, the one
/// counts that notifies first.
fn channels(rules: &Rules, event: &EventName, site: &SiteLuid, now: Timestamp) -> Result<Channels, Failure> {
    let mut channels = Channels::new();
    let actions = rules.actions_for::<settings::NotifySlack>(event, site);
    for action in actions.map_err(Failure::misconfigured)? {
        let schedule = action.schedule(now);
        let channel = action.settings.channel().to_owned();
        let earliest = channels.entry(channel).or_insert(schedule);
        *earliest = schedule.min(*earliest);
    }
    Ok(channels)
}

/// Why nobody is told.
fn nobody(event: &Event, channels: &Channels) -> String {
    let muted = channels.values().filter_map(|when| match when {
        Schedule::Muted(until) => Some(*until),
        Schedule::Critical | Schedule::Now | Schedule::DeferUntil(_) => None,
    });
    match muted.max() {
        None => format!("no rule sends {} to Slack", event.name),
        Some(until) => format!("every rule for {} is muted, until {until:.0} at most", event.name),
    }
}
