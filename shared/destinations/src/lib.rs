#![doc = include_str!("../README.md")]

mod error;
mod http;
pub mod servicenow;
pub mod slack;
pub mod teams;

pub use error::{Error, Refusal, Refused};
