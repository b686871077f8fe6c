//! `events list` gives the true reason for events that have no message of their own.

use crate::environment::{
    EDITS, Environment, FAILED, FOR_EVER, POSTS, SUCCEEDED, UPDATED, WORKFLOW, at, event,
};
use alerting::SharedStatus;
use alerting::group::Placement;
use alerting::incident::RefreshKind;
use alerting::notification::Status;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::records::MemoryRecords;
use workflow::{Outcome, SharedMessage};

const MINUTE: i64 = 60;
const NO_RECOVERY: &str = "no failure was announced, so there is no recovery to announce, and no rule matches this DatasourceRefreshSucceeded";

fn skipped(outcome: &Outcome) -> String {
    let Outcome::Skipped(reason) = outcome else { panic!("{outcome:?}") };
    reason.to_string()
}

/// The only message that the reason names.
fn named(outcome: &Outcome) -> SharedMessage {
    let named = SharedMessage::named_in(&skipped(outcome));
    let [message] = named.as_slice() else { panic!("{outcome:?}") };
    message.clone()
}

#[tokio::test(start_paused = true)]
async fn the_recovery_of_an_incident_that_was_not_announced_says_so() {
    let mut flapping = Environment::new(EDITS);
    for n in 0..4 {
        flapping.one(FAILED, "Sales", n * 20 * MINUTE).await;
        flapping.one(SUCCEEDED, "Sales", (n * 20 + 10) * MINUTE).await;
    }
    let failed = flapping.one(FAILED, "Sales", 80 * MINUTE).await;
    assert!(skipped(&failed).starts_with("suppressed: the object flaps"), "{failed:?}");
    let muted = Environment::new(EDITS);
    muted.rules(|rules| rules.muted_until = Some(at(FOR_EVER)));
    for (mut environment, second) in [(flapping, 90 * MINUTE), (muted, 0)] {
        if second == 0 {
            environment.one(FAILED, "Sales", 0).await;
        }
        // The same reason when the event is retried after an attempt that ended before its completion was recorded.
        for _ in 0..2 {
            let recovered = environment.one(SUCCEEDED, "Sales", second + 5 * MINUTE).await;
            assert_eq!(recovered, Outcome::skipped("the target was not notified of the failure"));
        }
        // Where nothing failed, the reason says why there is no recovery message.
        let other = environment.one(SUCCEEDED, "Orders", second + 5 * MINUTE).await;
        assert_eq!(other, Outcome::skipped(NO_RECOVERY));
    }
}

#[tokio::test(start_paused = true)]
async fn a_success_of_another_kind_of_refresh_says_that_the_incident_stays_open() {
    let mut environment = Environment::new(EDITS);
    environment.refresh_kind(RefreshKind::Full);
    environment.one(FAILED, "Sales", 0).await;
    environment.refresh_kind(RefreshKind::Incremental);
    let success = environment.one(SUCCEEDED, "Sales", MINUTE).await;
    assert_eq!(success, Outcome::skipped("the incident stays open: it was another kind of refresh"));
}

#[tokio::test(start_paused = true)]
async fn a_recovery_is_grouped_with_its_failure_and_not_with_other_incidents() {
    let mut environment = Environment::new(EDITS);
    environment.one(FAILED, "first", 0).await;
    let failed = environment.one(FAILED, "second", 5).await;
    let recovered = environment.one(SUCCEEDED, "second", 8).await;
    assert!(skipped(&failed).starts_with("grouped with other incidents of the same time: group "));
    assert!(skipped(&recovered).starts_with("grouped with its failure: group "), "{recovered:?}");
    assert_eq!(named(&recovered), named(&failed));
}

#[tokio::test(start_paused = true)]
async fn a_grouped_event_names_the_group_whose_status_says_when_its_message_is_due_and_was_sent() {
    for capabilities in [EDITS, POSTS] {
        let records = Arc::new(MemoryRecords::default());
        let mut environment = Environment::on(records.clone(), capabilities);
        let names = ["one", "two", "three", "four", "five"];
        let events: Vec<_> = names.iter().map(|name| (0, event(FAILED, name, 0))).collect();
        let mut outcomes = Vec::new();
        for name in names {
            outcomes.push(environment.one(FAILED, name, 0).await);
        }
        assert_eq!(outcomes[0], Outcome::Done);
        let message = named(&outcomes[4]);
        assert!(outcomes[1..].iter().all(|outcome| named(outcome) == message), "{outcomes:?}");
        let member = events[4].1.id.short();
        let status = async |second| {
            let status = SharedStatus::of(records.as_ref(), WORKFLOW, &message, member, at(second)).await;
            status.unwrap().unwrap()
        };
        let waiting = status(1).await;
        assert_eq!((waiting.due, waiting.last_sent), (Some(at(10)), None));
        assert_eq!((waiting.placement, waiting.is_unfinished), (Some(Placement::Grouped), false));
        // The destination refuses the message once: the timer is not completed.
        environment.fail_next_deliveries(1);
        environment.run(Vec::new(), &BTreeMap::new(), at(22)).await;
        let refused = status(22).await;
        assert!(refused.is_unfinished && refused.last_sent.is_none(), "{refused:?}");
        // A member that fails again is recorded with its group.
        let again = environment.one(FAILED, "five", 3 * MINUTE).await;
        assert_eq!(named(&again), message);
        assert!(!SharedMessage::has_event(&skipped(&again)), "{again:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_flood_and_a_digest_are_named_too() {
    let mut environment = Environment::new(EDITS);
    environment.rules(|rules| rules.names.push(UPDATED));
    assert_eq!(environment.one(UPDATED, "a", 0).await, Outcome::Done);
    let flood = environment.one(UPDATED, "b", 1).await;
    assert!(skipped(&flood).starts_with("grouped with other events of its kind: group "), "{flood:?}");
    assert!(matches!(named(&flood), SharedMessage::Group { .. }));
    environment.rules(|rules| rules.quiet = Some((at(0), at(3_600))));
    let night = environment.one(FAILED, "c", 60).await;
    let SharedMessage::Digest { until, .. } = named(&night) else { panic!("{night:?}") };
    assert_eq!(until, at(3_600));
}

#[tokio::test(start_paused = true)]
async fn a_later_message_of_a_group_says_how_many_failures_are_new_where_the_first_cannot_be_edited() {
    for (capabilities, expected) in [(POSTS, vec![None, Some(2)]), (EDITS, vec![None])] {
        let mut environment = Environment::new(capabilities);
        for name in ["one", "two", "three", "four", "five"] {
            environment.one(FAILED, name, 0).await;
        }
        environment.run(Vec::new(), &BTreeMap::new(), at(40)).await;
        for name in ["six", "seven"] {
            environment.one(FAILED, name, 45).await;
        }
        environment.run(Vec::new(), &BTreeMap::new(), at(10 * MINUTE)).await;
        let messages = environment.messages();
        let of_group = messages.iter().filter(|message| message.shown.subject.is_none());
        let new = of_group.map(|message| {
            message.shown.status.iter().find_map(|status| match status {
                Status::New { count } => Some(*count),
                _ => None,
            })
        });
        assert_eq!(new.collect::<Vec<_>>(), expected, "{capabilities:?}");
    }
}
