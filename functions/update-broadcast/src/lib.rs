//! Overwrites the Broadcasts of a workbook that was refreshed or updated, so that they show what it shows.

mod config;

pub use config::Config;

use circuit::{Circuits, Guarded, Verdict};
use rules::{WorkflowSettings, settings};
use runtime::{LoadedRules, rules_of};
use std::future::Future;
use tableau::{Event, SiteLuid, ViewLuid, WorkbookLuid};
use tableau_client::{BroadcastOptions, BroadcastView, Error, TableauClient};
use workflow::{Effect, Failure, Invocation, Outcome, Workflow};

/// The workflow and what it talks to.
#[derive(Debug)]
pub struct UpdateBroadcast {
    /// The site that sends the events and shows the Broadcasts.
    pub tableau: TableauClient,
    /// Leaves Tableau alone while it is down.
    pub circuits: Circuits,
    /// Which events count. A Broadcast is public, so nothing happens without a rule.
    pub rules: LoadedRules,
}

impl Workflow for UpdateBroadcast {
    const NAME: &'static str = "update-broadcast";

    async fn handle(&self, event: &Event, invocation: &Invocation) -> Result<Outcome, Failure> {
        let Some(workbook) = changed_workbook(event) else {
            return Ok(Outcome::skipped(format!("{} does not change what a workbook shows", event.name)));
        };
        let actions = rules_of(&self.rules)?.actions::<settings::UpdateBroadcast>(event);
        // One Broadcast has one set of options: of several rules the first counts.
        let Some(action) = actions.map_err(Failure::misconfigured)?.into_iter().next() else {
            return Ok(Outcome::skipped(format!("no rule updates Broadcasts on {}", event.name)));
        };
        let Some(broadcasts) = self.guarded(invocation, self.broadcasts_of(&event.site)).await? else {
            return Ok(Outcome::skipped("the event is of another site than the Tableau credential"));
        };
        let views = views_of(workbook, broadcasts);
        let options = options(action.settings);
        if views.is_empty() {
            return Ok(Outcome::skipped("the workbook has no Broadcast"));
        }
        let mut failed = None;
        for view in &views {
            let overwrite = self.tableau.overwrite_broadcast(view, options);
            let overwrite = self.guarded(invocation, overwrite);
            let overwritten = Effect::Overwritten { view: view.to_string() };
            if let Err(failure) = invocation.once(overwritten, overwrite).await {
                failed = Some(Failure::worse(failed, failure));
            }
        }
        failed.map_or(Ok(Outcome::Done), Err)
    }
}

impl UpdateBroadcast {
    /// The Broadcasts of a site; `None` when it is another than the credential signs in to.
    async fn broadcasts_of(&self, site: &SiteLuid) -> Result<Option<Vec<BroadcastView>>, Error> {
        let ours = self.tableau.session_site().await?;
        if !ours.as_str().eq_ignore_ascii_case(site.as_str()) {
            return Ok(None);
        }
        self.tableau.broadcasts().await.map(Some)
    }

    async fn guarded<T: Send>(
        &self,
        invocation: &Invocation,
        call: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, Guarded<Error>> {
        // In a box, since futures of all steps within each other grow too deep for the compiler.
        Box::pin(self.circuits.call("", invocation.time(), call, verdict)).await
    }
}

fn verdict(error: &Error) -> Verdict {
    match error {
        Error::Unreachable { .. } | Error::OutOfTime { .. } | Error::Redirected { .. } => Verdict::Failed,
        Error::Refused { status: 408 | 429 | 500.., retry_after, .. }
        | Error::Foreign { retry_after, .. } => retry_after.map_or(Verdict::Failed, Verdict::Asked),
        Error::Credential(_)
        | Error::CredentialRefused { .. }
        | Error::Invalid { .. }
        | Error::SessionStore(_)
        | Error::SignInPending => Verdict::Nothing,
        _ => Verdict::Answered,
    }
}

/// The workbook whose views show something else now.
fn changed_workbook(event: &Event) -> Option<&WorkbookLuid> {
    event.workbook().filter(|_| settings::UpdateBroadcast::EVENTS.contains(&event.name))
}

fn options(settings: settings::UpdateBroadcast) -> BroadcastOptions {
    let settings::UpdateBroadcast { watermark, tabs, downloads } = settings;
    BroadcastOptions { watermark, tabs, downloads }
}

fn views_of(workbook: &WorkbookLuid, broadcasts: Vec<BroadcastView>) -> Vec<ViewLuid> {
    let ours = broadcasts.into_iter().filter(|broadcast| broadcast.workbook.as_ref() == Some(workbook));
    ours.map(|broadcast| broadcast.view).collect()
}
