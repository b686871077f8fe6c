//! Stored items that are damaged or forged, and the real binary that reads them.
//!
//! Every field of every kind of item is removed, given another type, an extreme number, a huge text, markup, an instant of a
//! wrong clock, another address or another channel. Whatever is stored: the function does not fail, the event ends with
//! its effect or as a dead letter with a reason, no message goes to a channel that no rule names, nothing is called that
//! is not configured, and the next event is handled. What is damaged, and does not only say something untrue, does not even
//! cost the event.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod messages;
mod mutation;
mod place;

use circuit::Circuit;
use incidents::{Board, Burst, How, Incident, Member, Observation};
use jiff::{SignedDuration, Timestamp};
use mutation::Mutation;
use place::{End, Place};
use serde::Serialize;
use serde_json::{Value, json};
use testkit::Function;
use testkit::simulator::SlackFault;

/// A record can say that its event is over, that an effect happened, and that it has waited for too long.
const MAY_LIE: &[&str] =
    &["state", "effects", "failures", "deferrals", "misconfigured_since", "deadline_ms", "attempts"];
const OTHER: &str = "4cdd2055-930d-4eaf-94f4-733f3e7d1bfb";

/// Checks an end: `may_lie` says which fields can change what becomes of an event by saying something untrue.
fn judge(mutation: &Mutation, end: &End, expected: &[&str], may_lie: &[&str]) -> Option<String> {
    let lies = mutation.is_typed && may_lie.iter().any(|field| mutation.field.starts_with(field));
    match end {
        End::Recorded(state, _) if expected.contains(&state.as_str()) => None,
        End::Recorded(..) | End::DeadLetter(_) if lies => None,
        End::Recorded(..) | End::DeadLetter(_) | End::Lost(_) => Some(format!("{end:?}")),
    }
}

/// Another event of another object is handled, and the log is as it should be.
async fn next_event_is_handled(place: &Place, function: &Function, what: &str) {
    let before = place.stage.slack.messages().len();
    let end = place.drive(function, &place.event("WorkbookCreated", OTHER)).await;
    assert_eq!(end, End::Recorded("done".to_owned(), String::new()), "the event after {what}");
    assert_eq!(place.stage.slack.messages().len(), before + 1, "the event after {what}");
    place.check_log(function);
}

/// A document as the table holds it.
fn stored(key: &str, document: &impl Serialize) -> Value {
    json!({
        "pk": { "S": key }, "sk": { "S": "-" }, "version": { "N": "3" }, "expires_at": { "N": "1900000000" },
        "document": { "S": serde_json::to_string(document).unwrap() },
    })
}

/// Puts each mutation of one item of `items` into the table beside the others, and brings an event.
async fn forge(
    place: &Place,
    function: &Function,
    items: &[Value],
    mutations: Vec<Mutation>,
    event: &str,
    luid: &str,
) {
    let mut wrong = Vec::new();
    for mutation in mutations {
        let key = &mutation.item["pk"];
        let others = items.iter().filter(|item| item["pk"] != *key).cloned();
        place.restore(&others.chain([mutation.item.clone()]).collect::<Vec<_>>()).await;
        let before = place.stage.slack.messages().len();
        let end = place.drive(function, &place.event(event, luid)).await;
        let found = judge(&mutation, &end, &["done", "skipped", "deferred"], &[]).into_iter();
        let found = found.chain(place.spilled(before));
        let what = format!("{event}: {key} whose {} is {}", mutation.field, mutation.how);
        wrong.extend(found.map(|why| format!("{what}: {why}")));
    }
    report(wrong);
    next_event_is_handled(place, function, "damaged documents").await;
}

/// All mutations of an item with a document.
fn mutations(place: &Place, item: &Value) -> Vec<Mutation> {
    let now = Timestamp::now();
    let mut all = mutation::of_attributes(item, now, &place.elsewhere);
    all.extend(of_document(place, item));
    all
}

/// All mutations of an item's document. Of members that are alike, one is enough.
fn of_document(place: &Place, item: &Value) -> Vec<Mutation> {
    let all = mutation::of_document(item, Timestamp::now(), &[&place.elsewhere, &place.board_room]);
    let is_alike =
        |mutation: &Mutation| ["/members/b/", "/members/c/"].iter().any(|part| mutation.field.contains(part));
    all.into_iter().filter(|mutation| !is_alike(mutation)).collect()
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
    let mut deferred = place.item_of("delivery#");
    // The record is copied to other events, which no digest holds.
    deferred.as_object_mut().unwrap().remove("effects");
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
        (&deferred, "WorkbookUpdated", Some(["effects", "deferrals", "deadline_ms"])),
    ] {
        let expected: &[&str] = if name == "WorkbookCreated" { &["done"] } else { &["deferred"] };
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
            let end = place.drive(&function, &event).await;
            let found = judge(&mutation, &end, expected, MAY_LIE).into_iter();
            let found = found.chain(place.spilled(before));
            let what =
                format!("a {} record whose {} is {}", base["state"]["S"], mutation.field, mutation.how);
            wrong.extend(found.map(|why| format!("{what}: {why}")));
        }
        next_event_is_handled(&place, &function, "damaged delivery records").await;
    }
    report(wrong);
}

