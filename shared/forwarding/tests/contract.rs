//! Events for buses and topics: at the double, and at the emulator whose URL is in `AWS_CONTRACT_URL`, which is another project's idea of
//! EventBridge and SNS.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use circuit::Circuits;
use forwarding::network::SystemNames;
use forwarding::{AwsDestinations, ForwardCredential, Forwarder, Parcel, Sent, Targets};
use jiff::Timestamp;
use rules::settings::Destination;
use std::sync::Arc;
use std::time::Duration;
use tableau::{Event, Payload};
use testkit::dynamodb::config;
use testkit::local_aws::{Aws, REGION};
use workflow::{Fixed, Invocation};

fn forwarder(aws: aws_types::SdkConfig) -> Forwarder {
    let secret = serde_json::json!({ "targets": { "own": { "url": "https://example.com/" } } });
    let credential: ForwardCredential = serde_json::from_value(secret).unwrap();
    let http = forwarding::network::client(SystemNames, None).unwrap();
    let documents = store::documents(None);
    let circuits = Circuits::of_independent_parts(documents.clone(), "forward-event", "Forward");
    let targets = Targets::new(http, Arc::new(Fixed::new(credential)));
    Forwarder::new(targets, AwsDestinations::new(aws), circuits, documents)
}

/// Sends an event to a bus, a topic and a FIFO topic.
async fn send_all(forwarder: &Forwarder, bus: &str, topics: [&str; 2]) {
    let payload = Payload {
        resource: Some("DATASOURCE".to_owned()),
        event_type: Some("DatasourceRefreshFailed".to_owned()),
        resource_name: Some("Größe".to_owned()),
        site_luid: Some("8b2a95d8-52b9-40a4-8712-cd6da771bd1b".to_owned()),
        resource_luid: Some("0c7ba112-4c1b-4f4e-9d1a-000000000001".to_owned()),
        created_at: Some("2026-01-15T17:14:45Z".to_owned()),
        ..Payload::default()
    };
    let event = Event::try_from(&payload).unwrap();
    let invocation = Invocation::new("request", Timestamp::now(), Duration::from_secs(60));
    let body = payload.canonical_json();
    for destination in [Destination::Bus(bus), Destination::Topic(topics[0]), Destination::Topic(topics[1])] {
        let parcel = Parcel {
            event: &event,
            destination,
            title: "Extract refresh failed: Größe",
            body: &body,
            longest: Duration::from_secs(10),
        };
        let sent = forwarder.send(parcel, &invocation).await;
        let is_taken =
            sent.as_ref().is_ok_and(|sent| *sent == Sent { status: 200, made: None, is_last: false });
        assert!(is_taken, "{destination:?}: {:?}", sent.map_err(|failure| failure.reason()));
    }
}

#[tokio::test]
async fn the_double_takes_events_and_publications() {
    let aws = Aws::start().await.unwrap();
    aws.create_bus("data");
    let topics = ["alerts", "alerts.fifo"].map(|name| aws.create_topic(name));
    let bus = format!("arn:aws:events:{REGION}:000000000000:event-bus/data");
    send_all(&forwarder(config(&aws)), &bus, [&topics[0], &topics[1]]).await;
    assert_eq!((aws.archive("data").len(), aws.publications().len()), (1, 2));
    assert_eq!(aws.publications()[0].subject, "Extract refresh failed: Gr??e");
}

#[tokio::test]
async fn the_emulator_takes_events_and_publications() {
    let Some(url) = testkit::dynamodb::emulator_url() else { return };
    let config = config(&url);
    let events = aws_sdk_eventbridge::Client::new(&config);
    // One that an earlier run has made is as good.
    let _ = events.create_event_bus().name("forward-contract").send().await;
    let bus = events.describe_event_bus().name("forward-contract").send().await.unwrap();
    let sns = aws_sdk_sns::Client::new(&config);
    let plain = sns.create_topic().name("forward-contract").send().await.unwrap();
    let fifo = sns
        .create_topic()
        .name("forward-contract.fifo")
        .attributes("FifoTopic", "true")
        .send()
        .await
        .unwrap();
    let topics = [plain.topic_arn().unwrap(), fifo.topic_arn().unwrap()];
    send_all(&forwarder(config), bus.arn().unwrap(), topics).await;
}
