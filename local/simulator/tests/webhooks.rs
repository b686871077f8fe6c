//! Managing webhooks, and what they are sent.

#![expect(clippy::unwrap_used, reason = "helpers of tests are not known for such")]

mod support;

use reqwest::Method;
use serde_json::{Value, json};
use simulator::{DeliveryState, Fault, Recorder, TableauSimulator, Webhook, notes};
use std::time::Duration;
use support::{Caller, SOON, manual_clock};
use tableau::{Event, EventName, Payload};

fn webhook(event: &str, url: &str) -> Value {
    let destination = json!({ "webhook-destination-http": { "method": "POST", "url": url } });
    json!({ "webhook": { "name": "w", "event": event, "webhook-destination": destination } })
}

async fn quick() -> TableauSimulator {
    TableauSimulator::sample().retry_gaps([1, 2, 4].map(Duration::from_millis)).start().await.unwrap()
}

fn statuses(tableau: &TableauSimulator, delivery: usize) -> Vec<u16> {
    tableau.deliveries()[delivery].attempts.iter().map(|a| a.status.clone().unwrap_or(0)).collect()
}

#[tokio::test]
async fn a_webhook_is_made_listed_changed_and_removed() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let path = format!("/api/3.29/sites/{}/webhooks", caller.site);
    let body = webhook("WorkbookRefreshFailed", "https://example.com/hook").to_string();

    let made = caller.send(Method::POST, &path, &body).await.unwrap();
    assert_eq!(made.status().as_u16(), 201);
    let location = made.headers()["location"].to_str().unwrap().to_owned();
    let made: Value = serde_json::from_str(&made.text().await.unwrap()).unwrap();
    let id = made["webhook"]["id"].as_str().unwrap().to_owned();
    assert!(location.ends_with(&id));
    let source = json!({ "webhook-source-event-workbook-refresh-failed": {} });
    assert_eq!(made["webhook"]["webhook-source"], source);
    assert_eq!(made["webhook"]["isEnabled"], true);
    assert_eq!(made["webhook"]["statusChangeReason"], "");
    assert_eq!(made["webhook"]["owner"]["name"], "bea@example.com");
    assert_eq!(caller.get("/webhooks").await.json["webhooks"]["webhook"], json!([made["webhook"]]));

    let one = format!("/webhooks/{id}");
    let off = json!({ "webhook": { "isEnabled": "false" } });
    let reason = caller.put(&one, &off).await.json["webhook"]["statusChangeReason"].clone();
    assert_eq!(reason, "Webhook disabled by user");
    let why = json!({ "webhook": { "isEnabled": false, "statusChangeReason": "moving" } });
    assert_eq!(caller.put(&one, &why).await.json["webhook"]["statusChangeReason"], "moving");
    let alone = json!({ "webhook": { "statusChangeReason": "moving" } });
    assert_eq!(caller.put(&one, &alone).await.code(), "400127");
    let renamed = json!({ "webhook": { "name": "n", "event": "SiteUpdated", "isEnabled": true } });
    let renamed = caller.put(&one, &renamed).await.json["webhook"].clone();
    assert_eq!((renamed["name"].clone(), renamed["event"].clone()), (json!("n"), json!("SiteUpdated")));
    assert_eq!(caller.get(&one).await.json["webhook"], renamed);

    assert_eq!(caller.delete(&one).await.status, 204);
    assert_eq!(caller.get(&one).await.code(), "404034");
}

