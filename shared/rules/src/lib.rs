#![doc = include_str!("../README.md")]

mod comment;
mod conditions;
mod error;
mod facts;
mod family;
mod file;
mod glob;
mod loaded;
mod matching;
pub mod message;
mod problem;
mod rule;
mod rules;
mod schedule;
#[cfg(feature = "schema")]
pub mod schema;
pub mod settings;
mod window;
mod workflow;

pub use conditions::{Mismatch, Missing};
pub use error::{Error, Problem};
pub use facts::{Fact, Facts, Lookup};
pub use family::FAMILIES;
pub use file::Position;
pub use loaded::{LoadedRules, Unusable};
pub use matching::{Explanation, Matched, MissingFact};
pub use rule::Site;
pub use rules::{Action, Rules, read_file};
pub use schedule::Schedule;
pub use workflow::{Described, Invalid, KnownWorkflow, TargetSettings, WorkflowSettings};
