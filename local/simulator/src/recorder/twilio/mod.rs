//! The Twilio simulator: an account that sends texts, which checks requests as Twilio does.

mod admin_api;
mod answer;
mod message;
mod request;
mod segments;
mod serve;
mod simulator;
mod state;

pub use message::{TwilioMessage, TwilioRefusal, TwilioRequest};
pub use simulator::{SAMPLE_ACCOUNT, SAMPLE_SENDER, SAMPLE_SERVICE, TwilioSimulator};
pub use state::TwilioFault;
