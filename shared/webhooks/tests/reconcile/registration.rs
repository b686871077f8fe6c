//! Webhooks follow the rules.

use crate::prelude::*;
use crate::scene::{Scene, report, rules, token};
use secrecy::ExposeSecret;
use simulator::{Fault, Webhook};
use tableau_client::WebhookChange;
use webhooks::{Action, Error, Purpose};

#[tokio::test]
async fn each_event_of_the_rules_gets_a_webhook_with_the_mark_and_the_token() {
    let scene = Scene::with(&rules(&["DatasourceRefreshFailed", "SiteUpdated"])).await;
    let report = scene.routine(0).await;
    assert_eq!(report.registered(), 3, "{report:?}");
    assert_eq!(scene.events(), ["DatasourceRefreshFailed", "DatasourceRefreshSucceeded", "SiteUpdated"]);
    let url = scene.reconciler.identity.url(&token("a"));
    for webhook in scene.webhooks() {
        assert_eq!(webhook.url, url.expose_secret());
        assert_eq!(webhook.name, format!("acme {} {}", webhook.event, scene.reconciler.identity.mark()));
        assert!(webhook.enabled);
    }
    let again = scene.routine(1).await;
    assert_eq!((again.done.len(), again.unchanged), (0, 3));
}

#[tokio::test]
async fn a_new_rule_adds_a_webhook_and_one_that_goes_takes_it_away_and_foreign_ones_stay() {
    let scene = Scene::with(&rules(&["SiteUpdated"])).await;
    let url = scene.reconciler.identity.url(&token("a"));
    scene.tableau.add(Webhook::on(EventName::SiteUpdated, url.expose_secret()).named("made by hand"));
    scene.tableau.add(Webhook::on(EventName::UserDeleted, "https://else.example/x").named("another tool"));
    let report = scene.routine(0).await;
    assert_eq!(report.foreign, ["made by hand"]);
    assert_eq!(scene.events(), ["SiteUpdated", "SiteUpdated", "UserDeleted"]);

    scene.publish(&rules(&["UserDeleted"])).await;
    let report = scene.routine(15).await;
    let done: Vec<_> = report.done.iter().map(|step| (step.action, step.event())).collect();
    assert_eq!(done, [(Action::Create, "UserDeleted"), (Action::Delete, "SiteUpdated")]);
    let foreign: Vec<String> = scene.webhooks().into_iter().map(|webhook| webhook.name).collect();
    assert!(foreign.contains(&"made by hand".to_owned()) && foreign.contains(&"another tool".to_owned()));
    assert_eq!(scene.events(), ["SiteUpdated", "UserDeleted", "UserDeleted"]);
}

#[tokio::test]
async fn what_people_have_changed_or_deleted_is_set_right() {
    let scene = Scene::with(&rules(&["SiteUpdated"])).await;
    scene.routine(0).await;
    let webhook = scene.webhook().await;
    let tableau = &scene.reconciler.tableau;
    for change in [
        WebhookChange { name: Some("mine".to_owned()), ..WebhookChange::default() },
        WebhookChange { url: Some("https://else.example/x".to_owned()), ..WebhookChange::default() },
        WebhookChange { event: Some(EventName::SiteDeleted), ..WebhookChange::default() },
    ] {
        let luid = scene.webhook().await.id;
        tableau.update_webhook(&luid, &change).await.unwrap();
        scene.routine(1).await;
        let now = scene.webhook().await;
        assert_eq!(
            (&now.name, &now.url, &now.event),
            (&webhook.name, &webhook.url, &webhook.event),
            "{change:?}"
        );
    }
    let now = scene.webhook().await;
    tableau.delete_webhook(&now.id).await.unwrap();
    scene.routine(2).await;
    assert_eq!(scene.webhook().await.name, webhook.name);
}

#[tokio::test]
async fn a_second_webhook_of_the_stack_for_the_same_event_goes() {
    let scene = Scene::with(&rules(&["SiteUpdated"])).await;
    // The answer to the first try is lost, so there may be two.
    scene.tableau.fail_next("POST /sites/*/webhooks", 1, Fault::Lost);
    let report = scene.routine(0).await;
    assert_eq!((report.failed.len(), scene.events().len()), (1, 1), "{report:?}");
    let webhook = scene.webhook().await;
    scene.tableau.add(Webhook::on(EventName::SiteUpdated, &webhook.url).named(&webhook.name));
    let report = scene.routine(1).await;
    assert_eq!(report.done.iter().map(|step| step.action).collect::<Vec<_>>(), [Action::Delete]);
    assert_eq!(scene.webhook().await.name, webhook.name);
}

