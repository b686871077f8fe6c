//! What every form of the store does.

use crate::documents::Names;
use crate::{at, due, key, put, stored, text};
use std::sync::Arc;
use store::{
    BulkStore, Conflict, Delete, Documents, Key, MOST_PUTS, Put, PutAll, Store, TEXT_LIMIT_BYTES, Version,
    Write,
};

pub(crate) async fn run<S: BulkStore + 'static>(store: S) {
    let store = Arc::new(store);
    what_is_written_is_read(&*store).await;
    a_version_is_written_once_and_who_is_late_gets_the_current_document(&*store).await;
    documents_are_read_together_in_the_order_of_their_keys(&*store).await;
    documents_are_written_together_or_not_at_all(&*store).await;
    a_document_is_deleted_in_the_version_that_is_expected(&*store).await;
    what_is_due_is_found_by_scope_the_earliest_first(&*store).await;
    what_dynamodb_would_refuse_is_refused_by_every_form(&*store).await;
    let plain: Arc<dyn Store> = store;
    no_change_is_lost_when_many_change_one_document(Documents::new(plain)).await;
}

async fn what_is_written_is_read(store: &dyn BulkStore) {
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

async fn a_version_is_written_once_and_who_is_late_gets_the_current_document(store: &dyn BulkStore) {
    let key = key();
    let one = put(store, &key, Version::ABSENT, &text("one")).await;
    let late = store.put(&key, Version::ABSENT, &text("two")).await.unwrap();
    assert_eq!(late, Put::Conflict(Some(stored(one, "one"))));
    let two = put(store, &key, one, &text("two")).await;
    assert_eq!(store.put(&key, one, &text("three")).await.unwrap(), Put::Conflict(Some(stored(two, "two"))));
    assert_eq!(store.put(&self::key(), two, &text("three")).await.unwrap(), Put::Conflict(None));
    assert_eq!(store.get(&key).await.unwrap(), Some(stored(two, "two")));
}

async fn documents_are_read_together_in_the_order_of_their_keys(store: &dyn BulkStore) {
    let keys: Vec<Key> = (0..250).map(|_| key()).collect();
    let mut expected = vec![None; keys.len()];
    for n in [0, 1, 99, 100, 101, 249] {
        let version = put(store, &keys[n], Version::ABSENT, &text(&n.to_string())).await;
        expected[n] = Some(stored(version, &n.to_string()));
    }
    assert_eq!(store.get_many(&keys).await.unwrap(), expected);
    let twice = [keys[1].clone(), keys[2].clone(), keys[0].clone(), keys[1].clone()];
    let expected = [1, 2, 0, 1].map(|n| expected[n].clone());
    assert_eq!(store.get_many(&twice).await.unwrap(), expected);
    assert_eq!(store.get_many(&[]).await.unwrap(), []);
}

async fn documents_are_written_together_or_not_at_all(store: &dyn BulkStore) {
    let keys = [key(), key(), key()];
    let [a, b, c] = &keys;
    let one = put(store, b, Version::ABSENT, &text("b1")).await;
    let puts = |of_b: Version, n: u32| -> Vec<(Key, Version, Write)> {
        vec![
            (a.clone(), Version::ABSENT, text(&format!("a{n}"))),
            (b.clone(), of_b, text(&format!("b{n}"))),
            (c.clone(), Version::ABSENT, text(&format!("c{n}"))),
        ]
    };
    let conflict = store.put_all(&puts(Version::ABSENT, 2)).await.unwrap();
    let current = Conflict::Current(Some(stored(one, "b1")));
    assert_eq!(conflict, PutAll::Conflict(vec![Conflict::None, current, Conflict::None]));
    assert_eq!(store.get_many(&keys).await.unwrap(), [None, Some(stored(one, "b1")), None]);

    let PutAll::Written(versions) = store.put_all(&puts(one, 2)).await.unwrap() else { panic!("a conflict") };
    assert!(versions[1] > one);
    let written = [("a2", 0), ("b2", 1), ("c2", 2)].map(|(text, n)| Some(stored(versions[n], text)));
    assert_eq!(store.get_many(&keys).await.unwrap(), written);

    let gone = [(key(), one, text("d3")), (a.clone(), versions[0], text("a3"))];
    let conflict = store.put_all(&gone).await.unwrap();
    assert_eq!(conflict, PutAll::Conflict(vec![Conflict::Current(None), Conflict::None]));
    let single = store.put_all(&puts(one, 3)[1..2]).await.unwrap();
    assert_eq!(single, PutAll::Conflict(vec![Conflict::Current(Some(stored(versions[1], "b2")))]));
    assert_eq!(store.get_many(&keys).await.unwrap(), written);

    assert_eq!(store.put_all(&[]).await.unwrap(), PutAll::Written(Vec::new()));
    let most: Vec<_> = (0..MOST_PUTS).map(|_| (key(), Version::ABSENT, text("x"))).collect();
    assert!(matches!(store.put_all(&most).await.unwrap(), PutAll::Written(all) if all.len() == MOST_PUTS));
}

async fn a_document_is_deleted_in_the_version_that_is_expected(store: &dyn BulkStore) {
    let key = key();
    let one = put(store, &key, Version::ABSENT, &text("one")).await;
    let two = put(store, &key, one, &text("two")).await;
    assert_eq!(store.delete(&key, one).await.unwrap(), Delete::Conflict(stored(two, "two")));
    assert_eq!(store.delete(&key, Version::ABSENT).await.unwrap(), Delete::Conflict(stored(two, "two")));
    for _ in 0..2 {
        assert_eq!(store.delete(&key, two).await.unwrap(), Delete::Deleted);
        assert_eq!(store.get(&key).await.unwrap(), None);
    }
    put(store, &key, Version::ABSENT, &text("again")).await;
}

async fn what_is_due_is_found_by_scope_the_earliest_first(store: &dyn BulkStore) {
    let scope = format!("notify-slack {}", fastrand::u64(..));
    let keys: Vec<Key> = (0..6).map(|_| key()).collect();
    let mut versions = Vec::new();
    for (key, second) in keys.iter().zip([30, 10, 20, 50, 40, 5]) {
        versions.push(put(store, key, Version::ABSENT, &due(&scope, second)).await);
    }
    put(store, &key(), Version::ABSENT, &due("another", 1)).await;
    let found = |all: &[(usize, i64)]| -> Vec<_> {
        all.iter().map(|(n, second)| (keys[*n].clone(), at(*second))).collect()
    };
    let all = store.due(&scope, at(100), 100).await.unwrap();
    assert_eq!(all, found(&[(5, 5), (1, 10), (2, 20), (0, 30), (4, 40), (3, 50)]));
    assert_eq!(store.due(&scope, at(30), 100).await.unwrap(), found(&[(5, 5), (1, 10), (2, 20)]));
    assert_eq!(store.due(&scope, at(100), 2).await.unwrap(), found(&[(5, 5), (1, 10)]));
    assert_eq!(store.due(&scope, at(100), 0).await.unwrap(), []);

    // One that is not due any more, one that is due later, one that is gone.
    put(store, &keys[5], versions[5], &text("done")).await;
    put(store, &keys[1], versions[1], &due(&scope, 45)).await;
    store.delete(&keys[2], versions[2]).await.unwrap();
    let together =
        [(keys[0].clone(), versions[0], text("done")), (keys[4].clone(), versions[4], due(&scope, 60))];
    store.put_all(&together).await.unwrap();
    assert_eq!(store.due(&scope, at(100), 100).await.unwrap(), found(&[(1, 45), (3, 50), (4, 60)]));
}

async fn what_dynamodb_would_refuse_is_refused_by_every_form(store: &dyn BulkStore) {
    let key = key();
    put(store, &key, Version::ABSENT, &text(&"x".repeat(TEXT_LIMIT_BYTES))).await;
    for write in [text(&"x".repeat(TEXT_LIMIT_BYTES + 1)), due("", 1), due(&"x".repeat(2_049), 1)] {
        let reason = store.put(&self::key(), Version::ABSENT, &write).await.unwrap_err().to_string();
        assert!(reason.contains("bytes"), "{reason}");
        store.put_all(&[(self::key(), Version::ABSENT, write)]).await.unwrap_err();
    }
    let twice = [(key.clone(), Version::ABSENT, text("x")), (key.clone(), Version::ABSENT, text("y"))];
    let reason = store.put_all(&twice).await.unwrap_err().to_string();
    assert!(reason.ends_with("cannot be written twice at once"), "{reason}");
    let many: Vec<_> = (0..=MOST_PUTS).map(|_| (self::key(), Version::ABSENT, text("x"))).collect();
    store.put_all(&many).await.unwrap_err();
    assert_eq!(store.get(&many[0].0).await.unwrap(), None);
}

async fn no_change_is_lost_when_many_change_one_document(documents: Documents) {
    let key = key();
    let name = key.as_str().split_once('#').unwrap().1.to_owned();
    let tasks: Vec<_> = (0..12)
        .map(|n| {
            let (name, documents) = (name.clone(), documents.clone());
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
