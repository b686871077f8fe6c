//! Posts a Slack message about an event: what happened, where, whose it is, why, and what to do next.

mod config;
mod message;
mod wording;

pub use config::Config;

use destinations::slack::Slack;
use message::{Details, Told, message};
use runtime::{LoadedRules, rules_of};
use serde::Deserialize;
use std::collections::BTreeSet;
use tableau::{Action, Event};
use tableau_client::{Cause, Content, TableauClient};
use workflow::{Failure, Invocation, Outcome, Workflow};

/// The workflow and what it talks to.
#[derive(Debug)]
pub struct NotifySlack {
    /// The site that sends the events.
    pub tableau: TableauClient,
    /// The workspace that gets the messages.
    pub slack: Slack,
    /// Which event goes to which channel.
    pub rules: LoadedRules,
}

/// What a rule says: `notify-slack: { channel: data-alerts }`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Notify {
    channel: String,
}

/// From this attempt on the message goes out without what Tableau did not tell: late is worse than short.
const ATTEMPT_WITHOUT_DETAILS: u32 = 3;

impl Workflow for NotifySlack {
    const NAME: &'static str = "notify-slack";

    async fn handle(&self, event: &Event, invocation: &Invocation) -> Result<Outcome, Failure> {
        let rules = rules_of(&self.rules)?;
        let actions = rules.actions::<Notify>(Self::NAME, event).map_err(Failure::transient)?;
        let channels: BTreeSet<String> = actions.into_iter().map(|action| action.settings.channel).collect();
        if channels.is_empty() {
            return Ok(Outcome::skipped(format!("no rule sends {} to Slack", event.name)));
        }
        let details = self.details(event, invocation).await?;
        let message = message(event, rules.site(&event.site), &details);
        let mut failed = None;
        for channel in &channels {
            let posted =
                invocation.once(&format!("slack/{channel}"), self.slack.post(channel, &message)).await;
            if let Err(failure) = posted {
                failed = Some(worse(failed, failure));
            }
        }
        failed.map_or(Ok(Outcome::Done), Err)
    }
}

/// Of two channels' failures the one that may pass counts: the message is tried again, and the channel that is
/// gone for good is reported by the last attempt.
fn worse(one: Option<Failure>, two: Failure) -> Failure {
    match (one, two) {
        (Some(transient @ Failure::Transient { .. }), _) => transient,
        (_, other) => other,
    }
}

impl NotifySlack {
    /// What Tableau can tell about the event. What it cannot tell for now is waited for, but not for long.
    async fn details(&self, event: &Event, invocation: &Invocation) -> Result<Details, Failure> {
        let content = match event.name.action() {
            Some(Action::Deleted) => Told::Nothing,
            _ => told(self.tableau.content(&event.subject).await, event, invocation)?,
        };
        let cause = match event.name.action() {
            Some(Action::RefreshFailed) => {
                told(self.tableau.failure_cause(event, invocation.now).await, event, invocation)?
            }
            _ => Told::Nothing,
        };
        Ok(Details { content, cause })
    }
}

fn told<T: Tellable>(
    answer: Result<Option<T>, tableau_client::Error>,
    event: &Event,
    invocation: &Invocation,
) -> Result<Told<T>, Failure> {
    match answer {
        Ok(Some(answer)) => Ok(Told::Yes(answer)),
        Ok(None) => Ok(Told::Nothing),
        Err(error)
            if error.is_transient() && invocation.retried && invocation.attempt < ATTEMPT_WITHOUT_DETAILS =>
        {
            Err(error.into())
        }
        Err(error) => {
            let reason = workflow::chain(&error);
            tracing::warn!(event.id = %event.id, missing = T::WHAT, reason, "the message goes out without details");
            Ok(Told::Not)
        }
    }
}

/// What Tableau tells, for the log line when it does not.
trait Tellable {
    const WHAT: &'static str;
}

impl Tellable for Content {
    const WHAT: &'static str = "content";
}

impl Tellable for Cause {
    const WHAT: &'static str = "cause";
}
