//! Overwrites the Broadcasts of a workbook that was refreshed or updated, so that they show what it shows.

mod config;

pub use config::Config;

use runtime::{LoadedRules, rules_of};
use tableau::{Action, Event, ViewLuid, WorkbookLuid};
use tableau_client::{BroadcastOptions, BroadcastView, TableauClient};
use workflow::{Failure, Invocation, Outcome, Workflow};

/// The workflow and what it talks to.
#[derive(Debug)]
pub struct UpdateBroadcast {
    /// The site that sends the events and shows the Broadcasts.
    pub tableau: TableauClient,
    /// Which events count. A Broadcast is public, so nothing happens without a rule.
    pub rules: LoadedRules,
}

impl Workflow for UpdateBroadcast {
    const NAME: &'static str = "update-broadcast";

    async fn handle(&self, event: &Event, invocation: &Invocation) -> Result<Outcome, Failure> {
        let Some(workbook) = changed_workbook(event) else {
            return Ok(Outcome::skipped(format!("{} does not change what a workbook shows", event.name)));
        };
        let actions = rules_of(&self.rules)?.actions::<BroadcastOptions>(Self::NAME, event);
        // One Broadcast has one set of options: of several rules the first counts.
        let Some(action) = actions.map_err(Failure::transient)?.into_iter().next() else {
            return Ok(Outcome::skipped(format!("no rule updates Broadcasts on {}", event.name)));
        };
        let views = views_of(workbook, self.tableau.broadcasts().await?);
        if views.is_empty() {
            return Ok(Outcome::skipped("the workbook has no Broadcast"));
        }
        let mut failed = None;
        for view in &views {
            let overwrite = self.tableau.overwrite_broadcast(view, action.settings);
            if let Err(failure) = invocation.once(&format!("broadcast/{view}"), overwrite).await {
                failed = Some(Failure::worse(failed, failure));
            }
        }
        failed.map_or(Ok(Outcome::Done), Err)
    }
}

/// The workbook whose views show something else now.
fn changed_workbook(event: &Event) -> Option<&WorkbookLuid> {
    let changed = matches!(event.name.action(), Some(Action::Updated | Action::RefreshSucceeded));
    let labelled = event.name.object() == Some(tableau::Object::Label);
    event.workbook().filter(|_| changed && !labelled)
}

fn views_of(workbook: &WorkbookLuid, broadcasts: Vec<BroadcastView>) -> Vec<ViewLuid> {
    let ours = broadcasts.into_iter().filter(|broadcast| broadcast.workbook.as_ref() == Some(workbook));
    ours.map(|broadcast| broadcast.view).collect()
}
