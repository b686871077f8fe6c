//! Slack as a destination: renders and sends notifications. The crate `alerting` decides when and to whom.

use super::guarded::{GuardedSlack, To, is_gone, may_have_arrived, sent};
use super::people::People;
use super::render::{Called, render_for};
use super::{Message, Posted, Sent, Slack};
use crate::Error;
use alerting::Capabilities;
use alerting::incident::MessageRef;
use alerting::notification::Notification;
use alerting::notifier::{Delivered, Delivery, Notifier, Undelivered};
use async_trait::async_trait;
use circuit::{Circuits, Guarded};
use rules::settings::{NotifySlack, Recovery};
use workflow::{Failure, Invocation};

/// A Slack workspace that notifications are sent to.
#[derive(Debug)]
pub struct SlackNotifier {
    slack: GuardedSlack,
    people: People,
}

impl SlackNotifier {
    /// Puts `slack` behind `circuits`.
    pub fn new(slack: Slack, circuits: Circuits) -> Self {
        Self { slack: GuardedSlack::new(slack, circuits), people: People::default() }
    }

    async fn post(&self, to: To<'_>, message: &Message) -> Result<Delivered, Guarded<Error>> {
        let posted = self.slack.post(to, message).await?;
        Ok(Delivered { message: reference(posted), audible: true, note: None, skipped: None })
    }

    /// Edits a message and returns its reference. `None` when there is no message, or it can no longer be edited.
    async fn edit(
        &self,
        to: To<'_>,
        before: Option<&MessageRef>,
        message: &Message,
    ) -> Result<Option<Sent>, Guarded<Error>> {
        let Some(before) = before.and_then(|before| sent(&before.conversation, &before.id)) else {
            return Ok(None);
        };
        match self.slack.update(to, &before, message).await {
            Ok(_) => Ok(Some(before)),
            Err(error) if is_gone(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn send(
        &self,
        to: To<'_>,
        delivery: Delivery<'_>,
        recovery: Recovery,
        message: &Message,
    ) -> Result<Delivered, Guarded<Error>> {
        let (before, audible, replies) = match delivery {
            Delivery::Post => (None, true, false),
            Delivery::Edit { message, audible } => (Some(message), audible, false),
            Delivery::Close { message, audible } => (message, audible, true),
        };
        match self.edit(to, before, message).await? {
            Some(_) if replies && audible && recovery == Recovery::Message => self.post(to, message).await,
            Some(before) if replies && audible => {
                let is_broadcast = recovery == Recovery::Channel;
                match self.slack.reply(to, &before, is_broadcast, message).await {
                    Ok(_) => Ok(Delivered { message: None, audible: true, note: None, skipped: None }),
                    // A person has deleted the message, so a new one is posted.
                    Err(error) if is_gone(&error) => self.post(to, message).await,
                    Err(error) => Err(error),
                }
            }
            None if audible => self.post(to, message).await,
            Some(_) | None => Ok(Delivered::default()),
        }
    }
}

#[async_trait]
impl Notifier for SlackNotifier {
    type Target = NotifySlack;

    async fn capabilities(&self) -> Result<Capabilities, Failure> {
        let changes = self.slack.changes_messages().await?;
        Ok(Capabilities { edit: changes, thread: changes, idempotency_key: false, grouping: true })
    }

    async fn deliver(
        &self,
        target: &NotifySlack,
        delivery: Delivery<'_>,
        notification: &Notification,
        invocation: &Invocation,
    ) -> Result<Delivered, Undelivered> {
        let to = To { invocation, channel: target.channel() };
        let mentioned = &notification.mentioned;
        let called = match mentioned.is_empty() {
            true => Called::default(),
            false => self.people.called(self.slack.inner(), mentioned, invocation.now).await,
        };
        let sent = self.send(to, delivery, target.recovery(), &render_for(notification, &called)).await;
        sent.map_err(|error| {
            let maybe_sent = may_have_arrived(&error);
            Undelivered { failure: error.into(), maybe_sent }
        })
    }
}

/// The reference to a message that alerting stores.
fn reference(posted: Posted) -> Option<MessageRef> {
    posted.message.map(|sent| MessageRef { conversation: sent.channel, id: sent.ts })
}
