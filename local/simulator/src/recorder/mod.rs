//! Destinations that record what they receive.

mod any;
mod log;
mod servicenow;
mod slack;
mod teams;

pub use any::{RecordedRequest, Recorder};
pub use log::TimedOut;
pub use servicenow::{
    JournalEntry, SAMPLE_SERVICENOW_USER, ServiceNowCall, ServiceNowFault, ServiceNowIncident,
    ServiceNowSimulator, render_incident,
};
pub use slack::{
    DEFAULT_CHANNEL, SAMPLE_BOT_TOKEN, SlackCall, SlackFault, SlackMessage, SlackRefusal, SlackSimulator,
    render,
};
pub use teams::{
    SAMPLE_FLOW, TeamsFault, TeamsPost, TeamsRefusal, TeamsRunFailure, TeamsSimulator, render_post,
};
