//! Behaviour that every `Records` backend has.

use crate::at;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::TEXT_LIMIT_BYTES;
use store::records::{Change, Commit, Key, MOST_CHANGES, Marked, Record, Records, Write};

/// A partition that no other test uses.
pub(crate) fn partition(kind: &str) -> String {
    format!("{kind}#notify-slack#data ü#{}", fastrand::u64(..))
}

/// A record that no other test uses.
pub(crate) fn single() -> Key {
    Key::single(partition("board"))
}

pub(crate) fn member(partition: &str, n: usize) -> Key {
    Key { partition: partition.to_owned(), sort: format!("member#{n:04}") }
}

pub(crate) fn write(text: &str) -> Write {
    Write { text: text.to_owned(), expires_at: at(86_400), due: None, is_active: false }
}

pub(crate) fn change(key: &Key, expected: Option<u64>, write: Option<Write>) -> Change {
    Change { key: key.clone(), expected, write }
}

pub(crate) fn put(key: &Key, expected: u64, text: &str) -> Change {
    change(key, Some(expected), Some(write(text)))
}

pub(crate) fn overwrite(key: &Key, text: &str) -> Change {
    change(key, None, Some(write(text)))
}

pub(crate) fn check(key: &Key, expected: u64) -> Change {
    change(key, Some(expected), None)
}

pub(crate) fn record(version: u64, text: &str) -> Record {
    Record { version, text: text.to_owned(), mark: None }
}

pub(crate) async fn one(records: &dyn Records, key: &Key) -> Option<Record> {
    records.load(std::slice::from_ref(key)).await.unwrap().remove(0)
}

/// Makes changes that must succeed.
pub(crate) async fn commit(records: &dyn Records, changes: &[Change]) -> Vec<Option<u64>> {
    match records.commit(changes).await.unwrap() {
        Commit::Done(versions) => versions,
        Commit::Conflict(current) => panic!("in the way: {current:?}"),
    }
}

pub(crate) async fn run<R: Records + 'static>(records: R) {
    let records = Arc::new(records);
    a_record_is_read_as_it_was_written(&*records).await;
    records_are_read_in_the_order_of_their_keys(&*records).await;
    a_partition_is_listed_by_sort_key_over_all_pages(&*records).await;
    changes_are_made_together_or_not_at_all(&*records).await;
    a_check_that_fails_writes_nothing_and_one_that_holds_changes_nothing(&*records).await;
    a_write_without_a_condition_counts_the_version_and_keeps_the_mark(&*records).await;
    the_same_commit_sent_twice_conflicts_with_itself(&*records).await;
    a_mark_is_raised_unless_the_record_is_active(&*records).await;
    what_is_due_is_found_the_earliest_first(&*records).await;
    what_dynamodb_would_refuse_is_refused(&*records).await;
    of_concurrent_commits_one_wins(records).await;
}

