//! The stack is deleted.

use crate::prelude::*;
use crate::scene::{Scene, report, rules};
use simulator::{Fault, SAMPLE_PAT, Webhook};
use webhooks::{Answered, Error, Purpose, Ran};

#[tokio::test]
async fn all_webhooks_of_the_stack_go_and_foreign_ones_stay() {
    let scene = Scene::with(&rules(&["SiteUpdated", "UserDeleted"])).await;
    scene.tableau.add(Webhook::on(EventName::SiteUpdated, "https://else.example/x").named("another tool"));
    scene.routine(0).await;
    let report = report(scene.remove("delete-1").await.unwrap());
    assert_eq!((report.done.len(), report.failed.len()), (2, 0));
    assert_eq!(scene.webhook().await.name, "another tool");
    // The schedule, or a person, does not bring them back.
    let error = scene.run_for(Purpose::Routine, 15).await.unwrap_err();
    assert!(matches!(error, Error::Removed), "{error}");
    assert_eq!(scene.webhooks().len(), 1);
}

/// Case W01: the removal goes on, and says which webhooks are left.
#[tokio::test]
async fn w01_what_cannot_be_deleted_is_named() {
    let scene = Scene::with(&rules(&["SiteUpdated", "UserDeleted"])).await;
    scene.routine(0).await;
    scene.tableau.fail_next("DELETE /sites/*/webhooks/*", 1, Fault::Error("403000"));
    let report = report(scene.remove("delete-1").await.unwrap());
    assert_eq!((report.done.len(), report.failed.len()), (1, 1));
    assert!(report.failed[0].reason.contains("403000"), "{report:?}");
    assert_eq!(scene.webhook().await.name, report.failed[0].step.name);

    let scene = Scene::with(&rules(&["SiteUpdated"])).await;
    scene.routine(0).await;
    scene.tableau.revoke_pat(SAMPLE_PAT.0);
    scene.tableau.end_sessions();
    let error = scene.remove("delete-1").await.unwrap_err();
    assert!(error.to_string().contains("401001"), "{error}");
}

#[tokio::test]
async fn a_late_create_of_a_deleted_stack_registers_nothing_and_a_new_one_does() {
    let scene = Scene::with(&rules(&["SiteUpdated"])).await;
    let create = |request| Purpose::Deploy { request, is_new: true };
    report(scene.run_for(create("create-1"), 0).await.unwrap());
    let answered = |reason: &str| Answered {
        is_success: true,
        reason: reason.to_owned(),
        registered: Some("1".to_owned()),
    };
    scene.reconciler.note_answer("create-1", answered("created"), scene.minute(0)).await.unwrap();
    report(scene.remove("delete-1").await.unwrap());
    scene.reconciler.note_answer("delete-1", answered("deleted"), scene.minute(0)).await.unwrap();
    // CloudFormation sends both again.
    assert_eq!(scene.run_for(create("create-1"), 1).await.unwrap(), Ran::Repeated(answered("created")));
    assert_eq!(scene.remove("delete-1").await.unwrap(), Ran::Repeated(answered("deleted")));
    assert!(scene.events().is_empty());
    // An update is of the deleted stack too.
    let update = Purpose::Deploy { request: "update-1", is_new: false };
    assert!(matches!(scene.run_for(update, 2).await, Err(Error::Removed)));
    // The function is switched on again.
    report(scene.run_for(create("create-2"), 3).await.unwrap());
    assert_eq!(scene.events(), ["SiteUpdated"]);
}

#[tokio::test]
async fn a_person_registers_webhooks_again_where_the_function_was_switched_off() {
    let scene = Scene::with(&rules(&["SiteUpdated"])).await;
    scene.routine(0).await;
    report(scene.remove("delete-1").await.unwrap());
    let plan = scene.plan(1).await;
    let digest = plan.digest();
    assert!(matches!(scene.run_for(Purpose::Agreed(&digest), 1).await, Err(Error::Removed)));
    let changed = scene.run_for(Purpose::ByHand("of another plan"), 1).await;
    assert!(matches!(changed, Err(Error::Changed)), "{changed:?}");
    report(scene.run_for(Purpose::ByHand(&digest), 1).await.unwrap());
    assert_eq!(scene.events(), ["SiteUpdated"]);
    // A function that has not been deleted yet does nothing.
    assert!(matches!(scene.run_for(Purpose::Routine, 2).await, Err(Error::Removed)));
}
