//! Contract of SQS.

use crate::backend::{Backend, backends, unique};
use crate::{code, refusal};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::primitives::Blob;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message, MessageAttributeValue,
    MessageSystemAttributeName as System, MessageSystemAttributeNameForSends, MessageSystemAttributeValue,
    QueueAttributeName as Name, SendMessageBatchRequestEntry,
};
use std::collections::HashMap;
use std::time::Instant;

async fn queue(backend: &Backend) -> (Client, String) {
    (backend.sqs(), backend.queue(&unique("work"), None).await)
}

async fn send(client: &Client, url: &str, body: &str) {
    client.send_message().queue_url(url).message_body(body).send().await.unwrap();
}

async fn receive(client: &Client, url: &str, visibility: i32, wait: i32) -> Vec<Message> {
    let receive = client
        .receive_message()
        .queue_url(url)
        .max_number_of_messages(10)
        .visibility_timeout(visibility)
        .wait_time_seconds(wait)
        .message_system_attribute_names(System::All)
        .message_attribute_names("All");
    receive.send().await.unwrap().messages.unwrap_or_default()
}

async fn counts(client: &Client, url: &str) -> (String, String) {
    let get = client
        .get_queue_attributes()
        .queue_url(url)
        .attribute_names(Name::ApproximateNumberOfMessages)
        .attribute_names(Name::ApproximateNumberOfMessagesNotVisible);
    let attributes = get.send().await.unwrap().attributes.unwrap();
    let count = |name: &Name| attributes[name].clone();
    (count(&Name::ApproximateNumberOfMessages), count(&Name::ApproximateNumberOfMessagesNotVisible))
}

fn attribute(kind: &str, value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder().data_type(kind).string_value(value).build().unwrap()
}

#[tokio::test]
async fn a_message_arrives_with_its_attributes_and_sums() {
    for backend in backends().await {
        let (client, url) = queue(&backend).await;
        let blob =
            MessageAttributeValue::builder().data_type("Binary").binary_value(Blob::new([1, 2])).build();

        let sent = client
            .send_message()
            .queue_url(&url)
            .message_body("This is a test message")
            .message_attributes("reason", attribute("String", "403004 — forbidden"))
            .message_attributes("attempt", attribute("Number", "3"))
            .message_attributes("blob", blob.unwrap());
        let sent = sent.send().await.unwrap();
        let message = receive(&client, &url, 30, 0).await.remove(0);

        assert_eq!(sent.md5_of_message_body(), Some("fafb00f5732ab283681e124bf8747ed1"));
        assert_eq!(message.md5_of_body(), sent.md5_of_message_body());
        assert_eq!(message.md5_of_message_attributes(), sent.md5_of_message_attributes());
        assert!(sent.md5_of_message_attributes().is_some());
        assert_eq!(message.body(), Some("This is a test message"));
        assert_eq!(message.message_id(), sent.message_id());
        let attributes = message.message_attributes.unwrap();
        assert_eq!(attributes["reason"].string_value(), Some("403004 — forbidden"));
        assert_eq!(attributes["attempt"].data_type(), "Number");
        assert_eq!(attributes["blob"].binary_value().unwrap().as_ref(), [1, 2]);
        let system = message.attributes.unwrap();
        assert_eq!(system[&System::ApproximateReceiveCount], "1");
        let time = |name: &System| system[name].parse::<i64>().unwrap();
        assert!(time(&System::SentTimestamp) <= time(&System::ApproximateFirstReceiveTimestamp));
    }
}

#[tokio::test]
async fn only_the_attributes_asked_for_are_given() {
    for backend in backends().await {
        let (client, url) = queue(&backend).await;
        let send = client.send_message().queue_url(&url).message_body("x");
        let send = send.message_attributes("error.code", attribute("String", "1"));
        send.message_attributes("other", attribute("String", "2")).send().await.unwrap();

        let none = client.receive_message().queue_url(&url).visibility_timeout(0).send().await.unwrap();
        let some = client.receive_message().queue_url(&url).visibility_timeout(0);
        let some = some.message_attribute_names("error.*");
        let some = some.message_system_attribute_names(System::SentTimestamp).send().await.unwrap();

        assert_eq!((none.messages()[0].attributes(), none.messages()[0].message_attributes()), (None, None));
        let keys = some.messages()[0].message_attributes().unwrap().keys().collect::<Vec<_>>();
        assert_eq!(keys, ["error.code"]);
        assert_eq!(
            some.messages()[0].attributes().unwrap().keys().collect::<Vec<_>>(),
            [&System::SentTimestamp]
        );
    }
}

