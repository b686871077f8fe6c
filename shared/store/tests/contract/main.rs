//! One test suite for every store: memory, DynamoDB on the AWS double, and DynamoDB on the emulator at
//! `AWS_CONTRACT_URL`, when set. Some tests are for DynamoDB only: lost answers, damaged items, counted requests.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests")]

mod documents;
mod dynamodb;
mod records;
mod records_dynamodb;
mod suite;

use jiff::{SignedDuration, Timestamp};
use store::records::{DynamoDbRecords, MemoryRecords};
use store::{DynamoDbStore, Key, MemoryStore, Put, Store, Stored, Version, Write};
use testkit::dynamodb::{Emulator, client};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_764_000_000).unwrap() + SignedDuration::from_secs(second)
}

/// A key that no other test uses, with characters that channel names may contain.
fn key() -> Key {
    Key::new("board", &format!("notify-slack#data ü#{}", fastrand::u64(..))).unwrap()
}

fn text(text: &str) -> Write {
    Write { text: text.to_owned(), expires_at: at(86_400) }
}

fn stored(version: Version, text: &str) -> Stored {
    Stored { version, text: text.to_owned() }
}

/// Writes a document that must not exist in another version.
async fn put(store: &dyn Store, key: &Key, expected: Version, write: &Write) -> Version {
    match store.put(key, expected, write).await.unwrap() {
        Put::Written(version) => version,
        Put::Conflict(current) => panic!("{key} is at {current:?}"),
    }
}

#[tokio::test]
async fn memory_keeps_the_contract() {
    suite::run(MemoryStore::default()).await;
    records::run(MemoryRecords::default()).await;
}

#[tokio::test]
async fn dynamodb_on_the_double_keeps_the_contract() {
    suite::run(dynamodb::Backend::start().await.store).await;
    records::run(records_dynamodb::Backend::start().await.records).await;
}

#[tokio::test]
async fn dynamodb_on_the_emulator_keeps_the_contract() {
    let Some(emulator) = Emulator::with_table("documents").await else { return };
    suite::run(DynamoDbStore::new(client(&emulator.url), &emulator.table)).await;
    records::run(DynamoDbRecords::new(client(&emulator.url), &emulator.table, "notify-slack")).await;
    emulator.delete_table().await;
}
