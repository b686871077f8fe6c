//! What only the AWS double has: failures on request, call counts, and refusals of unsupported members.

use crate::sdk::config_of;
use crate::{code, refusal};
use aws_sdk_dynamodb::types::{AttributeValue, Delete, KeysAndAttributes, ReturnValue, TransactWriteItem};
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use local_aws::{Aws, Fault, QueueSpec};
use std::time::{Duration, Instant};

async fn aws() -> (Aws, aws_types::SdkConfig) {
    let aws = Aws::start().await.unwrap();
    let config = config_of(&aws);
    (aws, config)
}

#[tokio::test]
async fn a_client_retries_a_failure_and_then_gives_up() {
    let (aws, config) = aws().await;
    let client = aws_sdk_sqs::Client::new(&config);
    aws.create_queue(QueueSpec::new("work"));
    let send = || client.send_message().queue_url(aws.queue_url("work")).message_body("x").send();

    aws.fail_next("SQS.SendMessage", 1, Fault::InternalError);
    send().await.unwrap();
    assert_eq!(aws.calls("SQS.SendMessage"), 2);
    aws.fail_next("SQS.SendMessage", 3, Fault::Throttled);
    let throttled = send().await.unwrap_err();

    assert!(throttled.as_service_error().unwrap().is_request_throttled());
    assert_eq!(aws.calls("SQS.SendMessage"), 5);
    assert_eq!(aws.messages("work").len(), 1);
}

#[tokio::test]
async fn each_service_fails_in_its_own_words() {
    let (aws, config) = aws().await;
    let config =
        config.into_builder().retry_config(aws_sdk_sqs::config::retry::RetryConfig::disabled()).build();
    aws.create_table("state", "pk");
    let get = || {
        let client = aws_sdk_dynamodb::Client::new(&config);
        client.get_item().table_name("state").key("pk", AttributeValue::S("a".to_owned())).send()
    };
    let secret = || aws_sdk_secretsmanager::Client::new(&config).get_secret_value().secret_id("x").send();

    aws.fail_next("DynamoDB.GetItem", 1, Fault::InternalError);
    aws.fail_next("DynamoDB.GetItem", 1, Fault::Throttled);
    aws.fail_next("SecretsManager.GetSecretValue", 1, Fault::InternalError);
    aws.fail_next("SecretsManager.GetSecretValue", 1, Fault::Throttled);

    assert!(get().await.unwrap_err().into_service_error().is_internal_server_error());
    assert_eq!(code(get().await.unwrap_err()), "ThrottlingException");
    assert!(secret().await.unwrap_err().into_service_error().is_internal_service_error());
    assert_eq!(code(secret().await.unwrap_err()), "ThrottlingException");
    assert!(get().await.unwrap().item.is_none());
}

#[tokio::test]
async fn a_partial_failure_publishes_nothing_and_answers_200() {
    let (aws, config) = aws().await;
    let client = aws_sdk_eventbridge::Client::new(&config);
    let entry = PutEventsRequestEntry::builder().source("tableau").detail_type("X").detail("{}").build();
    let put = || client.put_events().entries(entry.clone()).send();

    aws.fail_next("EventBridge.PutEvents", 1, Fault::PartialFailure);
    let failed = put().await.unwrap();
    let published = put().await.unwrap();

    assert_eq!(failed.failed_entry_count(), 1);
    assert_eq!(failed.entries()[0].error_code(), Some("InternalFailure"));
    assert_eq!(published.failed_entry_count(), 0);
    assert_eq!(aws.archive("default").len(), 1);
}

#[tokio::test]
async fn a_hanging_call_is_carried_out_only_if_its_caller_still_waits() {
    let (aws, config) = aws().await;
    let client = aws_sdk_sqs::Client::new(&config);
    aws.create_queue(QueueSpec::new("work"));
    let send = || client.send_message().queue_url(aws.queue_url("work")).message_body("x").send();

    aws.fail_next("SQS.SendMessage", 1, Fault::Hang(Duration::from_millis(300)));
    assert!(tokio::time::timeout(Duration::from_millis(50), send()).await.is_err());
    aws.fail_next("SQS.SendMessage", 1, Fault::Hang(Duration::from_millis(300)));
    let started = Instant::now();
    send().await.unwrap();

    assert!(started.elapsed() >= Duration::from_millis(300));
    assert_eq!(aws.messages("work").len(), 1);
}