#[tokio::test]
async fn a_received_message_is_hidden_until_its_time_is_up_or_it_is_deleted() {
    for backend in backends().await {
        let (client, url) = queue(&backend).await;
        send(&client, &url, "one").await;
        assert_eq!(counts(&client, &url).await, ("1".to_owned(), "0".to_owned()));

        let first = receive(&client, &url, 2, 0).await.remove(0);
        assert_eq!(counts(&client, &url).await, ("0".to_owned(), "1".to_owned()));
        assert!(receive(&client, &url, 2, 0).await.is_empty());
        let second = receive(&client, &url, 30, 10).await.remove(0);

        assert_eq!(second.message_id(), first.message_id());
        assert_ne!(second.receipt_handle(), first.receipt_handle());
        assert_eq!(second.attributes.unwrap()[&System::ApproximateReceiveCount], "2");
        let delete = client.delete_message().queue_url(&url).receipt_handle(second.receipt_handle.unwrap());
        delete.clone().send().await.unwrap();
        // On AWS, deleting a message that was already deleted succeeds; the emulator refuses the unknown handle.
        if backend.is_double() {
            delete.send().await.unwrap();
        }
        assert_eq!(counts(&client, &url).await, ("0".to_owned(), "0".to_owned()));
    }
}

#[tokio::test]
async fn visibility_is_changed_while_a_message_is_in_flight_and_not_after() {
    for backend in backends().await {
        let (client, url) = queue(&backend).await;
        send(&client, &url, "one").await;
        let message = receive(&client, &url, 30, 0).await.remove(0);
        let change = |message: &Message, seconds: i32| {
            let change = client.change_message_visibility().queue_url(&url).visibility_timeout(seconds);
            change.receipt_handle(message.receipt_handle().unwrap()).send()
        };

        change(&message, 0).await.unwrap();
        // The emulator changes the visibility timeout all the same, to any value.
        if backend.is_double() {
            let not_in_flight = change(&message, 10).await.unwrap_err();
            assert!(not_in_flight.as_service_error().unwrap().is_message_not_inflight(), "{not_in_flight:?}");
            assert_eq!(code(change(&message, 43_201).await.unwrap_err()), "InvalidParameterValue");
        }
        let again = receive(&client, &url, 30, 0).await.remove(0);

        assert_eq!(again.message_id(), message.message_id());
    }
}

#[tokio::test]
async fn a_message_received_too_often_goes_to_the_dead_letter_queue_as_it_is() {
    for backend in backends().await {
        let letters = unique("letters");
        let letters_url = backend.queue(&letters, None).await;
        let work = unique("work");
        let client = backend.sqs();
        let url = backend.queue(&work, Some((&letters, 2))).await;
        send(&client, &url, "poison").await;

        let mut ids = Vec::new();
        for _ in 0..2 {
            ids.push(receive(&client, &url, 0, 1).await.remove(0).message_id);
        }
        assert!(receive(&client, &url, 0, 0).await.is_empty());
        let letter = receive(&client, &letters_url, 30, 5).await.remove(0);

        assert_eq!(letter.body(), Some("poison"));
        assert_eq!((&ids[0], &ids[1]), (&letter.message_id, &letter.message_id));
        assert_eq!(counts(&client, &url).await, ("0".to_owned(), "0".to_owned()));
        let source = &letter.attributes.unwrap()[&System::DeadLetterQueueSourceArn];
        assert_eq!(*source, format!("arn:aws:sqs:us-east-1:000000000000:{work}"));
    }
}

#[tokio::test]
async fn a_receive_waits_for_a_message_that_is_sent_meanwhile() {
    for backend in backends().await {
        let (client, url) = queue(&backend).await;
        let waiting = tokio::spawn({
            let client = client.clone();
            let url = url.clone();
            async move { receive(&client, &url, 30, 20).await }
        });
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        let sent_at = Instant::now();
        send(&client, &url, "late").await;

        assert_eq!(waiting.await.unwrap().len(), 1);
        assert!(sent_at.elapsed().as_secs() < 10);
    }
}

