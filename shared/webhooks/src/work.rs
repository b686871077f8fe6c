//! Carries steps out at Tableau.

use crate::endpoint;
use crate::identity::Identity;
use crate::redaction::Redaction;
use crate::state::State;
use crate::step::{Action, Step};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use tableau::{EventName, WebhookLuid};
use tableau_client::{Error, NewWebhook, TableauClient, Webhook, WebhookChange, WebhookState};
use workflow::chain;

/// The code with which Tableau refuses an event that it does not know.
///
/// Source: seen in answers; <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_concepts_errors.htm> has it for any
/// malformed body.
const MALFORMED: &str = "400000";

/// Carries steps out.
pub(crate) struct Work<'w> {
    pub(crate) tableau: &'w TableauClient,
    pub(crate) http: &'w reqwest::Client,
    pub(crate) url: &'w SecretString,
    pub(crate) identity: &'w Identity,
    pub(crate) redaction: &'w Redaction,
    /// Whether the stack's URL works, once it was tried.
    pub(crate) endpoint: Option<Result<(), String>>,
}

/// A step that was done.
pub(crate) enum Done {
    /// There is a webhook as Tableau describes it now.
    Changed(Webhook),
    /// A new one has taken the place of another.
    Replaced(Webhook),
    Enabled,
    Deleted,
}

/// A step that was not done.
pub(crate) struct NotDone {
    /// Why, without any token.
    pub(crate) reason: String,
    /// Whether Tableau may not know the event, as an older version does not know each.
    pub(crate) is_unknown_event: bool,
}

impl NotDone {
    pub(crate) fn because(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), is_unknown_event: false }
    }
}

impl Done {
    /// Notes what was done.
    pub(crate) fn note(&self, state: &mut State, step: &Step, redaction: &Redaction, now: Timestamp) {
        match (self, &step.luid) {
            (Self::Changed(webhook), _) => state.take(&redaction.webhook(webhook.clone()), now),
            (Self::Replaced(webhook), old) => {
                state.take(&redaction.webhook(webhook.clone()), now);
                old.iter().for_each(|luid| state.forget(luid));
            }
            (Self::Enabled, Some(luid)) => state.enabled(luid, now),
            (Self::Deleted, Some(luid)) => state.forget(luid),
            (Self::Enabled | Self::Deleted, None) => {}
        }
    }
}

impl Work<'_> {
    /// Carries a step out. `webhook` is the one that it is about.
    pub(crate) async fn perform(&mut self, step: &Step, webhook: Option<&Webhook>) -> Result<Done, NotDone> {
        match (step.action, webhook, &step.event) {
            (Action::Create, _, Some(event)) => self.create(event).await.map(Done::Changed),
            (Action::Update, Some(webhook), Some(event)) => {
                let change = WebhookChange {
                    name: Some(self.identity.name(event)),
                    url: Some(self.url.expose_secret().to_owned()),
                    ..WebhookChange::default()
                };
                let changed = self.tableau.update_webhook(&webhook.id, &change).await;
                changed.map(Done::Changed).map_err(|error| self.not_done(&error))
            }
            (Action::Replace, Some(webhook), Some(event)) => {
                // In this order no event is missed.
                let new = self.create(event).await?;
                if let Err(error) = self.tableau.delete_webhook(&webhook.id).await {
                    let reason = self.redaction.text(&chain(&error));
                    tracing::warn!(webhook.luid = %webhook.id, reason, "the next run deletes the replaced webhook");
                    return Ok(Done::Changed(new));
                }
                Ok(Done::Replaced(new))
            }
            (Action::Enable, Some(webhook), _) => {
                if self.endpoint.is_none() {
                    self.endpoint = Some(endpoint::check(self.tableau, self.http, webhook, self.url).await);
                }
                if let Some(Err(reason)) = &self.endpoint {
                    return Err(NotDone::because(self.redaction.text(reason)));
                }
                let change = WebhookChange { state: Some(WebhookState::On), ..WebhookChange::default() };
                let changed = self.tableau.update_webhook(&webhook.id, &change).await;
                changed.map(|_| Done::Enabled).map_err(|error| self.not_done(&error))
            }
            (Action::Delete, Some(webhook), _) => {
                let deleted = self.tableau.delete_webhook(&webhook.id).await;
                deleted.map(|()| Done::Deleted).map_err(|error| self.not_done(&error))
            }
            _ => {
                let luid = step.luid.as_ref().map_or("-", WebhookLuid::as_str);
                Err(NotDone::because(format!("the webhook {luid} is not there")))
            }
        }
    }

    async fn create(&self, event: &EventName) -> Result<Webhook, NotDone> {
        let new = NewWebhook {
            name: self.identity.name(event),
            event: event.clone(),
            url: self.url.expose_secret().to_owned(),
            is_enabled: true,
        };
        self.tableau.create_webhook(&new).await.map_err(|error| {
            let mut not_done = self.not_done(&error);
            if error.code() == Some(MALFORMED) {
                not_done.reason.push_str("; this Tableau may not know the event: take it out of the rules");
                not_done.is_unknown_event = true;
            }
            not_done
        })
    }

    fn not_done(&self, error: &Error) -> NotDone {
        NotDone::because(self.redaction.text(&chain(error)))
    }
}
