//! Requests of CloudFormation.

use crate::scene::{Scene, rules};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use testkit::simulator::{Fault, SAMPLE_PAT};

fn reason(answer: &Value) -> &str {
    answer["Reason"].as_str().unwrap()
}

#[tokio::test]
async fn a_stack_registers_its_webhooks_follows_the_rules_and_removes_them() {
    let scene = Scene::with(&rules(&["SiteUpdated"])).await;
    let created = scene.create().await;
    assert_eq!((&created["Status"], &created["Data"]), (&json!("SUCCESS"), &scene.data("1")));
    scene.environment.write_rules(&rules(&["SiteUpdated", "UserDeleted"]));
    let updated = scene.update("update-1", "1", "2").await;
    assert_eq!((&updated["Status"], reason(&updated)), (&json!("SUCCESS"), "1 created, 1 unchanged"));
    assert_eq!(scene.events(), ["SiteUpdated", "UserDeleted"]);
    let deleted = scene.delete("delete-1").await;
    assert_eq!((&deleted["Status"], reason(&deleted)), (&json!("SUCCESS"), "2 webhooks deleted"));
    assert!(scene.events().is_empty());
    // The schedule fires once more before it is deleted too.
    let outcome = scene.scheduled().await;
    assert!(
        outcome["nothing"].as_str().unwrap().starts_with("the stack has removed its webhooks"),
        "{outcome}"
    );
    assert!(scene.events().is_empty());
    scene.assert_no_secret_is_logged();
}

#[tokio::test]
async fn a_request_that_comes_again_is_answered_and_does_nothing() {
    let scene = Scene::with(&rules(&["SiteUpdated"])).await;
    let created = scene.create().await;
    let again = scene.create().await;
    assert_eq!(again, created);
    scene.delete("delete-1").await;
    assert_eq!(scene.delete("delete-1").await["Status"], "SUCCESS");
    scene.create().await;
    assert!(scene.events().is_empty(), "a late create of a deleted stack");
}

#[tokio::test]
async fn what_tableau_refuses_fails_the_deploy_with_its_reason_and_the_rollback_goes_on() {
    let scene = Scene::with(&rules(&["SiteUpdated"])).await;
    scene.create().await;
    scene.environment.write_rules(&rules(&["SiteUpdated", "UserDeleted"]));
    scene.environment.tableau.fail_always("POST /sites/*/webhooks", Fault::Error("400118"));
    let failed = scene.update("update-1", "1", "2").await;
    assert_eq!(failed["Status"], "FAILED");
    assert!(
        reason(&failed).starts_with("cannot create the webhook for UserDeleted: ")
            && reason(&failed).contains("400118"),
        "{failed}"
    );
    scene.environment.tableau.fail_always("GET /sites/*/webhooks", Fault::Error("403000"));
    let back = scene.update("rollback-1", "2", "1").await;
    assert_eq!(back["Status"], "SUCCESS");
    assert!(reason(&back).starts_with("the rollback goes on without webhooks: "), "{back}");
    // Also when it comes again under another id, as `continue-update-rollback` sends it.
    assert_eq!(scene.update("rollback-2", "2", "1").await["Status"], "SUCCESS");
    // The next deploy is one again.
    let failed = scene.update("update-2", "1", "3").await;
    assert_eq!(failed["Status"], "FAILED");
    assert!(reason(&failed).contains("403000"), "{failed}");
    // A request that comes again gets the same answer.
    assert_eq!(scene.update("update-2", "1", "3").await, failed);
    assert_eq!(scene.update("rollback-3", "3", "1").await["Status"], "SUCCESS");
}

#[tokio::test]
async fn a_rollback_goes_on_also_if_another_resource_has_failed() {
    let scene = Scene::with(&rules(&["SiteUpdated"])).await;
    scene.create().await;
    assert_eq!(scene.update("update-1", "1", "2").await["Status"], "SUCCESS");
    scene.environment.tableau.revoke_pat(SAMPLE_PAT.0);
    scene.environment.tableau.end_sessions();
    let back = scene.update("rollback-1", "2", "1").await;
    assert_eq!(back["Status"], "SUCCESS");
    assert!(reason(&back).contains("401001"), "{back}");
}

#[tokio::test]
async fn an_event_that_this_tableau_does_not_know_fails_no_deploy_and_is_counted() {
    let scene = Scene::with(&rules(&["SiteUpdated", "UserDeleted"])).await;
    scene.environment.tableau.fail_next("POST /sites/*/webhooks", 1, Fault::Error("400000"));
    let created = scene.create().await;
    assert_eq!((&created["Status"], &created["Data"]), (&json!("SUCCESS"), &scene.data("1")));
    assert_eq!(reason(&created), "1 created, 0 unchanged, 1 failed");
    let logs = scene.function.logs();
    assert!(logs.iter().any(|line| line.contains("this Tableau may not know the event")), "{logs:?}");
    let is_counted =
        |line: &&String| line.contains("WebhooksMissing") && line.contains("\"WebhooksMissing\":1");
    assert!(logs.iter().find(is_counted).is_some(), "{logs:?}");
}

