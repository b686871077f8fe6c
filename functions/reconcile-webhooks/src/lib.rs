#![doc = include_str!("../README.md")]

mod config;
mod deploy;
mod event;

pub use config::{Config, SCOPES};
pub use event::{Event, Request};

use jiff::Timestamp;
use runtime::DerivedEvents;
use std::time::Duration;
use tableau::{DisabledWebhook, SiteLuid};
use webhooks::{Announce, Error, Outcome, Purpose, Reconciler, Report, Run, Start};
use workflow::{BoxError, chain};

/// The longest run that CloudFormation has not started. A deploy waits for such a run.
const LONGEST: Duration = Duration::from_secs(60);
/// How long before Lambda ends the process a run has to end, so that CloudFormation gets its answer.
const RESERVE: Duration = Duration::from_secs(15);

/// Brings the webhooks at Tableau to what the rules need.
#[derive(Debug)]
pub struct ReconcileWebhooks {
    /// Does the work.
    pub reconciler: Reconciler,
    /// Announces outages.
    pub events: Outages,
    /// For answers to CloudFormation.
    pub http: reqwest::Client,
}

/// One invocation.
#[derive(Clone, Copy, Debug)]
pub struct Invocation<'i> {
    /// Its id.
    pub id: &'i str,
    /// When it begins.
    pub now: Timestamp,
    /// How long the process may run from now on.
    pub remaining: Duration,
}

impl Invocation<'_> {
    fn run<'r>(&'r self, purpose: Purpose<'r>) -> Run<'r> {
        let longest = if matches!(purpose, Purpose::Deploy { .. }) { Duration::MAX } else { LONGEST };
        let budget = self.remaining.saturating_sub(RESERVE).min(longest);
        Run { id: self.id, purpose, now: self.now, budget }
    }
}

/// Announces outages as the event `WebhookDisabled`.
#[derive(Debug)]
pub struct Outages {
    /// The stack's event bus.
    pub bus: DerivedEvents,
}

impl Announce for Outages {
    async fn announce(&self, disabled: &DisabledWebhook, site: &SiteLuid) -> Result<(), BoxError> {
        let has_bus = self.bus.send(disabled.payload(site)).await.map_err(|failure| failure.reason())?;
        tracing::warn!(
            webhook.luid = %disabled.webhook,
            event.name = %disabled.event,
            reason = disabled.reason,
            is_announced = has_bus,
            is_enabled = disabled.enabled_again.is_some(),
            "Tableau has disabled a webhook"
        );
        Ok(())
    }
}

impl ReconcileWebhooks {
    /// Handles one invocation.
    ///
    /// # Errors
    /// When the run failed, so that Lambda counts an error; when CloudFormation does not take its answer.
    pub async fn handle(
        &self,
        event: &Event,
        invocation: &Invocation<'_>,
    ) -> Result<Option<Outcome>, BoxError> {
        let start = match event {
            Event::CloudFormation(request) => return self.deploy(request, invocation).await.map(|()| None),
            Event::Start(start) => start,
        };
        let purpose = match start {
            Start::Periodic => Purpose::Routine,
            Start::Rules => Purpose::Prompt,
            Start::Plan { digest } => Purpose::Agreed(digest),
        };
        match (self.reconciler.run(&invocation.run(purpose), &self.events).await, start) {
            (Ok(report), _) => {
                let report = report.unwrap_or_default();
                log(&report);
                Ok(Some(Outcome::Report(report)))
            }
            (Err(error @ (Error::Removed | Error::Busy(_))), Start::Periodic | Start::Rules) => {
                tracing::info!(reason = chain(&error), "nothing is done");
                Ok(Some(Outcome::Nothing(chain(&error))))
            }
            (Err(error), Start::Plan { .. }) => Ok(Some(Outcome::Error(chain(&error)))),
            (Err(error), Start::Periodic | Start::Rules) => Err(error.into()),
        }
    }
}

/// Logs a run, and counts what is disabled and what failed.
fn log(report: &Report) {
    for failed in &report.failed {
        let step = &failed.step;
        tracing::error!(
            action = %step.action,
            event.name = step.event(),
            webhook.luid = step.luid.as_ref().map(ToString::to_string),
            reason = failed.reason,
            "a step failed; the next run tries again"
        );
    }
    let disabled = report.disabled as u64;
    tracing::info!(monotonic_counter.webhooks_disabled = disabled, "counted");
    tracing::info!(summary = report.summary(), foreign = report.foreign.len(), "webhooks reconciled");
}
