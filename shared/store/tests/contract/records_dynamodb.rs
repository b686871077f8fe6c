//! Behaviour of `Records` that only DynamoDB has.

use crate::at;
use crate::records::{change, check, commit, member, one, overwrite, partition, put, record, single, write};
use aws_sdk_dynamodb::types::AttributeValue;
use local_aws::{Aws, Fault};
use serde_json::{Value, json};
use store::records::{Change, Commit, DynamoDbRecords, Key, Marked, Record, Records, Write};
use testkit::dynamodb::{client, create_table};

const TABLE: &str = "table";

/// The AWS double with a table.
pub(crate) struct Backend {
    aws: Aws,
    pub(crate) records: DynamoDbRecords,
}

impl Backend {
    pub(crate) async fn start() -> Self {
        let aws = Aws::start().await.unwrap();
        create_table(&aws, TABLE);
        let records = DynamoDbRecords::new(client(&aws), TABLE, "notify-slack");
        Self { aws, records }
    }

    fn all_requests(&self) -> usize {
        self.aws.requests().values().sum()
    }

    fn item(&self, key: &Key) -> Value {
        let is_it = |item: &Value| item["pk"]["S"] == key.partition && item["sk"]["S"] == key.sort;
        self.aws.items(TABLE).into_iter().find(is_it).unwrap()
    }

    /// Sets one attribute of an item.
    async fn forge(&self, key: &Key, name: &str, value: AttributeValue) {
        let part = |text: &str| AttributeValue::S(text.to_owned());
        let update = client(&self.aws).update_item().table_name(TABLE);
        let update = update.key("pk", part(&key.partition)).key("sk", part(&key.sort));
        let update = update.update_expression("SET #name = :value").expression_attribute_names("#name", name);
        update.expression_attribute_values(":value", value).send().await.unwrap();
    }
}

#[tokio::test]
async fn what_the_engine_asks_for_costs_one_request_each() {
    let backend = Backend::start().await;
    let records = &backend.records;
    let mut before = 0;
    let mut requests = || {
        let now = backend.all_requests();
        now - std::mem::replace(&mut before, now)
    };
    let keys: Vec<Key> = (0..5).map(|_| single()).collect();
    let four = [put(&keys[0], 0, "a"), check(&keys[1], 0), overwrite(&keys[2], "c"), put(&keys[3], 0, "d")];
    commit(records, &four).await;
    assert_eq!(requests(), 1, "a commit of four");
    commit(records, &[put(&keys[0], 1, "a")]).await;
    assert_eq!(requests(), 1, "a commit of one");
    assert!(matches!(records.commit(&four).await.unwrap(), Commit::Conflict(current) if current.len() == 2));
    assert_eq!(requests(), 1, "a commit that conflicts");
    one(records, &keys[0]).await;
    assert_eq!(requests(), 1, "one record");
    records.load(&keys).await.unwrap();
    assert_eq!(requests(), 1, "five records");
    for mark in [2, 1] {
        records.raise_mark(&keys[4], mark, at(0)).await.unwrap();
        assert_eq!(requests(), 1, "a mark");
    }
    let active = Write { is_active: true, ..write("active") };
    commit(records, &[change(&keys[4], Some(1), Some(active))]).await;
    requests();
    assert!(matches!(records.raise_mark(&keys[4], 3, at(0)).await.unwrap(), Marked::Active(_)));
    assert_eq!(requests(), 1, "a mark that is refused");
    let partition = partition("group");
    for n in 0..3 {
        let members: Vec<Change> = (0..100).map(|m| put(&member(&partition, 100 * n + m), 0, "x")).collect();
        commit(records, &members).await;
    }
    requests();
    assert_eq!(records.list(&partition).await.unwrap().len(), 300);
    assert_eq!(requests(), 1, "a list of 300");
    records.due(at(0), 50).await.unwrap();
    assert_eq!(requests(), 1, "what is due");
}

