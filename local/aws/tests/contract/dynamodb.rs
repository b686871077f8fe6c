//! Contract of DynamoDB: items, updates, queries.

use crate::backend::{Backend, backends, unique};
use crate::{code, refusal};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use std::collections::HashMap;

pub(crate) type Item = HashMap<String, AttributeValue>;

pub(crate) fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

pub(crate) fn n(number: &str) -> AttributeValue {
    AttributeValue::N(number.to_owned())
}

pub(crate) fn item(attributes: &[(&str, AttributeValue)]) -> Item {
    attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

/// Creates a table with the key `pk`, and a client.
pub(crate) async fn table(backend: &Backend) -> (Client, String) {
    let name = unique("table");
    backend.table(&name).await;
    (backend.dynamodb(), name)
}

pub(crate) async fn put(client: &Client, table: &str, attributes: &[(&str, AttributeValue)]) {
    client.put_item().table_name(table).set_item(Some(item(attributes))).send().await.unwrap();
}

pub(crate) async fn get(client: &Client, table: &str, pk: &str) -> Option<Item> {
    let get = client.get_item().table_name(table).key("pk", s(pk)).consistent_read(true);
    get.send().await.unwrap().item
}

#[tokio::test]
async fn a_partition_is_listed_by_sort_key_in_pages_with_what_was_written_just_before() {
    for backend in backends().await {
        let table = unique("table");
        backend.sorted_table(&table).await;
        let client = backend.dynamodb();
        for (pk, sk) in [("a", "m#2"), ("b", "m#1"), ("a", "-"), ("a", "m#1"), ("a", "n"), ("a", "m#3")] {
            put(&client, &table, &[("pk", s(pk)), ("sk", s(sk))]).await;
        }
        let list = async |condition: &str, limit: i32| {
            let mut found = Vec::new();
            let mut sizes = Vec::new();
            let mut start = None;
            loop {
                let query = client.query().table_name(&table).consistent_read(true).limit(limit);
                let query =
                    query.key_condition_expression(condition).expression_attribute_values(":p", s("a"));
                let query = match condition.contains(":m") {
                    true => query.expression_attribute_values(":m", s("m#")),
                    false => query,
                };
                let page = query.set_exclusive_start_key(start).send().await.unwrap();
                sizes.push(page.items().len());
                found.extend(page.items().iter().map(|item| item["sk"].as_s().unwrap().clone()));
                start = page.last_evaluated_key.filter(|key| !key.is_empty());
                if start.is_none() {
                    return (found, sizes);
                }
            }
        };
        let (all, sizes) = list("pk = :p", 2).await;
        assert_eq!(all, ["-", "m#1", "m#2", "m#3", "n"]);
        assert_eq!(sizes[..3], [2, 2, 1]);
        assert_eq!(list("pk = :p AND begins_with(sk, :m)", 2).await.0, ["m#1", "m#2", "m#3"]);

        let half = client.get_item().table_name(&table).key("pk", s("a")).send().await.unwrap_err();
        assert_eq!(code(half), "ValidationException");
        let delete = client.delete_item().table_name(&table).key("pk", s("a")).key("sk", s("m#2"));
        delete.send().await.unwrap();
        assert_eq!(list("pk = :p", 100).await.0, ["-", "m#1", "m#3", "n"]);
    }
}

#[tokio::test]
async fn what_is_put_is_got_with_every_type() {
    for backend in backends().await {
        let (client, table) = table(&backend).await;
        let stored = [
            ("pk", s("a")),
            ("n", n("1.5")),
            ("flag", AttributeValue::Bool(true)),
            ("nothing", AttributeValue::Null(true)),
            ("bytes", AttributeValue::B(aws_sdk_dynamodb::primitives::Blob::new([1, 2, 3]))),
            ("tags", AttributeValue::Ss(vec!["x".to_owned()])),
            ("things", AttributeValue::L(vec![s("x"), n("2")])),
            ("nest", AttributeValue::M(item(&[("deep", s("ü"))]))),
        ];

        put(&client, &table, &stored).await;

        assert_eq!(get(&client, &table, "a").await, Some(item(&stored)));
        assert_eq!(get(&client, &table, "b").await, None);
        let some =
            client.get_item().table_name(&table).key("pk", s("a")).projection_expression("#n, flag, absent");
        let some = some.expression_attribute_names("#n", "n").send().await.unwrap().item;
        assert_eq!(some, Some(item(&[("n", n("1.5")), ("flag", AttributeValue::Bool(true))])));
    }
}

#[tokio::test]
async fn writes_give_back_the_item_as_it_was_when_asked() {
    for backend in backends().await {
        let (client, table) = table(&backend).await;
        let put = |value: &str| {
            let put = client.put_item().table_name(&table).item("pk", s("a")).item("v", s(value));
            put.return_values(ReturnValue::AllOld).send()
        };

        assert_eq!(put("1").await.unwrap().attributes, None);
        let replaced = put("2").await.unwrap().attributes;
        let delete =
            || client.delete_item().table_name(&table).key("pk", s("a")).return_values(ReturnValue::AllOld);
        let deleted = delete().send().await.unwrap().attributes;

        assert_eq!(replaced, Some(item(&[("pk", s("a")), ("v", s("1"))])));
        assert_eq!(deleted, Some(item(&[("pk", s("a")), ("v", s("2"))])));
        assert_eq!(delete().send().await.unwrap().attributes, None);
        assert_eq!(get(&client, &table, "a").await, None);
    }
}

#[tokio::test]
async fn an_update_creates_sets_counts_and_removes() {
    for backend in backends().await {
        let (client, table) = table(&backend).await;
        let update = |expression: &str| {
            let update = client.update_item().table_name(&table).key("pk", s("a"));
            update.update_expression(expression).return_values(ReturnValue::AllNew)
        };

        let created = update("SET attempts = if_not_exists(attempts, :zero) + :one, #s = :s ADD tags :t")
            .expression_attribute_names("#s", "state")
            .expression_attribute_values(":zero", n("0"))
            .expression_attribute_values(":one", n("1"))
            .expression_attribute_values(":s", s("claimed"))
            .expression_attribute_values(":t", AttributeValue::Ss(vec!["x".to_owned()]));
        let created = created.send().await.unwrap().attributes.unwrap();
        let counted =
            update("SET attempts = attempts - :two, notes = list_append(:l, :l) REMOVE #s DELETE tags :t")
                .expression_attribute_names("#s", "state")
                .expression_attribute_values(":two", n("2"))
                .expression_attribute_values(":l", AttributeValue::L(vec![n("7")]))
                .expression_attribute_values(":t", AttributeValue::Ss(vec!["x".to_owned()]));
        let counted = counted.send().await.unwrap().attributes.unwrap();

        let tags = AttributeValue::Ss(vec!["x".to_owned()]);
        assert_eq!(
            created,
            item(&[("pk", s("a")), ("attempts", n("1")), ("state", s("claimed")), ("tags", tags)])
        );
        let notes = AttributeValue::L(vec![n("7"), n("7")]);
        assert_eq!(counted, item(&[("pk", s("a")), ("attempts", n("-1")), ("notes", notes)]));
        let without = client.update_item().table_name(&table).key("pk", s("b")).send().await.unwrap();
        assert_eq!(without.attributes, None);
        assert_eq!(get(&client, &table, "b").await, Some(item(&[("pk", s("b"))])));
    }
}

#[tokio::test]
async fn a_query_looks_at_one_megabyte_for_each_page() {
    for backend in backends().await {
        let table = unique("table");
        backend.sorted_table(&table).await;
        let client = backend.dynamodb();
        for n in 0..5 {
            put(
                &client,
                &table,
                &[("pk", s("a")), ("sk", s(&n.to_string())), ("v", s(&"x".repeat(300_000)))],
            )
            .await;
        }
        let query = || {
            let query = client.query().table_name(&table).key_condition_expression("pk = :p");
            query.expression_attribute_values(":p", s("a"))
        };
        let first = query().send().await.unwrap();
        let start = first.last_evaluated_key.clone();
        let second = query().set_exclusive_start_key(start).send().await.unwrap();
        assert_eq!((first.count(), second.count()), (3, 2));
        assert!(second.last_evaluated_key.unwrap_or_default().is_empty());
    }
}

#[tokio::test]
async fn a_query_gives_one_partition_in_order_and_in_pages() {
    for backend in backends().await {
        let (client, table) = table(&backend).await;
        for (pk, day, at) in [("a", "d1", "3"), ("b", "d1", "1"), ("c", "d2", "2"), ("d", "d1", "2")] {
            put(&client, &table, &[("pk", s(pk)), ("day", s(day)), ("moment", s(at))]).await;
        }
        put(&client, &table, &[("pk", s("e"))]).await;
        let query = |condition: &str| {
            let query =
                client.query().table_name(&table).index_name("by-day").key_condition_expression(condition);
            query.expression_attribute_names("#d", "day").expression_attribute_values(":d", s("d1"))
        };
        let keys =
            |items: &[Item]| items.iter().map(|item| item["pk"].as_s().unwrap().clone()).collect::<Vec<_>>();

        let all = query("#d = :d").send().await.unwrap();
        let backwards = query("#d = :d").scan_index_forward(false).send().await.unwrap();
        let later =
            query("#d = :d AND moment >= :at").expression_attribute_values(":at", s("2")).send().await;
        let filtered =
            query("#d = :d").filter_expression("pk <> :p").expression_attribute_values(":p", s("d"));
        let filtered = filtered.send().await.unwrap();
        let first = query("#d = :d").limit(2).send().await.unwrap();
        let second =
            query("#d = :d").set_exclusive_start_key(first.last_evaluated_key.clone()).send().await.unwrap();

        assert_eq!(keys(all.items()), ["b", "d", "a"]);
        assert_eq!(keys(backwards.items()), ["a", "d", "b"]);
        assert_eq!(keys(later.unwrap().items()), ["d", "a"]);
        assert_eq!(
            (keys(filtered.items()), filtered.scanned_count()),
            (vec!["b".to_owned(), "a".to_owned()], 3)
        );
        assert_eq!(
            (keys(first.items()), keys(second.items())),
            (vec!["b".into(), "d".into()], vec!["a".into()])
        );
        assert_eq!(second.last_evaluated_key, None);
        let by_key = client.query().table_name(&table).key_condition_expression("pk = :p");
        let by_key = by_key.expression_attribute_values(":p", s("c")).send().await.unwrap();
        assert_eq!(by_key.count(), 1);
        let no_key = query("moment = :d").send().await.unwrap_err();
        assert_eq!(code(no_key), "ValidationException");
    }
}

#[tokio::test]
async fn an_index_shows_its_keys_and_what_it_carries() {
    for backend in backends().await {
        let (client, table) = table(&backend).await;
        let attributes = [("pk", "a"), ("day", "d1"), ("moment", "1"), ("carried", "yes"), ("left", "no")];
        put(&client, &table, &attributes.map(|(name, value)| (name, s(value)))).await;

        let query =
            client.query().table_name(&table).index_name("by-day").key_condition_expression("#d = :d");
        let query = query.expression_attribute_names("#d", "day").expression_attribute_values(":d", s("d1"));
        let found = query.send().await.unwrap();

        let shown = attributes.map(|(name, value)| (name, s(value)));
        assert_eq!(found.items(), [item(&shown[..4])]);
    }
}

#[tokio::test]
async fn a_table_that_does_not_exist_is_a_modelled_error() {
    for backend in backends().await {
        let client = backend.dynamodb();
        let name = unique("absent");

        let got = client.get_item().table_name(&name).key("pk", s("a")).send().await.unwrap_err();
        let put = client.put_item().table_name(&name).item("pk", s("a")).send().await.unwrap_err();

        assert!(got.as_service_error().unwrap().is_resource_not_found_exception());
        assert!(put.as_service_error().unwrap().is_resource_not_found_exception());
    }
}

#[tokio::test]
async fn keys_must_fit_the_schema() {
    for backend in backends().await {
        let (client, table) = table(&backend).await;
        let refused = |(refused_code, message): (String, String), part: &str| {
            assert_eq!(refused_code, "ValidationException");
            assert!(message.contains(part), "{message}");
        };

        let missing = client.put_item().table_name(&table).item("v", s("x")).send().await.unwrap_err();
        let kind = client.put_item().table_name(&table).item("pk", n("1")).send().await.unwrap_err();
        let empty = client.put_item().table_name(&table).item("pk", s("")).send().await.unwrap_err();
        let other = client.get_item().table_name(&table).key("id", s("x")).send().await.unwrap_err();
        let index = client.put_item().table_name(&table).item("pk", s("a")).item("day", n("1")).send().await;
        let update =
            client.update_item().table_name(&table).key("pk", s("a")).update_expression("SET pk = :x");
        let update = update.expression_attribute_values(":x", s("b")).send().await.unwrap_err();

        refused(refusal(missing), "Missing the key pk in the item");
        refused(refusal(kind), "Type mismatch for key pk expected: S actual: N");
        refused(refusal(empty), "empty string value");
        refused(refusal(other), "The provided key element does not match the schema");
        refused(refusal(index.unwrap_err()), "Type mismatch for Index Key day");
        refused(refusal(update), "This attribute is part of the key");
    }
}

#[tokio::test]
async fn an_item_holds_400_kilobytes() {
    for backend in backends().await {
        let (client, table) = table(&backend).await;
        let put = |size: usize| {
            client.put_item().table_name(&table).item("pk", s("a")).item("v", s(&"x".repeat(size)))
        };

        put(409_600 - 4).send().await.unwrap();
        let too_large = put(409_600 - 3).send().await.unwrap_err();

        assert_eq!(refusal(too_large).1, "Item size has exceeded the maximum allowed size");
    }
}
