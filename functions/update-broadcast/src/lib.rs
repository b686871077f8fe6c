//! Overwrites the Broadcasts of a workbook that was refreshed or updated, so that they show the workbook's present
//! content.

mod config;

pub use config::Config;

use circuit::Guarded;
use facts::{FactLookups, NO_ANSWER, OTHER_SITE, Question};
use guarded_tableau::TableauError;
use rules::{LoadedRules, MissingFact, WorkflowSettings, settings};
use tableau::{Event, WorkbookLuid};
use tableau_client::{BroadcastOptions, BroadcastView};
use workflow::{Effect, Failure, Invocation, Outcome, Workflow};

/// The advice where the user lacks the right.
const NEEDED: &str = "the user of the Tableau credential may not overwrite this Broadcast: let it be an administrator, or the owner of the workbook";

/// A Broadcast that a person has removed since the list was read.
struct Gone;

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
        let question = Question::new(event, invocation);
        if self.facts.is_of_another_site(question).await? {
            return Ok(Outcome::skipped(OTHER_SITE));
        }
        let tableau = self.facts.tableau();
        let broadcasts = tableau.call(invocation, tableau.client().broadcasts()).await.map_err(refused)?;
        let ours: Vec<_> = broadcasts
            .into_iter()
            .filter(|broadcast| broadcast.workbook.as_ref() == Some(workbook))
            .collect();
        if ours.is_empty() {
            return Ok(Outcome::skipped("the workbook has no Broadcast"));
        }
        let mut failed = None;
        let mut gone = 0;
        for broadcast in &ours {
            let overwrite = self.overwrite(broadcast, options(action.settings, broadcast), invocation);
            let overwritten = Effect::Overwritten { view: broadcast.view.to_string() };
            match invocation.once_unless(overwritten, overwrite).await {
                Ok(Some(Err(Gone))) => gone += 1,
                Ok(_) => {}
                Err(failure) => failed = Some(Failure::worse(failed, failure)),
            }
        }
        match failed {
            Some(failure) => Err(failure),
            None if gone == ours.len() => Ok(Outcome::skipped("the workbook's Broadcasts are gone")),
            None => Ok(Outcome::Done),
        }
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

    /// Overwrites one Broadcast. One that is gone must not be made again.
    async fn overwrite(
        &self,
        broadcast: &BroadcastView,
        options: BroadcastOptions,
        invocation: &Invocation,
    ) -> Result<Result<(), Gone>, Failure> {
        let overwrite = self.facts.tableau().client().overwrite_broadcast(&broadcast.view, options);
        match self.facts.tableau().call(invocation, overwrite).await {
            Ok(()) => Ok(Ok(())),
            Err(Guarded::Call(error)) if error.is_not_found() => Ok(Err(Gone)),
            Err(error) => Err(refused(error)),
        }
    }
}

/// What a refusal means: a user who lacks a right can be given it.
fn refused(error: Guarded<TableauError>) -> Failure {
    match error {
        Guarded::Call(error) if error.lacks_right() => {
            Failure::misconfigured(format!("{}: {NEEDED}", workflow::chain(&error)))
        }
        error => error.into(),
    }
}

/// The workbook whose views have changed.
fn changed_workbook(event: &Event) -> Option<&WorkbookLuid> {
    event.workbook().filter(|_| settings::UpdateBroadcast::EVENTS.contains(&event.name))
}

/// What a Broadcast is overwritten with: what the rule says, else what the Broadcast has, else the most cautious.
fn options(settings: settings::UpdateBroadcast, broadcast: &BroadcastView) -> BroadcastOptions {
    let settings::UpdateBroadcast { watermark, tabs, downloads } = settings;
    let cautious = BroadcastOptions::default();
    BroadcastOptions {
        watermark: watermark.or(broadcast.watermark).unwrap_or(cautious.watermark),
        tabs: tabs.or(broadcast.tabs).unwrap_or(cautious.tabs),
        downloads: downloads.or(broadcast.downloads).unwrap_or(cautious.downloads),
    }
}