#[tokio::test]
async fn a_large_partition_is_read_page_by_page() {
    let backend = Backend::start().await;
    let partition = partition("group");
    for n in 0..7 {
        commit(&backend.records, &[put(&member(&partition, n), 0, &"x".repeat(300_000))]).await;
    }
    let before = backend.all_requests();
    assert_eq!(backend.records.list(&partition).await.unwrap().len(), 7);
    assert_eq!(backend.all_requests() - before, 3);
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_counts_once_and_is_found_to_be_ours() {
    let Backend { aws, records } = &Backend::start().await;
    let [a, b] = [single(), single()];
    for (n, first) in [put(&a, 0, "one"), overwrite(&a, "two")].into_iter().enumerate() {
        aws.fail_next("DynamoDB.UpdateItem", 1, Fault::AnswerLost);
        commit(records, std::slice::from_ref(&first)).await;
        assert_eq!(one(records, &a).await.unwrap().version, n as u64 + 1);
    }
    assert_eq!(aws.calls("DynamoDB.UpdateItem"), 4);
    let together = [put(&a, 2, "three"), overwrite(&b, "three"), check(&single(), 0)];
    aws.fail_next("DynamoDB.TransactWriteItems", 1, Fault::AnswerLost);
    assert_eq!(commit(records, &together).await, [Some(3), None, Some(0)]);
    assert_eq!(aws.calls("DynamoDB.TransactWriteItems"), 2);
    let written = records.load(&[a.clone(), b.clone()]).await.unwrap();
    assert_eq!(written, [Some(record(3, "three")), Some(record(1, "three"))]);
    aws.fail_next("DynamoDB.UpdateItem", 1, Fault::AnswerLost);
    assert_eq!(records.raise_mark(&b, 7, at(0)).await.unwrap(), Marked::Done);
    assert_eq!(one(records, &b).await, Some(Record { mark: Some(7), ..record(2, "three") }));
}

#[tokio::test]
async fn a_commit_that_meets_other_requests_is_made_again_and_then_a_conflict_with_what_is_there() {
    let backend = Backend::start().await;
    let [a, b] = [single(), single()];
    commit(&backend.records, &[put(&a, 0, "one")]).await;
    let both = |n| [put(&a, n, "two"), put(&b, n - 1, "two")];
    backend.aws.fail_next("DynamoDB.TransactWriteItems", 2, Fault::PartialFailure);
    assert_eq!(commit(&backend.records, &both(1)).await, [Some(2), Some(1)]);
    backend.aws.fail_next("DynamoDB.TransactWriteItems", 3, Fault::PartialFailure);
    let busy = backend.records.commit(&both(2)).await.unwrap();
    assert_eq!(busy, Commit::Conflict(vec![(a.clone(), Some(record(2, "two")))]));
    assert_eq!(backend.aws.calls("DynamoDB.TransactWriteItems"), 6);
    commit(&backend.records, &both(2)).await;
}

#[tokio::test]
async fn a_single_write_that_meets_a_transaction_is_made_again_and_then_a_conflict_with_what_is_there() {
    let backend = Backend::start().await;
    let key = single();
    let meets = |times| backend.aws.fail_next("DynamoDB.UpdateItem", times, Fault::TransactionConflict);
    meets(2);
    assert_eq!(commit(&backend.records, &[put(&key, 0, "one")]).await, [Some(1)]);
    for change in [put(&key, 1, "two"), overwrite(&key, "two")] {
        meets(3);
        let busy = backend.records.commit(&[change]).await.unwrap();
        assert_eq!(busy, Commit::Conflict(vec![(key.clone(), Some(record(1, "one")))]));
    }
    meets(2);
    assert_eq!(backend.records.raise_mark(&key, 5, at(0)).await.unwrap(), Marked::Done);
    meets(3);
    let reason = backend.records.raise_mark(&key, 6, at(0)).await.unwrap_err().to_string();
    assert!(reason.contains("dynamodb:UpdateItem") && reason.contains("TransactionConflict"), "{reason}");
    assert_eq!(backend.aws.calls("DynamoDB.UpdateItem"), 3 + 3 + 3 + 3 + 3);
}

#[tokio::test]
async fn keys_that_a_busy_table_leaves_out_are_asked_for_again() {
    let backend = Backend::start().await;
    let keys: Vec<Key> = (0..3).map(|_| single()).collect();
    let changes: Vec<Change> = keys.iter().map(|key| put(key, 0, "one")).collect();
    commit(&backend.records, &changes).await;
    backend.aws.fail_next("DynamoDB.BatchGetItem", 2, Fault::PartialFailure);
    let found = backend.records.load(&keys).await.unwrap();
    assert_eq!(found, vec![Some(record(1, "one")); 3]);
    assert_eq!(backend.aws.calls("DynamoDB.BatchGetItem"), 3);
    backend.aws.fail_next("DynamoDB.BatchGetItem", 100, Fault::PartialFailure);
    let reason = backend.records.load(&keys).await.unwrap_err().to_string();
    assert_eq!(reason, "the table does not answer: dynamodb:BatchGetItem left keys out again and again");
    assert!(backend.aws.calls("DynamoDB.BatchGetItem") < 20);
}

#[tokio::test]
async fn an_item_of_a_record_has_these_attributes_and_some_only_while_it_is_due_or_active() {
    let backend = Backend::start().await;
    let key = member(&partition("group"), 1);
    let full = Write { due: Some(at(7)), is_active: true, ..write("one") };
    backend.records.raise_mark(&key, 5, at(1)).await.unwrap();
    commit(&backend.records, &[change(&key, Some(1), Some(full))]).await;
    let item = backend.item(&key);
    let id = item["write_id"]["S"].clone();
    assert_eq!(id.as_str().unwrap().len(), 16);
    let expected = json!({
        "pk": { "S": key.partition }, "sk": { "S": key.sort }, "version": { "N": "2" },
        "document": { "S": "one" }, "write_id": { "S": id }, "mark": { "N": "5" }, "active": { "BOOL": true },
        "expires_at": { "N": at(86_400).as_second().to_string() }, "due_scope": { "S": "notify-slack" },
        "due_at": { "N": at(7).as_millisecond().to_string() },
    });
    assert_eq!(item, expected);
    commit(&backend.records, &[put(&key, 2, "done")]).await;
    let names: Vec<String> = backend.item(&key).as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["document", "expires_at", "mark", "pk", "sk", "version", "write_id"]);
    backend.records.raise_mark(&key, 6, at(90_000)).await.unwrap();
    assert_eq!(backend.item(&key)["expires_at"]["N"], at(90_000).as_second().to_string());
}

