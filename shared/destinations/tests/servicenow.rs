//! The ServiceNow client against the simulator: many callers at the same time.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use alerting::context::Context;
use alerting::notification::{About, Notification, event};
use alerting::notifier::{Delivery, Notifier};
use circuit::Circuits;
use destinations::servicenow::{ServiceNow, ServiceNowCredential, ServiceNowNotifier};
use jiff::Timestamp;
use rules::settings::TrackServicenowIncident;
use serde_json::json;
use simulator::{ServiceNowFault, ServiceNowSimulator};
use std::sync::Arc;
use std::time::Duration;
use store::{Documents, MemoryStore};
use tableau::{Event, Payload};
use workflow::{Fixed, Invocation};

fn notification(n: usize) -> Notification {
    let payload = json!({
        "resource": "WORKBOOK", "event_type": "WorkbookCreated", "resource_name": format!("Weekly {n}"), "site_luid": "s-1",
        "resource_luid": format!("r-{n}"), "created_at": "2025-01-15T17:14:45Z",
    });
    let created = Event::try_from(&Payload::parse(payload.to_string().as_bytes()).unwrap()).unwrap();
    let context = Context::default();
    let shown = event(&About { event: &created, site: None, context: &context });
    Notification { thread: Some(created.id.short().to_owned()), ..shown }
}

fn notifier(servicenow: &ServiceNowSimulator, documents: &Documents) -> ServiceNowNotifier {
    let (id, secret) = servicenow.application();
    let credential = json!({ "instance": servicenow.url(), "client_id": id, "client_secret": secret });
    let credential: ServiceNowCredential = serde_json::from_value(credential).unwrap();
    let http = http_client::client(None).unwrap();
    let client = ServiceNow::new(http, Arc::new(Fixed::new(credential)));
    let circuits = Circuits::new(documents.clone(), "w", "ServiceNow");
    ServiceNowNotifier::new(client, circuits, documents.clone(), "w")
}

fn invocation() -> Invocation {
    Invocation::new("r", Timestamp::now(), Duration::from_secs(60))
}

/// Announces that many events at the same time.
async fn storm(notifier: &Arc<ServiceNowNotifier>, from: usize, to: usize) {
    let tasks: Vec<_> = (from..to)
        .map(|n| {
            let notifier = Arc::clone(notifier);
            tokio::spawn(async move {
                let target = TrackServicenowIncident::default();
                let sent = notifier.deliver(&target, Delivery::Post, &notification(n), &invocation()).await;
                sent.unwrap().message.unwrap()
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

// D040
#[tokio::test]
async fn sixty_incidents_at_the_same_time_share_one_token_and_one_new_one_when_it_ends() {
    let servicenow = ServiceNowSimulator::start().await.unwrap();
    let documents = Documents::new(Arc::new(MemoryStore::default()));
    let notifier = Arc::new(notifier(&servicenow, &documents));
    storm(&notifier, 0, 60).await;
    assert_eq!((servicenow.incidents().len(), servicenow.tokens_given()), (60, 1));
    servicenow.revoke_tokens();
    storm(&notifier, 60, 120).await;
    assert_eq!(
        (servicenow.incidents().len(), servicenow.tokens_given()),
        (120, 2),
        "one new one for all callers"
    );
    assert!(servicenow.refusals().iter().all(|call| call.status == 401));

    // A token that lives for three seconds is replaced before each end: no call is refused.
    servicenow.set_token_life(Duration::from_secs(3));
    servicenow.revoke_tokens();
    storm(&notifier, 120, 121).await;
    let refused = servicenow.refusals().len();
    for n in 121..127 {
        storm(&notifier, n, n + 1).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(servicenow.refusals().len(), refused);
    assert!((4..=6).contains(&servicenow.tokens_given()), "{}", servicenow.tokens_given());
}

// D057
#[tokio::test]
async fn two_workers_that_look_for_one_incident_at_the_same_time_create_one() {
    let servicenow = ServiceNowSimulator::start().await.unwrap();
    let documents = Documents::new(Arc::new(MemoryStore::default()));
    let one = notifier(&servicenow, &documents);
    let two = notifier(&servicenow, &documents);
    servicenow.fail_next("search", 1, ServiceNowFault::Slow(500));
    let target = TrackServicenowIncident::default();
    let shown = notification(1);
    // What the second worker handles belongs to the same incident, and is another event.
    let other = Notification { thread: shown.thread.clone(), ..notification(2) };
    let later = invocation();
    let invocation = invocation();
    let second = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        two.deliver(&target, Delivery::Post, &other, &later).await
    };
    let (first, second) = tokio::join!(one.deliver(&target, Delivery::Post, &shown, &invocation), second);
    let created = first.unwrap().message.unwrap();
    let refused = second.unwrap_err();
    assert_eq!((refused.failure.kind(), refused.maybe_sent), ("transient", false));
    assert!(refused.failure.reason().starts_with("another worker is looking for this incident"));
    assert_eq!(servicenow.kinds(), ["token", "search", "create"]);
    let found = two.deliver(&target, Delivery::Post, &other, &later).await.unwrap().message.unwrap();
    assert_eq!((found, servicenow.incidents().len()), (created, 1));
}

// D056
#[tokio::test]
async fn a_notification_that_says_not_what_it_is_about_has_no_incident() {
    let servicenow = ServiceNowSimulator::start().await.unwrap();
    let documents = Documents::new(Arc::new(MemoryStore::default()));
    let notifier = notifier(&servicenow, &documents);
    let shown = Notification { thread: None, ..notification(1) };
    let target = TrackServicenowIncident::default();
    let refused = notifier.deliver(&target, Delivery::Post, &shown, &invocation()).await.unwrap_err();
    assert_eq!(refused.failure.kind(), "permanent");
    assert!(servicenow.calls().is_empty());
}
