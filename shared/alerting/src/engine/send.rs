//! Sending one notification about an incident.

use super::advance::{Announced, Send};
use super::{Attempt, Engine};
use crate::notification::{self, About, Notification};
use crate::notifier::{Delivered, Delivery, Notifier, Routing, Undelivered};
use crate::plan::Operation;
use workflow::Failure;

impl<N: Notifier, R: Routing<N::Target>> Engine<N, R> {
    /// Sends one notification about an incident.
    pub(super) async fn send(
        &self,
        attempt: &Attempt<'_>,
        send: &Send<N::Target>,
    ) -> Result<Delivered, Undelivered> {
        let unsent = |failure| Undelivered { failure, maybe_sent: false };
        let notification = self.notification(attempt, send).await.map_err(unsent)?;
        let entry = send.about.incident().log.get(&send.target.key);
        let message = entry.and_then(|entry| entry.message.as_ref());
        let delivery = match (send.operation, message) {
            (Operation::Post, _) | (Operation::Edit, None) => Delivery::Post,
            (Operation::Edit, Some(message)) => Delivery::Edit { message, audible: send.audible },
            (Operation::Close, message) => Delivery::Close { message, audible: send.audible },
        };
        self.notifier.deliver(&send.target.settings, delivery, &notification, attempt.invocation).await
    }

    pub(super) async fn notification(
        &self,
        attempt: &Attempt<'_>,
        send: &Send<N::Target>,
    ) -> Result<Notification, Failure> {
        let site = self.routing.site(attempt.event);
        let context = self.context(attempt).await?;
        let described = About { event: attempt.event, site: site.as_ref(), context };
        let mut shown = match &send.about {
            Announced::Open(open) if send.is_reminder => {
                notification::updated(&described, open, Some(attempt.now()))
            }
            Announced::Open(open) if open.failures == 1 => notification::opened(&described, open),
            Announced::Open(open) => notification::updated(&described, open, None),
            Announced::Resolved(resolved) => notification::resolved(&described, resolved),
        };
        if let Announced::Open(_) = &send.about {
            self.add_small_print(&mut shown, &attempt.event.site, attempt.now()).await;
        }
        Ok(shown)
    }
}
