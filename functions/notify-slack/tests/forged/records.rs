//! Damaged and forged delivery records.

use crate::environment::{End, Environment};
use crate::mutation::Mutation;
use crate::{OTHER, judge, mutation, next_event_is_handled, report};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use testkit::Batch;
use testkit::simulator::SlackFault;

/// Record fields that can untruthfully say that the event is completed, that an effect happened, or that the event
/// waited too long.
const MAY_LIE: &[&str] =
    &["state", "effects", "failures", "deferrals", "misconfigured_since", "deadline_ms", "attempts"];

#[tokio::test]
async fn no_delivery_record_that_is_damaged_or_forged_loses_its_event_or_stops_others() {
    let environment = Environment::start().await;
    let function = environment.function();
    let now = Timestamp::now();
    environment.services.slack.fail_next(1, SlackFault::ServerError);
    let created = Batch::default().message(&environment.event("WorkbookCreated", OTHER));
    assert!(!function.failures(&created).await.is_empty());
    let released = environment.item_of("delivery#");
    let mut claimed = released.clone();
    claimed["state"] = json!({ "S": "claimed" });
    // The record of a worker that died a moment ago.
    claimed["deadline_ms"] =
        json!({ "N": (now - SignedDuration::from_secs(1)).as_millisecond().to_string() });
    let session = environment.items_of("session#");

    let mut wrong = Vec::new();
    for (base, name, only) in [
        (&released, "WorkbookCreated", None),
        (&claimed, "WorkbookCreated", Some(["state", "deadline_ms", "owner"])),
        // The event happened in quiet hours.
        (&released, "WorkbookUpdated", Some(["state", "effects", "deferrals"])),
    ] {
        let mutations = mutation::of_attributes(base, now, &environment.elsewhere).into_iter();
        for mutation in
            mutations.filter(|mutation| only.is_none_or(|only| only.contains(&mutation.field.as_str())))
        {
            let event = environment.event(name, OTHER);
            let id = deliveries::Content::received(event.as_bytes()).event_id();
            let mut item = mutation.item.clone();
            item["pk"] = json!({ "S": format!("delivery#notify-slack#{id}") });
            environment.restore(&[session.clone(), vec![item]].concat()).await;
            let before = environment.services.slack.message_count();
            let end: End = environment.drive(&function, &event).await;
            let found = judged(&mutation, &end).into_iter();
            let found = found.chain(environment.spilled(before));
            let what =
                format!("a {} record whose {} is {}", base["state"]["S"], mutation.field, mutation.how);
            wrong.extend(found.map(|why| format!("{what}: {why}")));
        }
        next_event_is_handled(&environment, &function, "damaged delivery records").await;
    }
    report(wrong);
}

/// The first event of a kind is announced; later events wait for the group or for the end of quiet hours.
fn judged(mutation: &Mutation, end: &End) -> Option<String> {
    match end {
        End::Recorded(state, reason) if state == "skipped" => {
            let waits = reason.starts_with("grouped with") || reason.starts_with("in the digest of");
            if waits { None } else { judge(mutation, end, &[], MAY_LIE) }
        }
        end => judge(mutation, end, &["done"], MAY_LIE),
    }
}
