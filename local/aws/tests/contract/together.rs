//! Contract of DynamoDB: requests for several items.

use crate::backend::backends;
use crate::dynamodb::{Item, get, item, n, put, s, table};
use crate::{code, refusal};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::transact_write_items::builders::TransactWriteItemsFluentBuilder;
use aws_sdk_dynamodb::types::{
    ConditionCheck, Delete, KeysAndAttributes, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
    Update,
};

fn keys(names: &[String]) -> KeysAndAttributes {
    let keys = names.iter().map(|name| item(&[("pk", s(name))])).collect();
    KeysAndAttributes::builder().consistent_read(true).set_keys(Some(keys)).build().unwrap()
}

#[tokio::test]
async fn a_batch_finds_items_by_their_keys_and_leaves_out_what_is_not_there() {
    for backend in backends().await {
        let (client, table) = table(&backend).await;
        let names: Vec<String> = (0..100).map(|name| format!("k{name}")).collect();
        for name in &names[..3] {
            put(&client, &table, &[("pk", s(name)), ("v", n("1")), ("w", n("2"))]).await;
        }
        let batch = async |wanted| client.batch_get_item().request_items(&table, wanted).send().await;

        let found = batch(keys(&names)).await.unwrap();
        let mut items = found.responses.unwrap().remove(&table).unwrap();
        items.sort_by_key(|item| item["pk"].as_s().unwrap().clone());
        let expected = ["k0", "k1", "k2"].map(|name| item(&[("pk", s(name)), ("v", n("1")), ("w", n("2"))]));
        assert_eq!(items, expected);
        assert!(found.unprocessed_keys.unwrap_or_default().is_empty());

        let some = keys(&names[..1]);
        let some = KeysAndAttributes::builder()
            .set_keys(Some(some.keys))
            .projection_expression("#v")
            .expression_attribute_names("#v", "v");
        let found = batch(some.build().unwrap()).await.unwrap();
        assert_eq!(found.responses.unwrap()[&table], [item(&[("v", n("1"))])]);

        let twice = batch(keys(&[names[0].clone(), names[0].clone()])).await.unwrap_err();
        assert!(refusal(twice).1.contains("contains duplicates"));
        let many: Vec<String> = (0..101).map(|name| format!("k{name}")).collect();
        assert_eq!(code(batch(keys(&many)).await.unwrap_err()), "ValidationException");
    }
}

fn update(table: &str, pk: &str) -> aws_sdk_dynamodb::types::builders::UpdateBuilder {
    Update::builder().table_name(table).key("pk", s(pk)).update_expression("SET v = :v")
}

fn to_two(table: &str, pk: &str, condition: &str) -> TransactWriteItem {
    let update = update(table, pk)
        .condition_expression(condition)
        .expression_attribute_values(":v", n("2"))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    TransactWriteItem::builder().update(update.build().unwrap()).build()
}

fn all(
    client: &Client,
    writes: impl IntoIterator<Item = TransactWriteItem>,
) -> TransactWriteItemsFluentBuilder {
    client.transact_write_items().set_transact_items(Some(writes.into_iter().collect()))
}

/// The reason codes and items of a cancelled transaction.
async fn cancelled(request: TransactWriteItemsFluentBuilder) -> Vec<(String, Option<Item>)> {
    let error = request.send().await.unwrap_err().into_service_error();
    assert!(error.is_transaction_canceled_exception(), "{error:?}");
    let aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(
        cancelled,
    ) = error
    else {
        panic!("{error:?}")
    };
    let reasons = cancelled.cancellation_reasons().iter();
    reasons.map(|reason| (reason.code().unwrap_or("None").to_owned(), reason.item().cloned())).collect()
}

#[tokio::test]
async fn a_transaction_makes_all_writes_or_none_and_says_which_condition_failed() {
    for backend in backends().await {
        let (client, table) = table(&backend).await;
        let one = [("pk", s("a")), ("v", n("1"))];
        put(&client, &table, &one).await;
        put(&client, &table, &[("pk", s("c")), ("v", n("1"))]).await;
        let delete = || {
            let delete = Delete::builder().table_name(&table).key("pk", s("c")).build().unwrap();
            TransactWriteItem::builder().delete(delete).build()
        };
        let create = || {
            let create = Put::builder().table_name(&table).item("pk", s("d")).item("v", n("2"));
            let create = create.condition_expression("attribute_not_exists(pk)").build().unwrap();
            TransactWriteItem::builder().put(create).build()
        };
        let b = || to_two(&table, "b", "attribute_not_exists(v)");

        let failed = cancelled(all(&client, [to_two(&table, "a", "v > :v"), b(), delete(), create()])).await;
        let none = || ("None".to_owned(), None);
        let expected = [("ConditionalCheckFailed".to_owned(), Some(item(&one))), none(), none(), none()];
        assert_eq!(failed, expected);
        assert_eq!(get(&client, &table, "a").await, Some(item(&one)));
        assert_eq!((get(&client, &table, "b").await, get(&client, &table, "d").await), (None, None));

        all(&client, [to_two(&table, "a", "v < :v"), b(), delete(), create()]).send().await.unwrap();
        for name in ["a", "b", "d"] {
            assert_eq!(get(&client, &table, name).await, Some(item(&[("pk", s(name)), ("v", n("2"))])));
        }
        assert_eq!(get(&client, &table, "c").await, None);
        let absent = cancelled(all(&client, [to_two(&table, "c", "attribute_exists(v)"), create()])).await;
        assert_eq!(absent[0], ("ConditionalCheckFailed".to_owned(), None), "there is no item to give back");
        assert_eq!(absent[1].0, "ConditionalCheckFailed");
        assert_eq!(absent[1].1, None, "not asked for");
    }
}

