//! A person is erased while an export writes.

use crate::scene::{BUCKET, Scene, at, body};
use deliveries::End;
use history::{ErasedFiles, Files, Kind, Start, erase_person, key};
use serde_json::{Value, json};
use std::time::Duration;
use tableau::Event;
use testkit::local_aws::Fault;
use tokio::time::{sleep, timeout};

const DAY: &str = "2026-11-27";
const PERSON: &str = "bea@example.com";
/// Longer than what a test does meanwhile.
const MEANWHILE: Duration = Duration::from_secs(6);

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
    assert_eq!(files.that_name(PERSON).await.unwrap(), [(events.clone(), 1)].into());

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
async fn what_others_keep_in_the_bucket_is_left_alone() {
    let scene = Scene::new().await;
    let files = exported(&scene).await;
    for key in
        ["history/", "history/_SUCCESS", "history/notes.txt", "state/day=2026-11-27/incidents.json.gz.bak"]
    {
        files.put(key, PERSON.as_bytes().to_vec()).await.unwrap();
    }
    let now = at("2026-11-28T03:00:00Z");
    let erased = erase_person(&scene.function().documents, Some(&files), PERSON, now).await.unwrap();
    assert_eq!(erased, ErasedFiles { files: 1, rows: 1 });
    assert_eq!(files.get("history/notes.txt").await.unwrap().unwrap(), PERSON.as_bytes());
}

#[tokio::test]
async fn a_report_that_could_not_be_sent_does_not_name_a_person_who_was_erased_since() {
    let scene = Scene::new().await;
    let source = scene.environment.tableau.datasource("Sales Orders").unwrap();
    let failed = body("DatasourceRefreshFailed", source.as_str(), "2026-11-24T04:10:00Z");
    let attempt = scene.receive("notify-slack", &failed, "2026-11-24T04:10:02.000Z").await;
    attempt.ends(End::Done, "2026-11-24T04:10:05.000Z", None).await;
    *scene.bus.is_down.lock().unwrap() = true;
    scene.run(Start::Periodic, "2026-11-30T05:30:00Z").await.unwrap_err();
    *scene.bus.is_down.lock().unwrap() = false;
    let owners = |scene: &Scene| -> Vec<Option<String>> {
        let sent = scene.bus.sent.lock().unwrap();
        let reports = sent.iter().map(|payload| Event::try_from(payload).unwrap().report.unwrap());
        reports.map(|report| report.failed_most[0].object.owner.clone()).collect()
    };
    let owner = owners(&scene)[0].clone().unwrap();
    let now = at("2026-11-30T06:00:00Z");
    erase_person(&scene.function().documents, None, &owner, now).await.unwrap();
    assert_eq!(scene.run(Start::Periodic, "2026-11-30T06:30:00Z").await.unwrap()["sent"], 1);
    assert_eq!(owners(&scene)[1], None);
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
        let documents = scene.function().documents;
        erase_person(&documents, Some(&files), &owner, at("2026-11-29T02:00:01Z")).await.unwrap();
    };
    let (exported, ()) = tokio::join!(export, erase);
    exported.unwrap();
    for day in [DAY, "2026-11-28"] {
        let row = &scene.rows(Kind::Incidents, day)[0];
        assert_ne!(row["owner_email"], json!(owner), "{day}");
    }
    assert!(files.that_name(&owner).await.unwrap().is_empty());
}
