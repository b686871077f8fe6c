#![doc = include_str!("../README.md")]

mod address;
mod encoding;
mod hint;
mod pattern;
mod search;
mod secrets;

pub use address::{InvalidUrl, SecureUrl};
pub use secrets::{REDACTED, Secrets};
