//! What starts the function, and what the binary does then.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod deploy;
mod scene;

use scene::{Scene, rules};
use serde_json::{Value, json};
use std::time::Duration;
use tableau::EventName;
use testkit::simulator::Fault;

/// What went over the bus.
fn announced(scene: &Scene) -> Vec<Value> {
    scene.environment.aws.archive("events")
}

#[tokio::test]
async fn the_schedule_registers_what_a_new_rule_needs_and_removes_what_none_needs() {
    let scene = Scene::with(&rules(&["SiteUpdated"])).await;
    let outcome = scene.scheduled().await;
    assert_eq!(outcome["report"]["done"][0]["action"], "create", "{outcome}");
    assert_eq!(scene.events(), ["SiteUpdated"]);
    scene.environment.write_rules(&rules(&["WorkbookRefreshFailed"]));
    scene.scheduled().await;
    assert_eq!(scene.events(), ["WorkbookRefreshFailed", "WorkbookRefreshSucceeded"]);
    scene.assert_no_secret_is_logged();
}

#[tokio::test]
async fn rules_that_were_published_start_it_at_once_and_a_person_gets_what_they_agreed_to() {
    let scene = Scene::with(&rules(&["SiteUpdated"])).await;
    let outcome =
        scene.function.invoke(&json!({ "start": "plan", "digest": "of another plan" })).await.unwrap();
    let error = outcome["error"].as_str().unwrap();
    assert!(error.starts_with("the webhooks or the rules have changed"), "{outcome}");
    assert!(scene.events().is_empty());
    scene.function.invoke(&json!({ "start": "rules" })).await.unwrap();
    assert_eq!(scene.events(), ["SiteUpdated"]);
}

#[tokio::test]
async fn a_webhook_that_tableau_has_disabled_is_enabled_and_the_event_goes_over_the_bus() {
    let scene = Scene::with(&rules(&["SiteUpdated"])).await;
    scene.scheduled().await;
    scene.ingress.fail_next(4, Fault::Status(503));
    let tableau = &scene.environment.tableau;
    tableau.fire(&EventName::SiteUpdated, tableau.site()).unwrap();
    tableau.settled(Duration::from_secs(10)).await.unwrap();
    assert!(!tableau.webhooks()[0].enabled);
    scene.scheduled().await;
    assert!(tableau.webhooks()[0].enabled);
    let announced = announced(&scene);
    let [event] = announced.as_slice() else { panic!("{announced:?}") };
    assert_eq!(
        (&event["source"], &event["detail-type"]),
        (&json!("tableau.webhooks"), &json!("WebhookDisabled"))
    );
    assert_eq!(event["detail"]["site_luid"], tableau.site().as_str());
    assert_eq!(event["detail"]["resource_luid"], tableau.webhooks()[0].luid.as_str());
    scene.assert_no_secret_is_logged();
}

#[tokio::test]
async fn while_tableau_is_down_the_invocation_fails_and_nothing_is_changed() {
    let scene = Scene::with(&rules(&["SiteUpdated"])).await;
    scene.scheduled().await;
    scene.environment.tableau.fail_always("GET /sites/*/webhooks", Fault::Status(503));
    let error = scene.function.invoke(&json!({ "start": "schedule" })).await.unwrap_err();
    assert!(error.to_string().contains("503"), "{error}");
    assert_eq!(scene.events(), ["SiteUpdated"]);
    scene.environment.tableau.clear_faults();
    scene.scheduled().await;
}

#[tokio::test]
async fn an_event_of_another_form_is_refused() {
    let scene = Scene::with(&rules(&["SiteUpdated"])).await;
    for event in [json!({}), json!({ "start": "anything" }), json!({ "RequestType": "Create" })] {
        assert!(scene.function.invoke(&event).await.is_err(), "{event}");
    }
    assert!(scene.events().is_empty());
}
