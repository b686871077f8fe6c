//! Destinations that record what they receive.

mod any;
mod log;
mod receiver;
mod slack;
mod teams;

pub use any::{RecordedRequest, Recorder};
pub use log::TimedOut;
pub use receiver::{RECEIVER_NAME, Received, ReceiverFault, ReceiverSimulator};
pub use slack::{
    DEFAULT_CHANNEL, SAMPLE_BOT_TOKEN, SlackCall, SlackFault, SlackMessage, SlackRefusal, SlackSimulator,
    render,
};
pub use teams::{
    SAMPLE_FLOW, TeamsFault, TeamsPost, TeamsRefusal, TeamsRunFailure, TeamsSimulator, render_post,
};
