//! Webhooks that Tableau has disabled.

use crate::prelude::*;
use crate::scene::{Scene, rules};
use std::sync::atomic::Ordering;
use tableau_client::{WebhookChange, WebhookState};

async fn scene() -> Scene {
    let scene = Scene::with(&rules(&["SiteUpdated"])).await;
    scene.routine(0).await;
    scene
}

async fn disable(scene: &Scene, reason: Option<&str>) {
    let state = Some(WebhookState::Off { reason: reason.map(str::to_owned) });
    let change = WebhookChange { state, ..WebhookChange::default() };
    let webhook = scene.webhook().await;
    scene.reconciler.tableau.update_webhook(&webhook.id, &change).await.unwrap();
}

#[tokio::test]
async fn a_success_before_the_fourth_failure_resets_the_count() {
    let scene = scene().await;
    for _ in 0..3 {
        scene.ingress_fails(3, 503);
        scene.fire(EventName::SiteUpdated).await;
        assert!(scene.webhook().await.is_enabled);
    }
    scene.ingress_fails(4, 503);
    scene.fire(EventName::SiteUpdated).await;
    assert!(!scene.webhook().await.is_enabled);
}

#[tokio::test]
async fn a_webhook_that_tableau_has_disabled_is_enabled_and_announced_with_the_period() {
    let scene = scene().await;
    scene.routine(15).await;
    scene.ingress_fails(4, 503);
    scene.fire(EventName::SiteUpdated).await;
    let report = scene.routine(30).await;
    assert_eq!((report.done.len(), report.disabled), (1, 0), "{report:?}");
    assert!(scene.webhook().await.is_enabled);
    let announced = scene.announced.take();
    let [said] = announced.as_slice() else { panic!("{announced:?}") };
    assert_eq!(said.event, EventName::SiteUpdated);
    assert_eq!(said.reason, "Webhook disabled after 4 failed delivery attempts");
    assert!(said.owner.is_some() && said.note.is_empty());
    let minutes = |from: Timestamp, to: Timestamp| (to.duration_since(from).as_secs() + 5) / 60;
    assert_eq!(minutes(said.last_enabled.unwrap(), said.found), 15);
    assert_eq!(minutes(said.found, said.enabled_again.unwrap()), 0);
    scene.routine(45).await;
    assert!(scene.announced.take().is_empty(), "once");
}

#[tokio::test]
async fn while_the_ingress_is_down_for_an_hour_nothing_flaps_and_both_ends_are_announced() {
    let scene = scene().await;
    scene.ingress.answer(503, "");
    scene.fire(EventName::SiteUpdated).await;
    for minute in (15..=60).step_by(15) {
        let report = scene.routine(minute).await;
        assert_eq!((report.failed.len(), report.disabled), (1, 1), "{report:?}");
        assert!(!scene.webhook().await.is_enabled);
    }
    let announced = scene.announced.take();
    let [said] = announced.as_slice() else { panic!("{announced:?}") };
    assert_eq!(said.enabled_again, None);
    assert_eq!(
        said.note,
        "It stays disabled: Tableau's test of the stack's URL got the status 503. The next run tries again."
    );

    scene.ingress.answer(200, "");
    scene.routine(75).await;
    assert!(scene.webhook().await.is_enabled);
    let announced = scene.announced.take();
    let [said] = announced.as_slice() else { panic!("{announced:?}") };
    let missing = said.enabled_again.unwrap().duration_since(said.last_enabled.unwrap());
    assert!((74..=76).contains(&missing.as_mins()), "{said:?}");
    // From here on events arrive.
    let before = scene.ingress.requests().len();
    scene.fire(EventName::SiteUpdated).await;
    assert_eq!(scene.ingress.requests().len(), before + 1);
}

#[tokio::test]
async fn an_ingress_that_takes_tests_and_no_events_is_tried_six_times_a_day_with_growing_gaps() {
    let scene = scene().await;
    let mut enabled_at = Vec::new();
    for minute in (15..=24 * 60).step_by(15) {
        // The test and the event come one after the other: four failures for each event.
        if scene.webhook().await.is_enabled {
            scene.ingress_fails(4, 403);
            scene.fire(EventName::SiteUpdated).await;
        }
        if !scene.routine(minute).await.done.is_empty() {
            enabled_at.push(minute);
        }
    }
    assert_eq!(enabled_at, [15, 30, 60, 120, 240, 480]);
    let waiting = scene.plan(24 * 60).await.waiting;
    assert!(waiting[0].reason.starts_with("it was enabled too often; the next try is after"), "{waiting:?}");
}

#[tokio::test]
async fn a_404_of_tableaus_test_is_no_proof_and_a_test_of_our_own_decides() {
    let scene = scene().await;
    scene.ingress_fails(4, 503);
    scene.fire(EventName::SiteUpdated).await;
    // Tableau's test gets a 404, and so does the next request, which is ours.
    scene.ingress_fails(2, 404);
    let report = scene.routine(15).await;
    assert_eq!(report.failed[0].reason, "the stack's URL answered a test event with 404");
    scene.ingress_fails(1, 404);
    scene.routine(30).await;
    assert!(scene.webhook().await.is_enabled);
}

#[tokio::test]
async fn what_a_person_has_disabled_stays_so_and_is_announced_once() {
    for reason in [None, Some("Keep disabled: maintenance until Monday")] {
        let scene = scene().await;
        disable(&scene, reason).await;
        for minute in [15, 30] {
            let report = scene.routine(minute).await;
            assert_eq!((report.done.len(), report.waiting.len(), report.disabled), (0, 1, 0), "{report:?}");
        }
        let announced = scene.announced.take();
        let [said] = announced.as_slice() else { panic!("{announced:?}") };
        assert!(said.note.contains("a person has disabled it"), "{said:?}");
        // The person enables it.
        let webhook = scene.webhook().await;
        let change = WebhookChange { state: Some(WebhookState::On), ..WebhookChange::default() };
        scene.reconciler.tableau.update_webhook(&webhook.id, &change).await.unwrap();
        scene.routine(45).await;
        let announced = scene.announced.take();
        assert!(announced.len() == 1 && announced[0].enabled_again.is_some(), "{announced:?}");
    }
}

#[tokio::test]
async fn a_reason_that_no_one_knows_counts_as_tableaus() {
    let scene = scene().await;
    disable(&scene, Some("Deaktiviert")).await;
    scene.routine(15).await;
    assert!(scene.webhook().await.is_enabled);
    assert_eq!(scene.announced.take()[0].reason, "Deaktiviert");
}

#[tokio::test]
async fn an_announcement_that_the_bus_did_not_take_is_made_by_the_next_run() {
    let scene = scene().await;
    disable(&scene, None).await;
    scene.announced.failures.store(1, Ordering::SeqCst);
    scene.routine(15).await;
    assert!(scene.announced.take().is_empty());
    scene.routine(30).await;
    let announced = scene.announced.take();
    assert!(announced.len() == 1 && announced[0].enabled_again.is_none(), "{announced:?}");
}
