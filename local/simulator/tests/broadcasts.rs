//! Broadcasts of views, and the admin page.

mod support;

use reqwest::Method;
use serde_json::{Value, json};
use simulator::{Recorder, TableauSimulator, Webhook};
use std::time::Duration;
use support::{Caller, SOON, manual_clock};
use tableau::EventName;

#[tokio::test]
async fn a_view_is_broadcast_and_overwritten() {
    let clock = manual_clock();
    let tableau = TableauSimulator::sample().clock(clock.clone()).start().await.unwrap();
    let caller = Caller::administrator(&tableau).await;
    let view = tableau.view("Overview").unwrap();
    let path = format!("/api/exp/sites/{}/broadcasts/views", caller.site);
    let body = json!({ "broadcastViewSend": { "viewId": view, "showWatermark": true, "showTabs": false } });
    let send =
        async |query: &str| caller.call(Method::POST, &format!("{path}{query}"), &body.to_string()).await;
    assert_eq!(caller.call(Method::GET, &path, "").await.json, json!({ "broadcastViews": {} }));

    assert_eq!(send("").await.code(), "400000", "the terms are not accepted");
    assert_eq!(send("?acceptTermsOfUse=true&overwrite=yes").await.status, 200);
    assert_eq!(send("?acceptTermsOfUse=true").await.code(), "409000");
    clock.advance(Duration::from_secs(60));
    assert_eq!(send("?acceptTermsOfUse=true&overwrite=yes").await.status, 200);

    let list = caller.call(Method::GET, &path, "").await.json;
    let workbook = json!({ "id": tableau.workbook("Superstore").unwrap() });
    let settings = [("showWatermark", true), ("showTabs", false), ("allowDownloads", false)];
    let mut expected = json!([{ "view": { "id": view, "workbook": workbook } }]);
    settings.iter().for_each(|(name, value)| expected[0][*name] = json!(value));
    assert_eq!(list["broadcastViews"]["broadcast"], expected);
    let records = tableau.broadcasts();
    assert_eq!((records.len(), records[0].times, records[0].show_watermark), (1, 2, true));
    assert_eq!(records[0].last_sent_at.duration_since(records[0].first_sent_at).as_secs(), 60);
    assert_eq!(records[0].sent_by, tableau.user("bea").unwrap());

    let none = json!({ "broadcastViewSend": { "viewId": "none" } }).to_string();
    let query = format!("{path}?acceptTermsOfUse=true");
    assert_eq!(caller.call(Method::POST, &query, &none).await.code(), "404011");
    tableau.allow_broadcasts(false);
    assert_eq!(caller.call(Method::GET, &path, "").await.code(), "403151");
}

#[tokio::test]
async fn people_see_what_is_inside_and_can_let_things_happen() {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let destination = Recorder::start().await.unwrap();
    tableau.add(Webhook::on(EventName::WorkbookRefreshFailed, &destination.url()));
    tableau.add(Webhook::on(EventName::LabelCreated, &destination.url()));
    let person = Caller::stranger(&tableau);
    let luid = tableau.workbook("Superstore").unwrap();
    let post = async |path: String| person.call(Method::POST, &path, "").await;

    let failed = post(format!("/simulator/refresh/{luid}/fail?notes=missing-table")).await;
    let fired = post("/simulator/fire/LabelCreated".to_owned()).await;
    let succeeded = post(format!("/simulator/refresh/{luid}/succeed")).await;

    assert_eq!((failed.status, fired.status, succeeded.status), (200, 200, 200));
    assert_eq!(fired.json["payload"]["event_type"], "LabelCreated");
    assert_eq!(post("/simulator/fire/Nothing".to_owned()).await.status, 404);
    destination.wait_for(2, SOON).await.unwrap();
    tableau.settled(SOON).await.unwrap();
    let overview = person.call(Method::GET, "/simulator", "").await.json;
    let names: Vec<&Value> = overview["workbooks"].as_array().unwrap().iter().map(|w| &w["name"]).collect();
    assert!(names.contains(&&json!("Superstore")));
    assert_eq!(overview["deliveries"][0]["attempts"], json!([200]));
    assert_eq!(overview["webhooks"][0]["event"], "WorkbookRefreshFailed");
}
