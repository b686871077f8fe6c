//! Windows, and the heads and members of alert groups.

use crate::mutation::{document_of, edited};
use crate::place::Place;
use crate::{FAILED, Forger, SUCCEEDED, Trigger, ago, mutations, of_document};
use serde_json::{Value, json};

/// What a head's own numbers and its lease say is believed, like any other worker's word.
const HEADS_LIE: &[&str] = &["document/lease", "document/generation", "document/pending"];

/// Four data sources that have failed within a minute: one announced alone, three in a group that waits.
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
    async fn start(place: &Place) -> Self {
        let function = place.function();
        let names = ["Inventory Positions", "Shipments", "General Ledger", "Budget"];
        let luids = names.map(|name| place.object(name));
        for luid in &luids {
            place.drive(&function, &place.event(FAILED, luid)).await;
        }
        // They have waited for long enough.
        let head = edited(&place.head_of("group#"), |head| {
            head["opened_at"] = ago(40);
            head["last_join"] = ago(30);
            head["pending"]["due"] = ago(20);
        });
        let members = place.parts_of("group#");
        assert_eq!(members.len(), 3, "{members:?}");
        Self {
            session: place.items_of("session#"),
            window: place.item_of("window#"),
            head,
            members,
            incidents: place.items_of("incident#"),
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

    /// The same after the group's message, with something new to say.
    async fn announced(self, place: &Place) -> Self {
        place.restore(&self.items()).await;
        place.fire(&place.function(), &self.key(), 1).await;
        let head = edited(&place.head_of("group#"), |head| {
            assert!(head["message"]["id"].is_string(), "{head}");
            head["last_sent"] = ago(30);
            head["generation"] = json!(2);
            head["pending"] = json!({ "due": ago(1), "generation": 2, "armed": true });
        });
        Self { head, members: place.parts_of("group#"), incidents: place.items_of("incident#"), ..self }
    }
}

// 12-S5
#[tokio::test]
async fn no_window_that_is_damaged_or_forged_loses_an_event_or_sends_one_elsewhere() {
    let place = Place::start().await;
    let storm = Storm::start(&place).await;
    let forger = Forger::announced(&place, storm.items());
    forger
        .forge(mutations(&place, &storm.window), Trigger::Event(FAILED, &place.object("Sales Orders")))
        .await;
    forger.forge(of_document(&place, &storm.window), Trigger::Timer(&storm.key(), 1)).await;
}

// 12-S5
#[tokio::test]
async fn no_head_of_a_group_that_waits_and_is_damaged_or_forged_loses_its_members_or_sends_them_elsewhere() {
    let place = Place::start().await;
    let storm = Storm::start(&place).await;
    let forger = Forger::announced(&place, storm.items()).lying(HEADS_LIE);
    forger.forge(mutations(&place, &storm.head), Trigger::Timer(&storm.key(), 1)).await;
    forger
        .forge(of_document(&place, &storm.head), Trigger::Event(FAILED, &place.object("Sales Orders")))
        .await;
}

// 12-S5
#[tokio::test]
async fn no_head_of_a_group_that_was_announced_and_is_damaged_or_forged_sends_anything_elsewhere() {
    let place = Place::start().await;
    let storm = Storm::start(&place).await.announced(&place).await;
    let forger = Forger::announced(&place, storm.items()).lying(HEADS_LIE);
    forger.forge(of_document(&place, &storm.head), Trigger::Timer(&storm.key(), 2)).await;
    forger.forge(of_document(&place, &storm.head), Trigger::Event(SUCCEEDED, &storm.luid)).await;
}

// 12-S5
#[tokio::test]
async fn no_member_that_is_damaged_or_forged_is_lost_or_sends_anything_elsewhere() {
    let place = Place::start().await;
    let storm = Storm::start(&place).await;
    let last =
        storm.members.iter().find(|member| document_of(member)["object"] == storm.luid.as_str()).unwrap();
    let forger = Forger::announced(&place, storm.items());
    forger.forge(mutations(&place, last), Trigger::Timer(&storm.key(), 1)).await;
    forger.forge(of_document(&place, last), Trigger::Event(SUCCEEDED, &storm.luid)).await;
}
