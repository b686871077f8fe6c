//! Ends that are sent again: a destination may accept the end of an incident and do nothing, as PagerDuty does in a maintenance
//! window. Nothing says so, so that the next successes of the object repeat it, for a few days.

use super::documents::Versioned;
use super::{Attempt, Engine, Handled, Summary};
use crate::incident::{Incident, Resolved};
use crate::notification::{self, About};
use crate::notifier::{Delivery, Notifier, Routing};
use jiff::SignedDuration;
use workflow::Failure;

/// For how long after an end: the next run of a weekly refresh is within it.
const REPEATED: SignedDuration = SignedDuration::from_hours(8 * 24);
/// What is recorded about a success whose end could not be sent again.
const NOT_AGAIN: &str = "its last incident is over; the end could not be sent again";
/// What is recorded about a success that repeats an end.
const AGAIN: &str = "its last incident is over; the end was sent again, in case it had no effect";

impl<N: Notifier, R: Routing<N::Target>> Engine<N, R> {
    /// Sends the ends of the object's recent incidents again, to the targets that have a message of their own about them.
    pub(super) async fn repeat_ends(
        &self,
        attempt: &Attempt<'_>,
        summary: &mut Summary,
    ) -> Result<(), Failure> {
        if !self.notifier.repeats_ends() {
            return Ok(());
        }
        let now = attempt.now();
        let mut transaction = self.transaction(now);
        let incident: Versioned<Incident> = transaction.get(&self.incident_key(attempt)).await?;
        let is_recent = |end: &&Resolved| now.duration_since(end.noted_at.unwrap_or(end.at)) <= REPEATED;
        let is_other = |end: &&Resolved| end.by != attempt.event.id.short();
        let site = self.routing.site(attempt.event);
        // Tableau is not asked: the end is known already, and there may be many successes.
        let described = About { event: attempt.event, site: site.as_ref(), context: &attempt.unasked };
        for resolved in incident.document.resolved().iter().filter(is_recent).filter(is_other) {
            self.repeat_end(attempt, resolved, &described, summary).await?;
        }
        Ok(())
    }

    async fn repeat_end(
        &self,
        attempt: &Attempt<'_>,
        resolved: &Resolved,
        about: &About<'_>,
        summary: &mut Summary,
    ) -> Result<(), Failure> {
        let mut shown = notification::resolved(about, resolved);
        shown.thread = Some(resolved.incident.id.clone());
        for (key, entry) in resolved.incident.log.iter().filter(|(_, entry)| entry.resolution_sent) {
            let Some(message) = &entry.message else { continue };
            let Some(target) = self.target(key, &[], attempt.now())? else { continue };
            let close = Delivery::Close { message: Some(message), audible: false };
            let sent = self.notifier.deliver(&target.settings, close, &shown, attempt.invocation).await;
            summary.note(match sent {
                Ok(_) => Ok(Handled::Nothing(AGAIN.to_owned())),
                Err(undelivered) if matches!(undelivered.failure, Failure::Transient { .. }) => {
                    Err(undelivered.failure)
                }
                // The event itself has nothing to wait for.
                Err(undelivered) => {
                    let reason = undelivered.failure.reason();
                    tracing::warn!(reason, "the end of an incident that is over could not be sent again");
                    Ok(Handled::Nothing(NOT_AGAIN.to_owned()))
                }
            });
        }
        Ok(())
    }
}
