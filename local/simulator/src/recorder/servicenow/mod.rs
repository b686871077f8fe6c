//! The ServiceNow simulator: the Table API for incidents, with its data policies and rights, and OAuth tokens.

mod admin_api;
mod columns;
mod incident;
mod instance;
mod query;
mod render;
mod serve;
mod shown;
mod simulator;
mod state;
mod tokens;
mod write;

pub use incident::{JournalEntry, ServiceNowIncident};
pub use render::render_incident;
pub use simulator::ServiceNowSimulator;
pub use state::{ServiceNowCall, ServiceNowFault};

/// User name and password of the account that every simulator starts with. Only valid on loopback.
pub const SAMPLE_SERVICENOW_USER: (&str, &str) = ("tableau.integration", "servicenow-simulated-not-a-secret");