#[tokio::test]
async fn settings_that_cannot_be_used_fail_the_deploy_and_not_the_deletion() {
    let scene = Scene::with_variables(&rules(&["SiteUpdated"]), &[("TABLEAU_SESSION_MINUTES", "1.5")]).await;
    let failed = scene.create().await;
    assert_eq!(failed["Status"], "FAILED");
    assert!(reason(&failed).starts_with("the settings cannot be used: TABLEAU_SESSION_MINUTES"), "{failed}");
    assert_eq!(scene.delete("delete-1").await["Status"], "SUCCESS");
    assert!(scene.function.invoke(&json!({ "start": "schedule" })).await.is_err());
}

/// Case F04: deleting nothing is a success.
#[tokio::test]
async fn f04_a_create_that_fails_can_be_deleted() {
    let scene = Scene::with(&rules(&["SiteUpdated"])).await;
    scene.environment.tableau.allow_webhooks(false);
    let failed = scene.create().await;
    assert_eq!(failed["Status"], "FAILED");
    assert!(reason(&failed).contains("403109"), "{failed}");
    let deleted = scene.delete("delete-1").await;
    assert_eq!(deleted["Status"], "SUCCESS");
    assert!(reason(&deleted).contains("Webhooks whose names end with #"), "{deleted}");
}

/// Case W01: the removal goes on, and names what is left.
#[tokio::test]
async fn w01_a_stack_whose_token_was_revoked_is_deleted() {
    let scene = Scene::with(&rules(&["SiteUpdated", "UserDeleted"])).await;
    scene.create().await;
    scene.environment.tableau.fail_next("DELETE /sites/*/webhooks/*", 1, Fault::Error("403000"));
    let deleted = scene.delete("delete-1").await;
    assert_eq!(deleted["Status"], "SUCCESS");
    let left = &scene.environment.tableau.webhooks()[0].name;
    let is_named = reason(&deleted).ends_with(&format!("): {left}"));
    assert!(reason(&deleted).contains("403000") && is_named, "{deleted}");
    scene.environment.tableau.revoke_pat(SAMPLE_PAT.0);
    scene.environment.tableau.end_sessions();
    let deleted = scene.delete("delete-2").await;
    assert_eq!(deleted["Status"], "SUCCESS");
    assert!(reason(&deleted).contains("401001"), "{deleted}");
}

/// Cases F08, F10: a call that hangs is given up before Lambda ends the process, and nothing runs after the answer.
#[tokio::test]
async fn f08_f10_a_tableau_that_hangs_fails_the_deploy_in_time() {
    let scene = Scene::with(&rules(&["SiteUpdated"])).await;
    scene.environment.tableau.fail_always("GET /sites/*/webhooks", Fault::Delay(Duration::from_secs(60)));
    let began = Instant::now();
    let failed = scene.create().await;
    assert_eq!(failed["Status"], "FAILED");
    // Lambda ends this function after 20 s.
    assert!(began.elapsed() < Duration::from_secs(18), "{:?}", began.elapsed());
    let calls = scene.environment.tableau.calls("GET /sites/*/webhooks");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(scene.environment.tableau.calls("GET /sites/*/webhooks"), calls);
}

#[tokio::test]
async fn the_first_deploy_does_not_wait_for_the_secret() {
    let scene = Scene::with(&rules(&["SiteUpdated"])).await;
    scene.environment.aws.create_secret("tableau", json!({ "token_name": "", "token_secret": "" }));
    let created = scene.create().await;
    assert_eq!((&created["Status"], &created["Data"]["Registered"]), (&json!("SUCCESS"), &json!("none yet")));
    assert!(reason(&created).contains("Fill in the secret TableauSecret"), "{created}");
    let filled = json!({ "token_name": SAMPLE_PAT.0, "token_secret": SAMPLE_PAT.1 });
    scene.environment.aws.create_secret("tableau", filled);
    // The cached value of the secret is replaced as soon as it is needed.
    scene.scheduled().await;
    assert_eq!(scene.events(), ["SiteUpdated"]);
}

#[tokio::test]
async fn a_webhook_that_cannot_be_deleted_or_enabled_fails_no_deploy() {
    let scene = Scene::with(&rules(&["SiteUpdated", "UserDeleted"])).await;
    scene.create().await;
    scene.environment.write_rules(&rules(&["SiteUpdated"]));
    scene.environment.tableau.fail_always("DELETE /sites/*/webhooks/*", Fault::Error("400111"));
    let updated = scene.update("update-1", "1", "2").await;
    assert_eq!((&updated["Status"], reason(&updated)), (&json!("SUCCESS"), "1 unchanged, 1 failed"));
}
