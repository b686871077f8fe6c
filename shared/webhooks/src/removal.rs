//! Deletes the webhooks of a stack.

use crate::clock::{Clock, within};
use crate::error::Error;
use crate::plan::stacks_own;
use crate::reconciler::{Ran, Reconciler, Run, begin};
use crate::redaction::Redaction;
use crate::registry::{Begin, Registry, Start};
use crate::report::{Failed, Report};
use crate::state::State;
use crate::step::{Action, Step};
use workflow::chain;

impl Reconciler {
    /// Deletes the stack's webhooks for a request of CloudFormation. What could not be deleted is in the report.
    ///
    /// # Errors
    /// [`Error`] if it is not known which webhooks there are.
    pub async fn remove(&self, request: &str, run: &Run<'_>) -> Result<Ran, Error> {
        let clock = Clock::new(run.now, run.budget);
        let registry = Registry::new(self.documents.clone(), run.id.to_owned());
        let state = match begin(&registry, Start::Removal { request }, clock, true).await? {
            Begin::Leased(state) => *state,
            Begin::Repeated(answered) => return Ok(Ran::Repeated(answered)),
        };
        let removed = self.removed(state, clock).await;
        let noted = match &removed {
            Ok((state, _)) => {
                registry.note(clock.now(), |stored| stored.webhooks.clone_from(&state.webhooks)).await
            }
            Err(_) => Ok(()),
        };
        // The webhooks are gone, whatever the table says: the lease ends by itself.
        if let Err(error) = noted.and(registry.release(clock.now()).await) {
            tracing::error!(reason = chain(&error), "the removal is not noted");
        }
        removed.map(|(_, report)| Ran::Report(report))
    }

    async fn removed(&self, mut state: State, clock: Clock) -> Result<(State, Report), Error> {
        let tableau = self.tableau.within(clock.left());
        let listed = within(clock, async { Ok(tableau.webhooks().all(usize::MAX).await?) }).await?;
        let redaction = Redaction::new(None, &listed);
        let listed: Vec<_> = listed.into_iter().map(|webhook| redaction.webhook(webhook)).collect();
        let own = stacks_own(&self.identity, &state, &listed);
        state.observe(&own, clock.now());
        let mut report = Report::default();
        for webhook in own {
            let step = Step {
                action: Action::Delete,
                event: webhook.event.clone(),
                name: webhook.name.clone(),
                luid: Some(webhook.id.clone()),
                reason: "the stack is deleted".to_owned(),
            };
            let deleted = tokio::time::timeout(clock.left(), tableau.delete_webhook(&webhook.id)).await;
            match deleted {
                Ok(Ok(())) => {
                    state.forget(&webhook.id);
                    report.done.push(step);
                }
                Ok(Err(error)) => report.failed.push(Failed::new(step, redaction.text(&chain(&error)))),
                Err(_) => report.failed.push(Failed::new(step, Error::OutOfTime.to_string())),
            }
        }
        Ok((state, report))
    }
}
