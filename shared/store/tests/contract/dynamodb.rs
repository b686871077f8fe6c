//! What DynamoDB alone has.

use crate::{at, due, key, put, stored, text};
use aws_sdk_dynamodb::types::AttributeValue;
use local_aws::{Aws, Fault};
use serde_json::{Value, json};
use store::{BulkStore, Conflict, Delete, DynamoDbStore, Key, Put, PutAll, Store, Version};
use testkit::dynamodb::{client, create_table};

const TABLE: &str = "table";

/// The double with a table.
pub(crate) struct Place {
    pub(crate) aws: Aws,
    pub(crate) store: DynamoDbStore,
}

impl Place {
    pub(crate) async fn start() -> Self {
        let aws = Aws::start().await.unwrap();
        create_table(&aws, TABLE);
        let store = DynamoDbStore::new(client(&aws), TABLE);
        Self { aws, store }
    }

    /// Requests of an operation for documents of the kind `board`.
    pub(crate) fn requests(&self, operation: &str) -> usize {
        let all = self.aws.requests();
        all.get(&(operation.to_owned(), "board".to_owned())).copied().unwrap_or_default()
    }

    /// The item of a document.
    pub(crate) fn item(&self, key: &Key) -> Option<Value> {
        self.aws.items(TABLE).into_iter().find(|item| item["pk"]["S"] == key.as_str())
    }

    /// Sets one attribute of an item, or removes it.
    async fn forge(&self, key: &Key, name: &str, value: Option<AttributeValue>) {
        let pk = AttributeValue::S(key.as_str().to_owned());
        let update = client(&self.aws).update_item().table_name(TABLE).key("pk", pk);
        let update =
            update.key("sk", AttributeValue::S("-".to_owned())).expression_attribute_names("#name", name);
        let update = match value {
            Some(value) => {
                update.update_expression("SET #name = :value").expression_attribute_values(":value", value)
            }
            None => update.update_expression("REMOVE #name"),
        };
        update.send().await.unwrap();
    }
}

// 13
#[tokio::test]
async fn a_write_whose_answer_was_lost_counts_once_and_is_found_to_be_ours() {
    let Place { aws, store } = &Place::start().await;
    let [a, b] = [key(), key()];
    aws.fail_next("DynamoDB.UpdateItem", 1, Fault::AnswerLost);
    let one = put(store, &a, Version::ABSENT, &text("one")).await;
    assert_eq!(store.get(&a).await.unwrap(), Some(stored(one, "one")));
    aws.fail_next("DynamoDB.UpdateItem", 1, Fault::AnswerLost);
    let two = put(store, &a, one, &text("two")).await;
    assert_eq!(store.get(&a).await.unwrap(), Some(stored(two, "two")));

    aws.fail_next("DynamoDB.TransactWriteItems", 1, Fault::AnswerLost);
    let both = [(a.clone(), two, text("three")), (b.clone(), Version::ABSENT, text("three"))];
    let PutAll::Written(versions) = store.put_all(&both).await.unwrap() else {
        panic!("a conflict with itself")
    };
    assert_eq!(store.get(&a).await.unwrap(), Some(stored(versions[0], "three")));
    assert!(
        matches!(store.put_all(&both).await.unwrap(), PutAll::Conflict(_)),
        "another request of the same"
    );

    aws.fail_next("DynamoDB.DeleteItem", 1, Fault::AnswerLost);
    assert_eq!(store.delete(&a, versions[0]).await.unwrap(), Delete::Deleted);
    assert_eq!(aws.calls("DynamoDB.UpdateItem"), 4);
}

// 13
#[tokio::test]
async fn a_conflict_costs_one_request_and_brings_the_largest_document_back_whole() {
    let place = Place::start().await;
    let key = key();
    let large = "ü".repeat(store::TEXT_LIMIT_BYTES / 2);
    let one = put(&place.store, &key, Version::ABSENT, &text(&large)).await;
    let conflict = place.store.put(&key, Version::ABSENT, &text("two")).await.unwrap();
    assert_eq!(conflict, Put::Conflict(Some(stored(one, &large))));
    let both = [(key.clone(), Version::ABSENT, text("x")), (self::key(), Version::ABSENT, text("x"))];
    let conflict = place.store.put_all(&both).await.unwrap();
    let current = Conflict::Current(Some(stored(one, &large)));
    assert_eq!(conflict, PutAll::Conflict(vec![current, Conflict::None]));
    let requests = ["GetItem", "UpdateItem", "TransactWriteItems"].map(|operation| place.requests(operation));
    assert_eq!(requests, [0, 2, 1]);
}

#[tokio::test]
async fn keys_that_a_busy_table_leaves_out_are_asked_for_again() {
    let place = Place::start().await;
    let keys: Vec<Key> = (0..3).map(|_| key()).collect();
    for key in &keys {
        put(&place.store, key, Version::ABSENT, &text("one")).await;
    }
    place.aws.fail_next("DynamoDB.BatchGetItem", 2, Fault::PartialFailure);
    let found = place.store.get_many(&keys).await.unwrap();
    assert!(found.iter().all(Option::is_some), "{found:?}");
    assert_eq!(place.requests("BatchGetItem"), 3);
    place.aws.fail_next("DynamoDB.BatchGetItem", 100, Fault::PartialFailure);
    let reason = place.store.get_many(&keys[..1]).await.unwrap_err().to_string();
    assert_eq!(reason, "the table does not answer: dynamodb:BatchGetItem left keys out again and again");
    assert!(place.requests("BatchGetItem") < 20);
}

