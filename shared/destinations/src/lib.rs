#![doc = include_str!("../README.md")]

mod error;
mod http;
pub mod slack;

pub use error::{Error, Refusal};
