//! Dead letters as JSON. No I/O.

use super::dead_letter::{Content, DeadLetter};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tableau::Payload;

/// A dead letter as a JSON object. The names of the fields never change.
#[derive(Debug, Default, Serialize)]
pub(super) struct DeadLetterFacts<'a> {
    event_id: &'a str,
    message_id: &'a str,
    workflow: &'a str,
    event_name: &'a str,
    resource: String,
    resource_name: &'a str,
    site: String,
    #[serde(serialize_with = "crate::events::instant")]
    waits_since: Option<Timestamp>,
    reason: String,
    payload: Value,
    /// The whole message, included when it is about to be deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a str>,
}

impl<'a> DeadLetterFacts<'a> {
    /// Includes the whole message, which may contain secrets.
    pub(super) fn whole(letter: &'a DeadLetter, workflow: &'a str) -> Self {
        Self { body: Some(&letter.body), ..Self::of(letter, workflow) }
    }

    pub(super) fn of(letter: &'a DeadLetter, workflow: &'a str) -> Self {
        let message = Self {
            message_id: &letter.message_id,
            workflow,
            waits_since: letter.sent_at,
            reason: letter.why(),
            ..Self::default()
        };
        let event = match &letter.content {
            Content::Event(event) => event,
            Content::Timer(timer) => {
                let event_name = "timer";
                let resource = timer.key.clone();
                let payload = serde_json::from_str(&letter.body).unwrap_or_default();
                return Self { event_name, resource, payload, ..message };
            }
            // The message is not repeated: it may contain secrets.
            Content::NoEvent(_) => return message,
        };
        // The body was parsed before, so parsing cannot fail here.
        let payload = Payload::parse(letter.body.as_bytes()).unwrap_or_default();
        Self {
            event_id: event.id.as_str(),
            event_name: &event.name,
            resource: payload.resource_luid.unwrap_or_default(),
            resource_name: &event.resource,
            site: payload.site_luid.unwrap_or_default(),
            payload: serde_json::from_str(&letter.body).unwrap_or_default(),
            ..message
        }
    }
}
