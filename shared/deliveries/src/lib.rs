#![doc = include_str!("../README.md")]

mod content;
mod message;

pub use content::{Content, Unreadable};
pub use message::of_message;

/// The `source` of our events on the event bus.
pub const SOURCE: &str = "tableau.webhooks";

/// The `detail-type` of a body that cannot be read. The rule of every workflow takes it.
pub const UNREADABLE: &str = "Unreadable";
