//! The Slack simulator: incoming webhooks, `chat.postMessage`, `chat.update` and `users.lookupByEmail`.

mod admin_api;
mod blocks;
mod lookup_by_email;
mod message;
mod mrkdwn;
mod people;
mod recorder;
mod render;
mod serve;
mod state;
mod workspace;

pub use message::{SlackCall, SlackMessage, SlackRefusal};
pub use recorder::SlackSimulator;
pub use render::render;
pub use state::SlackFault;
pub use workspace::{DEFAULT_CHANNEL, SAMPLE_BOT_TOKEN};
