//! Overwrites the Broadcasts of a workbook that was refreshed or updated, so that they show the workbook's present
//! content.

mod config;

pub use config::Config;

use facts::{FactLookups, NO_ANSWER, Question};
use rules::{LoadedRules, MissingFact, WorkflowSettings, settings};
use tableau::{Event, SiteLuid, ViewLuid, WorkbookLuid};
use tableau_client::{BroadcastOptions, BroadcastView, Error};
use workflow::{Effect, Failure, Invocation, Outcome, Workflow};

/// Why an event of another site is skipped.
const OTHER_SITE: &str = "the event is of another site than the Tableau credential";

/// The workflow `update-broadcast`, with the clients that it needs.
#[derive(Debug)]
pub struct UpdateBroadcast {
    /// The site that sends the events and shows the Broadcasts.
    pub facts: FactLookups,
    /// The rules that select events. A Broadcast is public, so without a matching rule nothing happens.
    pub rules: LoadedRules,
}

impl Workflow for UpdateBroadcast {
    const NAME: &'static str = "update-broadcast";

    async fn handle(&self, event: &Event, invocation: &Invocation) -> Result<Outcome, Failure> {
        let Some(workbook) = changed_workbook(event) else {
            return Ok(Outcome::skipped(format!("{} does not change what a workbook shows", event.name)));
        };
        let rules = self.rules.current().map_err(Failure::misconfigured)?;
        let matched = self.facts.matching(&rules, Self::NAME, event, None, invocation).await?;
        // A Broadcast is public: what could not be looked up does not count as matched here.
        if let Some(missing) = matched.missing.iter().find(|missing| missing.maintenance.is_empty()) {
            return self.without(missing, Question::new(event, invocation)).await;
        }
        let actions = rules.actions::<settings::UpdateBroadcast>(&matched, &event.site);
        // A Broadcast has one set of options, so if several rules match, the first one counts.
        let Some(action) = actions.map_err(Failure::misconfigured)?.into_iter().next() else {
            return Ok(Outcome::skipped(format!("no rule updates Broadcasts on {}", event.name)));
        };
        let Some(broadcasts) = self.facts.tableau().call(invocation, self.broadcasts_of(&event.site)).await?
        else {
            return Ok(Outcome::skipped(OTHER_SITE));
        };
        let views = views_of(workbook, broadcasts);
        let options = options(action.settings);
        if views.is_empty() {
            return Ok(Outcome::skipped("the workbook has no Broadcast"));
        }
        let mut failed = None;
        for view in &views {
            let overwrite = self.facts.tableau().client().overwrite_broadcast(view, options);
            let overwrite = self.facts.tableau().call(invocation, overwrite);
            let overwritten = Effect::Overwritten { view: view.to_string() };
            if let Err(failure) = invocation.once(overwritten, overwrite).await {
                failed = Some(Failure::worse(failed, failure));
            }
        }
        failed.map_or(Ok(Outcome::Done), Err)
    }
}

impl UpdateBroadcast {
    /// What to do about an event of which a rule asks something that is not known.
    async fn without(&self, missing: &MissingFact, question: Question<'_>) -> Result<Outcome, Failure> {
        if self.facts.is_of_another_site(question).await? {
            return Ok(Outcome::skipped(OTHER_SITE));
        }
        if self.facts.item(question).await?.is_none() {
            return Ok(Outcome::skipped("Tableau does not have the workbook any more"));
        }
        Err(match missing.why.starts_with(NO_ANSWER) {
            true => Failure::transient(missing.to_string()),
            // Tableau refuses it, until a person changes what the token's user may see.
            false => Failure::misconfigured(missing.to_string()),
        })
    }

    /// The Broadcasts of a site; `None` if the credential belongs to another site.
    async fn broadcasts_of(&self, site: &SiteLuid) -> Result<Option<Vec<BroadcastView>>, Error> {
        let ours = self.facts.tableau().client().session_site().await?;
        if !ours.as_str().eq_ignore_ascii_case(site.as_str()) {
            return Ok(None);
        }
        self.facts.tableau().client().broadcasts().await.map(Some)
    }
}

/// The workbook whose views have changed.
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
