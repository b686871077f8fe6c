//! Groups, digests and recoveries on the real binary, with the timers of its queue.

use crate::support::{assert_taken, message, queued, readable, start};
use std::time::Duration;
use testkit::quiet_until_soon;
use testkit::simulator::{TeamsPost, render_post};

/// Longer than a group waits, and quiet hours last.
const LONGEST: Duration = Duration::from_secs(200);

// D010, D134
#[tokio::test]
async fn many_failures_are_one_card_that_says_how_many_it_does_not_name_and_their_end_names_them() {
    let environment = start(crate::support::CARDS).await;
    let function = queued(&environment);
    for n in 0..8 {
        let event = environment.event_of_extract("DatasourceRefreshFailed", n, 0);
        assert!(function.failures(&message(&event)).await.is_empty());
    }
    environment.run_timers(&function, LONGEST, || environment.teams.posts().len() >= 2).await;
    let posts = environment.teams.posts();
    assert_eq!(posts.len(), 2, "the first failure, and all others: {}", readable(&environment));
    let text = render_post(&posts[1]);
    assert!(text.contains("8 extract refreshes failed"), "{text}");
    assert!((0..8).all(|n| text.contains(&format!("extract_{n:03}"))), "{text}");

    for n in 0..8 {
        let event = environment.event_of_extract("DatasourceRefreshSucceeded", n, 1);
        assert!(function.failures(&message(&event)).await.is_empty());
    }
    let is_end =
        |post: &&TeamsPost| post.channel == "finance" && post.title().starts_with("✅ All 8 recovered");
    environment
        .run_timers(&function, LONGEST, || environment.teams.posts().iter().any(|post| is_end(&post)))
        .await;
    let posts = environment.teams.posts();
    let end = render_post(posts.iter().find(is_end).unwrap());
    assert!((0..8).all(|n| end.contains(&format!("extract_{n:03}"))), "no edit shows the names: {end}");
    assert_taken(&environment);
    environment.assert_no_secret_in(&function.logs());
}

#[tokio::test]
async fn quiet_hours_end_with_one_card_about_all_that_happened() {
    let quiet = quiet_until_soon(Duration::from_secs(20));
    let rules = format!(
        "rules:\n  - name: quiet\n    {quiet}\n    on: [Any]\n    do: [{{ notify-teams: {{ channel: finance }} }}]\n"
    );
    let environment = start(&rules).await;
    let function = queued(&environment);
    for event in [
        environment.event_of_extract("DatasourceRefreshFailed", 1, 0),
        environment.event_of_extract("DatasourceRefreshFailed", 2, 1),
        environment.event_of_extract("DatasourceRefreshSucceeded", 1, 2),
        environment.event_of_extract("WorkbookUpdated", 3, 3),
    ] {
        assert!(function.failures(&message(&event)).await.is_empty());
    }
    assert!(environment.teams.posts().is_empty(), "{}", readable(&environment));
    environment.run_timers(&function, LONGEST, || !environment.teams.posts().is_empty()).await;
    let text = readable(&environment);
    for part in
        ["events in quiet hours", "1 still failing", "extract_002", "Extract refresh succeeded: extract_001"]
    {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
    assert_eq!(environment.teams.posts().len(), 1, "{text}");
    assert_taken(&environment);
}
