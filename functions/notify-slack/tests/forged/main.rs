//! Stored items that are damaged or forged, and the real binary that reads them.
//!
//! Every field of every kind of item is removed, given another type, an extreme number, a huge text, markup, an instant of a
//! wrong clock, another address or another channel. Whatever is stored: the function does not fail, the event ends with
//! its effect or as a dead letter with a reason, no message goes to a channel that no rule names, nothing is called that
//! is not configured, and the next event is handled. What is damaged, and does not only say something untrue, does not even
//! cost the event.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests")]

mod mutation;
mod place;

use jiff::{SignedDuration, Timestamp};
use mutation::Mutation;
use place::{End, Place};
use serde_json::json;
use testkit::Function;
use testkit::simulator::SlackFault;

const OTHER: &str = "4cdd2055-930d-4eaf-94f4-733f3e7d1bfb";

/// Checks an end: `may_lie` says which fields can change what becomes of an event by saying something untrue.
fn judge(mutation: &Mutation, end: &End, expected: &[&str], may_lie: &[&str]) -> Option<String> {
    let what = format!("{} is {}: {end:?}", mutation.field, mutation.how);
    let lies = mutation.is_typed && may_lie.iter().any(|field| mutation.field.starts_with(field));
    match end {
        End::Recorded(state, _) if expected.contains(&state.as_str()) => None,
        End::Recorded(..) | End::DeadLetter(_) if lies => None,
        End::Recorded(..) | End::DeadLetter(_) | End::Lost(_) => Some(what),
    }
}

/// Another event of another object is handled.
async fn next_event_is_handled(place: &Place, function: &Function, what: &str) {
    let before = place.stage.slack.messages().len();
    let end = place.drive(function, &place.event("WorkbookCreated", OTHER)).await;
    assert_eq!(end, End::Recorded("done".to_owned(), String::new()), "the event after {what}");
    assert_eq!(place.stage.slack.messages().len(), before + 1, "the event after {what}");
}

fn report(wrong: Vec<String>) {
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

// 12-S5
#[tokio::test]
async fn no_delivery_record_that_is_damaged_or_forged_loses_its_event_or_stops_others() {
    let place = Place::start().await;
    let function = place.function();
    let now = Timestamp::now();
    place.stage.slack.fail_next(1, SlackFault::ServerError);
    assert!(
        !function
            .failures(&testkit::Batch::default().message(&place.event("WorkbookCreated", OTHER)))
            .await
            .is_empty()
    );
    let released = place.item_of("delivery#");
    place.restore(&[]).await;
    place.drive(&function, &place.event("WorkbookUpdated", OTHER)).await;
    let deferred = place.item_of("delivery#");
    let mut claimed = released.clone();
    claimed["state"] = json!({ "S": "claimed" });
    // Of a worker that has died a moment ago.
    claimed["deadline_ms"] =
        json!({ "N": (now - SignedDuration::from_secs(1)).as_millisecond().to_string() });
    let session = place.items_of("session#");

    let mut wrong = Vec::new();
    for (base, name) in
        [(&released, "WorkbookCreated"), (&claimed, "WorkbookCreated"), (&deferred, "WorkbookUpdated")]
    {
        let expected: &[&str] = if name == "WorkbookCreated" { &["done"] } else { &["deferred"] };
        for mutation in mutation::of_attributes(base, now, &place.elsewhere) {
            let event = place.event(name, OTHER);
            let id = deliveries::Content::received(event.as_bytes()).event_id();
            let mut item = mutation.item.clone();
            item["pk"] = json!({ "S": format!("delivery#notify-slack#{id}") });
            place.restore(&[session.clone(), vec![item]].concat()).await;
            let before = place.stage.slack.messages().len();
            let what =
                format!("a {} record whose {} is {}", base["state"]["S"], mutation.field, mutation.how);
            let end = place.drive(&function, &event).await;
            // A record can say that the event is over, that an effect happened, and that it has waited for too long.
            let may_lie = [
                "state",
                "effects",
                "failures",
                "deferrals",
                "misconfigured_since",
                "deadline_ms",
                "attempts",
            ];
            wrong.extend(
                judge(&mutation, &end, expected, &may_lie)
                    .map(|why| format!("{}: {why}", base["state"]["S"])),
            );
            wrong.extend(place.spilled(before, &function).into_iter().map(|why| format!("{what}: {why}")));
            next_event_is_handled(&place, &function, &what).await;
        }
    }
    report(wrong);
}
