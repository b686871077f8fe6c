#![doc = include_str!("../README.md")]

mod dynamodb;

pub use dynamodb::DynamoDbSessionStore;

use std::sync::Arc;
use tableau_client::{MemorySessionStore, SessionStore};

/// The store for a function that has this table, shared by all that have it; in memory for one that has none.
pub fn sessions(table: Option<(aws_sdk_dynamodb::Client, String)>) -> Arc<dyn SessionStore> {
    match table {
        Some((client, name)) => Arc::new(DynamoDbSessionStore::new(client, name)),
        None => Arc::new(MemorySessionStore::default()),
    }
}
