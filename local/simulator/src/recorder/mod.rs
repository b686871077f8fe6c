//! Destinations that record what they receive.

mod any;
mod log;
mod slack;

pub use any::{RecordedRequest, Recorder};
pub use log::TimedOut;
pub use slack::{
    DEFAULT_CHANNEL, SAMPLE_BOT_TOKEN, SlackCall, SlackFault, SlackMessage, SlackRefusal, SlackSimulator,
    render,
};
