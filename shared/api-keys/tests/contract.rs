//! One test suite for keys in memory and in DynamoDB, on the AWS double and on the emulator at `AWS_CONTRACT_URL`, when set.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use api_keys::{Keys, NewKey, Permissions, Turn};
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use std::collections::BTreeSet;
use std::sync::Arc;
use store::records::{DynamoDbRecords, MemoryRecords, Records, Write};
use store::{Documents, DynamoDbStore, MemoryStore};
use tableau::ContentKind;
use testkit::TestEnvironment;
use testkit::dynamodb::{Emulator, client};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_796_000_000).unwrap() + SignedDuration::from_secs(second)
}

fn permissions() -> Permissions {
    Permissions {
        kinds: BTreeSet::from([ContentKind::Workbook]),
        projects: vec![rules::PathPattern::parse(r"Finance/Q1\/Q2/**").unwrap()],
        luids: BTreeSet::from(["4cdd2055-930d-4eaf-94f4-733f3e7d1bfb".to_owned()]),
        events: true,
    }
}

async fn create(keys: &Keys, caller: &str, rate: u32, second: i64) -> NewKey {
    keys.create(caller, permissions(), rate, at(second)).await.unwrap()
}

async fn run(records: Arc<dyn Records>, documents: Documents) {
    let keys = Keys::new(Arc::clone(&records), documents);
    let nightly = create(&keys, "nightly load", 3, 0).await;
    let other = create(&keys, "other", 3, 1).await;

    // What is stored comes back, and the right key alone is accepted.
    let secret = nightly.secret.expose_secret();
    assert_eq!(keys.verify(secret, at(2)).await.unwrap(), Some(nightly.key.clone()));
    assert_eq!(keys.get(&nightly.key.id).await.unwrap(), Some(nightly.key.clone()));
    let (start, end) = secret.split_at(16);
    let (other_start, _) = other.secret.expose_secret().split_at(16);
    let cut = &secret[..secret.len() - 1];
    let last = if secret.ends_with('A') { 'B' } else { 'A' };
    for wrong in [
        "",
        "twk_",
        cut,
        &format!("{cut}{last}"),
        &format!("{other_start}{end}"),
        &format!("{start}{}", end.to_uppercase() + "x"),
        &format!("Bearer {secret}"),
        "twk_000000000000_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ] {
        assert_eq!(keys.verify(wrong, at(2)).await.unwrap(), None, "{wrong}");
    }

    // A list has the oldest first.
    let listed = keys.list().await.unwrap();
    let position = |id: &str| listed.iter().position(|key| key.id == id).unwrap();
    assert!(position(&nightly.key.id) < position(&other.key.id));

    // Each key has a rate of its own.
    for _ in 0..3 {
        assert_eq!(keys.take(&nightly.key, at(10)).await.unwrap(), Turn::Granted);
    }
    assert_eq!(keys.take(&nightly.key, at(10)).await.unwrap(), Turn::TooMany { retry_after_seconds: 20 });
    assert_eq!(keys.take(&other.key, at(10)).await.unwrap(), Turn::Granted);
    assert_eq!(keys.take(&nightly.key, at(30)).await.unwrap(), Turn::Granted);

    // A revoked key is refused at once, and stays revoked at the first time.
    let revoked = keys.revoke(&nightly.key.id, at(40)).await.unwrap().unwrap();
    assert_eq!(revoked.revoked_at, Some(at(40)));
    assert_eq!(keys.revoke(&nightly.key.id, at(50)).await.unwrap().unwrap().revoked_at, Some(at(40)));
    assert_eq!(keys.verify(secret, at(40)).await.unwrap(), None);
    assert!(keys.verify(other.secret.expose_secret(), at(40)).await.unwrap().is_some());
    assert_eq!(keys.revoke("000000000000", at(40)).await.unwrap(), None);

    // A record that cannot be read is no key.
    let damaged = Write { text: "{}".to_owned(), expires_at: at(1_000_000), due: None, is_active: false };
    let key = store::records::Key { partition: "key#all".to_owned(), sort: other.key.id.clone() };
    let change = store::records::Change { key, expected: None, write: Some(damaged) };
    records.commit(&[change]).await.unwrap();
    assert_eq!(keys.verify(other.secret.expose_secret(), at(40)).await.unwrap(), None);

    // Nothing that is stored has the secret in it.
    for (_, record) in records.list("key#all").await.unwrap() {
        assert!(!record.text.contains(&secret[17..]));
    }
}

#[tokio::test]
async fn keys_in_memory_keep_the_contract() {
    run(Arc::new(MemoryRecords::default()), Documents::new(Arc::new(MemoryStore::default()))).await;
}

#[tokio::test]
async fn keys_in_dynamodb_on_the_double_keep_the_contract() {
    let environment = TestEnvironment::with_rules("rules: []\n").await;
    let client = client(&environment.aws);
    let records = DynamoDbRecords::new(client.clone(), "deliveries", "refresh-extract");
    run(Arc::new(records), Documents::new(Arc::new(DynamoDbStore::new(client, "deliveries")))).await;
}

#[tokio::test]
async fn keys_in_dynamodb_on_the_emulator_keep_the_contract() {
    let Some(emulator) = Emulator::with_table("keys").await else { return };
    let client = client(&emulator.url);
    let records = DynamoDbRecords::new(client.clone(), &emulator.table, "refresh-extract");
    run(Arc::new(records), Documents::new(Arc::new(DynamoDbStore::new(client, &emulator.table)))).await;
    emulator.delete_table().await;
}

#[tokio::test]
async fn many_requests_at_the_same_time_get_as_many_turns_as_the_rate_allows() {
    let environment = TestEnvironment::with_rules("rules: []\n").await;
    let client = client(&environment.aws);
    let records = DynamoDbRecords::new(client.clone(), "deliveries", "refresh-extract");
    let documents = Documents::new(Arc::new(DynamoDbStore::new(client, "deliveries")));
    let keys = Keys::new(Arc::new(records), documents);
    let key = create(&keys, "burst", 10, 0).await.key;
    let mut turns = tokio::task::JoinSet::new();
    for _ in 0..25 {
        let keys = keys.clone();
        let key = key.clone();
        turns.spawn(async move { keys.take(&key, at(0)).await });
    }
    let granted = turns.join_all().await.into_iter().filter(|turn| matches!(turn, Ok(Turn::Granted))).count();
    assert_eq!(granted, 10);
}
