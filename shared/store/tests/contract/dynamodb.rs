//! Behaviour of the store that only DynamoDB has.

use crate::{at, key, put, stored, text};
use aws_sdk_dynamodb::types::AttributeValue;
use local_aws::{Aws, Fault};
use serde_json::{Value, json};
use store::{DynamoDbStore, Key, Put, Store, Version};
use testkit::dynamodb::{client, create_table};

const TABLE: &str = "table";

/// The AWS double with a table.
pub(crate) struct Backend {
    pub(crate) aws: Aws,
    pub(crate) store: DynamoDbStore,
}

impl Backend {
    pub(crate) async fn start() -> Self {
        let aws = Aws::start().await.unwrap();
        create_table(&aws, TABLE);
        let store = DynamoDbStore::new(client(&aws), TABLE);
        Self { aws, store }
    }

    /// The requests of an operation for documents of the kind `board`.
    pub(crate) fn requests(&self, operation: &str) -> usize {
        let all = self.aws.requests();
        all.get(&(operation.to_owned(), "board".to_owned())).copied().unwrap_or_default()
    }

    /// The item of a document.
    pub(crate) fn item(&self, key: &Key) -> Option<Value> {
        self.aws.items(TABLE).into_iter().find(|item| item["pk"]["S"] == key.as_str())
    }

    /// Sets or removes one attribute of an item.
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

#[tokio::test]
async fn a_write_whose_answer_was_lost_counts_once_and_is_found_to_be_ours() {
    let Backend { aws, store } = &Backend::start().await;
    let a = key();
    aws.fail_next("DynamoDB.UpdateItem", 1, Fault::AnswerLost);
    let one = put(store, &a, Version::ABSENT, &text("one")).await;
    assert_eq!(store.get(&a).await.unwrap(), Some(stored(one, "one")));
    aws.fail_next("DynamoDB.UpdateItem", 1, Fault::AnswerLost);
    let two = put(store, &a, one, &text("two")).await;
    assert_eq!(store.get(&a).await.unwrap(), Some(stored(two, "two")));
    assert_eq!(aws.calls("DynamoDB.UpdateItem"), 4);
}

#[tokio::test]
async fn a_conflict_costs_one_request_and_brings_the_largest_document_back_whole() {
    let backend = Backend::start().await;
    let key = key();
    let large = "ü".repeat(store::TEXT_LIMIT_BYTES / 2);
    let one = put(&backend.store, &key, Version::ABSENT, &text(&large)).await;
    let conflict = backend.store.put(&key, Version::ABSENT, &text("two")).await.unwrap();
    assert_eq!(conflict, Put::Conflict(Some(stored(one, &large))));
    let requests = ["GetItem", "UpdateItem"].map(|operation| backend.requests(operation));
    assert_eq!(requests, [0, 2]);
}

#[tokio::test]
async fn a_write_of_a_document_that_meets_a_transaction_is_made_again_and_then_an_error() {
    let backend = Backend::start().await;
    let key = key();
    backend.aws.fail_next("DynamoDB.UpdateItem", 2, Fault::TransactionConflict);
    put(&backend.store, &key, Version::ABSENT, &text("one")).await;
    backend.aws.fail_next("DynamoDB.UpdateItem", 3, Fault::TransactionConflict);
    backend.store.put(&key, Version::ABSENT, &text("two")).await.unwrap_err();
    assert_eq!(backend.requests("UpdateItem"), 6);
}

#[tokio::test]
async fn a_version_that_is_damaged_begins_anew_wherever_it_is_met() {
    let backend = Backend::start().await;
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
        let one = put(&backend.store, &key, Version::ABSENT, &text("one")).await;
        let two = put(&backend.store, &key, one, &text("two")).await;
        let mended = stored(one, "two");
        backend.forge(&key, "version", Some(damaged.clone())).await;
        assert_eq!(backend.store.get(&key).await.unwrap(), Some(mended.clone()), "{damaged:?}");
        backend.forge(&key, "version", Some(damaged.clone())).await;
        assert_eq!(
            backend.store.put(&key, two, &text("x")).await.unwrap(),
            Put::Conflict(Some(mended.clone()))
        );
    }
    let key = key();
    put(&backend.store, &key, Version::ABSENT, &text("one")).await;
    backend.forge(&key, "version", None).await;
    assert_eq!(backend.store.get(&key).await.unwrap(), Some(stored(Version::ABSENT, "one")));
    put(&backend.store, &key, Version::ABSENT, &text("two")).await;
    backend.forge(&key, "document", None).await;
    assert_eq!(backend.store.get(&key).await.unwrap().unwrap().text, "");
}

#[tokio::test]
async fn an_item_of_a_document_has_these_attributes() {
    let backend = Backend::start().await;
    let key = key();
    put(&backend.store, &key, Version::ABSENT, &text("one")).await;
    let item = backend.item(&key).unwrap();
    let id = item["write_id"]["S"].clone();
    assert_eq!(id.as_str().unwrap().len(), 16);
    let expected = json!({
        "pk": { "S": key.as_str() }, "sk": { "S": "-" }, "version": { "N": "1" }, "document": { "S": "one" },
        "write_id": { "S": id }, "expires_at": { "N": at(86_400).as_second().to_string() },
    });
    assert_eq!(item, expected);
}

#[tokio::test]
async fn a_table_that_fails_is_named_by_the_request_and_its_code_and_nothing_of_a_document() {
    let backend = Backend::start().await;
    let secret = "hunter2";
    let key = key();
    for operation in ["GetItem", "UpdateItem"] {
        backend.aws.fail_next(&format!("DynamoDB.{operation}"), 3, Fault::AccessDenied);
    }
    let store = &backend.store;
    let failed = [
        store.get(&key).await.unwrap_err(),
        store.put(&key, Version::ABSENT, &text(secret)).await.unwrap_err(),
    ];
    for error in failed {
        let all = format!("{error} {error:?}");
        assert!(all.starts_with("the table does not answer: dynamodb:"), "{all}");
        assert!(all.contains("400 (AccessDeniedException)") && !all.contains(secret), "{all}");
    }
    assert!(!format!("{:?} {:?}", text(secret), stored(Version::ABSENT, secret)).contains(secret));
}
