//! Damaged and forged incidents and their timers.

use crate::environment::{End, Environment};
use crate::mutation::edited;
use crate::{FAILED, Forger, OTHER, SUCCEEDED, Trigger, ago, mutations, of_document};
use serde_json::{Value, json};
use testkit::simulator::Feature;

#[tokio::test]
async fn no_incident_that_is_damaged_or_forged_loses_an_event_or_sends_one_elsewhere() {
    let environment = Environment::start().await;
    let luid = environment.object("Sales Orders");
    let end = environment.drive(&environment.function(), &environment.event(FAILED, &luid)).await;
    assert_eq!(end, End::Recorded("done".to_owned(), String::new()));
    let incident = environment.item_of("incident#");
    assert!(
        incident["document"]["S"].as_str().unwrap().contains(r#""message":{"conversation":"C"#),
        "{incident}"
    );
    let key = incident["pk"]["S"].as_str().unwrap().to_owned();
    let items = [environment.items_of("session#"), vec![incident.clone()]].concat();

    let forger = Forger::new(&environment, items);
    forger.forge(mutations(&environment, &incident), Trigger::Event(FAILED, &luid)).await;
    forger.forge(of_document(&environment, &incident), Trigger::Event(SUCCEEDED, &luid)).await;
    forger.forge(of_document(&environment, &incident), Trigger::Timer(&key, 0)).await;
}

#[tokio::test]
async fn no_incident_that_is_damaged_or_forged_stops_the_sweep_or_sends_a_reminder_elsewhere() {
    let environment = Environment::start().await;
    let luid = environment.object("Sales Orders");
    environment.drive(&environment.function(), &environment.event(FAILED, &luid)).await;
    let mut incident = edited(&environment.item_of("incident#"), |document| {
        document["open"]["log"]["data-alerts"]["last_audible"] = ago(90_000);
    });
    incident["due_at"] = json!({ "N": "1" });
    let other: Value = serde_json::from_str(&incident.to_string().replace(&luid, OTHER)).unwrap();

    // The function looks for no job. The other incident is overdue too, and its reminder is sent.
    environment.services.tableau.allow(Feature::JobLists, false);
    let items = [environment.items_of("session#"), vec![incident.clone(), other]].concat();
    let forger = Forger::announced(&environment, items);
    forger.forge(of_document(&environment, &incident), Trigger::Sweep).await;
}
