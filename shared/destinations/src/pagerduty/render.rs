//! Renders a notification as an event of the Events API v2. Pure; decides nothing about timing, grouping or suppression.
//!
//! Source: <https://developer.pagerduty.com/docs/send-alert-event>

use super::{DedupKey, Origin, RoutingFields, details, text};
use alerting::notification::Notification;
use serde_json::{Value, json};

/// The longest summary, in characters.
pub const SUMMARY_LIMIT: usize = 1_024;
/// The most bytes of an event. PagerDuty takes 512 KB, which may be 512,000.
pub const EVENT_LIMIT: usize = 500_000;
/// What an event takes besides its details: bounded texts, each character at most six bytes.
const FRAME: usize = 24_000;

/// What an event does to its alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Opens the alert, or adds to the one that is open.
    Trigger,
    /// Closes it.
    Resolve,
}

/// An event for PagerDuty, without a routing key.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    event: Value,
    key: DedupKey,
}

impl Alert {
    /// Renders a notification. The fields are those of the alert's first trigger, whatever the notification says by now.
    pub(super) fn new(
        change: Change,
        shown: &Notification,
        key: DedupKey,
        fields: &RoutingFields,
        origin: &Origin,
    ) -> Self {
        let mut payload = fields.to_json();
        let summary = text::cut_at_word(&text::summary(shown), SUMMARY_LIMIT);
        payload.insert("summary".to_owned(), summary.into());
        let at = shown.event.as_deref().and_then(|event| event.created_at);
        payload.extend(at.map(|at| ("timestamp".to_owned(), at.to_string().into())));
        payload.insert("custom_details".to_owned(), Value::Object(details::of(shown, EVENT_LIMIT - FRAME)));
        let mut event = json!({
            "event_action": match change { Change::Trigger => "trigger", Change::Resolve => "resolve" },
            "dedup_key": key.as_str(),
            "client": "Tableau",
            "client_url": origin.url(),
            "payload": payload,
        });
        if let Some((label, url)) = text::link(shown) {
            event["links"] = json!([{ "href": url, "text": label }]);
        }
        Self { event, key }
    }

    /// The key of the alert.
    pub fn key(&self) -> &DedupKey {
        &self.key
    }

    /// The event without a routing key.
    pub fn to_json(&self) -> &Value {
        &self.event
    }

    /// The body of the request.
    pub(super) fn body(&self, routing_key: &str) -> String {
        let mut event = self.event.clone();
        event["routing_key"] = routing_key.into();
        event.to_string()
    }
}
