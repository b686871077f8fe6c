#![doc = include_str!("../README.md")]
#![expect(clippy::expect_used, reason = "this crate is only used in tests")]

mod api_call;
pub mod dynamodb;
mod environment;
pub mod fixtures;
pub mod foreign;
mod function;
mod over_time;
pub mod repository;
mod request;

pub use local_aws;
pub use simulator;

pub use api_call::ApiCall;
pub use environment::TestEnvironment;
pub use function::{Answer, Batch, Function};
pub use over_time::quiet_until_soon;
pub use request::{Request, TOKEN};