#[tokio::test]
async fn writes_that_meet_another_request_are_a_conflict_to_be_tried_again() {
    let place = Place::start().await;
    let both = [key(), key()].map(|key| (key, Version::ABSENT, text("one")));
    place.aws.fail_next("DynamoDB.TransactWriteItems", 1, Fault::PartialFailure);
    let busy = place.store.put_all(&both).await.unwrap();
    assert_eq!(busy, PutAll::Conflict(vec![Conflict::Busy, Conflict::None]));
    assert!(matches!(place.store.put_all(&both).await.unwrap(), PutAll::Written(_)));
}

// 12-S5
#[tokio::test]
async fn a_version_that_is_damaged_begins_anew_wherever_it_is_met() {
    let place = Place::start().await;
    let damaged = [
        AttributeValue::S("x".to_owned()),
        AttributeValue::N("-1".to_owned()),
        AttributeValue::N("0".to_owned()),
        AttributeValue::N("1.5".to_owned()),
        AttributeValue::N("18446744073709551615".to_owned()),
        AttributeValue::Bool(true),
        AttributeValue::M([].into()),
    ];
    for damaged in damaged {
        let key = key();
        let one = put(&place.store, &key, Version::ABSENT, &text("one")).await;
        let two = put(&place.store, &key, one, &text("two")).await;
        let mended = stored(one, "two");
        place.forge(&key, "version", Some(damaged.clone())).await;
        assert_eq!(place.store.get(&key).await.unwrap(), Some(mended.clone()), "{damaged:?}");
        place.forge(&key, "version", Some(damaged.clone())).await;
        assert_eq!(
            place.store.put(&key, two, &text("x")).await.unwrap(),
            Put::Conflict(Some(mended.clone()))
        );
        place.forge(&key, "version", Some(damaged.clone())).await;
        assert_eq!(
            place.store.get_many(&[key.clone(), self::key()]).await.unwrap(),
            [Some(mended.clone()), None]
        );
        place.forge(&key, "version", Some(damaged.clone())).await;
        assert_eq!(place.store.delete(&key, two).await.unwrap(), Delete::Conflict(mended));
    }
    let key = key();
    put(&place.store, &key, Version::ABSENT, &text("one")).await;
    place.forge(&key, "version", None).await;
    assert_eq!(place.store.get(&key).await.unwrap(), Some(stored(Version::ABSENT, "one")));
    put(&place.store, &key, Version::ABSENT, &text("two")).await;
    place.forge(&key, "document", None).await;
    assert_eq!(place.store.get(&key).await.unwrap().unwrap().text, "");
}

#[tokio::test]
async fn an_item_has_these_attributes_and_those_of_the_index_only_while_it_is_due() {
    let place = Place::start().await;
    let key = key();
    let one = put(&place.store, &key, Version::ABSENT, &due("notify-slack", 7)).await;
    let item = place.item(&key).unwrap();
    let id = item["write_id"]["S"].clone();
    assert_eq!(id.as_str().unwrap().len(), 16);
    let expected = json!({
        "pk": { "S": key.as_str() }, "sk": { "S": "-" }, "version": { "N": "1" }, "document": { "S": "due" }, "write_id": { "S": id },
        "expires_at": { "N": at(86_400).as_second().to_string() }, "due_scope": { "S": "notify-slack" },
        "due_at": { "N": at(7).as_millisecond().to_string() },
    });
    assert_eq!(item, expected);
    put(&place.store, &key, one, &text("done")).await;
    let item = place.item(&key).unwrap();
    let names: Vec<&String> = item.as_object().unwrap().keys().collect();
    assert_eq!(names, ["document", "expires_at", "pk", "sk", "version", "write_id"]);
}

// 12-S1
#[tokio::test]
async fn a_table_that_fails_is_named_by_the_request_and_its_code_and_nothing_of_a_document() {
    let place = Place::start().await;
    let secret = "hunter2";
    let keys = [key(), key()];
    let both = keys.clone().map(|key| (key, Version::ABSENT, text(secret)));
    for operation in ["GetItem", "UpdateItem", "BatchGetItem", "TransactWriteItems", "DeleteItem", "Query"] {
        place.aws.fail_next(&format!("DynamoDB.{operation}"), 3, Fault::AccessDenied);
    }
    let store = &place.store;
    let failed = [
        store.get(&keys[0]).await.unwrap_err(),
        store.put(&keys[0], Version::ABSENT, &text(secret)).await.unwrap_err(),
        store.get_many(&keys).await.unwrap_err(),
        store.put_all(&both).await.unwrap_err(),
        store.delete(&keys[0], Version::ABSENT).await.unwrap_err(),
        store.due("notify-slack", at(0), 1).await.unwrap_err(),
    ];
    for error in failed {
        let all = format!("{error} {error:?}");
        assert!(all.starts_with("the table does not answer: dynamodb:"), "{all}");
        assert!(all.contains("400 (AccessDeniedException)") && !all.contains(secret), "{all}");
    }
    assert!(!format!("{:?} {:?}", text(secret), stored(Version::ABSENT, secret)).contains(secret));
}
