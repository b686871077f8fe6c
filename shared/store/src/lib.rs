#![doc = include_str!("../README.md")]

mod documents;
mod dynamodb;
mod error;
mod form;
mod key;
mod memory;

pub use documents::{Document, Documents, Expect, Versioned};
pub use dynamodb::DynamoDbStore;
pub use error::Error;
pub use form::{
    BulkStore, Conflict, Delete, Due, MOST_PUTS, Put, PutAll, Store, Stored, TEXT_LIMIT_BYTES, Version, Write,
};
pub use key::{InvalidKey, Key};
pub use memory::MemoryStore;

use std::sync::Arc;

/// Documents in the stack's table; in the process where there is none, as in inline mode.
pub fn documents(table: Option<(aws_sdk_dynamodb::Client, String)>) -> Documents {
    match table {
        Some((client, name)) => Documents::new(Arc::new(DynamoDbStore::new(client, name))),
        None => Documents::new(Arc::new(MemoryStore::default())),
    }
}
