//! What the derived event `WebhookDisabled` says.

use crate::{EventName, Payload, SiteLuid, WebhookLuid};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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

impl DisabledWebhook {
    /// Stub until the merge.
    pub fn payload(&self, _: &SiteLuid) -> Payload {
        Payload {
            event_type: Some("WebhookDisabled".to_owned()),
            resource_luid: Some(self.webhook.as_str().to_owned()),
            ..Payload::default()
        }
    }
}
