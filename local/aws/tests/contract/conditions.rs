//! Contract of DynamoDB: conditional writes, and expressions that are refused.

use crate::backend::backends;
use crate::dynamodb::{get, item, n, put, s, table};
use crate::refusal;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure as OnFailure};

#[tokio::test]
async fn one_of_two_claims_wins() {
    for backend in backends().await {
        let (client, table) = table(&backend).await;
        let claim = |owner: &str| {
            let put = client.put_item().table_name(&table).item("pk", s("claim")).item("holder", s(owner));
            put.condition_expression("attribute_not_exists(pk) OR deadline < :now")
                .expression_attribute_values(":now", n("100"))
                .return_values_on_condition_check_failure(OnFailure::AllOld)
                .send()
        };

        claim("one").await.unwrap();
        let lost = claim("two").await.unwrap_err().into_service_error();

        let aws_sdk_dynamodb::operation::put_item::PutItemError::ConditionalCheckFailedException(lost) = lost
        else {
            panic!("{lost:?}")
        };
        assert_eq!(lost.message(), Some("The conditional request failed"));
        assert_eq!(lost.item(), Some(&item(&[("pk", s("claim")), ("holder", s("one"))])));
        assert_eq!(get(&client, &table, "claim").await.unwrap()["holder"], s("one"));
    }
}

#[tokio::test]
async fn without_being_asked_a_failed_condition_shows_no_item() {
    for backend in backends().await {
        let (client, table) = table(&backend).await;
        put(&client, &table, &[("pk", s("a")), ("v", n("1"))]).await;

        let delete =
            client.delete_item().table_name(&table).key("pk", s("a")).condition_expression("v = :two");
        let delete = delete.expression_attribute_values(":two", n("2")).send().await.unwrap_err();
        let update =
            client.update_item().table_name(&table).key("pk", s("b")).update_expression("SET v = :one");
        let update =
            update.expression_attribute_values(":one", n("1")).condition_expression("attribute_exists(pk)");
        let update = update.send().await.unwrap_err();

        let delete = delete.into_service_error();
        assert!(delete.is_conditional_check_failed_exception());
        let aws_sdk_dynamodb::operation::delete_item::DeleteItemError::ConditionalCheckFailedException(
            failed,
        ) = delete
        else {
            panic!("{delete:?}")
        };
        assert_eq!(failed.item(), None);
        assert!(update.into_service_error().is_conditional_check_failed_exception());
        assert_eq!(get(&client, &table, "b").await, None);
    }
}

#[tokio::test]
async fn conditions_hold_as_documented() {
    for backend in backends().await {
        let (client, table) = table(&backend).await;
        let stored = [
            ("pk", s("delivery#1")),
            ("n", n("5")),
            ("tags", AttributeValue::Ss(vec!["a".to_owned(), "b".to_owned()])),
            ("things", AttributeValue::L(vec![n("1"), s("x")])),
            ("nest", AttributeValue::M(item(&[("deep", AttributeValue::Bool(true))]))),
        ];
        put(&client, &table, &stored).await;
        let five = [(":n", n("5"))];
        let text = [(":t", s("5"))];
        let part = [(":p", s("delivery#"))];
        let member = [(":m", s("a"))];
        for (condition, values, expected) in [
            ("n = :n", five.as_slice(), true),
            ("n <> :n", &five, false),
            ("n <= :n AND NOT n < :n", &five, true),
            ("n = :t", &text, false),
            ("n <> :t", &text, true),
            ("absent = :n", &five, false),
            ("absent <> :n", &five, true),
            ("n IN (:n)", &five, true),
            ("n BETWEEN :n AND :n", &five, true),
            ("begins_with(pk, :p)", &part, true),
            ("contains(tags, :m)", &member, true),
            ("contains(things, :m)", &member, false),
            ("contains(pk, :p)", &part, true),
            ("size(things) < :n", &five, true),
            ("attribute_exists(nest.deep)", &[], true),
            ("attribute_exists(things[1])", &[], true),
            ("attribute_not_exists(things[2])", &[], true),
            ("attribute_not_exists(pk) OR (attribute_exists(n) AND attribute_exists(nest))", &[], true),
            ("attribute_exists(pk) OR attribute_exists(n) AND attribute_exists(absent)", &[], true),
        ] {
            let put = client.put_item().table_name(&table).set_item(Some(item(&stored)));
            let mut put = put.condition_expression(condition);
            for (name, value) in values {
                put = put.expression_attribute_values(*name, value.clone());
            }
            let holds = match put.send().await {
                Ok(_) => true,
                Err(error) => {
                    let (code, message) = refusal(error);
                    assert_eq!(code, "ConditionalCheckFailedException", "{condition}: {message}");
                    false
                }
            };
            assert_eq!(holds, expected, "{condition}");
        }
    }
}

