//! Destinations that record what they receive.

mod any;
mod graph;
mod log;
mod pagerduty;
mod receiver;
mod servicenow;
mod slack;
mod teams;
mod twilio;

pub use any::{RecordedRequest, Recorder};
pub use graph::{GraphCall, GraphFault, GraphFile, GraphSimulator};
pub use log::TimedOut;
pub use pagerduty::{
    PagerDutyAlert, PagerDutyEvent, PagerDutyFault, PagerDutyRefusal, PagerDutySimulator, SAMPLE_ROUTING_KEY,
    render_page,
};
pub use receiver::{RECEIVER_NAME, Received, ReceiverFault, ReceiverSimulator};
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
pub use twilio::{
    SAMPLE_ACCOUNT, SAMPLE_SENDER, SAMPLE_SERVICE, TwilioFault, TwilioMessage, TwilioRefusal, TwilioRequest,
    TwilioSimulator,
};
