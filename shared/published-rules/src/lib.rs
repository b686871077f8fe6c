#![doc = include_str!("../README.md")]

mod history;
mod in_force;
mod published;
mod stack;
mod version;

pub use history::History;
pub use in_force::RulesInForce;
pub use published::{IN_FORCE_KEY, Publication, PublishError, PublishedRules, TEXT_LIMIT_BYTES};
pub use stack::Deployed;
pub use version::{InForce, Seen, Source, Version};
