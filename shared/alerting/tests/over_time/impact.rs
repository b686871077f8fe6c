//! Which workbooks use a failing data source: asked once for an incident, and kept in it.

use crate::environment::{EDITS, Environment, FAILED, FOR_EVER, POSTS, SUCCEEDED, at, event};
use crate::incidents::{HOUR, each, run};
use alerting::impact::{Exact, Impact, ImpactLookup};
use alerting::incident::Incident;
use alerting::notification::{Kind, Notification};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::records::{Change, Key, MemoryRecords, Records, Write};

fn impact() -> Impact {
    Impact {
        workbooks: vec!["Sales Overview".to_owned(), "KPI".to_owned()],
        more: 10,
        owners: 5,
        exact: Exact::All,
    }
}

fn environment(capabilities: alerting::Capabilities, known: ImpactLookup) -> (Environment, Arc<dyn Records>) {
    let records: Arc<dyn Records> = Arc::new(MemoryRecords::default());
    let environment = Environment::on(Arc::clone(&records), capabilities);
    environment.impact_is(known);
    (environment, records)
}

async fn text_of(records: &Arc<dyn Records>, object: &str) -> String {
    let key = Key::single(format!("incident#{}#{object}", crate::environment::WORKFLOW));
    records.load(&[key]).await.unwrap().remove(0).unwrap().text
}

fn shown(environment: &Environment) -> Vec<Notification> {
    environment.messages().into_iter().map(|message| message.shown).collect()
}

// 16, item 5
#[tokio::test(start_paused = true)]
async fn it_is_asked_once_for_an_incident_and_shown_until_the_incident_ends() {
    let (mut environment, records) = environment(POSTS, ImpactLookup::Found(impact()));
    for n in 0..4 {
        environment.one(FAILED, "Sales", n * HOUR).await;
    }
    environment.sweep(30 * HOUR).await.unwrap();
    assert!(text_of(&records, "Sales").await.contains("Sales Overview"));
    environment.one(SUCCEEDED, "Sales", 31 * HOUR).await;

    let messages = shown(&environment);
    let kinds: Vec<Kind> = messages.iter().map(|message| message.kind).collect();
    let expected = [Kind::Opened, Kind::Updated, Kind::Updated, Kind::Updated, Kind::Resolved];
    assert_eq!(kinds, expected, "the last of those updated is the reminder");
    for message in &messages {
        let is_open = message.kind != Kind::Resolved;
        assert_eq!(message.impact, is_open.then(impact), "{:?}", message.kind);
    }
    assert_eq!(environment.asked().impacts, 1);
    let text = text_of(&records, "Sales").await;
    assert!(!text.contains("Sales Overview") && !text.contains("impact"), "it is dropped: {text}");

    environment.one(FAILED, "Sales", 40 * HOUR).await;
    assert_eq!(environment.asked().impacts, 2, "another incident");
}

// 16, item 5
#[tokio::test(start_paused = true)]
async fn why_it_is_not_known_is_small_print_and_is_not_asked_again() {
    let why = "Tableau's Metadata API is switched off for this site (SITE_DISABLED)";
    let (mut environment, _) = environment(EDITS, ImpactLookup::Unavailable(why.to_owned()));
    for n in 0..3 {
        environment.one(FAILED, "Sales", n * HOUR).await;
        let message = &shown(&environment)[0];
        assert_eq!(message.impact, None);
        let footnote = format!("which workbooks use it is not known: {why}");
        assert_eq!(message.footnotes.iter().filter(|text| **text == footnote).count(), 1, "{n}");
    }
    assert_eq!(environment.asked().impacts, 1);
}

#[tokio::test(start_paused = true)]
async fn after_a_passing_failure_the_next_message_asks_again() {
    let why = "Tableau did not answer";
    let (mut environment, _) = environment(EDITS, ImpactLookup::Unanswered(why.to_owned()));
    environment.one(FAILED, "Sales", 0).await;
    let message = shown(&environment).remove(0);
    assert!(message.footnotes.iter().any(|text| text.ends_with(why)), "{:?}", message.footnotes);
    environment.impact_is(ImpactLookup::Found(impact()));
    for n in 1..3 {
        environment.one(FAILED, "Sales", n * HOUR).await;
        let message = shown(&environment).remove(0);
        assert_eq!(message.impact, Some(impact()));
        assert!(
            !message.footnotes.iter().any(|text| text.contains("is not known: ")),
            "{:?}",
            message.footnotes
        );
    }
    assert_eq!(environment.asked().impacts, 2, "the answer is kept");
}

// 16, item 5
#[tokio::test(start_paused = true)]
async fn a_flood_asks_for_its_first_and_messages_about_many_do_not_say_it() {
    let (mut environment, _) = environment(EDITS, ImpactLookup::Found(impact()));
    run(&mut environment, each(FAILED, 30, 0)).await;
    let messages = shown(&environment);
    assert_eq!(messages.len(), 2, "{:?}", environment.headlines());
    assert_eq!(messages[1].headline(), "30 extract refreshes failed");
    for message in &messages {
        assert_eq!(message.impact.is_some(), message.kind == Kind::Opened, "{:?}", message.kind);
    }
    assert_eq!(environment.asked().impacts, 1);
}

// 16, item 5
#[tokio::test(start_paused = true)]
async fn two_channels_and_a_failed_delivery_do_not_ask_again() {
    let (mut environment, _) = environment(EDITS, ImpactLookup::Found(impact()));
    environment.rules(|rules| rules.channels = vec!["data", "finance"]);
    environment.fail_next_deliveries(1);
    environment.run(vec![(0, event(FAILED, "Sales", 0))], &BTreeMap::new(), at(FOR_EVER)).await;
    let messages = shown(&environment);
    assert_eq!(messages.len(), 2, "{:?}", environment.headlines());
    assert!(messages.iter().all(|message| message.impact == Some(impact())));
    assert_eq!(environment.asked().impacts, 1);
}

// 16, item 5
#[tokio::test(start_paused = true)]
async fn an_incident_of_before_is_asked_about_with_its_next_message() {
    let (mut environment, records) = environment(EDITS, ImpactLookup::Found(impact()));
    environment.one(FAILED, "Sales", 0).await;
    // As a version before wrote it.
    let key = Key::single(format!("incident#{}#Sales", crate::environment::WORKFLOW));
    let record = records.load(std::slice::from_ref(&key)).await.unwrap().remove(0).unwrap();
    let mut document: serde_json::Value = serde_json::from_str(&record.text).unwrap();
    assert!(document["open"].as_object_mut().unwrap().remove("impact").is_some());
    let before: Incident = serde_json::from_value(document.clone()).unwrap();
    assert_eq!(before.open.unwrap().impact, None);
    let write = Write { text: document.to_string(), expires_at: at(FOR_EVER), due: None, is_active: true };
    let change = Change { key, expected: Some(record.version), write: Some(write) };
    records.commit(&[change]).await.unwrap();

    for n in 1..3 {
        environment.one(FAILED, "Sales", n * HOUR).await;
    }
    assert_eq!(shown(&environment)[0].impact, Some(impact()));
    assert_eq!(environment.asked().impacts, 2, "once more, and not with each failure");
}
