//! Alerting works unchanged with another kind of destination, which sends single lines of text and cannot edit.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use alerting::context::Context;
use alerting::notification::Notification;
use alerting::notifier::{Delivered, Delivery, Notifier, Occurrence, Routed, Routing, Targeted, Undelivered};
use alerting::{Capabilities, Engine, Schedule};
use async_trait::async_trait;
use jiff::Timestamp;
use rules::{Matched, Site};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::records::MemoryRecords;
use tableau::{Event, Payload};
use workflow::{Failure, Invocation, TestRequest};

/// The lines sent to each number.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

#[async_trait]
impl Notifier for Lines {
    type Target = u32;

    async fn capabilities(&self) -> Result<Capabilities, Failure> {
        Ok(Capabilities { edit: false, thread: false, idempotency_key: false, grouping: false })
    }

    async fn deliver(
        &self,
        target: &u32,
        delivery: Delivery<'_>,
        notification: &Notification,
        _: &Invocation,
    ) -> Result<Delivered, Undelivered> {
        let audible = match delivery {
            Delivery::Post => true,
            Delivery::Edit { audible, .. } | Delivery::Close { audible, .. } => audible,
        };
        if audible {
            self.0.lock().unwrap().push(format!("{target} {}", notification.headline()));
        }
        Ok(Delivered { message: None, audible, note: None, skipped: None })
    }
}

struct OneNumber;

#[async_trait]
impl Routing<u32> for OneNumber {
    async fn route(&self, _: &Event, _: Option<u32>, _: &Invocation) -> Result<Routed<u32>, Failure> {
        Ok(Routed { targets: vec![Targeted::new("555", 555, Schedule::Now)], matched: Matched::default() })
    }

    fn targets(&self, _: &Occurrence, _: Timestamp) -> Result<Vec<Targeted<u32>>, Failure> {
        Ok(vec![Targeted::new("555", 555, Schedule::Now)])
    }

    fn failure_targets(&self, _: &Event, _: Timestamp) -> Result<Vec<Targeted<u32>>, Failure> {
        Ok(vec![Targeted::new("555", 555, Schedule::Now)])
    }

    fn all(&self) -> Result<BTreeMap<String, u32>, Failure> {
        Ok(BTreeMap::from([("555".to_owned(), 555), ("777 (night)".to_owned(), 777)]))
    }

    fn named(&self, key: &str) -> Result<Option<u32>, Failure> {
        Ok(key.parse().ok())
    }

    fn unnamed(&self, key: &str) -> Option<u32> {
        key.parse().ok()
    }

    fn site(&self, _: &Event) -> Option<Site> {
        None
    }

    async fn context(&self, _: &Event, _: &Invocation) -> Result<Context, Failure> {
        Ok(Context::default())
    }
}

#[tokio::test]
async fn a_destination_of_one_line_of_text_announces_a_failure_and_its_recovery() {
    let lines = Lines::default();
    let engine =
        Engine::new("notify-line", Arc::new(MemoryRecords::default()), None, lines.clone(), OneNumber);
    for (name, second) in [("DatasourceRefreshFailed", 0), ("DatasourceRefreshSucceeded", 600)] {
        let at = Timestamp::from_second(1_764_000_000 + second).unwrap();
        let payload = format!(
            r#"{{"resource":"DATASOURCE","event_type":"{name}","resource_name":"Sales","resource_luid":"d-1","site_luid":"s-1","created_at":"{at}"}}"#
        );
        let event = Event::try_from(&Payload::parse(payload.as_bytes()).unwrap()).unwrap();
        engine.on_event(&event, &Invocation::new("r", at, Duration::from_secs(60))).await.unwrap();
    }
    let sent = lines.0.lock().unwrap().clone();
    assert_eq!(sent, ["555 Extract refresh failed: Sales", "555 Recovered after 10 min: Sales"]);
}

#[tokio::test]
async fn a_test_goes_to_the_targets_that_are_meant_and_to_none_without_time_for_its_answer() {
    let lines = Lines::default();
    let engine =
        Engine::new("notify-line", Arc::new(MemoryRecords::default()), None, lines.clone(), OneNumber);
    let at = Timestamp::from_second(1_764_000_000).unwrap();
    for (target, seconds, expected, sent) in [
        (None, 60, vec![("555", "accepted"), ("777 (night)", "accepted")], 2),
        (Some("777"), 60, vec![("777 (night)", "accepted")], 1),
        (Some("77"), 60, Vec::new(), 0),
        (Some("555"), 4, vec![("555", "not tried")], 0),
    ] {
        lines.0.lock().unwrap().clear();
        let test = TestRequest { target: target.map(str::to_owned) };
        let tested = engine.on_test(&test, &Invocation::new("r", at, Duration::from_secs(seconds))).await;
        let tested = tested.unwrap_or_default();
        let outcomes: Vec<_> = tested.iter().map(|tested| (tested.target.as_str(), tested.outcome)).collect();
        assert_eq!(outcomes, expected, "{target:?}");
        assert_eq!(lines.0.lock().unwrap().len(), sent, "{target:?}");
    }
}