// 12-S5
#[tokio::test]
async fn no_incident_that_is_damaged_or_forged_loses_an_event_or_sends_one_elsewhere() {
    let place = Place::start().await;
    let function = place.function();
    let luid = place.object();
    assert!(matches!(
        place.drive(&function, &place.event("DatasourceRefreshFailed", &luid)).await,
        End::Recorded(..)
    ));
    let items = [place.items_of("session#"), place.items_of("incident#")].concat();
    let incident = place.item_of("incident#");
    assert!(incident["document"]["S"].as_str().unwrap().contains(r#""message":{"channel":"C"#), "{incident}");
    forge(&place, &function, &items, mutations(&place, &incident), "DatasourceRefreshFailed", &luid).await;
    forge(&place, &function, &items, of_document(&place, &incident), "DatasourceRefreshSucceeded", &luid)
        .await;
}

// 12-S5
#[tokio::test]
async fn no_burst_or_board_that_is_damaged_or_forged_loses_an_event_or_sends_one_elsewhere() {
    let place = Place::start().await;
    let function = place.function();
    let luid = place.object();
    let now = Timestamp::now();
    let (mut board, mut burst, mut incident) = (Board::default(), Burst::default(), Incident::default());
    board.join("0123456789ab", None, now);
    let member = |name: &str| Member::new(name, Some("Wrong password"), now - SignedDuration::from_secs(20));
    burst.adopt(["a", "b", "c"].map(|name| (name.to_owned(), member(name))));
    burst.adopt([(luid.clone(), member("Sales Orders"))]);
    incident.observe("fedcba", Observation::Failed(now - SignedDuration::from_secs(20)));
    incident.settle("data-alerts", How::Burst("0123456789ab".to_owned()), None);
    let board = stored("board#notify-slack#data-alerts", &board);
    let burst = stored("burst#notify-slack#data-alerts#0123456789ab", &burst);
    let incident = stored(&format!("incident#notify-slack#{luid}"), &incident);
    place.drive(&function, &place.event("WorkbookCreated", OTHER)).await;
    let session = place.items_of("session#");

    let without_incident = [session.clone(), vec![board.clone(), burst.clone()]].concat();
    forge(&place, &function, &without_incident, mutations(&place, &board), "DatasourceRefreshFailed", &luid)
        .await;
    let all = [session, vec![board, burst.clone(), incident]].concat();
    for event in ["DatasourceRefreshFailed", "DatasourceRefreshSucceeded"] {
        forge(&place, &function, &all, of_document(&place, &burst), event, &luid).await;
    }
}

// 12-S5
#[tokio::test]
async fn no_digest_that_is_damaged_or_forged_loses_an_event_or_sends_one_elsewhere() {
    let place = Place::start().await;
    let function = place.function();
    place.drive(&function, &place.event("WorkbookUpdated", OTHER)).await;
    let session = place.items_of("session#");
    let digest = place.item_of("digest#");
    let items = [session.clone(), vec![digest.clone()]].concat();
    forge(&place, &function, &items, mutations(&place, &digest), "WorkbookUpdated", OTHER).await;

    // At the end of quiet hours, in which an earlier attempt has put the event into the digest.
    let until = "2026-11-28T07:00:00Z";
    let mut over = digest;
    over["pk"] = json!({ "S": format!("digest#notify-slack#data-night#{until}") });
    let mut wrong = Vec::new();
    for mutation in mutations(&place, &over) {
        let event = place.event("WorkbookUpdated", OTHER);
        let id = deliveries::Content::received(event.as_bytes()).event_id();
        let record = json!({
            "pk": { "S": format!("delivery#notify-slack#{id}") }, "sk": { "S": "-" }, "state": { "S": "deferred" },
            "attempts": { "N": "1" }, "effects": { "SS": [format!("digest/data-night/{until}")] },
        });
        place.restore(&[session.clone(), vec![record, mutation.item.clone()]].concat()).await;
        let before = place.stage.slack.messages().len();
        let end = place.drive(&function, &event).await;
        let found = judge(&mutation, &end, &["done"], &[]).into_iter().chain(place.spilled(before));
        let silent = place.stage.slack.messages().len() == before;
        let found = found.chain(silent.then(|| "nothing is told".to_owned()));
        wrong
            .extend(found.map(|why| format!("a digest whose {} is {}: {why}", mutation.field, mutation.how)));
    }
    report(wrong);
    next_event_is_handled(&place, &function, "damaged digests").await;
}

/// Mutations of an item that a process reads when it starts: each is read by a process of its own.
async fn forge_at_start(
    place: &Place,
    mutations: Vec<Mutation>,
    others: &[Value],
    fault: Option<SlackFault>,
    judge: fn(&Mutation, &End) -> Option<String>,
) {
    let mut wrong = Vec::new();
    for mutation in mutations {
        let function = place.function();
        place.restore(&[others, std::slice::from_ref(&mutation.item)].concat()).await;
        let before = place.stage.slack.messages().len();
        fault.iter().for_each(|fault| place.stage.slack.fail_next(1, fault.clone()));
        let end = place.drive(&function, &place.event("WorkbookCreated", OTHER)).await;
        let found = judge(&mutation, &end).into_iter().chain(place.spilled(before));
        let what = format!("{} whose {} is {}", mutation.item["pk"], mutation.field, mutation.how);
        wrong.extend(found.map(|why| format!("{what}: {why}")));
        place.check_log(&function);
    }
    report(wrong);
}

// 12-S5
#[tokio::test]
async fn no_circuit_that_is_damaged_or_forged_loses_an_event_or_stops_one_without_a_reason() {
    let place = Place::start().await;
    place.drive(&place.function(), &place.event("WorkbookCreated", OTHER)).await;
    let session = place.items_of("session#");
    let now = Timestamp::now();
    let ended = |circuit: &mut Circuit, call, end| {
        circuit.ended(circuit::Ticket { call, opening: None }, now, end, 0.0);
    };
    let failed = || circuit::End::Failed { reason: "down".to_owned(), answered: None };
    let (mut closed, mut open) = (Circuit::default(), Circuit::default());
    ended(&mut closed, 1, failed());
    ended(&mut closed, 2, failed());
    ended(&mut open, 1, circuit::End::Asked(SignedDuration::from_secs(1)));
    open.ask(3, now + SignedDuration::from_secs(5));
    for circuit in [closed, open] {
        let item = stored("circuit#notify-slack#Slack", &circuit);
        let fault = Some(SlackFault::ServerError);
        forge_at_start(&place, mutations(&place, &item), &session, fault, waits_for_an_hour_at_most).await;
    }
}

/// An open circuit is believed for an hour, and what clocks may differ: events wait with that as their reason.
fn waits_for_an_hour_at_most(mutation: &Mutation, end: &End) -> Option<String> {
    let until = match end {
        End::DeadLetter(reason) => {
            reason.split("is left alone until ").nth(1).and_then(|rest| rest.split(": ").next())
        }
        End::Recorded(..) | End::Lost(_) => None,
    };
    let latest = Timestamp::now() + SignedDuration::from_mins(61);
    let is_soon = |until: &str| until.parse().is_ok_and(|until: Timestamp| until <= latest);
    if until.is_some_and(is_soon) { None } else { judge(mutation, end, &["done"], &[]) }
}

/// The event is done, whatever the item says.
fn is_done(mutation: &Mutation, end: &End) -> Option<String> {
    judge(mutation, end, &["done"], &[])
}

// 12-S5
#[tokio::test]
async fn no_session_that_is_damaged_or_forged_stops_the_sign_in() {
    let place = Place::start().await;
    place.drive(&place.function(), &place.event("WorkbookCreated", OTHER)).await;
    let mut session = place.item_of("session#");
    let now = Timestamp::now();
    let mut document: Value = serde_json::from_str(session["document"]["S"].as_str().unwrap()).unwrap();
    assert!(document["session"]["token"].is_string(), "the session is where it is forged");
    document["lease"] = json!({ "owner": 1, "until": now - SignedDuration::from_secs(1) });
    document["refusals"] = json!([{ "credential": 7, "until": now, "reason": "no" }]);
    session["document"] = json!({ "S": document.to_string() });
    // So that nothing of it is used, and it is replaced.
    let mut over = session.clone();
    document["session"]["token"] = json!("over");
    over["document"] = json!({ "S": document.to_string() });
    for (base, fields) in [(&session, &["document/session", "document/refusals"][..]), (&over, &[])] {
        let mutations = mutations(&place, base).into_iter().filter(|mutation| {
            fields.is_empty() || fields.iter().any(|field| mutation.field.starts_with(field))
        });
        // Where the configured server is on this machine, so may be that of a session: the tests of shared/tableau-client say
        // which servers share one.
        let mutations = mutations.filter(|mutation| {
            let is_server = mutation.field == "document/session/server";
            !(is_server && mutation.how.contains(&place.elsewhere))
        });
        forge_at_start(&place, mutations.collect(), &[], None, is_done).await;
    }
}
