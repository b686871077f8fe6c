//! Behaviour that every store backend has.

use crate::documents::Names;
use crate::{at, key, put, stored, text};
use std::sync::Arc;
use store::{Documents, Put, Store, TEXT_LIMIT_BYTES, Version};

pub(crate) async fn run<S: Store + 'static>(store: S) {
    let store = Arc::new(store);
    what_is_written_is_read(&*store).await;
    a_version_is_written_once_and_who_is_late_gets_the_current_document(&*store).await;
    what_dynamodb_would_refuse_is_refused_by_every_form(&*store).await;
    let plain: Arc<dyn Store> = store;
    no_change_is_lost_when_many_change_one_document(Documents::new(plain)).await;
}

async fn what_is_written_is_read(store: &dyn Store) {
    let key = key();
    assert_eq!(store.get(&key).await.unwrap(), None);
    let mut version = Version::ABSENT;
    for n in 0..3 {
        let write = text(&format!(r#"{{"text":"ü\n{n}"}}"#));
        let next = put(store, &key, version, &write).await;
        assert!(next > version);
        version = next;
        assert_eq!(store.get(&key).await.unwrap(), Some(stored(version, &write.text)));
    }
}

async fn a_version_is_written_once_and_who_is_late_gets_the_current_document(store: &dyn Store) {
    let key = key();
    let one = put(store, &key, Version::ABSENT, &text("one")).await;
    let late = store.put(&key, Version::ABSENT, &text("two")).await.unwrap();
    assert_eq!(late, Put::Conflict(Some(stored(one, "one"))));
    let two = put(store, &key, one, &text("two")).await;
    assert_eq!(store.put(&key, one, &text("three")).await.unwrap(), Put::Conflict(Some(stored(two, "two"))));
    assert_eq!(store.put(&self::key(), two, &text("three")).await.unwrap(), Put::Conflict(None));
    assert_eq!(store.get(&key).await.unwrap(), Some(stored(two, "two")));
}

async fn what_dynamodb_would_refuse_is_refused_by_every_form(store: &dyn Store) {
    let key = key();
    put(store, &key, Version::ABSENT, &text(&"x".repeat(TEXT_LIMIT_BYTES))).await;
    let write = text(&"x".repeat(TEXT_LIMIT_BYTES + 1));
    let reason = store.put(&self::key(), Version::ABSENT, &write).await.unwrap_err().to_string();
    assert!(reason.contains("bytes") && !reason.contains("xx"), "{reason}");
}

async fn no_change_is_lost_when_many_change_one_document(documents: Documents) {
    let key = key();
    let name = key.as_str().split_once('#').unwrap().1.to_owned();
    let tasks: Vec<_> = (0..12)
        .map(|n| {
            let name = name.clone();
            let documents = documents.clone();
            tokio::spawn(async move {
                let add = |names: &mut Names| names.0.insert(format!("w-{n}"));
                match n % 2 {
                    0 => documents.change(&name, at(0), add).await.unwrap(),
                    _ => documents.create_or_change(&name, at(0), add).await.unwrap(),
                }
            })
        })
        .collect();
    for task in tasks {
        assert!(task.await.unwrap().1);
    }
    assert_eq!(documents.read::<Names>(&name).await.unwrap().0.len(), 12);
}