#[tokio::test]
async fn events_are_named_by_attribute_or_element_and_old_versions_know_less() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let mut old = webhook("", "https://example.com/");
    old["webhook"].as_object_mut().unwrap().remove("event");
    old["webhook"]["webhook-source"] = json!({ "webhook-event-user-promoted-admin": {} });
    let path = format!("/api/3.6/sites/{}/webhooks", caller.site);

    let made = caller.call(Method::POST, &path, &old.to_string()).await.json["webhook"].clone();
    assert!(made.get("event").is_none() && made.get("isEnabled").is_none());
    assert_eq!(tableau.webhooks()[0].event, EventName::AdminPromoted);

    let new = webhook("SiteUpdated", "https://example.com/").to_string();
    let early = format!("/api/3.8/sites/{}/webhooks", caller.site);
    assert_eq!(caller.call(Method::POST, &early, &new).await.code(), "400000", "event came with 3.9");
    let off = json!({ "webhook": { "isEnabled": false, "event": "SiteUpdated" } }).to_string();
    let one = format!("/api/3.8/sites/{}/webhooks/{}", caller.site, made["id"].as_str().unwrap());
    assert_eq!(caller.call(Method::PUT, &one, &off).await.code(), "400000");
    let off = json!({ "webhook": { "isEnabled": false } }).to_string();
    assert_eq!(caller.call(Method::PUT, &one, &off).await.json["webhook"]["isEnabled"], false);

    old["webhook"]["event"] = json!("AdminDemoted");
    assert_eq!(caller.post("/webhooks", &old).await.code(), "400000", "they disagree");
    for event in ["RefreshFailed", ""] {
        let body = webhook(event, "https://example.com/");
        assert_eq!(caller.post("/webhooks", &body).await.code(), "400000", "{event}");
    }
    for url in ["http://example.com/", "ftp://127.0.0.1/", "no url"] {
        let body = webhook("SiteUpdated", url);
        assert_eq!(caller.post("/webhooks", &body).await.code(), "400118", "{url}");
    }
    tableau.allow_webhooks(false);
    assert_eq!(caller.get("/webhooks").await.code(), "403109");
}

#[tokio::test]
async fn a_failed_refresh_reaches_the_webhooks_for_it_and_no_other() {
    let clock = manual_clock();
    let tableau = TableauSimulator::sample().clock(clock).start().await.unwrap();
    let destination = Recorder::start().await.unwrap();
    tableau.add(Webhook::on(EventName::DatasourceRefreshFailed, &destination.url()));
    tableau.add(Webhook::on(EventName::DatasourceRefreshSucceeded, &destination.url()));
    let luid = tableau.datasource("General Ledger").unwrap();

    tableau.fail_refresh(&luid, notes::SQL_SERVER_LOGIN).unwrap();

    tableau.settled(SOON).await.unwrap();
    let requests = destination.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(
        (requests[0].method.as_str(), requests[0].header("content-type")),
        ("POST", Some("application/json"))
    );
    let payload = Payload::parse(&requests[0].body).unwrap();
    assert_eq!(payload.resource.as_deref(), Some("EXTRACTS"));
    assert_eq!(payload.created_at.as_deref(), Some("2026-03-02T06:14:45Z"));
    assert!(payload.text.as_deref().unwrap().ends_with("posted at 2026-03-02T06:14:44.512Z"));
    let event = Event::try_from(&payload).unwrap();
    assert_eq!((event.name.clone(), event.datasource()), (EventName::DatasourceRefreshFailed, Some(&luid)));
}

#[tokio::test]
async fn a_delivery_is_tried_again_until_it_is_answered_with_2xx() {
    let tableau = quick().await;
    let destination = Recorder::start().await.unwrap();
    destination.answer(202, "");
    destination.fail_next(1, Fault::Status(503));
    destination.fail_next(1, Fault::Reset);
    tableau.add(Webhook::on(EventName::SiteUpdated, &destination.url()));

    tableau.fire(&EventName::SiteUpdated, tableau.site()).unwrap();

    tableau.settled(SOON).await.unwrap();
    assert_eq!(statuses(&tableau, 0), [503, 0, 202]);
    assert_eq!(tableau.deliveries()[0].state, DeliveryState::Delivered);
    let requests = destination.requests();
    assert!(requests.iter().all(|r| r.body == requests[0].body), "each try sends the same");
    assert!(tableau.webhooks()[0].enabled);
}

#[tokio::test]
async fn four_failed_tries_switch_a_webhook_off_until_it_is_switched_on_again() {
    let tableau = quick().await;
    let destination = Recorder::start().await.unwrap();
    destination.answer(302, &format!("{}/elsewhere", destination.url()));
    let id = tableau.add(Webhook::on(EventName::SiteUpdated, &destination.url()));
    let fire = || tableau.fire(&EventName::SiteUpdated, tableau.site()).unwrap();

    fire();
    tableau.settled(SOON).await.unwrap();

    assert_eq!(statuses(&tableau, 0), [302; 4], "redirects are failures, and not followed");
    assert!(destination.requests().iter().all(|r| r.path == "/"));
    let webhook = &tableau.webhooks()[0];
    assert!(!webhook.enabled && !webhook.status_change_reason.is_empty());
    assert_eq!(fire().webhooks, 0, "events are lost meanwhile");

    let caller = Caller::administrator(&tableau).await;
    let on = caller.put(&format!("/webhooks/{id}"), &json!({ "webhook": { "isEnabled": true } })).await;
    assert_eq!(on.json["webhook"]["statusChangeReason"], "");
    destination.answer(200, "");
    assert_eq!(fire().webhooks, 1);
    tableau.settled(SOON).await.unwrap();
    assert_eq!(statuses(&tableau, 1), [200]);
}