async fn a_record_is_read_as_it_was_written(records: &dyn Records) {
    let key = single();
    assert_eq!(one(records, &key).await, None);
    for n in 0..3 {
        let text = format!(r#"{{"text":"ü\n{n}"}}"#);
        assert_eq!(commit(records, &[put(&key, n, &text)]).await, [Some(n + 1)]);
        assert_eq!(one(records, &key).await, Some(record(n + 1, &text)));
    }
    let late = records.commit(&[put(&key, 2, "late")]).await.unwrap();
    assert_eq!(late, Commit::Conflict(vec![(key.clone(), one(records, &key).await)]));
    let missing = single();
    let late = records.commit(&[put(&missing, 1, "late")]).await.unwrap();
    assert_eq!(late, Commit::Conflict(vec![(missing, None)]));
}

async fn records_are_read_in_the_order_of_their_keys(records: &dyn Records) {
    let partition = partition("group");
    let keys: Vec<Key> = (0..250).map(|n| member(&partition, n)).collect();
    let written = [0, 1, 99, 100, 101, 249];
    let changes: Vec<Change> = written.iter().map(|n| put(&keys[*n], 0, &n.to_string())).collect();
    commit(records, &changes).await;
    let found = records.load(&keys).await.unwrap();
    for (n, found) in found.iter().enumerate() {
        let expected = written.contains(&n).then(|| record(1, &n.to_string()));
        assert_eq!(*found, expected, "{n}");
    }
    let twice = [&keys[1], &keys[2], &keys[0], &keys[1]].map(Clone::clone);
    let expected = [Some(record(1, "1")), None, Some(record(1, "0")), Some(record(1, "1"))];
    assert_eq!(records.load(&twice).await.unwrap(), expected);
    assert_eq!(records.load(&[]).await.unwrap(), []);
}

async fn a_partition_is_listed_by_sort_key_over_all_pages(records: &dyn Records) {
    let partition = partition("group");
    assert_eq!(records.list(&partition).await.unwrap(), []);
    // More than 1 MB, which is DynamoDB's page size.
    let text = "x".repeat(150_000);
    let mut expected = BTreeMap::new();
    for n in [3, 0, 11, 7, 1, 9, 5, 2, 10, 4, 8, 6] {
        commit(records, &[put(&member(&partition, n), 0, &text)]).await;
        expected.insert(member(&partition, n).sort, record(1, &text));
    }
    let another = Key { partition: format!("{partition}0"), sort: "member#0001".to_owned() };
    commit(records, &[put(&another, 0, "another")]).await;
    let expected: Vec<_> = expected.into_iter().collect();
    assert_eq!(records.list(&partition).await.unwrap(), expected);

    // From the end, in pieces: each begins below the last key of the one before.
    let mut backwards = Vec::new();
    let mut before = "~".to_owned();
    loop {
        let page = records.newest(&partition, &before, 5).await.unwrap();
        assert!(page.len() <= 5, "{}", page.len());
        let Some((last, _)) = page.last() else { break };
        before.clone_from(last);
        backwards.extend(page);
    }
    backwards.reverse();
    assert_eq!(backwards, expected);
}

async fn changes_are_made_together_or_not_at_all(records: &dyn Records) {
    let [a, b, c] = [single(), single(), single()];
    commit(records, &[put(&b, 0, "b1")]).await;
    let changes =
        |of_b, n: u32| [put(&a, 0, &format!("a{n}")), put(&b, of_b, &format!("b{n}")), put(&c, 0, "c")];
    let conflict = records.commit(&changes(0, 2)).await.unwrap();
    assert_eq!(conflict, Commit::Conflict(vec![(b.clone(), Some(record(1, "b1")))]));
    let keys = [a.clone(), b.clone(), c.clone()];
    assert_eq!(records.load(&keys).await.unwrap(), [None, Some(record(1, "b1")), None]);
    assert_eq!(commit(records, &changes(1, 3)).await, [Some(1), Some(2), Some(1)]);
    let written = [record(1, "a3"), record(2, "b3"), record(1, "c")].map(Some);
    assert_eq!(records.load(&keys).await.unwrap(), written);

    assert_eq!(commit(records, &[]).await, []);
    let partition = partition("group");
    let most: Vec<Change> = (0..MOST_CHANGES).map(|n| put(&member(&partition, n), 0, "x")).collect();
    assert_eq!(commit(records, &most).await, vec![Some(1); MOST_CHANGES]);
    assert_eq!(records.list(&partition).await.unwrap().len(), MOST_CHANGES);
}

async fn a_check_that_fails_writes_nothing_and_one_that_holds_changes_nothing(records: &dyn Records) {
    let [checked, written, missing] = [single(), single(), single()];
    commit(records, &[put(&checked, 0, "one")]).await;
    let conflict = records.commit(&[check(&checked, 2), put(&written, 0, "x")]).await.unwrap();
    assert_eq!(conflict, Commit::Conflict(vec![(checked.clone(), Some(record(1, "one")))]));
    let conflict = records.commit(&[put(&written, 0, "x"), check(&checked, 0)]).await.unwrap();
    assert_eq!(conflict, Commit::Conflict(vec![(checked.clone(), Some(record(1, "one")))]));
    let conflict = records.commit(&[check(&missing, 1), overwrite(&written, "x")]).await.unwrap();
    assert_eq!(conflict, Commit::Conflict(vec![(missing.clone(), None)]));
    assert_eq!(one(records, &written).await, None);

    let changes = [check(&checked, 1), put(&written, 0, "x"), check(&missing, 0)];
    assert_eq!(commit(records, &changes).await, [Some(1), Some(1), Some(0)]);
    let after = records.load(&[checked.clone(), written, missing.clone()]).await.unwrap();
    assert_eq!(after, [Some(record(1, "one")), Some(record(1, "x")), None]);
    assert_eq!(commit(records, &[check(&checked, 1)]).await, [Some(1)]);
    assert!(matches!(records.commit(&[check(&checked, 7)]).await.unwrap(), Commit::Conflict(_)));
    assert_eq!(commit(records, &[change(&missing, None, None)]).await, [None]);
    assert_eq!(one(records, &missing).await, None);
}

async fn a_write_without_a_condition_counts_the_version_and_keeps_the_mark(records: &dyn Records) {
    let [a, b] = [single(), single()];
    assert_eq!(commit(records, &[overwrite(&a, "1")]).await, [None], "a new record");
    assert_eq!(records.raise_mark(&a, 5, at(0)).await.unwrap(), Marked::Done);
    let active = Write { is_active: true, ..write("active") };
    assert_eq!(commit(records, &[change(&a, Some(2), Some(active))]).await, [Some(3)]);
    assert_eq!(commit(records, &[overwrite(&a, "over an active one")]).await, [None]);
    let expected = Record { mark: Some(5), ..record(4, "over an active one") };
    assert_eq!(one(records, &a).await, Some(expected));
    assert_eq!(records.raise_mark(&a, 6, at(0)).await.unwrap(), Marked::Done, "it is not active any more");

    let versions = commit(records, &[overwrite(&a, "2"), put(&b, 0, "b"), overwrite(&single(), "new")]).await;
    assert_eq!(versions, [None, Some(1), None]);
    assert_eq!(one(records, &a).await, Some(Record { mark: Some(6), ..record(6, "2") }));
    assert_eq!(commit(records, &[put(&a, 6, "3")]).await, [Some(7)], "the version was counted");
}

async fn the_same_commit_sent_twice_conflicts_with_itself(records: &dyn Records) {
    let [a, b] = [single(), single()];
    for changes in [vec![put(&a, 0, "one")], vec![put(&a, 1, "two"), put(&b, 0, "two")]] {
        commit(records, &changes).await;
        let Commit::Conflict(current) = records.commit(&changes).await.unwrap() else { panic!("made twice") };
        assert_eq!(current.len(), changes.len());
    }
    assert_eq!(one(records, &a).await, Some(record(2, "two")));
}

async fn a_mark_is_raised_unless_the_record_is_active(records: &dyn Records) {
    let key = single();
    let marked = |version, mark| Some(Record { version, text: String::new(), mark: Some(mark) });
    for (mark, expected) in
        [(-7, marked(1, -7)), (10, marked(2, 10)), (9, marked(2, 10)), (10, marked(2, 10))]
    {
        assert_eq!(records.raise_mark(&key, mark, at(0)).await.unwrap(), Marked::Done, "{mark}");
        assert_eq!(one(records, &key).await, expected, "{mark}");
    }
    let late = records.commit(&[put(&key, 1, "late")]).await.unwrap();
    assert_eq!(late, Commit::Conflict(vec![(key.clone(), marked(2, 10))]), "a mark counts as a change");
    let active = Write { is_active: true, ..write("active") };
    commit(records, &[change(&key, Some(2), Some(active))]).await;
    let current = Record { mark: Some(10), ..record(3, "active") };
    for mark in [5, 10, 11] {
        let refused = records.raise_mark(&key, mark, at(0)).await.unwrap();
        assert_eq!(refused, Marked::Active(current.clone()), "{mark}");
    }
    assert_eq!(one(records, &key).await, Some(current));
    commit(records, &[put(&key, 3, "over")]).await;
    assert_eq!(records.raise_mark(&key, 11, at(0)).await.unwrap(), Marked::Done);
    assert_eq!(one(records, &key).await, Some(Record { mark: Some(11), ..record(5, "over") }));
}

async fn what_is_due_is_found_the_earliest_first(records: &dyn Records) {
    let due = |second| Write { due: Some(at(second)), ..write("due") };
    let partition = partition("group");
    let keys: Vec<Key> = (0..6).map(|n| member(&partition, n)).collect();
    let seconds = [30, 10, 20, 50, 40, 5];
    let changes: Vec<Change> =
        keys.iter().zip(seconds).map(|(key, second)| change(key, Some(0), Some(due(second)))).collect();
    commit(records, &changes).await;
    let found = |all: &[usize]| -> Vec<Key> { all.iter().map(|n| keys[*n].clone()).collect() };
    assert_eq!(records.due(at(100), 100).await.unwrap(), found(&[5, 1, 2, 0, 4, 3]));
    assert_eq!(records.due(at(30), 100).await.unwrap(), found(&[5, 1, 2]));
    assert_eq!(records.due(at(100), 2).await.unwrap(), found(&[5, 1]));
    assert_eq!(records.due(at(100), 0).await.unwrap(), []);

    // One record whose due time was removed, and two that are due later.
    commit(records, &[put(&keys[5], 1, "done")]).await;
    commit(records, &[change(&keys[1], None, Some(due(45)))]).await;
    commit(records, &[put(&keys[0], 1, "done"), change(&keys[4], Some(1), Some(due(60)))]).await;
    assert_eq!(records.due(at(100), 100).await.unwrap(), found(&[2, 1, 3, 4]));
}

async fn what_dynamodb_would_refuse_is_refused(records: &dyn Records) {
    let key = single();
    let longest = "x".repeat(TEXT_LIMIT_BYTES);
    commit(records, &[put(&key, 0, &longest)]).await;
    let new = single();
    let partition = partition("group");
    let members = |count, text: &str| -> Vec<Change> {
        (0..count).map(|n| put(&member(&partition, n), 0, text)).collect()
    };
    let sort = |sort: String| Key { sort, ..new.clone() };
    for (changes, expected) in [
        (members(MOST_CHANGES + 1, "x"), "101 records cannot be changed together: 100 is the most"),
        (vec![put(&new, 0, &format!("{longest}x"))], "has 390001 bytes: 390000 is the most"),
        (vec![put(&key, 1, "x"), check(&new, 0), overwrite(&key, "y")], "must not change the record"),
        (members(10, &longest), "3900000 bytes cannot be written together: 3700000 is the most"),
        (vec![put(&sort(String::new()), 0, "x")], "has 0 bytes: 1 to 1024"),
        (vec![check(&sort("s".repeat(1_025)), 0)], "has 1025 bytes: 1 to 1024"),
        (vec![overwrite(&Key::single("no kind".to_owned()), "x")], "a key begins with its kind"),
        (vec![put(&Key::single(format!("a#{}", "b".repeat(2_047))), 0, "x")], "2048 is the most"),
    ] {
        let reason = records.commit(&changes).await.unwrap_err().to_string();
        assert!(reason.contains(expected) && !reason.contains("xxx"), "{reason}");
    }
    assert_eq!(records.list(&partition).await.unwrap(), []);
    assert_eq!(one(records, &new).await, None);
    records.load(&[key, sort(String::new())]).await.unwrap_err();
    records.list("no kind").await.unwrap_err();
    records.newest("no kind", "~", 1).await.unwrap_err();
    records.raise_mark(&sort(String::new()), 1, at(0)).await.unwrap_err();
    assert!(!format!("{:?} {:?}", record(1, &longest), put(&new, 0, &longest)).contains("xxx"));
}

async fn of_concurrent_commits_one_wins<R: Records + 'static>(records: Arc<R>) {
    let [head, other] = [single(), single()];
    let partition = partition("group");
    let mut tasks = Vec::new();
    for n in 0..8 {
        let records = Arc::clone(&records);
        let member = member(&partition, n);
        let head = head.clone();
        let other = other.clone();
        tasks.push(tokio::spawn(async move {
            let alone = put(&head, 0, &n.to_string());
            let changes = match n % 2 {
                0 => vec![alone],
                _ => vec![alone, put(&member, 0, "x"), check(&other, 0)],
            };
            (n, records.commit(&changes).await.unwrap())
        }));
    }
    let mut won = Vec::new();
    for task in tasks {
        let (n, result) = task.await.unwrap();
        match result {
            Commit::Done(_) => won.push(n),
            Commit::Conflict(current) => assert_eq!(current[0].0, head, "{n}"),
        }
    }
    let [winner] = won[..] else { panic!("{won:?}") };
    assert_eq!(one(&*records, &head).await, Some(record(1, &winner.to_string())));
    let members = records.list(&partition).await.unwrap();
    assert_eq!(members.len(), winner % 2, "the members of those that lost");
}
