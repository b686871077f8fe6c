//! Sending one notification about an incident.

use super::documents::Versioned;
use super::mutation::Mutation;
use super::{Attempt, Engine};
use crate::incident::{Incident, Open, Receipt, Resolved};
use crate::notification::{self, About, Mentioned, Notification, OfRule};
use crate::notifier::{Delivered, Delivery, Notifier, Routing, Targeted, Undelivered};
use crate::plan::Operation;
use jiff::Timestamp;
use store::records::{Key, Record};
use workflow::Failure;

/// A notification to send to one target after the commit.
#[derive(Clone, Debug)]
pub(super) struct Send<T> {
    pub(super) target: Targeted<T>,
    pub(super) operation: Operation,
    pub(super) audible: bool,
    pub(super) about: Announced,
    pub(super) is_reminder: bool,
    /// Whether the incident's document was changed again after this notification was decided.
    pub(super) is_late: bool,
}

impl<T> Send<T> {
    /// Whether this notification announces an incident as open although, by its document, the incident has ended.
    pub(super) fn has_ended(&self, record: Option<&Record>, now: Timestamp) -> bool {
        let (Announced::Open(open), Some(record)) = (&self.about, record) else { return false };
        // Directly after the change that asked for the notification, the document cannot contain anything newer.
        if !self.is_late {
            return false;
        }
        let key = Key::single(String::new());
        let incident = Versioned::<Incident>::read(&key, Some(record), now).document;
        incident.open.is_none_or(|now_open| now_open.id != open.id)
    }

    /// The receipt for a notification that is deliberately not sent.
    pub(super) fn unsent(&self) -> Mutation {
        let receipt = Receipt::Unsent { maybe_sent: false };
        Mutation::Receipt {
            incident: self.about.incident().id.clone(),
            target: self.target.key.clone(),
            receipt,
        }
    }

    /// Whether this notification calls people: the first one of an incident, and reminders.
    fn calls(&self) -> bool {
        let entry = self.about.incident().log.get(&self.target.key);
        let is_first = entry.is_none_or(|entry| entry.notified_failures == 0);
        self.is_reminder || (is_first && self.operation == Operation::Post)
    }

    pub(super) fn is_about(&self, incident: &str, target: &str) -> bool {
        self.about.incident().id == incident && self.target.key == target
    }
}

/// The state of the incident that a notification is about.
#[derive(Clone, Debug)]
pub(super) enum Announced {
    Open(Open),
    Resolved(Resolved),
}

impl Announced {
    pub(super) fn incident(&self) -> &Open {
        match self {
            Self::Open(open) => open,
            Self::Resolved(resolved) => &resolved.incident,
        }
    }
}

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
        let is_over = matches!(send.about, Announced::Resolved(_));
        let context = match is_over && !self.notifier.shows_content() {
            true => &attempt.unasked,
            false => self.context(attempt).await?,
        };
        let described = About { event: attempt.event, site: site.as_ref(), context };
        let mut shown = match &send.about {
            Announced::Open(open) if send.is_reminder => {
                notification::updated(&described, open, Some(attempt.now()))
            }
            Announced::Open(open) if open.failures == 1 => notification::opened(&described, open),
            Announced::Open(open) => notification::updated(&described, open, None),
            Announced::Resolved(resolved) => notification::resolved(&described, resolved),
        };
        shown.thread = Some(send.about.incident().id.clone());
        if let Announced::Open(open) = &send.about {
            let rule = OfRule { target: &send.target, matched: &attempt.matched };
            rule.apply(&mut shown, &described, Some(open));
            if self.notifier.shows_content() {
                self.add_impact(&mut shown, attempt, open).await?;
            }
            self.add_small_print(&mut shown, &attempt.event.site, attempt.now()).await;
            if send.calls() {
                shown.mentioned = Mentioned::of_one(&send.target.mentions, described.owner());
            }
        }
        Ok(shown)
    }
}

/// The receipt that the notification log keeps of an attempt to send.
pub(super) fn receipt<T>(send: &Send<T>, sent: &Result<Delivered, Undelivered>, now: Timestamp) -> Mutation {
    let failures = send.about.incident().failures;
    let entry = send.about.incident().log.get(&send.target.key);
    let has_message = entry.is_some_and(|entry| entry.message.is_some());
    let receipt = match sent {
        Ok(delivered) => Receipt::Sent {
            failures,
            resolution: matches!(send.about, Announced::Resolved(_)),
            // The incident's first message is the one that is edited when the incident ends; a reminder is an
            // additional message, unless there is no other.
            message: delivered.message.clone().filter(|_| !send.is_reminder || !has_message),
            audible_at: delivered.audible.then_some(now),
        },
        // A reminder whose answer was lost counts as sent: at worst one reminder is missing, in place of one every
        // hour.
        Err(undelivered) if send.is_reminder && undelivered.maybe_sent => {
            Receipt::Sent { failures, resolution: false, message: None, audible_at: Some(now) }
        }
        Err(undelivered) => Receipt::Unsent { maybe_sent: undelivered.maybe_sent },
    };
    Mutation::Receipt { incident: send.about.incident().id.clone(), target: send.target.key.clone(), receipt }
}
