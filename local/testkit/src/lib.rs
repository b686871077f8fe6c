#![doc = include_str!("../README.md")]
#![expect(clippy::expect_used, reason = "this crate is only used in tests")]

pub mod dynamodb;
pub mod fixtures;
pub mod foreign;
mod function;
pub mod repository;
mod request;
mod stage;

pub use local_aws;
pub use simulator;

pub use function::{Answer, Batch, Function};
pub use request::{Request, TOKEN};
pub use stage::Stage;
