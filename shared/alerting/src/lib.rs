#![doc = include_str!("../README.md")]

mod capabilities;
pub mod context;
pub mod digest;
mod engine;
pub mod group;
pub mod impact;
pub mod incident;
pub mod lease;
pub mod notification;
pub mod notifier;
mod plan;
mod routing;
mod time;

pub use capabilities::Capabilities;
pub use engine::{Engine, SharedStatus, TimerSubject};
pub use incident::REMINDER;
pub use plan::{
    Decision, DigestState, Operation, Situation, Suppression, digest_group, is_reminder_due, plan,
};
pub use routing::RulesRouting;
pub use rules::Schedule;
