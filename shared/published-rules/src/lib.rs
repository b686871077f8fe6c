#![doc = include_str!("../README.md")]

mod in_force;
mod published;
mod version;

pub use in_force::RulesInForce;
pub use published::{PublishError, PublishedRules, TEXT_LIMIT_BYTES};
pub use version::{Source, Version};
