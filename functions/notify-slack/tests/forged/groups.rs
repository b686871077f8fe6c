//! Damaged and forged windows, heads and members of alert groups.

use crate::environment::Environment;
use crate::mutation::{document_of, edited};
use crate::{FAILED, Forger, SUCCEEDED, Trigger, ago, mutations, of_document};
use serde_json::{Value, json};

/// Fields of a head whose values the function trusts: its own counters and its lease.
const HEADS_LIE: &[&str] = &["document/lease", "document/generation", "document/pending"];

/// Four data sources that failed within a minute: the first is announced alone, three wait in a group.
struct Storm {
    session: Vec<Value>,
    window: Value,
    head: Value,
    members: Vec<Value>,
    incidents: Vec<Value>,
    /// The object of the last member.
    luid: String,
}

impl Storm {
    async fn start(environment: &Environment) -> Self {
        let function = environment.function();
        let names = ["Inventory Positions", "Shipments", "General Ledger", "Budget"];
        let luids = names.map(|name| environment.object(name));
        for luid in &luids {
            environment.drive(&function, &environment.event(FAILED, luid)).await;
        }
        // The group's waiting time is over.
        let head = edited(&environment.head_of("group#"), |head| {
            head["opened_at"] = ago(40);
            head["last_join"] = ago(30);
            head["pending"]["due"] = ago(20);
        });
        let members = environment.parts_of("group#");
        assert_eq!(members.len(), 3, "{members:?}");
        Self {
            session: environment.items_of("session#"),
            window: environment.item_of("window#"),
            head,
            members,
            incidents: environment.items_of("incident#"),
            luid: luids[3].clone(),
        }
    }

    fn key(&self) -> String {
        self.head["pk"]["S"].as_str().unwrap().to_owned()
    }

    fn items(&self) -> Vec<Value> {
        let one = vec![self.window.clone(), self.head.clone()];
        [self.session.clone(), one, self.members.clone(), self.incidents.clone()].concat()
    }

    /// The group after its message, with new failures to announce.
    async fn announced(self, environment: &Environment) -> Self {
        environment.restore(&self.items()).await;
        environment.fire(&environment.function(), &self.key(), 1).await;
        let head = edited(&environment.head_of("group#"), |head| {
            assert!(head["message"]["id"].is_string(), "{head}");
            head["last_sent"] = ago(30);
            head["generation"] = json!(2);
            head["pending"] = json!({ "due": ago(1), "generation": 2, "armed": true });
        });
        Self {
            head,
            members: environment.parts_of("group#"),
            incidents: environment.items_of("incident#"),
            ..self
        }
    }
}

#[tokio::test]
async fn no_window_that_is_damaged_or_forged_loses_an_event_or_sends_one_elsewhere() {
    let environment = Environment::start().await;
    let storm = Storm::start(&environment).await;
    let forger = Forger::announced(&environment, storm.items());
    forger
        .forge(
            mutations(&environment, &storm.window),
            Trigger::Event(FAILED, &environment.object("Sales Orders")),
        )
        .await;
    forger.forge(of_document(&environment, &storm.window), Trigger::Timer(&storm.key(), 1)).await;
}

#[tokio::test]
async fn no_head_of_a_group_that_waits_and_is_damaged_or_forged_loses_its_members_or_sends_them_elsewhere() {
    let environment = Environment::start().await;
    let storm = Storm::start(&environment).await;
    let forger = Forger::announced(&environment, storm.items()).lying(HEADS_LIE);
    forger.forge(mutations(&environment, &storm.head), Trigger::Timer(&storm.key(), 1)).await;
    forger
        .forge(
            of_document(&environment, &storm.head),
            Trigger::Event(FAILED, &environment.object("Sales Orders")),
        )
        .await;
}

#[tokio::test]
async fn no_head_of_a_group_that_was_announced_and_is_damaged_or_forged_sends_anything_elsewhere() {
    let environment = Environment::start().await;
    let storm = Storm::start(&environment).await.announced(&environment).await;
    let forger = Forger::announced(&environment, storm.items()).lying(HEADS_LIE);
    forger.forge(of_document(&environment, &storm.head), Trigger::Timer(&storm.key(), 2)).await;
    forger.forge(of_document(&environment, &storm.head), Trigger::Event(SUCCEEDED, &storm.luid)).await;
}

#[tokio::test]
async fn no_member_that_is_damaged_or_forged_is_lost_or_sends_anything_elsewhere() {
    let environment = Environment::start().await;
    let storm = Storm::start(&environment).await;
    let last =
        storm.members.iter().find(|member| document_of(member)["object"] == storm.luid.as_str()).unwrap();
    let forger = Forger::announced(&environment, storm.items());
    forger.forge(mutations(&environment, last), Trigger::Timer(&storm.key(), 1)).await;
    forger.forge(of_document(&environment, last), Trigger::Event(SUCCEEDED, &storm.luid)).await;
}
