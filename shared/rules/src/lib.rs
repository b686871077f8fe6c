#![doc = include_str!("../README.md")]

mod address;
pub mod body;
mod comment;
mod conditions;
mod error;
mod facts;
mod family;
mod file;
mod glob;
mod hints;
mod lines;
mod loaded;
mod matched;
mod matching;
mod mentions;
pub mod message;
mod planned;
mod problem;
mod render;
mod rule;
mod rules;
mod schedule;
#[cfg(feature = "schema")]
pub mod schema;
mod secret;
pub mod settings;
mod syntax;
mod window;
mod workflow;

pub use address::Address;
pub use conditions::{Mismatch, Missing};
pub use error::{Error, Problem};
pub use facts::{Fact, Facts, Lookup};
pub use family::FAMILIES;
pub use file::Position;
pub use loaded::{LoadedRules, Unusable};
pub use matched::{Matched, MissingFact};
pub use matching::Explanation;
pub use mentions::Mentions;
pub use planned::{Planned, ShownFact};
pub use render::render;
pub use rule::{SUSPENDS_AFTER, Site};
pub use rules::{Action, Rules, read_file};
pub use schedule::Schedule;
pub use workflow::{Described, Invalid, KnownWorkflow, TargetSettings, WorkflowSettings};
