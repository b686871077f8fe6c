//! `once_per: incident`: one ticket for all failures of an object until a refresh succeeds.

use crate::support::{Environment, last_reason, message};
use serde_json::{Value, json};
use testkit::simulator::ReceiverFault;

const JIRA: &str = "{ target: jira, preset: jira-issue, values: { project: BI }, once_per: incident }";

async fn start() -> Environment {
    let rules = format!(
        "rules:\n  - name: tickets\n    on: [RefreshFailed]\n    do:\n      - forward-event: {JIRA}\n"
    );
    Environment::with_rules(&rules).await
}

fn next_failure(environment: &Environment) -> Value {
    environment.advance(2);
    environment.failed()
}

// D060
#[tokio::test]
async fn a_second_failure_two_seconds_later_makes_no_second_ticket_and_names_the_first() {
    let environment = start().await;
    let function = environment.queued();
    assert!(
        function.failures(&message(&environment.failed())).await.is_empty(),
        "{}",
        last_reason(&function)
    );
    assert!(function.failures(&message(&next_failure(&environment))).await.is_empty());
    let reason = last_reason(&function);
    assert!(reason.contains("was forwarded as BI-1, and no refresh has succeeded since"), "{reason}");
    assert_eq!(environment.receiver.requests().len(), 1);

    environment.advance(60);
    let success = environment.event("DatasourceRefreshSucceeded");
    assert!(function.failures(&message(&success)).await.is_empty());
    assert!(function.failures(&message(&next_failure(&environment))).await.is_empty());
    assert_eq!(environment.receiver.requests().len(), 2, "the next incident has its own ticket");
    environment.assert_no_secret_in(&function);
}

#[tokio::test]
async fn another_object_has_its_own_ticket_and_a_retry_of_the_first_failure_is_no_second_one() {
    let environment = start().await;
    let function = environment.queued();
    let first = environment.failed();
    environment.receiver.fail_next(1, ReceiverFault::Answer(503, &[], ""));
    assert_eq!(function.failures(&message(&first)).await.len(), 1);
    // It is under way: the next failure does not overtake it.
    assert!(function.failures(&message(&next_failure(&environment))).await.is_empty());
    assert_eq!(environment.receiver.requests().len(), 1);
    assert!(function.failures(&message(&first).received(2)).await.is_empty(), "{}", last_reason(&function));
    assert_eq!(environment.receiver.taken().len(), 1);

    let mut other = environment.failed();
    other["resource_luid"] = json!("0c7ba112-4c1b-4f4e-9d1a-0000000000ff");
    // Tableau has no such object; what it does not say is missing in the ticket.
    assert!(function.failures(&message(&other)).await.is_empty(), "{}", last_reason(&function));
    assert_eq!(environment.receiver.taken().len(), 2);
}

#[tokio::test]
async fn a_failure_that_was_refused_gives_its_turn_to_the_next_one() {
    let environment = start().await;
    let function = environment.queued();
    environment.receiver.fail_next(
        1,
        ReceiverFault::Answer(400, &[], "{\"errors\":{\"project\":\"valid project is required\"}}"),
    );
    assert!(function.failures(&message(&environment.failed())).await.is_empty());
    assert_eq!(environment.base.aws.messages("dead-letters").len(), 1);
    assert!(function.failures(&message(&next_failure(&environment))).await.is_empty());
    assert_eq!(environment.receiver.taken().len(), 1);
}

#[tokio::test]
async fn a_storm_is_one_ticket_for_each_object() {
    let environment = start().await;
    let function = environment.queued();
    for round in 0..2 {
        for n in 0..6 {
            let mut event = environment.failed();
            event["resource_luid"] = json!(format!("00000000-0000-4000-8000-{n:012}"));
            event["resource_name"] = json!(format!("Weekly {n}"));
            event["round"] = json!(round);
            assert!(function.failures(&message(&event)).await.is_empty(), "{}", last_reason(&function));
        }
    }
    assert_eq!((environment.receiver.requests().len(), environment.receiver.taken().len()), (6, 6));
}
