#![doc = include_str!("../README.md")]

mod answer;
mod request;

pub use answer::Answer;
pub use request::{Request, RequestType, ResponseUrl};
