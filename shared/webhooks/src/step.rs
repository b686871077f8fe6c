//! What is to be done at Tableau. No I/O.

use serde::{Deserialize, Serialize};
use std::fmt;
use tableau::{EventName, WebhookLuid};

/// One thing that is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What.
    pub action: Action,
    /// The event of the webhook; `None` if Tableau names none.
    pub event: Option<EventName>,
    /// The name of the webhook: the one that it has or, for a new one, the one that it gets. From outside: to be escaped.
    pub name: String,
    /// The webhook; `None` for a new one.
    pub luid: Option<WebhookLuid>,
    /// Why, for people.
    pub reason: String,
}

/// What is to be done with a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It is registered.
    Create,
    /// Its URL or name is changed.
    Update,
    /// A new one takes its place: before REST API 3.8 webhooks cannot be changed.
    Replace,
    /// It is enabled again.
    Enable,
    /// It is deleted.
    Delete,
}

impl Action {
    /// Whether events are missing while this is not done.
    pub fn is_vital(self) -> bool {
        matches!(self, Self::Create | Self::Update | Self::Replace)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Replace => "replace",
            Self::Enable => "enable",
            Self::Delete => "delete",
        })
    }
}

impl Step {
    /// The event, as people read it.
    pub fn event(&self) -> &str {
        self.event.as_ref().map_or("an unknown event", EventName::as_str)
    }
}