#[tokio::test]
async fn nothing_listening_is_a_failed_try() {
    let tableau = TableauSimulator::sample().retry_gaps([SOON; 3]).start().await.unwrap();
    let destination = Recorder::start().await.unwrap();
    let url = destination.url();
    drop(destination);
    tableau.add(Webhook::on(EventName::SiteUpdated, &url));
    tableau.fire(&EventName::SiteUpdated, tableau.site()).unwrap();
    while tableau.deliveries()[0].attempts.is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }

    let attempt = tableau.deliveries()[0].attempts[0].clone();
    assert!(attempt.status.unwrap_err().contains("refused"));
    assert_eq!(tableau.deliveries()[0].state, DeliveryState::Pending);
    assert!(tableau.settled(Duration::from_millis(5)).await.is_err());
}

#[tokio::test]
async fn duplicates_are_the_same_byte_for_byte() {
    let tableau = quick().await;
    let destination = Recorder::start().await.unwrap();
    tableau.add(Webhook::on(EventName::WorkbookUpdated, &destination.url()));
    tableau.duplicates(2);

    let fired = tableau.fire(&EventName::WorkbookUpdated, tableau.workbook("Superstore").unwrap()).unwrap();

    let requests = destination.wait_for(3, SOON).await.unwrap();
    tableau.settled(SOON).await.unwrap();
    assert_eq!(requests.len(), 3);
    assert!(requests.iter().all(|r| r.text() == fired.payload));
    let copies: Vec<u32> = tableau.deliveries().iter().map(|d| d.copy).collect();
    assert_eq!(copies, [0, 1, 2]);
}

#[tokio::test]
async fn a_test_sends_an_empty_body_and_hands_back_the_answer() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let destination = Recorder::start().await.unwrap();
    destination.answer(403, "{\"error\":\"forbidden\"}");
    let id = tableau.add(Webhook::on(EventName::SiteUpdated, &destination.url()));

    let answer = caller.get(&format!("/webhooks/{id}/test")).await;

    let result = json!({ "id": id, "status": "403", "body": "{\"error\":\"forbidden\"}" });
    assert_eq!((answer.status, answer.json), (200, json!({ "webhookTestResult": result })));
    assert!(Payload::parse(&destination.requests()[0].body).unwrap().is_test());
    assert!(tableau.deliveries().is_empty());
}

#[tokio::test]
async fn a_deletion_sends_its_event_and_the_object_is_gone() {
    let tableau = quick().await;
    let destination = Recorder::start().await.unwrap();
    tableau.add(Webhook::on(EventName::WorkbookDeleted, &destination.url()));
    let caller = Caller::administrator(&tableau).await;
    let luid = tableau.workbook("Superstore").unwrap();

    tableau.delete(&luid).unwrap();

    let requests = destination.wait_for(1, SOON).await.unwrap();
    assert_eq!(Payload::parse(&requests[0].body).unwrap().resource_name.as_deref(), Some("Superstore"));
    assert_eq!(caller.get(&format!("/workbooks/{luid}")).await.code(), "404006");
    assert!(tableau.view("Overview").is_none());
    assert!(tableau.fire(&EventName::WorkbookUpdated, &luid).is_err());

    tableau.add(Webhook::on(EventName::DatasourceDeleted, &destination.url()));
    let path = format!("/datasources/{}", tableau.datasource("Budget").unwrap());
    assert_eq!(Caller::user(&tableau, "yuki").await.delete(&path).await.code(), "403004");
    assert_eq!(caller.delete(&path).await.status, 204);
    let requests = destination.wait_for(2, SOON).await.unwrap();
    assert_eq!(Payload::parse(&requests[1].body).unwrap().resource_name.as_deref(), Some("Budget"));
    assert_eq!(caller.delete(&path).await.code(), "404004");
}