#[tokio::test]
async fn a_batch_holds_at_most_what_was_asked_for() {
    for backend in backends().await {
        let (client, url) = queue(&backend).await;
        for n in 0..5 {
            send(&client, &url, &n.to_string()).await;
        }
        let one = client.receive_message().queue_url(&url).send().await.unwrap();
        let three = client.receive_message().queue_url(&url).max_number_of_messages(3).send().await.unwrap();

        assert_eq!((one.messages().len(), three.messages().len()), (1, 3));
    }
}

#[tokio::test]
async fn a_batch_answers_for_each_of_its_entries() {
    for backend in backends().await {
        let (client, url) = queue(&backend).await;
        let entry = |id: &str, body: &str| {
            SendMessageBatchRequestEntry::builder().id(id).message_body(body).build().unwrap()
        };
        let send = |entries| client.send_message_batch().queue_url(&url).set_entries(Some(entries)).send();

        let sent = send(vec![entry("a", "1"), entry("b", "\u{1}"), entry("c", "3")]).await.unwrap();
        let received = receive(&client, &url, 60, 1).await;
        let receipts: Vec<&str> = received.iter().filter_map(Message::receipt_handle).collect();
        let hidden = ChangeMessageVisibilityBatchRequestEntry::builder().id("a").receipt_handle(receipts[0]);
        let changed = client.change_message_visibility_batch().queue_url(&url);
        let changed = changed.entries(hidden.visibility_timeout(0).build().unwrap()).send().await.unwrap();
        let again = receive(&client, &url, 60, 1).await;
        let delete = |id: &str, receipt: &str| {
            DeleteMessageBatchRequestEntry::builder().id(id).receipt_handle(receipt).build().unwrap()
        };
        let last = delete("a", receipts[1]);
        let wrong = delete("b", "made up");
        let deleted = client.delete_message_batch().queue_url(&url).entries(last).entries(wrong);
        let deleted = deleted.send().await.unwrap();

        let ids: Vec<&str> = sent.successful().iter().map(|entry| entry.id()).collect();
        assert_eq!((ids, sent.failed().len()), (vec!["a", "c"], 1));
        assert!(sent.failed()[0].id() == "b" && sent.failed()[0].sender_fault());
        assert_eq!(received.iter().filter_map(Message::body).collect::<Vec<_>>(), ["1", "3"]);
        assert_eq!((changed.successful().len(), again.len()), (1, 1));
        assert_eq!((deleted.successful().len(), deleted.failed().len()), (1, 1));
        assert_eq!(counts(&client, &url).await, ("0".to_owned(), "1".to_owned()));

        let none = send(Vec::new()).await.unwrap_err();
        assert!(none.as_service_error().unwrap().is_empty_batch_request());
        let many = send((0..11).map(|n| entry(&n.to_string(), "x")).collect()).await.unwrap_err();
        assert!(many.as_service_error().unwrap().is_too_many_entries_in_batch_request());
        let same = send(vec![entry("a", "x"), entry("a", "x")]).await.unwrap_err();
        assert!(same.as_service_error().unwrap().is_batch_entry_ids_not_distinct());
    }
}

#[tokio::test]
async fn a_queue_describes_itself() {
    for backend in backends().await {
        let letters = unique("letters");
        backend.queue(&letters, None).await;
        let name = unique("work");
        let client = backend.sqs();
        let url = backend.queue(&name, Some((&letters, 3))).await;

        let all =
            client.get_queue_attributes().queue_url(&url).attribute_names(Name::All).send().await.unwrap();

        let all: HashMap<Name, String> = all.attributes.unwrap();
        assert_eq!(all[&Name::QueueArn], format!("arn:aws:sqs:us-east-1:000000000000:{name}"));
        assert_eq!(all[&Name::VisibilityTimeout], "30");
        let policy: serde_json::Value = serde_json::from_str(&all[&Name::RedrivePolicy]).unwrap();
        assert!(policy["deadLetterTargetArn"].as_str().unwrap().ends_with(&letters));
        assert_eq!(policy["maxReceiveCount"].to_string().trim_matches('"'), "3");
    }
}

