#![doc = include_str!("../README.md")]

mod comment;
mod error;
mod file;
mod loaded;
mod problem;
mod rule;
mod rules;
mod schedule;
pub mod settings;
mod workflow;

pub use error::{Error, Problem};
pub use loaded::{LoadedRules, Unusable};
pub use rule::Site;
pub use rules::{Action, Rules};
pub use schedule::Schedule;
pub use workflow::{Invalid, KnownWorkflow, TargetSettings, WorkflowSettings};
