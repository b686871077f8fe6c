//! Webhooks, as Tableau's answers describe them.

use crate::filter::{Field, Filtered, sealed};
use crate::lenient;
use crate::resources::OwnerRef;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::fmt;
use tableau::{EventName, WebhookLuid};

/// A webhook.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(from = "Answered")]
pub struct Webhook {
    /// The webhook's LUID.
    pub id: WebhookLuid,
    /// The webhook's name. Not unique.
    pub name: String,
    /// The event that the webhook is for; `None` if the answer names no event.
    pub event: Option<EventName>,
    /// Whether events are sent. Tableau switches a webhook off after four failed tries. Always true before REST API
    /// 3.8.
    pub is_enabled: bool,
    /// Why the webhook was switched off; may be empty.
    pub status_change_reason: String,
    /// The URL that events are posted to. `Debug` does not show it, because it may contain a token.
    pub url: String,
    /// The user who created the webhook.
    pub owner: Option<OwnerRef>,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("event", &self.event)
            .field("is_enabled", &self.is_enabled)
            .field("status_change_reason", &self.status_change_reason)
            .field("url", &host(&self.url))
            .finish_non_exhaustive()
    }
}

/// Scheme and host of a webhook's URL. The rest of the URL may be secret.
fn host(url: &str) -> String {
    let origin = url::Url::parse(url).map(|url| url.origin().ascii_serialization());
    origin.unwrap_or_else(|_| "[redacted]".to_owned())
}

/// A webhook to create.
#[derive(Clone, PartialEq, Eq)]
pub struct NewWebhook {
    /// The webhook's name, for people.
    pub name: String,
    /// The event that the webhook is for.
    pub event: EventName,
    /// The URL to post events to: `https`, with a valid certificate. `Debug` does not show it, because it may contain
    /// a token.
    pub url: String,
    /// Whether events are sent from the start.
    pub is_enabled: bool,
}

impl fmt::Debug for NewWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewWebhook")
            .field("name", &self.name)
            .field("event", &self.event)
            .field("url", &host(&self.url))
            .field("is_enabled", &self.is_enabled)
            .finish()
    }
}

/// The changes to a webhook. `None` means no change.
#[derive(Clone, Default)]
pub struct WebhookChange {
    /// The new name.
    pub name: Option<String>,
    /// The new event.
    pub event: Option<EventName>,
    /// The new URL. `Debug` does not show it, because it may contain a token.
    pub url: Option<String>,
    /// Switches the webhook on or off.
    pub state: Option<WebhookState>,
}

impl fmt::Debug for WebhookChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookChange")
            .field("name", &self.name)
            .field("event", &self.event)
            .field("url", &self.url.as_deref().map(host))
            .field("state", &self.state)
            .finish()
    }
}

/// Whether a webhook sends events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebhookState {
    /// The webhook sends events.
    On,
    /// The webhook sends no events. Tableau stores the reason; without one it says that a user switched the webhook
    /// off.
    Off {
        /// The reason.
        reason: Option<String>,
    },
}

/// The result of testing a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookTest {
    /// The HTTP status of the *destination*. According to one report, Tableau returns 404 for a destination that
    /// received no request at all.
    pub status: u16,
    /// The body of the destination's answer.
    pub body: String,
}

impl WebhookTest {
    /// Whether the destination accepted the test, with any 2xx status.
    pub fn passed(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answered {
    id: WebhookLuid,
    #[serde(default, deserialize_with = "lenient::text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    event: Option<String>,
    #[serde(default, rename = "webhook-source", deserialize_with = "lenient::part")]
    source: Option<Map<String, Value>>,
    #[serde(default)]
    is_enabled: Value,
    #[serde(default, deserialize_with = "lenient::text")]
    status_change_reason: Option<String>,
    #[serde(default, rename = "webhook-destination")]
    destination: Value,
    #[serde(default, deserialize_with = "lenient::part")]
    owner: Option<OwnerRef>,
}

impl From<Answered> for Webhook {
    fn from(answer: Answered) -> Self {
        let by_name = answer.event.filter(|name| !name.is_empty());
        // Older names stand there too.
        let by_name = by_name.map(|name| EventName::of_webhook_source(&name).unwrap_or_else(|| name.into()));
        let by_source = || EventName::of_webhook_source(answer.source.as_ref()?.keys().next()?);
        let url = &answer.destination["webhook-destination-http"]["url"];
        let off = matches!(&answer.is_enabled, Value::Bool(false))
            || answer.is_enabled.as_str().is_some_and(|text| text.eq_ignore_ascii_case("false"));
        Self {
            id: answer.id,
            name: answer.name.unwrap_or_default(),
            event: by_name.or_else(by_source),
            is_enabled: !off,
            status_change_reason: answer.status_change_reason.unwrap_or_default(),
            url: url.as_str().unwrap_or_default().to_owned(),
            owner: answer.owner,
        }
    }
}

impl sealed::Sealed for Webhook {}

impl Filtered for Webhook {
    fn field(&self, _: &str) -> Field<'_> {
        Field::Text(Some(&self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_event_is_read_from_either_form() {
        for event in EventName::KNOWN {
            let new = json!({"id": "w-1", "name": "n", "event": event.as_str()});
            let old = json!({"id": "w-1", "name": "n", "webhook-source": {event.webhook_source(): {}}});
            // Case W03.
            let both = json!({"id": "w-1", "name": "n", "event": event.webhook_source()});
            for answer in [new, old, both] {
                assert_eq!(serde_json::from_value::<Webhook>(answer).unwrap().event.as_ref(), Some(&event));
            }
        }
        let slip = json!({"id": "w-1", "webhook-source": {"webhook-source-event-label-LabelDeleted": null}});
        assert_eq!(serde_json::from_value::<Webhook>(slip).unwrap().event, Some(EventName::LabelDeleted));
    }

    #[test]
    fn only_a_webhook_that_is_said_to_be_off_is_off() {
        for (enabled, expected) in [
            (json!(true), true),
            (json!("true"), true),
            (json!(null), true),
            (json!(false), false),
            (json!("false"), false),
        ] {
            let webhook = json!({"id": "w-1", "isEnabled": enabled});
            assert_eq!(serde_json::from_value::<Webhook>(webhook).unwrap().is_enabled, expected, "{enabled}");
        }
    }

    #[test]
    fn debug_does_not_show_the_token_in_the_url() {
        let new = NewWebhook {
            name: "n".to_owned(),
            event: EventName::SiteUpdated,
            url: "https://a.example/webhook/hunter2?token=hunter2".to_owned(),
            is_enabled: true,
        };
        let change = WebhookChange { url: Some(new.url.clone()), ..WebhookChange::default() };
        let shown = format!("{new:?} {change:?}");
        assert!(shown.contains("https://a.example") && !shown.contains("hunter2"), "{shown}");
    }
}
