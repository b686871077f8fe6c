//! Contract of EventBridge.

use crate::backend::{Backend, backends, unique};
use crate::code;
use aws_sdk_eventbridge::types::PutEventsRequestEntry as Entry;
use serde_json::{Value, json};

fn entry(bus: &str, detail_type: &str, detail: &str) -> Entry {
    Entry::builder().event_bus_name(bus).source("tableau").detail_type(detail_type).detail(detail).build()
}

async fn put(
    backend: &Backend,
    entries: Vec<Entry>,
) -> aws_sdk_eventbridge::operation::put_events::PutEventsOutput {
    backend.events().put_events().set_entries(Some(entries)).send().await.unwrap()
}

/// The messages that arrive in a queue, as texts. Waits for the first message only.
async fn arrived(backend: &Backend, url: &str, wait: i32) -> Vec<String> {
    let receive =
        backend.sqs().receive_message().queue_url(url).max_number_of_messages(10).wait_time_seconds(wait);
    let messages = receive.send().await.unwrap().messages.unwrap_or_default();
    messages.into_iter().filter_map(|message| message.body).collect()
}

#[tokio::test]
async fn a_rule_sends_the_events_it_takes_to_its_queue() {
    for backend in backends().await {
        let bus = unique("tableau");
        let queue = unique("slack");
        backend.bus(&bus).await;
        let url = backend.queue(&queue, None).await;
        let pattern = json!({ "source": ["tableau"], "detail-type": ["WorkbookRefreshFailed"] });
        backend.rule(&bus, pattern, &queue, Some("$.detail")).await;

        let answer = put(
            &backend,
            vec![
                entry(&bus, "WorkbookRefreshFailed", r#"{ "z": 1, "a": [1, 2] }"#),
                entry(&bus, "WorkbookUpdated", "{}"),
            ],
        );
        let answer = answer.await;

        assert_eq!(answer.failed_entry_count(), 0);
        assert!(
            answer.entries().iter().all(|entry| entry.event_id().is_some() && entry.error_code().is_none())
        );
        let bodies = arrived(&backend, &url, 5).await;
        assert_eq!(bodies.len(), 1);
        let body: Value = serde_json::from_str(&bodies[0]).unwrap();
        assert_eq!(body, json!({ "z": 1, "a": [1, 2] }));
        // The emulator writes the detail with white space; AWS writes none and keeps the order of the keys.
        if backend.is_double() {
            assert_eq!(bodies[0], r#"{"z":1,"a":[1,2]}"#);
        }
    }
}

#[tokio::test]
async fn without_an_input_path_the_whole_event_is_sent() {
    for backend in backends().await {
        let bus = unique("tableau");
        let queue = unique("all");
        backend.bus(&bus).await;
        let url = backend.queue(&queue, None).await;
        backend.rule(&bus, json!({ "source": ["tableau"] }), &queue, None).await;

        let answer = put(&backend, vec![entry(&bus, "SiteUpdated", r#"{"a":1}"#)]).await;

        let event: Value = serde_json::from_str(&arrived(&backend, &url, 5).await[0]).unwrap();
        assert_eq!(event["version"], "0");
        assert_eq!(event["id"], answer.entries()[0].event_id().unwrap());
        assert_eq!(event["detail-type"], "SiteUpdated");
        assert_eq!(event["source"], "tableau");
        assert_eq!(event["region"], "us-east-1");
        assert_eq!(event["detail"], json!({ "a": 1 }));
        assert_eq!(event["resources"], json!([]));
        assert!(event["time"].as_str().unwrap().ends_with('Z') && event["account"].is_string());
    }
}

#[tokio::test]
async fn patterns_look_into_the_detail() {
    for backend in backends().await {
        let bus = unique("tableau");
        let queue = unique("picky");
        backend.bus(&bus).await;
        let url = backend.queue(&queue, None).await;
        let pattern = json!({ "detail": { "site": { "luid": ["s-1", "s-2"] }, "kind": ["Workbook"] } });
        backend.rule(&bus, pattern, &queue, Some("$.detail.id")).await;
        let detail = |site: &str, kind: &str| {
            let id = format!("{site}/{kind}");
            json!({ "site": { "luid": site }, "kind": kind, "id": id })
        };

        let details = [detail("s-2", "Workbook"), detail("s-3", "Workbook"), detail("s-1", "View")];
        put(&backend, details.iter().map(|detail| entry(&bus, "X", &detail.to_string())).collect()).await;

        assert_eq!(arrived(&backend, &url, 5).await, [r#""s-2/Workbook""#]);
    }
}

#[tokio::test]
async fn each_entry_fails_by_itself() {
    for backend in backends().await {
        let bus = unique("tableau");
        backend.bus(&bus).await;
        let good = entry(&bus, "X", "{}");
        let no_source = Entry::builder().event_bus_name(&bus).detail_type("X").detail("{}").build();
        let no_type = Entry::builder().event_bus_name(&bus).source("tableau").detail("{}").build();
        let not_json = entry(&bus, "X", "{");
        let not_an_object = entry(&bus, "X", "[1]");

        let answer = put(&backend, vec![good, no_source, no_type, not_json, not_an_object]).await;

        assert_eq!(answer.entries().len(), 5);
        // The emulator accepts entries that AWS refuses.
        if backend.is_double() {
            let codes: Vec<_> =
                answer.entries().iter().map(|entry| entry.error_code().unwrap_or("none")).collect();
            assert_eq!(
                codes,
                ["none", "InvalidArgument", "InvalidArgument", "MalformedDetail", "MalformedDetail"]
            );
            assert_eq!(answer.failed_entry_count(), 4);
        }
    }
}

#[tokio::test]
async fn an_event_for_a_bus_that_does_not_exist_is_accepted_and_lost() {
    for backend in backends().await {
        let answer = put(&backend, vec![entry(&unique("absent"), "X", "{}")]).await;

        assert_eq!(answer.failed_entry_count(), 0);
        assert!(answer.entries()[0].event_id().is_some());
    }
}

#[tokio::test]
async fn a_bus_is_found_by_its_arn_and_the_default_one_without_a_name() {
    for backend in backends().await {
        let bus = unique("tableau");
        let queue = unique("all");
        backend.bus(&bus).await;
        let url = backend.queue(&queue, None).await;
        backend.rule(&bus, json!({ "source": ["tableau"] }), &queue, Some("$.detail")).await;
        let source = unique("source");
        backend.rule("default", json!({ "source": [source.as_str()] }), &queue, Some("$.detail")).await;

        let arn = format!("arn:aws:events:us-east-1:000000000000:event-bus/{bus}");
        put(&backend, vec![entry(&arn, "X", "{}")]).await;
        assert_eq!(arrived(&backend, &url, 5).await, ["{}"]);

        let unnamed = Entry::builder().source(source).detail_type("X").detail("{}").build();
        put(&backend, vec![unnamed]).await;
        assert_eq!(arrived(&backend, &url, 5).await, ["{}"]);
    }
}

#[tokio::test]
async fn a_request_holds_ten_entries_and_256_kilobytes() {
    for backend in backends().await {
        let bus = unique("tableau");
        backend.bus(&bus).await;
        let events = backend.events();

        let eleven = events.put_events().set_entries(Some(vec![entry(&bus, "X", "{}"); 11])).send().await;
        let large = json!({ "a": "x".repeat(140_000) }).to_string();
        let two_large = events.put_events().set_entries(Some(vec![entry(&bus, "X", &large); 2])).send().await;
        let one_large = events.put_events().entries(entry(&bus, "X", &large)).send().await;

        assert_eq!(code(eleven.unwrap_err()), "ValidationException");
        // The emulator has no size limit.
        if backend.is_double() {
            assert_eq!(code(two_large.unwrap_err()), "ValidationException");
        }
        assert_eq!(one_large.unwrap().failed_entry_count(), 0);
    }
}