/// Case W04: `PUT` exists since 3.8, the event's attribute since 3.9.
#[tokio::test]
async fn w04_before_3_8_a_webhook_is_replaced_and_the_new_one_comes_first() {
    let scene = Scene::of_version(&rules(&["SiteUpdated"]), 6).await;
    scene.routine(0).await;
    let before = scene.webhook().await;
    scene.put_tokens("b", "a");
    let report = scene.routine(1).await;
    assert_eq!(report.done.iter().map(|step| step.action).collect::<Vec<_>>(), [Action::Replace]);
    let after = scene.webhook().await;
    assert!(after.id != before.id && after.url.ends_with(token("b").expose_secret()));
    // If the old one cannot be deleted, the next run does it.
    scene.put_tokens("c", "b");
    scene.tableau.fail_next("DELETE /sites/*/webhooks/*", 5, Fault::Error("400111"));
    scene.routine(2).await;
    assert_eq!(scene.events().len(), 2);
    scene.tableau.clear_faults();
    scene.routine(3).await;
    assert!(scene.webhook().await.url.ends_with(token("c").expose_secret()));
}

#[tokio::test]
async fn a_person_gets_what_they_agreed_to_or_nothing() {
    let scene = Scene::with(&rules(&["SiteUpdated"])).await;
    let plan = scene.plan(0).await;
    assert!(scene.events().is_empty(), "a plan changes nothing");
    scene.publish(&rules(&["UserDeleted"])).await;
    let error = scene.run_for(Purpose::Agreed(&plan.digest()), 1).await.unwrap_err();
    assert!(matches!(error, Error::Changed), "{error}");
    assert!(scene.events().is_empty());
    let plan = scene.plan(2).await;
    report(scene.run_for(Purpose::Agreed(&plan.digest()), 2).await.unwrap());
    assert_eq!(scene.events(), ["UserDeleted"]);
}

#[tokio::test]
async fn what_one_webhook_is_refused_keeps_no_other_back() {
    let scene = Scene::with(&rules(&["SiteUpdated", "UserDeleted"])).await;
    scene.tableau.fail_next("POST /sites/*/webhooks", 1, Fault::Error("400110"));
    let report = scene.routine(0).await;
    assert_eq!((report.failed.len(), report.vital_failures().count(), report.done.len()), (1, 1, 1));
    assert!(report.failed[0].reason.contains("400110"), "{report:?}");
    let report = scene.routine(15).await;
    assert_eq!((report.failed.len(), scene.events().len()), (0, 2));
}

#[tokio::test]
async fn without_rules_or_a_readable_secret_nothing_is_changed() {
    let scene = Scene::with(&rules(&["SiteUpdated"])).await;
    scene.routine(0).await;
    scene.secrets.put("webhook-secret", "{\"current\":\"short\"}");
    let error = scene.run_for(Purpose::Routine, 1).await.unwrap_err();
    assert!(matches!(error, Error::Token(_)), "{error}");
    scene.put_tokens("a", "");
    scene.tableau.allow_webhooks(false);
    let error = scene.run_for(Purpose::Routine, 2).await.unwrap_err();
    assert!(error.to_string().contains("403109"), "{error}");
    assert_eq!(scene.webhooks().len(), 1);
}

#[tokio::test]
async fn one_run_at_a_time_and_a_hanging_tableau_ends_it_in_time() {
    let scene = Arc::new(Scene::with(&rules(&["SiteUpdated"])).await);
    scene.tableau.fail_next("GET /sites/*/webhooks", 1, Fault::Delay(Duration::from_secs(2)));
    let first = tokio::spawn({
        let scene = Arc::clone(&scene);
        async move { scene.routine(0).await }
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    let busy = scene.run_for(Purpose::Routine, 0).await.unwrap_err();
    assert!(matches!(busy, Error::Busy(_)), "{busy}");
    // A deploy waits.
    let deploy = Purpose::Deploy { request: "r-1", is_new: true };
    let second = report(scene.run_for(deploy, 0).await.unwrap());
    assert_eq!((first.await.unwrap().done.len(), second.done.len(), scene.events().len()), (1, 0, 1));

    scene.tableau.fail_always("GET /sites/*/webhooks", Fault::Delay(Duration::from_secs(30)));
    let run = webhooks::Run {
        id: "late",
        purpose: Purpose::Routine,
        now: scene.minute(1),
        budget: Duration::from_secs(1),
    };
    let late = scene.reconciler.run(&run, &scene.announced).await.unwrap_err();
    assert!(matches!(late, Error::OutOfTime | Error::Tableau(_)), "{late}");
    scene.tableau.clear_faults();
    // The lease was given back.
    scene.routine(1).await;
}
