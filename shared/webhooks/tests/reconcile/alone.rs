//! Work that no run may disturb.

use crate::prelude::*;
use crate::scene::{Scene, rules};
use simulator::Fault;
use std::time::Instant;
use webhooks::{Error, Purpose};

#[tokio::test]
async fn work_waits_for_a_run_and_keeps_the_next_one_back() {
    let scene = Arc::new(Scene::with(&rules(&["SiteUpdated"])).await);
    scene.tableau.fail_next("GET /sites/*/webhooks", 1, Fault::Delay(Duration::from_secs(2)));
    let run = tokio::spawn({
        let scene = Arc::clone(&scene);
        async move { scene.routine(0).await }
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    let began = Instant::now();
    let seen = scene.reconciler.undisturbed("work", async {
        let next = scene.run_for(Purpose::Routine, 0).await;
        (scene.events(), next)
    });
    let (events, next) = seen.await.unwrap();
    assert_eq!(events, ["SiteUpdated"], "the run had ended");
    assert!(began.elapsed() > Duration::from_secs(1));
    assert!(matches!(next, Err(Error::Busy(_))), "{next:?}");
    assert_eq!(run.await.unwrap().done.len(), 1);
    scene.routine(0).await;
}

#[tokio::test]
async fn what_an_interrupted_work_has_left_is_given_back() {
    let scene = Scene::with(&rules(&["SiteUpdated"])).await;
    let work = scene.reconciler.undisturbed("work", std::future::pending::<()>());
    assert!(tokio::time::timeout(Duration::from_millis(200), work).await.is_err());
    assert!(matches!(scene.run_for(Purpose::Routine, 0).await, Err(Error::Busy(_))));
    scene.reconciler.give_back("another").await.unwrap();
    assert!(matches!(scene.run_for(Purpose::Routine, 0).await, Err(Error::Busy(_))), "it is not its own");
    scene.reconciler.give_back("work").await.unwrap();
    scene.routine(0).await;
}