#[tokio::test]
async fn a_workflow_finds_what_is_due_of_its_own() {
    let backend = Backend::start().await;
    let another = DynamoDbRecords::new(client(&backend.aws), TABLE, "notify-teams");
    let due = Write { due: Some(at(1)), ..write("due") };
    let [ours, theirs] = [single(), single()];
    commit(&backend.records, &[change(&ours, None, Some(due.clone()))]).await;
    commit(&another, &[change(&theirs, None, Some(due))]).await;
    assert_eq!(backend.records.due(at(2), 10).await.unwrap(), [ours]);
    assert_eq!(another.due(at(2), 10).await.unwrap(), [theirs]);
}

#[tokio::test]
async fn a_record_whose_version_or_mark_is_damaged_begins_anew_wherever_it_is_met() {
    let backend = Backend::start().await;
    let records = &backend.records;
    for damaged in [
        AttributeValue::S("x".to_owned()),
        AttributeValue::N("-1".to_owned()),
        AttributeValue::N("1.5".to_owned()),
        AttributeValue::N("18446744073709551615".to_owned()),
        AttributeValue::Bool(true),
    ] {
        let key = member(&partition("group"), 1);
        let other = single();
        commit(records, &[put(&key, 0, "one"), put(&other, 0, "one")]).await;
        let mended = Some(record(1, "one"));
        let damage = || backend.forge(&key, "version", damaged.clone());
        damage().await;
        assert_eq!(one(records, &key).await, mended, "{damaged:?}");
        damage().await;
        assert_eq!(records.load(&[key.clone(), single()]).await.unwrap(), [mended.clone(), None]);
        damage().await;
        assert_eq!(records.list(&key.partition).await.unwrap(), [(key.sort.clone(), record(1, "one"))]);
        for changes in [vec![put(&key, 7, "x")], vec![put(&key, 7, "x"), put(&other, 1, "x")]] {
            damage().await;
            let conflict = records.commit(&changes).await.unwrap();
            assert_eq!(conflict, Commit::Conflict(vec![(key.clone(), mended.clone())]));
        }
        for changes in [vec![overwrite(&key, "two")], vec![overwrite(&key, "two"), overwrite(&other, "x")]] {
            damage().await;
            commit(records, &changes).await;
            assert_eq!(one(records, &key).await.unwrap().text, "two", "{damaged:?}");
        }
        damage().await;
        assert_eq!(records.raise_mark(&key, 9, at(0)).await.unwrap(), Marked::Done);
        assert_eq!(one(records, &key).await.unwrap().mark, Some(9), "{damaged:?}");
    }
    let key = single();
    for damaged in
        [AttributeValue::S("x".to_owned()), AttributeValue::Bool(true), AttributeValue::M([].into())]
    {
        records.raise_mark(&key, 9, at(0)).await.unwrap();
        backend.forge(&key, "mark", damaged).await;
        assert_eq!(one(records, &key).await.unwrap().mark, None);
        records.raise_mark(&key, 3, at(0)).await.unwrap();
        assert_eq!(one(records, &key).await.unwrap().mark, Some(3));
    }
}

#[tokio::test]
async fn a_table_that_fails_is_named_by_the_request_and_its_code_and_no_text() {
    let secret = "hunter2";
    let keys = [single(), single()];
    let both = keys.clone().map(|key| overwrite(&key, secret));
    for fault in [Fault::AccessDenied, Fault::Throttled] {
        let backend = Backend::start().await;
        for operation in ["GetItem", "UpdateItem", "BatchGetItem", "TransactWriteItems", "Query"] {
            backend.aws.fail_next(&format!("DynamoDB.{operation}"), 20, fault);
        }
        let records = &backend.records;
        let failed = [
            (records.load(&keys[..1]).await.unwrap_err(), "GetItem"),
            (records.load(&keys).await.unwrap_err(), "BatchGetItem"),
            (records.list(&keys[0].partition).await.unwrap_err(), "Query"),
            (records.commit(&both[..1]).await.unwrap_err(), "UpdateItem"),
            (records.commit(&both).await.unwrap_err(), "TransactWriteItems"),
            (records.raise_mark(&keys[0], 1, at(0)).await.unwrap_err(), "UpdateItem"),
            (records.due(at(0), 1).await.unwrap_err(), "Query"),
        ];
        let code = if fault == Fault::Throttled { "ThrottlingException" } else { "AccessDeniedException" };
        for (error, operation) in failed {
            let all = format!("{error} {error:?}");
            assert!(all.starts_with("the table does not answer: dynamodb:"), "{all}");
            assert!(all.contains(operation) && all.contains(code) && !all.contains(secret), "{all}");
            let is_named = all.contains(&keys[0].partition) || all.contains(&keys[1].partition);
            assert!(is_named || all.contains("for `notify-slack`"), "{all}");
        }
    }
}
