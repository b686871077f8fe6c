//! The records of requests: events that were accepted, and those that were refused.

use serde_json::Value;

/// An event that PagerDuty has accepted.
#[derive(Clone, Debug, PartialEq)]
pub struct PagerDutyEvent {
    /// The service of the routing key.
    pub service: String,
    /// The body of the request without the routing key.
    pub body: Value,
    /// Whether this event has paged someone: it has opened an alert of a service that makes incidents.
    pub paged: bool,
    /// Whether it has changed anything: a resolve without an open alert, and any event in a maintenance window, has not.
    pub effective: bool,
    /// Whether the caller received the answer.
    pub answered: bool,
}

impl PagerDutyEvent {
    /// `trigger`, `acknowledge` or `resolve`.
    pub fn action(&self) -> &str {
        self.body["event_action"].as_str().unwrap_or_default()
    }

    /// The key of the alert.
    pub fn dedup_key(&self) -> &str {
        self.body["dedup_key"].as_str().unwrap_or_default()
    }

    /// The line that a person is paged with.
    pub fn summary(&self) -> &str {
        self.field("summary")
    }

    /// A text of the payload; empty if there is none.
    pub fn field(&self, name: &str) -> &str {
        self.body["payload"][name].as_str().unwrap_or_default()
    }

    /// A text of the details; empty if there is none.
    pub fn detail(&self, name: &str) -> &str {
        self.body["payload"]["custom_details"][name].as_str().unwrap_or_default()
    }
}

/// An event that was refused.
#[derive(Clone, Debug, PartialEq)]
pub struct PagerDutyRefusal {
    /// HTTP status.
    pub status: u16,
    /// What the answer says is wrong.
    pub errors: Vec<String>,
}
