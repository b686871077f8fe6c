//! Groups, digests and recoveries on the real binary, with the timers of its queue.

use crate::support::{assert_taken, message, queued, readable, start};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use testkit::simulator::{TeamsPost, render_post};
use testkit::{Batch, Function, TestEnvironment};

/// Hands the timers of the queue to the function, again and again, until this holds.
async fn run_timers(
    environment: &TestEnvironment,
    function: &Function,
    holds: impl Fn(&[TeamsPost]) -> bool,
) {
    let began = Instant::now();
    let mut done = BTreeSet::new();
    while !holds(&environment.teams.posts()) {
        assert!(
            began.elapsed() < Duration::from_secs(150),
            "{}\n{}",
            readable(environment),
            function.logs().join("\n")
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
        for queued in environment.aws.messages("queue") {
            let body: Value = serde_json::from_str(&queued.body).unwrap();
            let due = body["timer"]["due"].as_str().and_then(|due| due.parse::<jiff::Timestamp>().ok());
            if due.is_some_and(|due| due <= jiff::Timestamp::now()) && done.insert(queued.body.clone()) {
                function.failures(&Batch::default().message(&queued.body)).await;
            }
        }
    }
}

fn of_object(environment: &TestEnvironment, name: &str, n: usize, second: i64) -> Value {
    let at = environment.tableau.clock().now() + Duration::from_secs(second.unsigned_abs());
    json!({
        "resource": "EXTRACTS", "event_type": name, "resource_name": format!("extract_{n:03}"),
        "site_luid": environment.tableau.site().as_str(), "resource_luid": format!("00000000-0000-4000-8000-{n:012}"),
        "created_at": at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    })
}

// D010, D134
#[tokio::test]
async fn many_failures_are_one_card_that_says_how_many_it_does_not_name_and_their_end_names_them() {
    let environment = start(crate::support::CARDS).await;
    let function = queued(&environment);
    for n in 0..8 {
        let event = of_object(&environment, "DatasourceRefreshFailed", n, 0);
        assert!(function.failures(&message(&event)).await.is_empty());
    }
    run_timers(&environment, &function, |posts| posts.len() >= 2).await;
    let posts = environment.teams.posts();
    assert_eq!(posts.len(), 2, "the first failure, and all others: {}", readable(&environment));
    let text = render_post(&posts[1]);
    assert!(text.contains("8 extract refreshes failed"), "{text}");
    assert!((0..8).all(|n| text.contains(&format!("extract_{n:03}"))), "{text}");

    for n in 0..8 {
        let event = of_object(&environment, "DatasourceRefreshSucceeded", n, 120);
        assert!(function.failures(&message(&event)).await.is_empty());
    }
    let is_end =
        |post: &&TeamsPost| post.channel == "finance" && post.title().starts_with("✅ All 8 recovered");
    run_timers(&environment, &function, |posts| posts.iter().any(|post| is_end(&post))).await;
    let posts = environment.teams.posts();
    let end = render_post(posts.iter().find(is_end).unwrap());
    assert!((0..8).all(|n| end.contains(&format!("extract_{n:03}"))), "no edit shows the names: {end}");
    assert_taken(&environment);
    environment.assert_no_secret_in(&function.logs());
}

#[tokio::test]
async fn quiet_hours_end_with_one_card_about_all_that_happened() {
    let now = jiff::Timestamp::now();
    // The next whole minute that is far enough away for the events to come before it.
    let end = jiff::Timestamp::from_second((now.as_second() + 10).div_euclid(60) * 60 + 60).unwrap();
    let clock = |at: jiff::Timestamp| at.strftime("%H:%M").to_string();
    let from = clock(now - Duration::from_secs(3600));
    let rules = format!(
        "rules:\n  - name: quiet\n    quiet: {{ from: \"{from}\", to: \"{}\", timezone: UTC }}\n    on: [Any]\n    do: [{{ notify-teams: {{ channel: finance }} }}]\n",
        clock(end)
    );
    let environment = start(&rules).await;
    let function = queued(&environment);
    for event in [
        of_object(&environment, "DatasourceRefreshFailed", 1, 0),
        of_object(&environment, "DatasourceRefreshFailed", 2, 1),
        of_object(&environment, "DatasourceRefreshSucceeded", 1, 2),
        of_object(&environment, "WorkbookUpdated", 3, 3),
    ] {
        assert!(function.failures(&message(&event)).await.is_empty());
    }
    assert!(environment.teams.posts().is_empty(), "{}", readable(&environment));
    run_timers(&environment, &function, |posts| !posts.is_empty()).await;
    let text = readable(&environment);
    for part in
        ["events in quiet hours", "1 still failing", "extract_002", "Extract refresh succeeded: extract_001"]
    {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
    assert_eq!(environment.teams.posts().len(), 1, "{text}");
    assert_taken(&environment);
}
