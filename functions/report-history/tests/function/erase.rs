//! A person is erased while an export writes.

use crate::scene::{BUCKET, Scene, at, body};
use deliveries::End;
use history::{ErasedPeople, Files, Kind, Start, key};
use serde_json::{Value, json};
use std::time::Duration;
use testkit::local_aws::Fault;
use tokio::time::{sleep, timeout};

const DAY: &str = "2026-11-27";
const PERSON: &str = "bea@example.com";
/// Longer than what a test does meanwhile.
const MEANWHILE: Duration = Duration::from_secs(2);

/// An event that names the person, and an incident whose owner Tableau says.
async fn exported(scene: &Scene) -> Files {
    let source = scene.environment.tableau.datasource("Sales Orders").unwrap();
    let failed = body("DatasourceRefreshFailed", source.as_str(), "2026-11-27T04:10:00Z");
    let attempt = scene.receive("notify-slack", &failed, "2026-11-27T04:10:02.000Z").await;
    attempt.ends(End::Done, "2026-11-27T04:10:05.000Z", None).await;
    let deleted = json!({
        "event_type": "UserDeleted", "resource_luid": "u-1", "resource_name": PERSON, "resource": "USER",
        "site_luid": crate::scene::SITE, "created_at": "2026-11-27T05:00:00Z",
    });
    let attempt = scene.receive("notify-slack", &deleted.to_string(), "2026-11-27T05:00:01.000Z").await;
    attempt.ends(End::Done, "2026-11-27T05:00:02.000Z", None).await;
    scene.run(Start::Export { through: None }, "2026-11-28T02:00:00Z").await.unwrap();
    scene.files(BUCKET)
}

fn names(scene: &Scene) -> Vec<Value> {
    scene.rows(Kind::Events, DAY).iter().map(|row| row["object_name"].clone()).collect()
}

/// Waits until so many writes have begun.
async fn writes(scene: &Scene, count: usize) {
    let begun = async {
        while scene.environment.aws.calls("S3.PutObject") < count {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(30), begun).await.unwrap();
}

#[tokio::test]
async fn what_an_export_writes_while_a_person_is_erased_is_not_lost() {
    let scene = Scene::new().await;
    let files = exported(&scene).await;
    let events = key(Kind::Events, DAY.parse().unwrap());
    assert_eq!(files.that_name(PERSON).await.unwrap(), std::slice::from_ref(&events));

    let aws = &scene.environment.aws;
    let (puts, before) = (aws.calls("S3.PutObject"), names(&scene).len());
    aws.fail_next("S3.PutObject", 1, Fault::Hang(MEANWHILE));
    let erasing = tokio::spawn({
        let (files, events) = (files.clone(), events.clone());
        async move { files.erase(&events, PERSON).await }
    });
    writes(&scene, puts + 1).await;
    let late = body("DatasourceRefreshFailed", "d-late", "2026-11-27T06:00:00Z");
    let attempt = scene.receive("notify-slack", &late, "2026-11-27T06:00:01.000Z").await;
    attempt.ends(End::Done, "2026-11-28T03:00:00.000Z", None).await;
    scene.run(Start::Export { through: None }, "2026-11-28T04:00:00Z").await.unwrap();
    assert_eq!(names(&scene).len(), before + 1, "the export writes before the file without the person");

    assert_eq!(erasing.await.unwrap().unwrap(), 1);
    let after = names(&scene);
    assert!(after.contains(&json!("Object d-late")) && after.contains(&json!("[erased]")), "{after:?}");
    assert!(!after.contains(&json!(PERSON)), "{after:?}");
    assert_eq!(files.erase(&events, PERSON).await.unwrap(), 0);
}

#[tokio::test]
async fn an_owner_who_is_erased_while_an_export_writes_is_not_named_by_it() {
    let scene = Scene::new().await;
    let files = exported(&scene).await;
    let owner = scene.rows(Kind::Incidents, DAY)[0]["owner_email"].as_str().unwrap().to_owned();
    let aws = &scene.environment.aws;
    // The next day has the incident too: three files are written, and the hanging one is that of incidents.
    let puts = aws.calls("S3.PutObject");
    aws.fail_next("S3.PutObject", 2, Fault::Hang(Duration::ZERO));
    aws.fail_next("S3.PutObject", 1, Fault::Hang(MEANWHILE));
    let export = scene.run(Start::Export { through: None }, "2026-11-29T02:00:00Z");
    let erase = async {
        writes(&scene, puts + 3).await;
        let erase = |erased: &mut ErasedPeople| erased.add(&owner);
        let now = at("2026-11-29T02:00:01Z");
        scene.function().documents.change(ErasedPeople::KEY, now, erase).await.unwrap();
        for key in files.that_name(&owner).await.unwrap() {
            files.erase(&key, &owner).await.unwrap();
        }
    };
    let (exported, ()) = tokio::join!(export, erase);
    exported.unwrap();
    for day in [DAY, "2026-11-28"] {
        let row = &scene.rows(Kind::Incidents, day)[0];
        assert_ne!(row["owner_email"], json!(owner), "{day}");
    }
    assert!(files.that_name(&owner).await.unwrap().is_empty());
}
