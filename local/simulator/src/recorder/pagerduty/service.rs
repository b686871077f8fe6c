//! A service of PagerDuty: its key, its alerts, and what becomes of an event.

use serde_json::Value;

/// The integration key of the service that each simulated account has at the start: `events/local.json` has it.
pub const SAMPLE_ROUTING_KEY: &str = "simulated0routing0key0not0secret";

/// Whether a service makes incidents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ServiceState {
    Active,
    /// Events are accepted, and nothing comes of them.
    Disabled,
    /// Triggers open no alert, and a resolve closes none.
    Maintenance,
}

#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) name: String,
    pub(super) routing_key: String,
    pub(super) state: ServiceState,
    pub(super) alerts: Vec<PagerDutyAlert>,
}

/// An alert of a service, with an incident of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct PagerDutyAlert {
    /// The service.
    pub service: String,
    /// Its key.
    pub dedup_key: String,
    /// The summary of its last trigger.
    pub summary: String,
    /// The severity of its last trigger.
    pub severity: String,
    /// How many triggers it has had.
    pub triggers: usize,
    /// Whether it is open.
    pub is_open: bool,
}

/// What came of an event.
pub(super) struct Effect {
    pub(super) paged: bool,
    pub(super) effective: bool,
}

impl Service {
    pub(super) fn new(name: &str) -> Self {
        let routing_key = routing_key();
        let alerts = Vec::new();
        Self { name: name.to_owned(), routing_key, state: ServiceState::Active, alerts }
    }

    pub(super) fn apply(&mut self, event: &Value) -> Effect {
        let none = Effect { paged: false, effective: false };
        if self.state != ServiceState::Active {
            return none;
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let key = text(&event["dedup_key"]);
        let open = self.alerts.iter_mut().find(|alert| alert.is_open && alert.dedup_key == key);
        let summary = text(&event["payload"]["summary"]);
        let severity = text(&event["payload"]["severity"]);
        match (event["event_action"].as_str(), open) {
            (Some("trigger"), Some(alert)) => {
                alert.summary = summary;
                alert.severity = severity;
                alert.triggers += 1;
                Effect { paged: false, effective: true }
            }
            (Some("trigger"), None) => {
                let service = self.name.clone();
                self.alerts.push(PagerDutyAlert {
                    service,
                    dedup_key: key,
                    summary,
                    severity,
                    triggers: 1,
                    is_open: true,
                });
                Effect { paged: true, effective: true }
            }
            (Some("resolve"), Some(alert)) => {
                alert.is_open = false;
                Effect { paged: false, effective: true }
            }
            (Some("acknowledge"), Some(_)) => Effect { paged: false, effective: true },
            _ => none,
        }
    }
}

/// A new key: 32 letters and digits.
fn routing_key() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_the_form_of_pagerdutys() {
        let key = routing_key();
        assert!(key.len() == 32 && key.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{key}");
        assert_ne!(key, routing_key());
    }
}
