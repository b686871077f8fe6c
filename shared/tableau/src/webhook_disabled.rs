//! What the derived event `WebhookDisabled` says.

use crate::{EventName, Payload, SiteLuid, WebhookLuid};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The key of the payload.
const KEY: &str = "webhook";

/// A webhook that Tableau disabled: it is still disabled, or enabled again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisabledWebhook {
    /// The webhook's LUID.
    pub webhook: WebhookLuid,
    /// Its name at Tableau: untrusted text.
    pub name: String,
    /// The event that it sends.
    pub event: EventName,
    /// The user who registered it, if Tableau says so: untrusted text.
    pub owner: Option<String>,
    /// Why it was disabled, as Tableau has it (`statusChangeReason`): untrusted text, may be empty.
    pub reason: String,
    /// When it was last seen enabled; `None` if never.
    pub last_enabled: Option<Timestamp>,
    /// When it was found disabled.
    pub found: Timestamp,
    /// When it was enabled again; `None` while it is disabled.
    pub enabled_again: Option<Timestamp>,
    /// Why it stays disabled and what happens next: sentences. Empty if it was enabled again.
    pub note: String,
}

/// The part of the payload that no other event has. Times have whole seconds.
#[derive(Serialize, Deserialize)]
struct Said {
    event: EventName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    reason: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_enabled: Option<String>,
    found: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    enabled_again: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    note: String,
}

impl DisabledWebhook {
    /// The payload of the event [`EventName::WebhookDisabled`] on this site. The same values give the same payload, and so the same event;
    /// that the webhook was enabled again is another event.
    pub fn payload(&self, site: &SiteLuid) -> Payload {
        let name = &self.name;
        let text = match self.enabled_again {
            None => format!("The webhook {name} is disabled"),
            Some(_) => format!("The webhook {name} was disabled, and is enabled again"),
        };
        let mut payload = Payload {
            resource: Some("WEBHOOK".to_owned()),
            event_type: Some(EventName::WebhookDisabled.as_str().to_owned()),
            resource_name: Some(name.clone()),
            site_luid: Some(site.as_str().to_owned()),
            resource_luid: Some(self.webhook.as_str().to_owned()),
            created_at: Some(seconds(self.enabled_again.unwrap_or(self.found))),
            text: Some(text),
            ..Payload::default()
        };
        let said = Said {
            event: self.event.clone(),
            owner: self.owner.clone(),
            reason: self.reason.clone(),
            last_enabled: self.last_enabled.map(seconds),
            found: seconds(self.found),
            enabled_again: self.enabled_again.map(seconds),
            note: self.note.clone(),
        };
        if let Ok(said) = serde_json::to_value(said) {
            payload.other.insert(KEY.to_owned(), said);
        }
        payload
    }

    /// The webhook that a payload is about; `None` for another event, and if the payload does not say enough.
    pub(crate) fn of(name: &EventName, payload: &Payload) -> Option<Self> {
        if *name != EventName::WebhookDisabled {
            return None;
        }
        let said = Said::deserialize(payload.other.get(KEY)?).ok()?;
        Some(Self {
            webhook: payload.resource_luid.as_ref()?.parse().ok()?,
            name: payload.resource_name.clone().unwrap_or_default(),
            event: said.event,
            owner: said.owner.filter(|owner| !owner.trim().is_empty()),
            reason: said.reason,
            last_enabled: said.last_enabled.map(|at| at.parse()).transpose().ok()?,
            found: said.found.parse().ok()?,
            enabled_again: said.enabled_again.map(|at| at.parse()).transpose().ok()?,
            note: said.note,
        })
    }
}

