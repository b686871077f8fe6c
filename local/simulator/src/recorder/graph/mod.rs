//! The Graph simulator: tokens of an application, document libraries, and upload sessions as SharePoint has them.

mod drive;
mod id;
mod refusal;
mod serve;
mod simulator;
mod state;
mod upload;

pub use drive::GraphFile;
pub use simulator::GraphSimulator;
pub use state::{GraphCall, GraphFault};
