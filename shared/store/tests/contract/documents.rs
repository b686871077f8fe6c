//! Typed documents: how they are read, created and changed, and with how many requests.

use crate::dynamodb::Backend;
use crate::{at, key, put, text};
use local_aws::Fault;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::{Document, Documents, Error, Expect, Key, MemoryStore, Store, Version};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Names(pub(crate) BTreeSet<String>);

impl Document for Names {
    const KIND: &'static str = "board";
}

fn add(name: &str) -> impl FnMut(&mut Names) -> usize {
    move |names| {
        names.0.insert(name.to_owned());
        names.0.len()
    }
}

fn documents(backend: &Backend) -> Documents {
    Documents::new(Arc::new(backend.store.clone()))
}

/// The reads and writes since the last call.
struct Counted<'a>(&'a Backend, [usize; 2]);

impl Counted<'_> {
    fn since(&mut self) -> [usize; 2] {
        let now = ["GetItem", "UpdateItem"].map(|operation| self.0.requests(operation));
        let before = std::mem::replace(&mut self.1, now);
        [now[0] - before[0], now[1] - before[1]]
    }
}

#[tokio::test]
async fn a_new_document_costs_one_request_a_change_two_and_a_conflict_one_more() {
    let backend = Backend::start().await;
    let documents = documents(&backend);
    let mut requests = Counted(&backend, [0; 2]);

    let created = documents.create_or_change("a", at(0), add("one")).await.unwrap();
    assert_eq!((created.1, requests.since()), (1, [0, 1]), "new, as expected");
    let changed = documents.change("a", at(0), add("two")).await.unwrap();
    assert_eq!((changed.1, requests.since()), (2, [1, 1]), "a change");
    let changed = documents.create_or_change("a", at(0), add("three")).await.unwrap();
    assert_eq!((changed.1, requests.since()), (3, [0, 2]), "not new");
    let changed = documents.change("a", at(0), add("three")).await.unwrap();
    assert_eq!((changed.1, requests.since()), (3, [1, 0]), "nothing to change");
    let unchanged = documents.create_or_change("a", at(0), |names: &mut Names| names.0.len()).await.unwrap();
    assert_eq!((unchanged.1, requests.since()), (3, [1, 0]), "nothing to change in what was expected");

    let seen = documents.read_versioned::<Names>("a").await.unwrap();
    requests.since();
    let stale = Expect::Seen(seen.clone());
    let (newest, _) = documents.change_from("a", at(0), Expect::Seen(seen), add("four")).await.unwrap();
    assert_eq!((newest.document.0.len(), requests.since()), (4, [0, 1]), "seen before");
    let (newest, _) = documents.change_from("a", at(0), stale, add("five")).await.unwrap();
    assert_eq!((newest.document.0.len(), requests.since()), (5, [0, 2]), "changed since it was seen");
}

#[tokio::test]
async fn what_is_assumed_of_a_document_never_decides_that_nothing_changes() {
    let documents = Documents::new(Arc::new(MemoryStore::default()));
    let empty = documents.read_versioned::<Names>("a").await.unwrap();
    documents.change("a", at(0), add("one")).await.unwrap();
    let has_one = |names: &mut Names| names.0.contains("one");
    for expect in [Expect::New, Expect::Seen(empty), Expect::Unknown] {
        assert!(documents.change_from("a", at(0), expect, has_one).await.unwrap().1);
    }
}

#[tokio::test]
async fn a_document_expires_so_many_days_after_its_last_change() {
    let backend = Backend::start().await;
    documents(&backend).change("notify-slack#c", at(0), add("one")).await.unwrap();
    let item = backend.item(&Key::new("board", "notify-slack#c").unwrap()).unwrap();
    assert_eq!(item["expires_at"]["N"], (at(0).as_second() + 30 * 24 * 60 * 60).to_string());
}

#[tokio::test]
async fn a_document_that_cannot_be_read_begins_anew() {
    let store = Arc::new(MemoryStore::default());
    let documents = Documents::new(Arc::<MemoryStore>::clone(&store));
    for damaged in ["of another form", "", "null", "{}", "[1]", "[\"one\""] {
        let key = key();
        let name = key.as_str().split_once('#').unwrap().1;
        put(&*store, &key, Version::ABSENT, &text(damaged)).await;
        assert_eq!(documents.read::<Names>(name).await.unwrap(), Names::default(), "{damaged}");
        assert_eq!(documents.change(name, at(0), add("one")).await.unwrap().1, 1, "{damaged}");
        let read = store.get(&key).await.unwrap().unwrap();
        assert_eq!(read.text, r#"["one"]"#);
        assert!(read.version > Version::ABSENT);
    }
}

#[tokio::test]
async fn a_table_that_fails_is_an_error_that_passes() {
    let backend = Backend::start().await;
    backend.aws.fail_next("DynamoDB.GetItem", 3, Fault::Throttled);
    let error = documents(&backend).read::<Names>("c").await.unwrap_err();
    assert!(matches!(error, Error::Store(_)), "{error:?}");
    assert!(matches!(error.into(), workflow::Failure::Transient { .. }));
    let error = documents(&backend).read::<Names>("").await.unwrap_err();
    assert!(matches!(error, Error::Key(_)), "{error:?}");
}

/// A document that other writers change between any two of our requests.
struct Contended(MemoryStore);

#[async_trait::async_trait]
impl Store for Contended {
    async fn get(&self, key: &Key) -> Result<Option<store::Stored>, workflow::BoxError> {
        self.0.get(key).await
    }

    async fn put(
        &self,
        key: &Key,
        expected: Version,
        write: &store::Write,
    ) -> Result<store::Put, workflow::BoxError> {
        let newest = self.0.get(key).await?.map_or(Version::ABSENT, |stored| stored.version);
        self.0.put(key, newest, &text("[]")).await?;
        self.0.put(key, expected, write).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_that_never_wins_is_given_up_after_a_bounded_time() {
    let documents = Documents::new(Arc::new(Contended(MemoryStore::default())));
    let mut runs = 0;
    let started = tokio::time::Instant::now();
    let change = |names: &mut Names| {
        runs += 1;
        names.0.insert("one".to_owned());
    };
    let error = documents.change("a", at(0), change).await.unwrap_err();
    assert!(matches!(&error, Error::Contended(key) if key == "board#a"), "{error:?}");
    assert!((10..=100).contains(&runs), "{runs}");
    assert!(started.elapsed() < std::time::Duration::from_secs(10));
}
