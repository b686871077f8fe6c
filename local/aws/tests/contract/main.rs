//! One contract suite of calls through the real AWS clients. It runs on this crate's services, and also on the
//! emulator whose URL is in `AWS_CONTRACT_URL`. So the double is compared with an independent implementation, and both
//! with what AWS documents. Where the emulator differs from AWS, the test says so and skips that check.

#![expect(clippy::unwrap_used, reason = "helpers of tests are not known for such")]

mod backend;
mod cloud_formation;
mod conditions;
mod dynamodb;
mod event_bridge;
mod faults;
mod keys;
mod scheduler;
#[path = "../sdk/mod.rs"]
mod sdk;
mod secrets_manager;
mod ses;
mod sqs;
mod together;

use aws_sdk_sqs::error::{DisplayErrorContext, ProvideErrorMetadata};

/// The code and the message of an error.
fn refusal<E>(error: E) -> (String, String)
where
    E: ProvideErrorMetadata + std::error::Error,
{
    match error.code() {
        Some(code) => (code.to_owned(), error.message().unwrap_or_default().to_owned()),
        None => panic!("not an answer of the service: {}", DisplayErrorContext(&error)),
    }
}

/// The code of an error.
fn code<E>(error: E) -> String
where
    E: ProvideErrorMetadata + std::error::Error,
{
    refusal(error).0
}
