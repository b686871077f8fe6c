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
use webhooks::{Announce, Error, Outcome, Purpose, Ran, Reconciler, Report, Run, Start};
use workflow::{BoxError, chain};

/// The longest run that CloudFormation has not started. A deploy waits for such a run.
const LONGEST: Duration = Duration::from_secs(60);
/// How long before Lambda ends the process a run has to end: as long as its last notes and the answer to CloudFormation may take.
const RESERVE: Duration = Duration::from_secs(30);

/// The function.
#[derive(Debug)]
pub struct Function {
    /// What does the work, or why the settings cannot be used: CloudFormation is answered all the same.
    pub reconcile: Result<ReconcileWebhooks, String>,
    /// For answers to CloudFormation.
    pub http: reqwest::Client,
}

/// Brings the webhooks at Tableau to what the rules need.
#[derive(Debug)]
pub struct ReconcileWebhooks {
    /// Does the work.
    pub reconciler: Reconciler,
    /// Announces outages.
    pub events: Outages,
}

/// One invocation.
#[derive(Clone, Copy, Debug)]
pub struct Invocation<'i> {
    /// Names the execution: no two have the same.
    pub id: &'i str,
    /// When it begins.
    pub now: Timestamp,
    /// How long the process may run from now on.
    pub remaining: Duration,
}

impl Invocation<'_> {
    fn run<'r>(&'r self, purpose: Purpose<'r>) -> Run<'r> {
        let longest = if matches!(purpose, Purpose::Deploy { .. }) { Duration::MAX } else { LONGEST };
        let reserve = RESERVE.min(self.remaining / 4);
        let budget = self.remaining.saturating_sub(reserve).min(longest);
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
            "a webhook was found disabled"
        );
        Ok(())
    }
}

impl Function {
    /// Handles one invocation.
    ///
    /// # Errors
    /// When the run failed, so that Lambda counts an error and starts it again; when CloudFormation does not take its answer.
    pub async fn handle(
        &self,
        event: &Event,
        invocation: &Invocation<'_>,
    ) -> Result<Option<Outcome>, BoxError> {
        match event {
            Event::CloudFormation(request) => self.deploy(request, invocation).await.map(|()| None),
            Event::Start(start) => {
                self.reconcile.as_ref().map_err(Clone::clone)?.start(start, invocation).await
            }
        }
    }
}

impl ReconcileWebhooks {
    async fn start(&self, start: &Start, invocation: &Invocation<'_>) -> Result<Option<Outcome>, BoxError> {
        let purpose = match start {
            Start::Periodic => Purpose::Routine,
            Start::Rules => Purpose::Prompt,
            Start::Plan { digest } => Purpose::Agreed(digest),
        };
        match (self.reconciler.run(&invocation.run(purpose), &self.events).await, start) {
            (Ok(Ran::Report(report)), _) => {
                log(&report);
                Ok(Some(Outcome::Report(report)))
            }
            // Only requests of CloudFormation are repeated.
            (Ok(Ran::Repeated(_)), _) => Ok(None),
            (Err(error @ Error::Removed), Start::Periodic | Start::Rules)
            | (Err(error @ Error::Busy(_)), Start::Periodic) => {
                tracing::info!(reason = chain(&error), "nothing is done");
                Ok(Some(Outcome::Nothing(chain(&error))))
            }
            (Err(error), Start::Plan { .. }) => Ok(Some(Outcome::Error(chain(&error)))),
            (Err(error), Start::Periodic | Start::Rules) => Err(error.into()),
        }
    }
}

/// Logs a run, and counts the webhooks that are missing or disabled.
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
    let missing = report.missing() as u64;
    tracing::info!(monotonic_counter.webhooks_missing = missing, "counted");
    tracing::info!(summary = report.summary(), foreign = report.foreign.len(), "webhooks reconciled");
}
