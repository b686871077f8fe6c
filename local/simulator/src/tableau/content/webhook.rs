//! Webhooks to add.

use super::{Content, ModelHandle};
use crate::tableau::model;
use tableau::EventName;

/// A webhook to add without a REST call.
#[derive(Clone, Debug)]
pub struct Webhook {
    name: String,
    event: EventName,
    url: String,
}

impl Webhook {
    /// Sends events with this name to `url`.
    pub fn on(event: EventName, url: &str) -> Self {
        Self { name: event.as_str().to_owned(), event, url: url.to_owned() }
    }

    /// Sets a name other than the event's name.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = name.to_owned();
        self
    }
}

impl Content for Webhook {
    /// Webhook ids have no Rust type of their own.
    type Luid = String;

    fn add_to(self, to: &mut ModelHandle<'_>) -> String {
        let luid = uuid::Uuid::new_v4().to_string();
        to.model.webhooks.push(model::WebhookRecord {
            luid: luid.clone(),
            site: to.model.default_site(),
            owner: to.model.users.first().map(|u| u.luid.clone()),
            name: self.name,
            event: self.event,
            url: self.url,
            enabled: true,
            status_change_reason: String::new(),
        });
        luid
    }
}
