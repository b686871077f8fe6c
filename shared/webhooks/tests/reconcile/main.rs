//! Runs against the Tableau simulator, with an ingress whose answers each test sets.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod alone;
mod interruptions;
mod outages;
mod registration;
mod removal;
mod scene;
mod tokens;

mod prelude {
    pub(crate) use jiff::Timestamp;
    pub(crate) use serde_json::json;
    pub(crate) use simulator::TableauSimulator;
    pub(crate) use std::sync::Arc;
    pub(crate) use std::time::Duration;
    pub(crate) use tableau::{DisabledWebhook, EventName, SiteLuid};
}