#[tokio::test]
async fn an_update_that_does_not_fit_its_item_cancels_the_transaction_with_that_items_reason() {
    for backend in backends().await {
        let (client, table) = table(&backend).await;
        put(&client, &table, &[("pk", s("a")), ("v", s("text"))]).await;
        let update =
            Update::builder().table_name(&table).key("pk", s("a")).update_expression("SET v = v + :v");
        let update = update.expression_attribute_values(":v", n("1")).build().unwrap();
        let count = TransactWriteItem::builder().update(update).build();
        let request = all(&client, [to_two(&table, "b", "attribute_not_exists(v)"), count]);
        // The emulator adds a number to a string instead of refusing it.
        if !backend.is_double() {
            continue;
        }
        let reasons = cancelled(request).await;
        assert_eq!(reasons, [("None".to_owned(), None), ("ValidationError".to_owned(), None)]);
        assert_eq!(get(&client, &table, "b").await, None);
    }
}

#[tokio::test]
async fn a_check_in_a_transaction_holds_the_writes_back_and_writes_nothing_itself() {
    for backend in backends().await {
        let (client, table) = table(&backend).await;
        let one = [("pk", s("a")), ("v", n("1"))];
        put(&client, &table, &one).await;
        let check = |name: &str, condition: &str| {
            let check = ConditionCheck::builder()
                .table_name(&table)
                .key("pk", s(name))
                .condition_expression(condition)
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
            TransactWriteItem::builder().condition_check(check.build().unwrap()).build()
        };
        let b = || to_two(&table, "b", "attribute_not_exists(v)");

        let failed = cancelled(all(&client, [b(), check("a", "attribute_not_exists(v)")])).await;
        let expected = [("None".to_owned(), None), ("ConditionalCheckFailed".to_owned(), Some(item(&one)))];
        assert_eq!(failed, expected);
        assert_eq!(get(&client, &table, "b").await, None);

        let holds = [b(), check("a", "attribute_exists(v)"), check("c", "attribute_not_exists(v)")];
        all(&client, holds).send().await.unwrap();
        assert_eq!(get(&client, &table, "a").await, Some(item(&one)));
        assert_eq!(get(&client, &table, "b").await, Some(item(&[("pk", s("b")), ("v", n("2"))])));
        assert_eq!(get(&client, &table, "c").await, None);

        let twice = all(&client, [check("a", "attribute_exists(v)"), to_two(&table, "a", "v < :v")]);
        assert!(refusal(twice.send().await.unwrap_err()).1.contains("multiple operations on one item"));
    }
}

#[tokio::test]
async fn a_transaction_with_the_token_of_another_is_that_one_or_refused() {
    for backend in backends().await {
        let (client, table) = table(&backend).await;
        let create = |name: &str| to_two(&table, name, "attribute_not_exists(v)");
        let send = async |writes: [TransactWriteItem; 2]| {
            all(&client, writes).client_request_token("token-1").send().await
        };
        send([create("a"), create("b")]).await.unwrap();
        send([create("a"), create("b")]).await.unwrap();
        let other = send([create("a"), create("c")]).await.unwrap_err();
        assert_eq!(code(other), "IdempotentParameterMismatchException");
        assert_eq!(get(&client, &table, "c").await, None);
    }
}

#[tokio::test]
async fn a_transaction_that_can_never_be_made_is_refused_as_a_whole() {
    for backend in backends().await {
        let (client, table) = table(&backend).await;
        let create = |name: &str| to_two(&table, name, "attribute_not_exists(v)");
        let twice = all(&client, [create("a"), create("a")]).send().await.unwrap_err();
        let (twice, message) = refusal(twice);
        assert_eq!(twice, "ValidationException");
        assert!(message.contains("multiple operations on one item"), "{message}");
        let none = all(&client, []).send().await.unwrap_err();
        assert_eq!(code(none), "ValidationException");
        let many = (0..101).map(|name| create(&name.to_string()));
        assert_eq!(code(all(&client, many).send().await.unwrap_err()), "ValidationException");
        let key =
            update(&table, "a").update_expression("SET pk = :v").expression_attribute_values(":v", s("b"));
        if !backend.is_double() {
            // The emulator changes the key attribute instead of refusing it.
            continue;
        }
        let key = TransactWriteItem::builder().update(key.build().unwrap()).build();
        assert!(all(&client, [key, create("b")]).send().await.is_err());
        assert_eq!(get(&client, &table, "b").await, None);
    }
}
