#![doc = include_str!("../README.md")]

mod error;
mod http;
pub mod pagerduty;
pub mod servicenow;
pub mod slack;
pub mod teams;
pub mod twilio;

pub use error::{Error, Refusal, Refused};
