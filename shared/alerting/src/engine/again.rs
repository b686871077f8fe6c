//! Ends that are sent again: a destination may accept the end of an incident and do nothing, as PagerDuty does in a maintenance
//! window. Nothing says so, so that the next successes of the object repeat it, for a few days.

use super::documents::Versioned;
use super::{Attempt, Engine, Handled, Summary};
use crate::incident::Incident;
use crate::notification::{self, About};
use crate::notifier::{Delivery, Notifier, Routing};
use jiff::SignedDuration;
use workflow::Failure;

/// For how long after an end: the next run of a weekly refresh is within it.
const REPEATED: SignedDuration = SignedDuration::from_hours(8 * 24);
/// What is recorded about a success that repeats an end.
const AGAIN: &str = "its last incident is over; the end was sent again, in case it had no effect";

impl<N: Notifier, R: Routing<N::Target>> Engine<N, R> {
    /// Sends the end of the object's last incident again, to the targets that have a message of their own about it. No incident is
    /// open when this begins.
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
        let Some(resolved) = incident.document.resolved().last() else { return Ok(()) };
        let is_recent = now.duration_since(resolved.noted_at.unwrap_or(resolved.at)) <= REPEATED;
        let is_other = resolved.by != attempt.event.id.short();
        if incident.document.open.is_some() || !is_recent || !is_other {
            return Ok(());
        }
        let site = self.routing.site(attempt.event);
        // Tableau is not asked: the end is known already, and there may be many successes.
        let described = About { event: attempt.event, site: site.as_ref(), context: &attempt.unasked };
        let mut shown = notification::resolved(&described, resolved);
        shown.thread = Some(resolved.incident.id.clone());
        for (key, entry) in resolved.incident.log.iter().filter(|(_, entry)| entry.resolution_sent) {
            let Some(message) = &entry.message else { continue };
            let Some(target) = self.target(key, &[], now)? else { continue };
            let close = Delivery::Close { message: Some(message), audible: false };
            let sent = self.notifier.deliver(&target.settings, close, &shown, attempt.invocation).await;
            summary.note(match sent {
                Ok(_) => Ok(Handled::Nothing(AGAIN.to_owned())),
                Err(undelivered) => Err(undelivered.failure),
            });
        }
        Ok(())
    }
}
