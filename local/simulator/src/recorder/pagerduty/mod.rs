//! The PagerDuty simulator: services, the Events API v2, and the alerts that events open and close.

mod admin_api;
mod check;
mod event;
mod render;
mod serve;
mod service;
mod simulator;
mod state;

pub use event::{PagerDutyEvent, PagerDutyRefusal};
pub use render::render_page;
pub use service::{PagerDutyAlert, SAMPLE_ROUTING_KEY};
pub use simulator::PagerDutySimulator;
pub use state::PagerDutyFault;