#[tokio::test]
async fn a_queue_that_does_not_exist_is_a_modelled_error() {
    for backend in backends().await {
        let (client, url) = queue(&backend).await;
        let gone = format!("{url}-gone");

        let sent = client.send_message().queue_url(&gone).message_body("x").send().await.unwrap_err();
        let received = client.receive_message().queue_url(&gone).send().await.unwrap_err();

        assert!(sent.as_service_error().unwrap().is_queue_does_not_exist());
        assert!(received.as_service_error().unwrap().is_queue_does_not_exist());
        assert_eq!(code(sent), "AWS.SimpleQueueService.NonExistentQueue");
    }
}

#[tokio::test]
async fn parameters_out_of_range_are_refused() {
    for backend in backends().await {
        let (client, url) = queue(&backend).await;

        let big = "x".repeat(1_048_577);
        let too_large = client.send_message().queue_url(&url).message_body(big).send().await.unwrap_err();
        let eleven =
            client.receive_message().queue_url(&url).max_number_of_messages(11).send().await.unwrap_err();

        let (refused_code, message) = refusal(too_large);
        assert_eq!(refused_code, "InvalidParameterValue");
        assert!(message.contains("1048576 bytes"), "{message}");
        assert_eq!(code(eleven), "InvalidParameterValue");
        let most = "x".repeat(1_048_576);
        client.send_message().queue_url(&url).message_body(most).send().await.unwrap();
        let control = client.send_message().queue_url(&url).message_body("\u{1}").send().await.unwrap_err();
        assert!(control.as_service_error().unwrap().is_invalid_message_contents());
        let made_up =
            client.delete_message().queue_url(&url).receipt_handle("made up").send().await.unwrap_err();
        assert!(made_up.as_service_error().unwrap().is_receipt_handle_is_invalid());
        // The emulator shortens a wait that is too long instead of refusing it.
        if backend.is_double() {
            let waiting =
                client.receive_message().queue_url(&url).wait_time_seconds(21).send().await.unwrap_err();
            assert_eq!(code(waiting), "InvalidParameterValue");
        }
    }
}

#[tokio::test]
async fn the_trace_header_of_a_request_stays_with_its_messages() {
    for backend in backends().await {
        if !backend.is_double() {
            // ministack 1.5.33 does not keep the trace header; SQS does.
            continue;
        }
        let (client, url) = queue(&backend).await;
        let trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0;Lineage=1:a87bd80c:0";
        let with_trace = move |request: &mut aws_sdk_sqs::config::http::HttpRequest| {
            request.headers_mut().insert("X-Amzn-Trace-Id", trace);
        };
        let own = MessageSystemAttributeValue::builder().data_type("String").string_value("Root=1-2-3");
        let entry = SendMessageBatchRequestEntry::builder().id("1").message_body("batch").build().unwrap();

        let plain = client.send_message().queue_url(&url).message_body("plain");
        plain.customize().mutate_request(with_trace).send().await.unwrap();
        let batch = client.send_message_batch().queue_url(&url).entries(entry);
        batch.customize().mutate_request(with_trace).send().await.unwrap();
        let named = client.send_message().queue_url(&url).message_body("own").message_system_attributes(
            MessageSystemAttributeNameForSends::AwsTraceHeader,
            own.build().unwrap(),
        );
        named.customize().mutate_request(with_trace).send().await.unwrap();
        send(&client, &url, "none").await;

        let messages = receive(&client, &url, 30, 0).await.into_iter().map(|message| {
            let trace = message.attributes.unwrap_or_default().remove(&System::AwsTraceHeader);
            (message.body.unwrap_or_default(), trace)
        });
        let expected =
            [("plain", Some(trace)), ("batch", Some(trace)), ("own", Some("Root=1-2-3")), ("none", None)];
        let expected = expected.map(|(body, trace)| (body.to_owned(), trace.map(str::to_owned)));
        assert_eq!(messages.collect::<HashMap<_, _>>(), HashMap::from(expected));
    }
}