fn seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, Subject};
    use serde_json::{Value, json};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn disabled() -> DisabledWebhook {
        DisabledWebhook {
            webhook: "w-1".parse().unwrap(),
            name: "tableau-webhooks WorkbookRefreshFailed".to_owned(),
            event: EventName::WorkbookRefreshFailed,
            owner: Some("Bea Larsson".to_owned()),
            reason: "Webhook disabled after 4 failed delivery attempts".to_owned(),
            last_enabled: Some(at("2026-01-15T17:00:00Z")),
            found: at("2026-01-15T17:15:00Z"),
            enabled_again: None,
            note: "Its URL does not answer. It is tried again in an hour.".to_owned(),
        }
    }

    fn enabled_again() -> DisabledWebhook {
        DisabledWebhook { enabled_again: Some(at("2026-01-15T19:10:00Z")), note: String::new(), ..disabled() }
    }

    fn payload(webhook: &DisabledWebhook) -> Payload {
        webhook.payload(&"s-1".parse().unwrap())
    }

    fn event(payload: &Payload) -> Event {
        Event::try_from(&Payload::parse(payload.canonical_json().as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn what_is_said_of_a_webhook_comes_back() {
        for webhook in [
            disabled(),
            enabled_again(),
            DisabledWebhook { owner: None, reason: String::new(), last_enabled: None, ..disabled() },
            DisabledWebhook { event: EventName::from("FlowRunFailed"), ..disabled() },
        ] {
            let event = event(&payload(&webhook));
            assert_eq!((event.name.as_str(), event.site.as_str()), ("WebhookDisabled", "s-1"));
            assert_eq!(event.subject, Subject::Webhook("w-1".parse().unwrap()));
            assert_eq!((event.subject.kind(), event.subject.resource()), ("webhook", "WEBHOOK"));
            assert_eq!(event.resource_name.as_deref(), Some(webhook.name.as_str()));
            assert_eq!(event.created_at, Some(webhook.enabled_again.unwrap_or(webhook.found)));
            assert_eq!(event.webhook, Some(webhook));
            assert!(event.pdf.is_none() && event.own.is_none() && !event.stands_alone());
        }
    }

    #[test]
    fn the_same_outage_is_one_event_while_it_lasts_and_another_one_at_its_end() {
        let id = |webhook: &DisabledWebhook| event(&payload(webhook)).id;
        assert_eq!(id(&disabled()), id(&disabled()));
        assert_eq!(id(&enabled_again()), id(&enabled_again()));
        assert_ne!(id(&disabled()), id(&enabled_again()));
        let next = DisabledWebhook { found: at("2026-01-16T09:00:00Z"), ..disabled() };
        assert_ne!(id(&disabled()), id(&next));
        let other = DisabledWebhook { webhook: "w-2".parse().unwrap(), ..disabled() };
        assert_ne!(id(&disabled()), id(&other));
    }

    #[test]
    fn times_have_whole_seconds() {
        let exact = DisabledWebhook {
            last_enabled: Some(at("2026-01-15T17:00:00.9Z")),
            found: at("2026-01-15T17:15:00.123456789Z"),
            ..disabled()
        };
        assert_eq!(payload(&exact), payload(&disabled()));
        let exact = DisabledWebhook { enabled_again: Some(at("2026-01-15T19:10:00.5Z")), ..enabled_again() };
        assert_eq!(payload(&exact), payload(&enabled_again()));
    }

    #[test]
    fn no_other_event_has_a_webhook() {
        let of = |name: &str, said: Option<Value>| {
            let mut payload = Payload { event_type: Some(name.to_owned()), ..payload(&disabled()) };
            match said {
                Some(said) => payload.other.insert(KEY.to_owned(), said),
                None => payload.other.remove(KEY),
            };
            Event::try_from(&payload).unwrap().webhook
        };
        let said = json!({ "event": "WorkbookRefreshFailed", "found": "2026-01-15T17:15:00Z" });
        assert!(of("WebhookDisabled", Some(said.clone())).is_some());
        assert_eq!(of("WorkbookUpdated", Some(said)), None);
        assert_eq!(of("WebhookDisabled", None), None);
        for broken in [
            json!("x"),
            json!({ "event": "SiteUpdated" }),
            json!({ "event": "SiteUpdated", "found": "yesterday" }),
            json!({ "event": "SiteUpdated", "found": "2026-01-15T17:15:00Z", "last_enabled": "x" }),
            json!({ "event": "SiteUpdated", "found": "2026-01-15T17:15:00Z", "enabled_again": 7 }),
            json!({ "event": 7, "found": "2026-01-15T17:15:00Z" }),
        ] {
            assert_eq!(of("WebhookDisabled", Some(broken.clone())), None, "{broken}");
        }
    }
}
