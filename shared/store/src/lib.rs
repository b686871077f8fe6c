#![doc = include_str!("../README.md")]

mod documents;
mod dynamodb;
mod error;
mod form;
mod key;
mod memory;
pub mod records;

pub use documents::{Document, Documents, Expect, Versioned};
pub use dynamodb::DynamoDbStore;
pub use error::Error;
pub use form::{Put, Store, Stored, TEXT_LIMIT_BYTES, Version, Write};
pub use key::{InvalidKey, Key};
pub use memory::MemoryStore;

use records::{DynamoDbRecords, MemoryRecords, Records};
use std::sync::Arc;

/// Documents in the stack's table, or in memory if there is no table, as in inline mode.
pub fn documents(table: Option<(aws_sdk_dynamodb::Client, String)>) -> Documents {
    match table {
        Some((client, name)) => Documents::new(Arc::new(DynamoDbStore::new(client, name))),
        None => Documents::new(Arc::new(MemoryStore::default())),
    }
}

/// Records in the stack's table, or in memory if there is no table, as in inline mode. `scope` is the workflow whose
/// records [`Records::due`] finds.
pub fn records(
    table: Option<(aws_sdk_dynamodb::Client, String)>,
    scope: impl Into<String>,
) -> Arc<dyn Records> {
    match table {
        Some((client, name)) => Arc::new(DynamoDbRecords::new(client, name, scope)),
        None => Arc::new(MemoryRecords::default()),
    }
}
