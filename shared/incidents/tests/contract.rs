//! One suite for every form of `DocumentStore`: memory, DynamoDB on the double, and DynamoDB on the emulator at
//! `AWS_CONTRACT_URL`, when that is set.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use incidents::{
    Board, Digest, DocumentStore, Documents, DynamoDbDocuments, Entry, Error, MemoryDocuments, Turn,
};
use jiff::Timestamp;
use local_aws::{Aws, Fault};
use std::sync::Arc;
use testkit::dynamodb::{Emulator, client as dynamodb};

fn now() -> Timestamp {
    Timestamp::from_second(1_764_000_000).unwrap()
}

/// A key nobody else uses, with what names of channels may hold.
fn key() -> String {
    format!("notify-slack#data ü#{}", fastrand::u64(..))
}

async fn suite(store: Arc<dyn DocumentStore>) {
    what_is_written_is_read(&*store).await;
    a_version_is_written_once(&*store).await;
    no_change_is_lost_when_many_change_one_document(store).await;
}

async fn what_is_written_is_read(store: &dyn DocumentStore) {
    let key = key();
    assert_eq!(store.read(&key).await.unwrap(), (0, None));
    for version in 0..3 {
        let text = format!(r#"{{"text":"ü\n{version}"}}"#);
        assert!(store.write(&key, version, &text, now()).await.unwrap());
        assert_eq!(store.read(&key).await.unwrap(), (version + 1, Some(text)));
    }
}

async fn a_version_is_written_once(store: &dyn DocumentStore) {
    let key = key();
    assert!(store.write(&key, 0, "one", now()).await.unwrap());
    assert!(!store.write(&key, 0, "two", now()).await.unwrap());
    assert!(!store.write(&key, 2, "two", now()).await.unwrap());
    assert_eq!(store.read(&key).await.unwrap(), (1, Some("one".to_owned())));
}

async fn no_change_is_lost_when_many_change_one_document(store: Arc<dyn DocumentStore>) {
    let (key, documents) = (key(), Documents::new(store));
    let tasks: Vec<_> = (0..10)
        .map(|n| {
            let (key, documents) = (key.clone(), documents.clone());
            tokio::spawn(async move {
                let entry = Entry {
                    what: "Workbook published".to_owned(),
                    object: format!("w-{n}"),
                    name: format!("w-{n}"),
                    at: now(),
                    cause: None,
                    turn: Turn::None,
                    told: false,
                };
                let add = |digest: &mut Digest| digest.add(&format!("e-{n}"), entry.clone());
                documents.change(&key, now(), add).await.unwrap()
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(documents.read::<Digest>(&key).await.unwrap().entries.len(), 10);
}

#[tokio::test]
async fn memory_keeps_the_contract() {
    suite(Arc::new(MemoryDocuments::default())).await;
}

#[tokio::test]
async fn dynamodb_on_the_double_keeps_the_contract() {
    let aws = Aws::start().await.unwrap();
    aws.create_table("table", "pk");
    suite(Arc::new(DynamoDbDocuments::new(dynamodb(&aws), "table"))).await;
}

#[tokio::test]
async fn dynamodb_on_the_emulator_keeps_the_contract() {
    let Some(emulator) = Emulator::with_table("incidents").await else { return };
    suite(Arc::new(DynamoDbDocuments::new(dynamodb(&emulator.url), &emulator.table))).await;
    emulator.delete_table().await;
}

#[tokio::test]
async fn a_document_is_found_by_name_and_expires_and_one_that_cannot_be_read_begins_anew() {
    let aws = Aws::start().await.unwrap();
    aws.create_table("table", "pk");
    let store = Arc::new(DynamoDbDocuments::new(dynamodb(&aws), "table"));
    let documents = Documents::new(Arc::<DynamoDbDocuments>::clone(&store));
    assert!(store.write("board#notify-slack#c", 0, "of another form", now()).await.unwrap());

    let join = |board: &mut Board| board.join("e-1", None, now());
    let (_, (burst, first)) = documents.change::<Board, _>("notify-slack#c", now(), join).await.unwrap();

    assert_eq!((burst.as_str(), first), ("e-1", true));
    let item = &aws.items("table")[0];
    assert_eq!((&item["pk"]["S"], &item["version"]["N"]), (&"board#notify-slack#c".into(), &"2".into()));
    assert_eq!(item["expires_at"]["N"], (now().as_second() + 30 * 24 * 60 * 60).to_string());
}

#[tokio::test]
async fn a_table_that_fails_is_an_error_that_passes() {
    let aws = Aws::start().await.unwrap();
    aws.create_table("table", "pk");
    let documents = Documents::new(Arc::new(DynamoDbDocuments::new(dynamodb(&aws), "table")));
    aws.fail_next("DynamoDB.GetItem", 3, Fault::Throttled);
    let error = documents.read::<Board>("c").await.unwrap_err();
    assert!(matches!(error, Error::Store(_)), "{error:?}");
    assert!(matches!(error.into(), workflow::Failure::Transient { .. }));
}
