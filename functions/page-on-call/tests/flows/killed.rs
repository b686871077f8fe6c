//! A process that dies between the call and the record of it.

use crate::support::{FAILURES, failed, message, open, queued, readable, start, succeeded};
use std::time::Duration;
use testkit::simulator::{PagerDutyFault, notes};

#[tokio::test]
async fn a_trigger_and_a_resolve_that_are_sent_again_after_a_kill_are_one_incident() {
    let environment = start(FAILURES).await;
    let first = failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN);
    let end = succeeded(&environment, "Sales Orders", 60);
    let mut accepted = 0;
    for event in [&first, &end] {
        // PagerDuty has taken the event, and the function dies before it learns of that.
        environment.pagerduty.fail_next(1, PagerDutyFault::AcceptThenHang);
        let function = queued(&environment);
        let batch = message(event).event();
        let killed = async {
            environment.pagerduty.wait_for(accepted + 1, Duration::from_secs(20)).await.unwrap();
            function.process().kill().await;
        };
        let (invoked, ()) = tokio::join!(function.invoke(&batch), killed);
        assert!(invoked.is_err());

        // The claim lasts until the killed invocation's deadline.
        let next = queued(&environment);
        let mut tries = 2;
        while next.failures(&message(event).received(tries)).await == ["m-1"] {
            tokio::time::sleep(Duration::from_secs(2)).await;
            tries += 1;
            assert!(tries < 30, "{}", next.logs().join("\n"));
        }
        accepted += 2;
        assert_eq!(environment.pagerduty.events().len(), accepted, "{}", readable(&environment));
    }
    let events = environment.pagerduty.events();
    assert!(events.iter().all(|event| event.dedup_key() == events[0].dedup_key()));
    let paged: Vec<bool> = events.iter().map(|event| event.paged).collect();
    assert_eq!(paged, [true, false, false, false], "one incident, and one page");
    let actions: Vec<&str> = events.iter().map(testkit::simulator::PagerDutyEvent::action).collect();
    assert_eq!(actions, ["trigger", "trigger", "resolve", "resolve"]);
    assert_eq!(environment.pagerduty.alerts().len(), 1);
    assert!(open(&environment).is_empty());
    assert!(environment.aws.messages("dead-letters").is_empty());
}
