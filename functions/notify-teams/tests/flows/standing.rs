//! How bad a failure is and what a recovery says, on the real binary, as a card and as fields.

use crate::support::{CARDS, PLAIN, assert_taken, message, queued, readable, start};
use serde_json::{Value, json};
use testkit::simulator::{Datasource, TeamsPost, User, Workbook, notes, render_post};
use testkit::{Batch, Function, TestEnvironment};

/// A data source of Finance that twelve workbooks of two owners use.
async fn used(rules: &str) -> TestEnvironment {
    let environment = start(rules).await;
    for name in ["lena", "omar"] {
        environment.tableau.add(User::named(name));
    }
    environment.tableau.add(Datasource::named("Orders Extract").owned_by("lena").in_project("Finance"));
    for n in 0..12 {
        let owner = if n % 2 == 0 { "lena" } else { "omar" };
        environment
            .tableau
            .add(Workbook::named(&format!("board_{n:02}")).using("Orders Extract").owned_by(owner));
    }
    environment
}

/// An event so many minutes before now.
fn event(environment: &TestEnvironment, name: &str, minutes_ago: i64) -> Value {
    let luid = environment.tableau.datasource("Orders Extract").unwrap();
    if name.ends_with("Failed") {
        environment.tableau.fail_refresh(&luid, notes::SNOWFLAKE_LOGIN).unwrap();
    }
    let at = environment.tableau.clock().now() - jiff::SignedDuration::from_mins(minutes_ago);
    json!({
        "resource": "EXTRACTS", "event_type": name, "resource_name": "Orders Extract",
        "site_luid": environment.tableau.site().as_str(), "resource_luid": luid.as_str(),
        "created_at": at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    })
}

/// Five failures and a success, a minute apart, and what was posted of them.
async fn night(environment: &TestEnvironment, function: &Function) -> Vec<TeamsPost> {
    let mut events: Vec<Value> =
        (0..5).map(|n| event(environment, "DatasourceRefreshFailed", 10 - n)).collect();
    events.push(event(environment, "DatasourceRefreshSucceeded", 3));
    for event in &events {
        assert_eq!(function.failures(&message(event)).await, Vec::<String>::new());
    }
    assert_taken(environment);
    environment.assert_no_secret_in(&function.logs());
    environment.teams.posts()
}

// 17, item 2
#[tokio::test]
async fn cards_say_how_bad_it_is_whom_it_affects_and_at_the_end_what_it_was_and_whose() {
    let environment = used(CARDS).await;
    let function = queued(&environment);
    let posts = night(&environment, &function).await;
    let shown: Vec<String> = posts.iter().filter(|post| post.channel == "finance").map(render_post).collect();
    assert_eq!(shown.len(), 5, "failures 1, 2, 4 and 5, and the end: {}", readable(&environment));
    let impact =
        "12 workbooks of 2 owners use it: board_00, board_01, board_02, board_03, board_04 … and 7 more";
    for (n, parts) in [
        (0, ["First failure", "at the earliest after 4 more failures in a row.", impact]),
        (2, ["4 failures in a row within 3 min, since ", "after 1 more failure in a row.", impact]),
        (
            3,
            [
                "5 failures in a row",
                "probably suspended the scheduled refresh. After the repair, resume it",
                impact,
            ],
        ),
        (
            4,
            [
                "✅ Recovered after 5 failures in 7 min: Orders Extract",
                "It was – Credentials refused",
                "It had 5 failures, from ",
            ],
        ),
    ] {
        for part in parts.into_iter().chain(["Project  Finance", "Owner  lena"]) {
            assert!(shown[n].contains(part), "no {part} in\n{}", shown[n]);
        }
    }
    let places =
        ["Cause – ", "Next step – ", "Project  ", "First failure", "workbooks of", "[Open in Tableau]"];
    let found: Vec<usize> = places.iter().map(|part| shown[0].find(part).unwrap()).collect();
    assert!(found.is_sorted(), "{}", shown[0]);
    // The site's time zone, with UTC behind.
    assert!(
        shown[0].contains(" UTC)") && (shown[0].contains(" CET (") || shown[0].contains(" CEST (")),
        "{}",
        shown[0]
    );
}

// 17, item 2
#[tokio::test]
async fn fields_say_the_same() {
    let environment = used(PLAIN).await;
    let function = queued(&environment);
    let posts = night(&environment, &function).await;
    let of = |status: &str| posts.iter().filter(|post| post.field("status") == status).collect::<Vec<_>>();
    let failed = of("failed");
    assert_eq!(failed.len(), 4, "{}", readable(&environment));
    assert!(failed[0].field("failures").starts_with("First failure · "), "{}", failed[0].field("failures"));
    let last = failed[3];
    assert!(
        last.field("failures").contains("5 failures in a row within 4 min, since "),
        "{}",
        last.field("failures")
    );
    assert!(last.field("failures").contains("Tableau has probably suspended the scheduled refresh."));
    assert!(
        last.field("impact").starts_with("12 workbooks of 2 owners use it: board_00, "),
        "{}",
        last.field("impact")
    );
    for field in ["failures", "impact"] {
        for sentence in last.field(field).split(" · ") {
            assert!(last.field("text").contains(sentence), "no {sentence} in\n{}", last.field("text"));
        }
    }
    let ends: Vec<_> = of("recovered").into_iter().filter(|post| post.field("kind") == "resolved").collect();
    assert_eq!(ends.len(), 1, "{}", readable(&environment));
    let end = ends[0];
    assert_eq!(
        (end.field("event_type"), end.field("cause")),
        ("DatasourceRefreshSucceeded", "Credentials refused")
    );
    assert_eq!((end.field("project"), end.field("owner")), ("Finance", "lena"));
    assert!(end.field("text").contains("It was – Credentials refused"), "{}", end.field("text"));
}

// 17, item 2
#[tokio::test]
async fn an_event_that_comes_twice_is_one_card() {
    let environment = used(CARDS).await;
    let function = queued(&environment);
    let event = event(&environment, "DatasourceRefreshFailed", 1);
    let twice = Batch::default().message(&event.to_string()).message(&event.to_string());
    assert!(function.failures(&twice).await.is_empty());
    assert_eq!(environment.teams.calls(), 1);
}
