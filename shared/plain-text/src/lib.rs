#![doc = include_str!("../README.md")]

mod invisible;
mod secrets;

pub use invisible::{is_blank, is_invisible, one_line, visible};
pub use secrets::{REMOVED, without_secrets};
