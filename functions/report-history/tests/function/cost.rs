//! What the export of a month costs, by counted calls.

use crate::scene::{Scene, body};
use deliveries::End;
use history::Start;
use testkit::dynamodb::say;

/// Events of a day in the test, each received by this many workflows.
const EVENTS: u64 = 60;
const WORKFLOWS: [&str; 2] = ["notify-slack", "notify-teams"];

#[tokio::test]
async fn the_calls_of_a_day_are_counted() {
    let scene = Scene::new().await;
    for n in 0..EVENTS {
        let failed = body("DatasourceRefreshFailed", &format!("d-{n}"), "2026-11-27T04:10:00Z");
        for workflow in WORKFLOWS {
            let attempt = scene.receive(workflow, &failed, "2026-11-27T04:10:02.000Z").await;
            attempt.ends(End::Done, "2026-11-27T04:10:05.000Z", Some("Credentials")).await;
        }
    }
    scene.run(Start::Export { through: None }, "2026-11-27T02:00:00Z").await.unwrap();
    let counted = |scene: &Scene| {
        [
            "DynamoDB.Query",
            "DynamoDB.BatchGetItem",
            "DynamoDB.GetItem",
            "DynamoDB.UpdateItem",
            "S3.PutObject",
            "S3.GetObject",
        ]
        .map(|call| scene.environment.aws.calls(call))
    };
    let before = counted(&scene);
    scene.run(Start::Periodic, "2026-11-28T00:30:00Z").await.unwrap();
    let first: Vec<usize> =
        counted(&scene).iter().zip(before).map(|(after, before)| after - before).collect();
    // This run notes the sign-in of the run before.
    scene.run(Start::Periodic, "2026-11-28T01:00:00Z").await.unwrap();
    let before = counted(&scene);
    scene.run(Start::Periodic, "2026-11-28T01:30:00Z").await.unwrap();
    let idle: Vec<usize> = counted(&scene).iter().zip(before).map(|(after, before)| after - before).collect();
    say(&format!(
        "Query, BatchGetItem, GetItem, UpdateItem, PutObject, GetObject of a day with {EVENTS} events: {first:?}; of an hour without news: {idle:?}"
    ));
    // Five days may change, and the day before one that is written; two batches of at most 100 records; documents and a sign-in; three
    // files, and what the next day needs of incidents.
    assert_eq!(first, [6, 2, 7, 3, 4, 1]);
    assert_eq!(idle, [0, 0, 5, 0, 0, 0], "an hour without news reads documents alone");
}
