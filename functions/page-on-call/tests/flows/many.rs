//! Groups and digests, with the timers of the function's queue.

use crate::support::{FAILURES, PAGES, event, handle, open, queued, readable, routing, start};
use std::time::Duration;
use testkit::simulator::PagerDutyEvent;
use testkit::{Batch, quiet_until_soon};

/// Longer than a group waits, and quiet hours last.
const LONGEST: Duration = Duration::from_secs(200);

#[tokio::test]
async fn a_storm_of_a_hundred_is_two_pages_and_all_alerts_resolve() {
    let environment = start(FAILURES).await;
    let function = queued(&environment);
    for n in 0..100 {
        handle(&function, &environment.event_of_extract("DatasourceRefreshFailed", n, 0)).await;
    }
    let shows_all = |event: &PagerDutyEvent| event.summary().contains("100 extract refreshes fail");
    environment.run_timers(&function, LONGEST, || environment.pagerduty.events().iter().any(shows_all)).await;
    let events = environment.pagerduty.events();
    let pages: Vec<_> = events.iter().filter(|event| event.paged).collect();
    assert_eq!(pages.len(), 2, "the first failure, and all together: {}", readable(&environment));
    assert!(events.len() <= 8, "few calls: {}", events.len());
    let first = environment.tableau.datasource("extract_000").unwrap();
    assert!(pages[0].dedup_key().contains(&format!(":{first}:refresh:")), "{}", pages[0].dedup_key());
    assert!(pages[1].dedup_key().contains("/marketing:group:"), "{}", pages[1].dedup_key());
    let last = events.last().unwrap();
    assert!(
        (0..100).all(|n| last.detail("text").contains(&format!("- extract_{n:03}"))),
        "{}",
        last.detail("text")
    );
    assert_eq!(last.field("severity"), "critical");

    for n in 0..100 {
        handle(&function, &environment.event_of_extract("DatasourceRefreshSucceeded", n, 1)).await;
    }
    let ends = |event: &PagerDutyEvent| event.action() == "resolve" && event.dedup_key().contains(":group:");
    environment.run_timers(&function, LONGEST, || environment.pagerduty.events().iter().any(ends)).await;
    assert!(open(&environment).is_empty(), "{:?}", open(&environment));
    let events = environment.pagerduty.events();
    let group: Vec<_> = events.iter().filter(|event| event.dedup_key().contains(":group:")).collect();
    let end = group.last().unwrap();
    assert!(end.summary().starts_with("All 100 recovered"), "{}", end.summary());
    assert!(group.iter().all(|event| routing(event) == routing(end)), "one service for all of them");
    assert!(events.len() <= 16, "few calls: {}", events.len());
    assert_eq!(environment.pagerduty.refusals(), []);
    assert_eq!(environment.pagerduty.alerts().len(), 2);
    environment.assert_no_secret_in(&function.logs());
}

#[tokio::test]
async fn quiet_hours_page_no_one_end_alerts_at_once_and_have_one_alert_at_their_end() {
    let quiet = quiet_until_soon(Duration::from_secs(25));
    let quiet = format!(
        "rules:\n  - name: quiet\n    {quiet}\n    on: [Any]\n    do: [{{ page-on-call: {{ service: finance }} }}]\n"
    );
    let environment = start(PAGES).await;
    let function = queued(&environment);
    // An alert from before the quiet hours.
    handle(&function, &event(&environment, "DatasourceRefreshFailed", "Sales Orders", 0)).await;
    assert_eq!(open(&environment).len(), 1);
    environment.write_rules(&quiet);
    drop(function);
    let function = queued(&environment);
    for event in [
        event(&environment, "DatasourceRefreshFailed", "Sales Orders", 1),
        environment.event_of_extract("DatasourceRefreshFailed", 2, 1),
        environment.event_of_extract("WorkbookUpdated", 3, 2),
        event(&environment, "DatasourceRefreshSucceeded", "Sales Orders", 3),
    ] {
        handle(&function, &event).await;
    }
    let events = environment.pagerduty.events();
    assert!(!events.iter().skip(1).any(|event| event.paged), "{}", readable(&environment));
    assert!(open(&environment).is_empty(), "the alert from before has ended: {}", readable(&environment));
    let is_digest = |event: &PagerDutyEvent| event.dedup_key().contains(":quiet-hours:");
    environment.run_timers(&function, LONGEST, || environment.pagerduty.events().iter().any(is_digest)).await;
    let events = environment.pagerduty.events();
    let digest = events.iter().find(|event| event.dedup_key().contains(":quiet-hours:")).unwrap();
    assert!(digest.paged && digest.summary().contains("events in quiet hours"), "{}", digest.summary());
    assert_eq!(digest.field("severity"), "error", "one object still fails");
    assert!(digest.detail("text").contains("extract_002"), "{}", digest.detail("text"));
    // The same digest, sent again, is the same alert.
    for queued in environment.aws.messages("queue") {
        function.failures(&Batch::default().message(&queued.body)).await;
    }
    assert_eq!(environment.pagerduty.refusals(), []);
}
