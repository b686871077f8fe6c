#![doc = include_str!("../README.md")]

mod burst;
mod digest;
mod documents;
mod dynamodb;
mod incident;
mod telling;

pub use burst::{Board, Burst, Member, Place, Recovery};
pub use digest::{Digest, Entry, Turn};
pub use documents::{Document, DocumentStore, Documents, Error, MemoryDocuments};
pub use dynamodb::DynamoDbDocuments;
pub use incident::{Change, Closed, How, Incident, Observation, Streak, Told};
pub use telling::{Holder, Lease, Message, Next};

use std::sync::Arc;

/// Documents in the stack's table; in the process where there is none, as in inline mode.
pub fn documents(table: Option<(aws_sdk_dynamodb::Client, String)>) -> Documents {
    match table {
        Some((client, name)) => Documents::new(Arc::new(DynamoDbDocuments::new(client, name))),
        None => Documents::new(Arc::new(MemoryDocuments::default())),
    }
}