#[tokio::test]
async fn a_call_whose_answer_is_lost_was_carried_out_and_comes_again() {
    let (aws, config) = aws().await;
    aws.create_table("state", "pk");
    let client = aws_sdk_dynamodb::Client::new(&config);
    let count = client.update_item().table_name("state").key("pk", AttributeValue::S("count#a".to_owned()));
    let count = count.update_expression("ADD v :one");
    aws.fail_next("DynamoDB.UpdateItem", 1, Fault::AnswerLost);

    count.expression_attribute_values(":one", AttributeValue::N("1".to_owned())).send().await.unwrap();

    assert_eq!(aws.items("state")[0]["v"]["N"], "2");
    assert_eq!(aws.requests(), [(("UpdateItem".to_owned(), "count".to_owned()), 2)].into());
}

#[tokio::test]
async fn requests_of_dynamodb_are_counted_by_operation_and_kind_of_item() {
    let (aws, config) = aws().await;
    aws.create_table("state", "pk");
    let client = aws_sdk_dynamodb::Client::new(&config);
    let key = |pk: &str| AttributeValue::S(pk.to_owned());
    for pk in ["incident#a", "incident#b#c", "no kind"] {
        client.put_item().table_name("state").item("pk", key(pk)).send().await.unwrap();
    }
    client.get_item().table_name("state").key("pk", key("burst#a")).send().await.unwrap();
    let keys = ["incident#a", "burst#a", "incident#b"].map(|pk| [("pk".to_owned(), key(pk))].into());
    let keys = KeysAndAttributes::builder().set_keys(Some(keys.into())).build().unwrap();
    client.batch_get_item().request_items("state", keys).send().await.unwrap();
    let delete = |pk: &str| {
        let delete = Delete::builder().table_name("state").key("pk", key(pk)).build().unwrap();
        TransactWriteItem::builder().delete(delete).build()
    };
    let both = client.transact_write_items().transact_items(delete("incident#a"));
    both.transact_items(delete("digest#a")).send().await.unwrap();
    let query = client.query().table_name("state").key_condition_expression("pk = :p");
    query.expression_attribute_values(":p", key("incident#a")).send().await.unwrap();

    let counted: Vec<_> =
        aws.requests().into_iter().map(|((of, kind), n)| format!("{of} {kind} {n}")).collect();
    let expected = [
        "BatchGetItem burst+incident 1",
        "GetItem burst 1",
        "PutItem  1",
        "PutItem incident 2",
        "Query  1",
        "TransactWriteItems digest+incident 1",
    ];
    assert_eq!(counted, expected);
}

#[tokio::test]
async fn what_is_missing_here_is_refused_by_name() {
    let (aws, config) = aws().await;
    aws.create_table("state", "pk");
    let dynamodb = aws_sdk_dynamodb::Client::new(&config);
    let update = dynamodb.update_item().table_name("state").key("pk", AttributeValue::S("a".to_owned()));

    let (scan, scan_message) = refusal(dynamodb.scan().table_name("state").send().await.unwrap_err());
    let values = refusal(update.clone().return_values(ReturnValue::UpdatedNew).send().await.unwrap_err()).1;
    let metrics = update.return_item_collection_metrics("SIZE".into()).send().await.unwrap_err();

    assert_eq!(scan, "UnknownOperationException");
    assert!(scan_message.contains("DynamoDB_20120810.Scan"), "{scan_message}");
    assert!(values.contains("ReturnValues=UPDATED_NEW"), "{values}");
    assert!(refusal(metrics).1.contains("UpdateItem's ReturnItemCollectionMetrics"));
}
