//! Runs whose process dies, and runs at the same time.

use crate::prelude::*;
use crate::scene::{Scene, report, rules, token};
use secrecy::ExposeSecret;
use simulator::{Fault, Webhook};
use webhooks::{Error, Purpose};

/// The calls of a run that creates, changes, enables and deletes, in their order.
const CALLS: [&str; 6] = [
    "GET /sites/*/webhooks",
    "POST /sites/*/webhooks",
    "PUT /sites/*/webhooks/*",
    "GET /sites/*/webhooks/*/test",
    "DELETE /sites/*/webhooks/*",
    "POST /auth/signin",
];

/// A site with a webhook to change and enable, one to delete, and an event without one.
async fn scene() -> Scene {
    let scene = Scene::with(&rules(&["SiteUpdated", "UserDeleted"])).await;
    scene.routine(0).await;
    scene.ingress.answer(503, "");
    scene.fire(EventName::SiteUpdated).await;
    scene.ingress.answer(200, "");
    scene.put_tokens("b", "a");
    scene.publish(&rules(&["SiteUpdated", "SiteDeleted"])).await;
    scene.tableau.add(Webhook::on(EventName::SiteUpdated, "https://else.example/x").named("another tool"));
    scene
}

fn is_right(scene: &Scene) -> bool {
    let own: Vec<_> = scene.webhooks().into_iter().filter(|webhook| webhook.name != "another tool").collect();
    let events: Vec<&str> = own.iter().map(|webhook| webhook.event.as_str()).collect();
    events == ["SiteDeleted", "SiteUpdated"]
        && own.iter().all(|webhook| webhook.enabled && webhook.url.ends_with(token("b").expose_secret()))
        && scene.webhooks().len() == 3
}

#[tokio::test]
async fn a_run_whose_process_dies_at_any_call_is_finished_by_the_next_one() {
    for call in CALLS {
        // Before Tableau has carried the call out, and after.
        for fault in [Fault::Delay(Duration::from_secs(60)), Fault::Late(Duration::from_secs(60))] {
            let scene = scene().await;
            scene.tableau.fail_next(call, 1, fault.clone());
            let run = scene.run_for(Purpose::Routine, 15);
            let died = tokio::time::timeout(Duration::from_secs(2), run).await;
            if call != "POST /auth/signin" {
                assert!(died.is_err(), "{call}: the run hangs at this call");
            }
            scene.tableau.clear_faults();
            // While the lease lasts, no other run begins; later one does, and nothing is left of the other.
            if died.is_err() {
                assert!(matches!(scene.run_for(Purpose::Routine, 15).await, Err(Error::Busy(_))), "{call}");
            }
            scene.routine(30).await;
            scene.routine(45).await;
            assert!(is_right(&scene), "{call} {fault:?}: {:?}", scene.webhooks());
            let said = scene.announced.take();
            let ended = said.iter().filter(|said| said.enabled_again.is_some()).count();
            assert_eq!(ended, 1, "{call} {fault:?}: {said:?}");
        }
    }
}

#[tokio::test]
async fn a_stack_that_is_deleted_while_a_run_works_has_no_webhooks_afterwards() {
    let scene = Arc::new(Scene::with(&rules(&["SiteUpdated", "UserDeleted"])).await);
    scene.tableau.fail_next("POST /sites/*/webhooks", 1, Fault::Delay(Duration::from_secs(2)));
    let run = tokio::spawn({
        let scene = Arc::clone(&scene);
        async move { scene.run_for(Purpose::Routine, 0).await }
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    let removed = report(scene.remove("delete-1").await.unwrap());
    assert_eq!((removed.done.len(), removed.failed.len()), (2, 0), "it waits for the run");
    run.await.unwrap().unwrap();
    assert!(scene.webhooks().is_empty());
}

#[tokio::test]
async fn a_tableau_that_cannot_test_leaves_the_webhook_disabled_or_lets_our_own_test_decide() {
    for (fault, is_enabled) in [(Fault::Status(503), false), (Fault::Error("400113"), true)] {
        let scene = Scene::with(&rules(&["SiteUpdated"])).await;
        scene.routine(0).await;
        scene.ingress_fails(4, 503);
        scene.fire(EventName::SiteUpdated).await;
        scene.tableau.fail_always("GET /sites/*/webhooks/*/test", fault.clone());
        scene.routine(15).await;
        assert_eq!(scene.webhook().await.is_enabled, is_enabled, "{fault:?}");
    }
}
