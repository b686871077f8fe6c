//! Items that a process reads once, at its start or on first use. Each forged item gets a new process.

use crate::environment::{End, Environment};
use crate::mutation::{self, Mutation, edited};
use crate::{FAILED, OTHER, judge, of_document, report};
use circuit::Circuit;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};
use testkit::simulator::SlackFault;

/// A document as the table stores it.
fn stored(key: &str, document: &impl Serialize) -> Value {
    json!({
        "pk": { "S": key }, "sk": { "S": "-" }, "version": { "N": "3" }, "expires_at": { "N": "1900000000" },
        "document": { "S": serde_json::to_string(document).unwrap() },
    })
}

/// How to forge items that a new process reads.
struct AtStart<'a> {
    environment: &'a Environment,
    others: Vec<Value>,
    /// Slack's answer to the first call.
    fault: Option<SlackFault>,
    event: &'a str,
    luid: &'a str,
    judge: fn(&Mutation, &End) -> Option<String>,
}

impl AtStart<'_> {
    async fn forge(&self, mutations: Vec<Mutation>) {
        let environment = self.environment;
        let mut wrong = Vec::new();
        for mutation in mutations {
            let function = environment.function();
            environment.restore(&[&self.others[..], std::slice::from_ref(&mutation.item)].concat()).await;
            let before = environment.services.slack.message_count();
            self.fault.iter().for_each(|fault| environment.services.slack.fail_next(1, fault.clone()));
            let end = environment.drive(&function, &environment.event(self.event, self.luid)).await;
            let found = (self.judge)(&mutation, &end).into_iter().chain(environment.spilled(before));
            let what = format!("{} whose {} is {}", mutation.item["pk"], mutation.field, mutation.how);
            wrong.extend(found.map(|why| format!("{what}: {why}")));
            environment.check_log(&function);
        }
        report(wrong);
    }
}

/// The mutations of the attributes of documents. One kind of document is enough to test how they are read.
fn of_attributes(environment: &Environment, item: &Value) -> Vec<Mutation> {
    mutation::of_attributes(item, Timestamp::now(), &environment.elsewhere)
}

/// A circuit after some calls.
fn circuits() -> [Circuit; 2] {
    let now = Timestamp::now();
    let ended = |circuit: &mut Circuit, call, end| {
        circuit.ended(circuit::Ticket { call, opening: None }, now, end, 0.0);
    };
    let failed = || circuit::End::Failed { reason: "down".to_owned(), answered: None };
    let mut closed = Circuit::default();
    ended(&mut closed, 1, failed());
    ended(&mut closed, 2, failed());
    let mut open = Circuit::default();
    ended(&mut open, 1, circuit::End::RetryAfter(SignedDuration::from_secs(1)));
    open.ask(3, now + SignedDuration::from_secs(5));
    [closed, open]
}

#[tokio::test]
async fn no_circuit_that_is_damaged_or_forged_loses_an_event_or_stops_one_without_a_reason() {
    let environment = Environment::start().await;
    environment.drive(&environment.function(), &environment.event("WorkbookCreated", OTHER)).await;
    let slack = AtStart {
        environment: &environment,
        others: environment.items_of("session#"),
        fault: Some(SlackFault::ServerError),
        event: "WorkbookCreated",
        luid: OTHER,
        judge: waits_for_an_hour_at_most,
    };
    let [closed, open] = circuits();
    let closed = stored("circuit#notify-slack#Slack", &closed);
    slack.forge(of_attributes(&environment, &closed)).await;
    slack.forge(of_document(&environment, &closed)).await;
    slack.forge(of_document(&environment, &stored("circuit#notify-slack#Slack", &open))).await;

    // Without Tableau's answer the message is sent all the same.
    let luid = environment.object("Sales Orders");
    let tableau = AtStart { fault: None, event: FAILED, luid: &luid, judge: is_done, ..slack };
    tableau.forge(of_document(&environment, &stored("circuit#notify-slack#Tableau", &open))).await;
}

/// The function trusts an open circuit for at most an hour plus the clock difference; events wait with that reason.
fn waits_for_an_hour_at_most(mutation: &Mutation, end: &End) -> Option<String> {
    let until = match end {
        End::DeadLetter(reason) => {
            reason.split("is not called until ").nth(1).and_then(|rest| rest.split(": ").next())
        }
        End::Recorded(..) | End::Fired | End::Lost(_) => None,
    };
    let latest = Timestamp::now() + SignedDuration::from_mins(61);
    let is_soon = |until: &str| until.parse().is_ok_and(|until: Timestamp| until <= latest);
    if until.is_some_and(is_soon) { None } else { is_done(mutation, end) }
}

/// The event is completed, whatever the item says.
fn is_done(mutation: &Mutation, end: &End) -> Option<String> {
    judge(mutation, end, &["done"], &[])
}

#[tokio::test]
async fn no_session_that_is_damaged_or_forged_stops_the_sign_in() {
    let environment = Environment::start().await;
    environment.drive(&environment.function(), &environment.event("WorkbookCreated", OTHER)).await;
    let now = Timestamp::now();
    let session = edited(&environment.item_of("session#"), |document| {
        assert!(document["session"]["token"].is_string(), "the session is where it is forged");
        document["lease"] = json!({ "owner": 1, "until": now - SignedDuration::from_secs(1) });
        document["refusals"] = json!([{ "credential": 7, "until": now, "reason": "no" }]);
    });
    // The session is unusable, so it is replaced.
    let over = edited(&session, |document| document["session"]["token"] = json!("over"));
    let forger = AtStart {
        environment: &environment,
        others: Vec::new(),
        fault: None,
        event: "WorkbookCreated",
        luid: OTHER,
        judge: is_done,
    };
    for (base, fields) in [(&session, &["document/session", "document/refusals"][..]), (&over, &["document"])]
    {
        let mutations = of_document(&environment, base).into_iter();
        let mutations =
            mutations.filter(|mutation| fields.iter().any(|field| mutation.field.starts_with(field)));
        // A configured server on loopback allows a session's server on loopback. The tests of shared/tableau-client
        // check which servers may share a session.
        let mutations = mutations.filter(|mutation| {
            let is_server = mutation.field == "document/session/server";
            !(is_server && mutation.how.contains(&environment.elsewhere))
        });
        forger.forge(mutations.collect()).await;
    }
}

#[tokio::test]
async fn no_note_about_a_site_that_is_damaged_or_forged_keeps_an_alert_back() {
    let environment = Environment::start().await;
    let luid = environment.object("Sales Orders");
    let key = format!("site#notify-slack#{}", environment.services.tableau.site().as_str());
    let item = stored(&key, &json!({ "success_missing_at": Timestamp::now().to_string() }));
    let forger = AtStart {
        environment: &environment,
        others: Vec::new(),
        fault: None,
        event: FAILED,
        luid: &luid,
        judge: is_done,
    };
    forger.forge(of_document(&environment, &item)).await;
}
