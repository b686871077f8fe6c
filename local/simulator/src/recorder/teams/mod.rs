//! The Teams simulator: triggers of flows of Power Automate, and what the flows do with a request.

mod admin_api;
mod card;
mod flow;
mod post;
mod render;
mod schema;
mod serve;
mod shown;
mod simulator;
mod state;

pub use flow::SAMPLE_FLOW;
pub use post::{TeamsPost, TeamsRefusal, TeamsRunFailure};
pub use render::render_post;
pub use simulator::TeamsSimulator;
pub use state::TeamsFault;
