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
use std::time::Duration;
use tableau::{Action, Event};
use tableau_client::TableauClient;
use workflow::{Failure, Invocation, Outcome, Workflow, chain};

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
/// How long Tableau may take to tell, all calls together: the message itself needs time as well.
const DETAILS_TIMEOUT: Duration = Duration::from_secs(15);

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
                failed = Some(Failure::worse(failed, failure));
            }
        }
        failed.map_or(Ok(Outcome::Done), Err)
    }
}

impl NotifySlack {
    /// What Tableau can tell about the event. What it cannot tell for now is waited for, but not for long.
    async fn details(&self, event: &Event, invocation: &Invocation) -> Result<Details, Failure> {
        let patient = invocation.retried && invocation.attempt < ATTEMPT_WITHOUT_DETAILS;
        let time = DETAILS_TIMEOUT.min(invocation.remaining() / 2);
        let (reason, failure) = match tokio::time::timeout(time, self.ask(event, invocation)).await {
            Ok(Ok(details)) => return Ok(details),
            Ok(Err(error)) => (chain(&error), Failure::from(error)),
            Err(_) => {
                let reason = format!("Tableau did not answer within {} s", time.as_secs());
                (reason.clone(), Failure::transient(reason))
            }
        };
        if patient {
            return Err(failure);
        }
        tracing::warn!(event.id = %event.id, reason, "the message goes out without details");
        Ok(Details { content: Told::NotNow, cause: Told::NotNow })
    }

    /// Asks Tableau. Only what may pass is an error.
    async fn ask(&self, event: &Event, invocation: &Invocation) -> Result<Details, tableau_client::Error> {
        let content = match event.name.action() {
            Some(Action::Deleted) => Told::Nothing,
            _ => told(self.tableau.content(&event.subject).await, event)?,
        };
        let cause = match event.name.action() {
            Some(Action::RefreshFailed) => {
                told(self.tableau.failure_cause(event, invocation.now).await, event)?
            }
            _ => Told::Nothing,
        };
        Ok(Details { content, cause })
    }
}

fn told<T>(
    answer: Result<Option<T>, tableau_client::Error>,
    event: &Event,
) -> Result<Told<T>, tableau_client::Error> {
    match answer {
        Ok(Some(answer)) => Ok(Told::Yes(answer)),
        Ok(None) => Ok(Told::Nothing),
        Err(error) if error.is_transient() => Err(error),
        Err(error) => {
            let reason = chain(&error);
            tracing::warn!(event.id = %event.id, reason, "the message goes out without a detail");
            Ok(Told::Refused(error.code().unwrap_or("no code").to_owned()))
        }
    }
}
