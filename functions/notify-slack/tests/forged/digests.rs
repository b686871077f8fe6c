//! Damaged and forged heads and entries of digests.

use crate::environment::Environment;
use crate::mutation::edited;
use crate::{Forger, OTHER, Trigger, ago, mutations, of_document};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

const HEADS_LIE: &[&str] = &["document/lease", "document/generation", "document/pending"];

/// A digest whose quiet hours are over: the session, the incident, the head and the entries.
struct Over {
    others: Vec<Value>,
    head: Value,
    entries: Vec<Value>,
    key: String,
}

impl Over {
    /// A workbook was updated, then its refresh failed.
    async fn start(environment: &Environment) -> Self {
        let function = environment.function();
        for name in ["WorkbookUpdated", "WorkbookRefreshFailed"] {
            environment.drive(&function, &environment.event(name, OTHER)).await;
        }
        let until = Timestamp::now() - SignedDuration::from_mins(1);
        let key = format!("digest#notify-slack#data-night#{}", until.as_second());
        let over = |item: &Value| {
            let mut item = item.clone();
            item["pk"] = json!({ "S": key });
            item
        };
        let head = edited(&over(&environment.head_of("digest#")), |head| head["pending"]["due"] = ago(60));
        let entries: Vec<Value> = environment.parts_of("digest#").iter().map(over).collect();
        assert_eq!(entries.len(), 2, "{entries:?}");
        let incident = edited(&environment.item_of("incident#"), |incident| {
            incident["open"]["log"]["data-night"]["route"] = json!({ "Digest": until.to_string() });
        });
        let others = [environment.items_of("session#"), vec![incident]].concat();
        Self { others, head, entries, key }
    }

    fn items(&self) -> Vec<Value> {
        [self.others.clone(), vec![self.head.clone()], self.entries.clone()].concat()
    }
}

#[tokio::test]
async fn no_digest_that_is_damaged_or_forged_in_quiet_hours_loses_an_event_or_sends_one_elsewhere() {
    let environment = Environment::start().await;
    environment.drive(&environment.function(), &environment.event("WorkbookUpdated", OTHER)).await;
    let head = environment.head_of("digest#");
    let items = [environment.items_of("session#"), environment.items_of("digest#")].concat();
    let forger = Forger::announced(&environment, items).lying(HEADS_LIE);
    forger.forge(of_document(&environment, &head), Trigger::Event("WorkbookUpdated", OTHER)).await;
}

#[tokio::test]
async fn no_digest_that_is_damaged_or_forged_is_lost_at_the_end_of_quiet_hours_or_goes_elsewhere() {
    let environment = Environment::start().await;
    let over = Over::start(&environment).await;
    let forger = Forger::announced(&environment, over.items()).lying(HEADS_LIE);
    forger.forge(mutations(&environment, &over.head), Trigger::Timer(&over.key, 1)).await;
}

#[tokio::test]
async fn no_entry_that_is_damaged_or_forged_is_lost_or_keeps_the_digest_back() {
    let environment = Environment::start().await;
    let over = Over::start(&environment).await;
    let forger = Forger::announced(&environment, over.items());
    for entry in &over.entries {
        forger.forge(of_document(&environment, entry), Trigger::Timer(&over.key, 1)).await;
    }
    let incident = over.others.last().unwrap();
    let recovered = Trigger::Event("WorkbookRefreshSucceeded", OTHER);
    Forger::new(&environment, over.items()).forge(of_document(&environment, incident), recovered).await;
}
