//! Delivery records.

use crate::mutation::Mutation;
use crate::place::{End, Place};
use crate::{OTHER, judge, mutation, next_event_is_handled, report};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use testkit::Batch;
use testkit::simulator::SlackFault;

/// A record can say that its event is over, that an effect happened, and that it has waited for too long.
const MAY_LIE: &[&str] =
    &["state", "effects", "failures", "deferrals", "misconfigured_since", "deadline_ms", "attempts"];

// 12-S5
#[tokio::test]
async fn no_delivery_record_that_is_damaged_or_forged_loses_its_event_or_stops_others() {
    let place = Place::start().await;
    let function = place.function();
    let now = Timestamp::now();
    place.stage.slack.fail_next(1, SlackFault::ServerError);
    let created = Batch::default().message(&place.event("WorkbookCreated", OTHER));
    assert!(!function.failures(&created).await.is_empty());
    let released = place.item_of("delivery#");
    let mut claimed = released.clone();
    claimed["state"] = json!({ "S": "claimed" });
    // Of a worker that has died a moment ago.
    claimed["deadline_ms"] =
        json!({ "N": (now - SignedDuration::from_secs(1)).as_millisecond().to_string() });
    let session = place.items_of("session#");

    let mut wrong = Vec::new();
    for (base, name, only) in [
        (&released, "WorkbookCreated", None),
        (&claimed, "WorkbookCreated", Some(["state", "deadline_ms", "owner"])),
        // In quiet hours.
        (&released, "WorkbookUpdated", Some(["state", "effects", "deferrals"])),
    ] {
        let mutations = mutation::of_attributes(base, now, &place.elsewhere).into_iter();
        for mutation in
            mutations.filter(|mutation| only.is_none_or(|only| only.contains(&mutation.field.as_str())))
        {
            let event = place.event(name, OTHER);
            let id = deliveries::Content::received(event.as_bytes()).event_id();
            let mut item = mutation.item.clone();
            item["pk"] = json!({ "S": format!("delivery#notify-slack#{id}") });
            place.restore(&[session.clone(), vec![item]].concat()).await;
            let before = place.stage.slack.messages().len();
            let end: End = place.drive(&function, &event).await;
            let found = judged(&mutation, &end).into_iter();
            let found = found.chain(place.spilled(before));
            let what =
                format!("a {} record whose {} is {}", base["state"]["S"], mutation.field, mutation.how);
            wrong.extend(found.map(|why| format!("{what}: {why}")));
        }
        next_event_is_handled(&place, &function, "damaged delivery records").await;
    }
    report(wrong);
}

/// The first of a kind is announced, and others wait for it, or for the end of quiet hours.
fn judged(mutation: &Mutation, end: &End) -> Option<String> {
    match end {
        End::Recorded(state, reason) if state == "skipped" => {
            let waits = reason.starts_with("grouped with") || reason.starts_with("in the digest of");
            if waits { None } else { judge(mutation, end, &[], MAY_LIE) }
        }
        end => judge(mutation, end, &["done"], MAY_LIE),
    }
}
