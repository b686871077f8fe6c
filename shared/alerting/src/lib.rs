#![doc = include_str!("../README.md")]

pub mod group;
pub mod incident;
pub mod lease;
mod plan;
mod schedule;
mod time;

pub use plan::{
    Decision, DigestState, Operation, REMINDER, Situation, Suppression, digest_group, is_reminder_due, plan,
};
pub use schedule::{Capabilities, Schedule};
