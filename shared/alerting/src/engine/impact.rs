//! Which workbooks use a failing data source: asked once for an incident, with its first message of its own, and kept in
//! the incident. Groups and digests do not say it, so a flood asks nothing.

use super::{Attempt, Engine};
use crate::impact::ImpactLookup;
use crate::incident::Open;
use crate::notification::Notification;
use crate::notifier::{Notifier, Routing};
use workflow::Failure;

impl<N: Notifier, R: Routing<N::Target>> Engine<N, R> {
    /// Adds to a message about an open incident which workbooks use its data source, or why that is not known.
    pub(super) async fn add_impact(
        &self,
        shown: &mut Notification,
        attempt: &Attempt<'_>,
        open: &Open,
    ) -> Result<(), Failure> {
        let known = match &open.impact {
            Some(known) => Some(known.clone()),
            None => self.ask_for_impact(attempt).await?,
        };
        match known {
            Some(ImpactLookup::Found(impact)) => shown.impact = Some(impact),
            Some(ImpactLookup::Unavailable(why) | ImpactLookup::Unanswered(why)) => {
                shown.footnotes.push(format!("which workbooks use it is not known: {why}"));
            }
            None => {}
        }
        Ok(())
    }

    /// Asks once in an attempt, for however many targets it sends to.
    async fn ask_for_impact(&self, attempt: &Attempt<'_>) -> Result<Option<ImpactLookup>, Failure> {
        let context = self.context(attempt).await?;
        let ask = || self.routing.impact(attempt.event, context, attempt.invocation);
        Ok(attempt.impact.get_or_init(ask).await.clone())
    }
}