#[tokio::test]
async fn a_number_begins_with_nothing() {
    for backend in backends().await {
        let (client, table) = table(&backend).await;
        put(&client, &table, &[("pk", s("a")), ("n", n("5"))]).await;

        let put = client
            .put_item()
            .table_name(&table)
            .item("pk", s("a"))
            .condition_expression("begins_with(n, :t)");
        let refused = refusal(put.expression_attribute_values(":t", s("5")).send().await.unwrap_err());

        // The emulator refuses by the type in the item; DynamoDB only by the type of a value in the request.
        let expected =
            if backend.is_double() { "ConditionalCheckFailedException" } else { "ValidationException" };
        assert_eq!(refused.0, expected);
    }
}

/// Update and condition expressions that are refused, each with a part of the error message.
const REFUSED: [(&str, &str, &str); 14] = [
    ("SET v = :one", "v = :two", "unused in expressions"),
    ("SET v = :absent, w = :one", "", "not defined; attribute value: :absent"),
    ("SET #absent = :one", "", "not defined; attribute name: #absent"),
    ("SET state = :one", "", "reserved keyword; reserved keyword: state"),
    ("SET v = :one", "status = :one", "reserved keyword; reserved keyword: status"),
    ("SET v == :one", "", "Syntax error"),
    ("SET v = :one SET w = :one", "", "can only be used once"),
    ("SET v = :one, v = :one", "", "Two document paths overlap"),
    ("SET v = :one", "((v = :one))", "redundant parentheses"),
    ("SET v = :one", "made_up(v)", "Invalid function name"),
    ("SET v = :one", "begins_with(v, :one)", "Incorrect operand type"),
    ("SET v = w + :one", "", "does not exist in the item"),
    ("SET t = t + :one", "", "incorrect data type"),
    ("SET absent.deep = :one", "", "invalid for update"),
];

/// The expressions among these that the emulator accepts although DynamoDB refuses them.
const TAKEN_BY_EMULATOR: [&str; 5] = [
    "SET v == :one",
    "SET v = :one SET w = :one",
    "SET v = :one, v = :one",
    "made_up(v)",
    "SET t = t + :one",
];

#[tokio::test]
async fn expressions_dynamodb_refuses_are_refused() {
    for backend in backends().await {
        let (client, table) = table(&backend).await;
        put(&client, &table, &[("pk", s("a")), ("v", n("1")), ("t", s("x"))]).await;
        let taken = if backend.is_double() { &[] } else { TAKEN_BY_EMULATOR.as_slice() };
        for (update, condition, part) in REFUSED {
            if taken.contains(&update) || taken.contains(&condition) {
                continue;
            }
            let mut call =
                client.update_item().table_name(&table).key("pk", s("a")).update_expression(update);
            if !condition.is_empty() {
                call = call.condition_expression(condition);
            }
            if condition.contains(":two") {
                call = call
                    .expression_attribute_values(":two", n("1"))
                    .expression_attribute_values(":three", n("3"));
            }
            let Err(error) = call.expression_attribute_values(":one", n("1")).send().await else {
                panic!("not refused: {update} {condition}");
            };
            let (code, message) = refusal(error);
            assert_eq!(code, "ValidationException", "{update} {condition}: {message}");
            assert!(message.contains(part), "{update} {condition}: {message}");
        }
        assert_eq!(get(&client, &table, "a").await.unwrap()["v"], n("1"));
    }
}

#[tokio::test]
async fn placeholders_without_expressions_are_refused() {
    for backend in backends().await {
        let (client, table) = table(&backend).await;

        let values =
            client.put_item().table_name(&table).item("pk", s("a")).expression_attribute_values(":v", n("1"));
        let names = client
            .put_item()
            .table_name(&table)
            .item("pk", s("a"))
            .condition_expression("attribute_exists(pk)");
        let names = names.expression_attribute_names("#n", "name");

        assert!(
            refusal(values.send().await.unwrap_err())
                .1
                .contains("can only be specified when using expressions")
        );
        assert!(refusal(names.send().await.unwrap_err()).1.contains("unused in expressions: keys: {#n}"));
    }
}
