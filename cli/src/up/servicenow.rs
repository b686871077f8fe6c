//! ServiceNow on the local stack: a simulated instance, and which of its incidents have changed.

use serde_json::{Value, json};
use simulator::{SAMPLE_SERVICENOW_USER, ServiceNowIncident, ServiceNowSimulator};
use std::collections::BTreeMap;

/// The ServiceNow secret.
pub(super) fn secret(servicenow: &ServiceNowSimulator) -> Value {
    let (user, password) = SAMPLE_SERVICENOW_USER;
    json!({ "instance": servicenow.url(), "user": user, "password": password })
}

/// The incidents of an instance, and what of them has been printed.
pub(super) struct Incidents {
    servicenow: ServiceNowSimulator,
    /// How many calls have been looked at.
    calls: usize,
    /// How often each incident, by its number, had been changed when it was printed.
    printed: BTreeMap<String, usize>,
}

impl Incidents {
    pub(super) fn of(servicenow: ServiceNowSimulator) -> Self {
        Self { servicenow, calls: 0, printed: BTreeMap::new() }
    }

    /// The incidents that have changed since the last time. Nothing is copied if there was no call.
    pub(super) fn changed(&mut self) -> Vec<ServiceNowIncident> {
        let calls = self.servicenow.calls_since(self.calls);
        self.calls += calls.len();
        if calls.is_empty() {
            return Vec::new();
        }
        let mut incidents = self.servicenow.incidents();
        incidents.retain(|incident| {
            self.printed.insert(incident.number().to_owned(), incident.changes) != Some(incident.changes)
        });
        incidents
    }
}
