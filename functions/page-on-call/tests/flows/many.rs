//! Groups and digests, with the timers of the function's queue.

use crate::support::{
    FAILURES, PAGES, event, handle, of_object, open, queued, readable, routing, run_timers, start,
};
use jiff::Timestamp;
use std::time::Duration;
use testkit::Batch;
use testkit::simulator::PagerDutyEvent;

#[tokio::test]
async fn a_storm_of_a_hundred_is_two_pages_and_all_alerts_resolve() {
    let environment = start(FAILURES).await;
    let function = queued(&environment);
    for n in 0..100 {
        handle(&function, &of_object(&environment, "DatasourceRefreshFailed", n, 0)).await;
    }
    let shows_all = |event: &PagerDutyEvent| event.summary().contains("100 extract refreshes fail");
    run_timers(&environment, &function, |events| events.iter().any(shows_all)).await;
    let events = environment.pagerduty.events();
    let pages: Vec<_> = events.iter().filter(|event| event.paged).collect();
    assert_eq!(pages.len(), 2, "the first failure, and all together: {}", readable(&environment));
    assert!(events.len() <= 8, "few calls: {}", events.len());
    assert!(pages[0].dedup_key().contains("000000000000:refresh:"), "{}", pages[0].dedup_key());
    assert!(pages[1].dedup_key().contains("/marketing:group:"), "{}", pages[1].dedup_key());
    let last = events.last().unwrap();
    assert!(
        (0..100).all(|n| last.detail("text").contains(&format!("- extract_{n:03}"))),
        "{}",
        last.detail("text")
    );
    assert_eq!(last.field("severity"), "critical");

    for n in 0..100 {
        handle(&function, &of_object(&environment, "DatasourceRefreshSucceeded", n, 120)).await;
    }
    let ends = |events: &[PagerDutyEvent]| {
        events.iter().any(|event| event.action() == "resolve" && event.dedup_key().contains(":group:"))
    };
    run_timers(&environment, &function, ends).await;
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
    let now = Timestamp::now();
    // The next whole minute that is far enough away for the events to come before it.
    let end = Timestamp::from_second((now.as_second() + 15).div_euclid(60) * 60 + 60).unwrap();
    let clock = |at: Timestamp| at.strftime("%H:%M").to_string();
    let from = clock(now - Duration::from_secs(3600));
    let quiet = format!(
        "rules:\n  - name: quiet\n    quiet: {{ from: \"{from}\", to: \"{}\", timezone: UTC }}\n    on: [Any]\n    do: [{{ page-on-call: {{ service: finance }} }}]\n",
        clock(end)
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
        of_object(&environment, "DatasourceRefreshFailed", 2, 1),
        of_object(&environment, "WorkbookUpdated", 3, 2),
        event(&environment, "DatasourceRefreshSucceeded", "Sales Orders", 3),
    ] {
        handle(&function, &event).await;
    }
    let events = environment.pagerduty.events();
    assert!(!events.iter().skip(1).any(|event| event.paged), "{}", readable(&environment));
    assert!(open(&environment).is_empty(), "the alert from before has ended: {}", readable(&environment));
    run_timers(&environment, &function, |events| {
        events.iter().any(|event| event.dedup_key().contains(":quiet-hours:"))
    })
    .await;
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
