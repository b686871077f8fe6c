//! Webhooks.

use crate::server::{Reply, Tableau, client};
use serde_json::{Value, json};
use tableau::EventName;
use tableau_client::{NewWebhook, TableauCredential, WebhookChange, WebhookState};

fn answer(enabled: Value) -> Value {
    json!({"webhook": {"id": "h-1", "name": "refresh-failed", "event": "WorkbookRefreshFailed", "isEnabled": enabled,
        "statusChangeReason": "", "webhook-source": {"webhook-source-event-workbook-refresh-failed": {}},
        "webhook-destination": {"webhook-destination-http": {"method": "POST", "url": "https://a.example/?token=t"}},
        "owner": {"id": "u-1", "name": "bea"}}})
}

fn new() -> NewWebhook {
    NewWebhook {
        name: "refresh-failed".to_owned(),
        event: EventName::WorkbookRefreshFailed,
        url: "https://a.example/?token=t".to_owned(),
        is_enabled: true,
    }
}

#[tokio::test]
async fn a_webhook_is_made() {
    let tableau = Tableau::start().await;
    tableau.says("POST /webhooks", Reply::json(201, &answer(json!("true"))));
    let made = tableau.client().create_webhook(&new()).await.unwrap();
    assert!(made.is_enabled && made.event == Some(EventName::WorkbookRefreshFailed));
    assert_eq!(
        (made.url.as_str(), made.owner.unwrap().name.as_deref()),
        ("https://a.example/?token=t", Some("bea"))
    );
    let expected = json!({"webhook": {"name": "refresh-failed", "event": "WorkbookRefreshFailed", "isEnabled": true,
        "webhook-destination": {"webhook-destination-http": {"method": "POST", "url": "https://a.example/?token=t"}}}});
    assert_eq!(tableau.heard("POST /webhooks")[0].json(), expected);
}

#[tokio::test]
async fn an_old_server_gets_the_event_as_an_element() {
    let tableau = Tableau::start().await;
    let signed_in = json!({"credentials": {"site": {"id": "s-1"}, "user": {"id": "u-1"}, "token": "t"}});
    tableau.knows("POST /3.6/auth/signin", &signed_in);
    tableau.knows("POST /3.6/sites/s-1/webhooks", &json!({"webhook": {"id": "h-1", "name": "n"}}));
    let old = client(tableau.settings("3.6"), TableauCredential::personal_access_token("n", "s"));
    let made = old.create_webhook(&new()).await.unwrap();
    assert!(made.is_enabled, "before 3.8 all are");
    let sent = tableau.heard("POST /3.6/sites/s-1/webhooks")[0].json();
    assert_eq!(
        sent["webhook"]["webhook-source"],
        json!({"webhook-source-event-workbook-refresh-failed": {}})
    );
    assert!(sent["webhook"]["event"].is_null() && sent["webhook"]["isEnabled"].is_null());
}

#[tokio::test]
async fn webhooks_are_listed_in_one_page() {
    let tableau = Tableau::start().await;
    let one = answer(json!(false))["webhook"].clone();
    tableau.knows("GET /webhooks", &json!({"webhooks": {"webhook": [one, {"id": 7}]}}));
    let all = tableau.client().webhooks().all(100).await.unwrap();
    assert!(all.len() == 1 && !all[0].is_enabled);
    assert_eq!(tableau.heard("GET /webhooks").len(), 1);
}

#[tokio::test]
async fn a_reason_goes_along_only_when_a_webhook_is_switched_off() {
    let tableau = Tableau::start().await;
    tableau.knows("PUT /webhooks/h-1", &answer(json!(true)));
    let client = tableau.client();
    let luid = "h-1".parse().unwrap();
    for (state, expected) in [
        (Some(WebhookState::On), json!({"isEnabled": true})),
        (Some(WebhookState::Off { reason: None }), json!({"isEnabled": false})),
        (
            Some(WebhookState::Off { reason: Some("moved".to_owned()) }),
            json!({"isEnabled": false, "statusChangeReason": "moved"}),
        ),
        (None, json!({})),
    ] {
        client.update_webhook(&luid, &WebhookChange { state, ..WebhookChange::default() }).await.unwrap();
        assert_eq!(tableau.heard("PUT /webhooks/h-1").last().unwrap().json(), json!({ "webhook": expected }));
    }
}

#[tokio::test]
async fn a_test_returns_what_the_destination_answered() {
    let tableau = Tableau::start().await;
    let call = "GET /webhooks/h-1/test";
    for (result, status, passed, body) in [
        (json!({"id": "h-1", "status": "200", "body": "ok"}), 200, true, "ok"),
        (json!({"id": "h-1", "status": 204}), 204, true, ""),
        (json!({"id": "h-1", "status": "404", "body": "agent not found"}), 404, false, "agent not found"),
        (json!({"id": "h-1", "status": "302", "body": {}}), 302, false, "{}"),
    ] {
        tableau.forgets(call).knows(call, &json!({ "webhookTestResult": result }));
        let test = tableau.client().test_webhook(&"h-1".parse().unwrap()).await.unwrap();
        assert_eq!((test.status, test.passed(), test.body.as_str()), (status, passed, body));
    }
    tableau.forgets(call).knows(call, &json!({"webhookTestResult": {"id": "h-1"}}));
    assert!(tableau.client().test_webhook(&"h-1".parse().unwrap()).await.is_err(), "no status is no success");
}
