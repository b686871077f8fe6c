//! Events in, alerts out: trigger, update, resolve.

use crate::support::{
    FAILURES, PAGES, event, failed, handle, inline, open, queued, readable, routing, start, succeeded,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use testkit::simulator::{Datasource, PagerDutyEvent, notes, render_page};
use testkit::{Batch, Request, fixtures, repository};

const SITE: &str = "8b2a95d8-52b9-40a4-8712-cd6da771bd1b";

// D119, D120
#[tokio::test]
async fn an_incident_is_one_alert_that_pages_once_still_fails_and_resolves() {
    let environment = start(FAILURES).await;
    let function = queued(&environment);
    let first = failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN);
    handle(&function, &first).await;
    handle(&function, &first).await;
    assert_eq!(environment.pagerduty.events().len(), 1, "a second delivery");
    handle(&function, &event(&environment, "DatasourceRefreshFailed", "Sales Orders", 30)).await;
    // Another cause, and by now another project: PagerDuty must route the end as it has routed the beginning.
    let luid = environment.tableau.datasource("Sales Orders").unwrap();
    environment.tableau.fail_refresh(&luid, notes::SQL_SERVER_LOGIN).unwrap();
    handle(&function, &event(&environment, "DatasourceRefreshFailed", "Sales Orders", 60)).await;
    handle(&function, &succeeded(&environment, "Sales Orders", 90)).await;

    let events = environment.pagerduty.events();
    let actions: Vec<&str> = events.iter().map(PagerDutyEvent::action).collect();
    assert_eq!(actions, ["trigger", "trigger", "trigger", "resolve"], "{}", readable(&environment));
    let paged: Vec<bool> = events.iter().map(|event| event.paged).collect();
    assert_eq!(paged, [true, false, false, false]);
    let key = format!("tableau:{SITE}:datasource:{luid}:refresh:");
    assert!(events.iter().all(|event| event.dedup_key().starts_with(&key) && event.service == "finance"));
    let keys: BTreeSet<&str> = events.iter().map(|event| event.dedup_key()).collect();
    assert_eq!(keys.len(), 1, "{keys:?}");
    assert!(open(&environment).is_empty());

    assert_eq!(events[0].summary(), "Extract refresh failed: Sales Orders (Sales) – Credentials refused");
    assert!(
        events[2].summary().starts_with("Still failing, 3 failures in a row: Sales Orders (Sales)"),
        "{}",
        events[2].summary()
    );
    assert!(events[3].summary().starts_with("Recovered after 3 failures in "), "{}", events[3].summary());
    let routed: BTreeSet<Vec<String>> = events.iter().map(routing).collect();
    assert_eq!(routed.len(), 1, "{routed:#?}");
    let [source, severity, component, group, class, client, url] = routed.first().unwrap().as_slice() else {
        panic!("{routed:?}")
    };
    let expected = ["critical", "Sales Orders", "Sales", "Credentials refused", "Tableau"];
    assert_eq!([severity, component, group, class, client], expected);
    assert!(source.ends_with("/marketing") && url.starts_with("http://127.0.0.1:"), "{source} {url}");
    let text = render_page(&events[0]);
    for part in
        ["[Open in Tableau] (https://", "Cause – Credentials refused", "next_step: ", "owner: Ana Ferreira"]
    {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
    assert_eq!(environment.pagerduty.refusals(), []);
    environment.assert_no_secret_in(&function.logs());
}

#[tokio::test]
async fn every_event_is_an_alert_that_pagerduty_takes_and_news_that_is_no_failure_is_info() {
    let environment = start(PAGES).await;
    // In queue mode the second failure would wait for its group.
    let function = inline(&environment);
    let mut names: Vec<String> = std::fs::read_dir(repository::root().join("events/tableau"))
        .unwrap()
        .filter_map(|file| {
            file.unwrap().file_name().into_string().ok()?.strip_suffix(".json").map(str::to_owned)
        })
        .collect();
    // The events are about the same objects: a start event after the end would be late.
    names.sort_by_key(|name| (!name.ends_with("started"), name.clone()));
    for name in &names {
        let event = fixtures::json(&format!("tableau/{name}.json"));
        let answer = function.answer(&Request::post(event.to_string())).await;
        assert_eq!(answer.body["status"], "done", "{name}");
    }
    assert_eq!(environment.pagerduty.refusals(), []);
    let events = environment.pagerduty.events();
    let others: Vec<_> = events.iter().filter(|event| event.service == "default").collect();
    assert_eq!(others.len(), names.len() - 2, "{}", readable(&environment));
    assert!(others.iter().all(|event| event.field("severity") == "info" && event.action() == "trigger"));
    let keys: BTreeSet<&str> = others.iter().map(|event| event.dedup_key()).collect();
    assert_eq!(keys.len(), others.len(), "each event has an alert of its own, which a person resolves");
    let promoted = others.iter().find(|event| event.field("class") == "AdminPromoted").unwrap();
    let id = promoted.dedup_key().strip_prefix(&format!("tableau:{SITE}:event:")).unwrap();
    assert!(id.len() == 64 && id.starts_with(promoted.detail("event_id")), "{id}");
    environment.assert_no_secret_in(&function.logs());
}

#[tokio::test]
async fn no_odd_payload_breaks_the_function_or_an_event() {
    let environment = start(PAGES).await;
    let function = queued(&environment);
    for file in std::fs::read_dir(repository::root().join("events/tableau/odd")).unwrap() {
        let path = file.unwrap().path();
        let Ok(body) = String::from_utf8(std::fs::read(&path).unwrap()) else { continue };
        let failures = function.failures(&Batch::default().message(&body)).await;
        assert!(failures.is_empty(), "{}: {failures:?}", path.display());
    }
    assert_eq!(environment.pagerduty.refusals(), []);
}

// D117, D120
#[tokio::test]
async fn a_long_name_is_cut_at_a_word_and_whole_in_the_details_and_two_objects_are_two_alerts() {
    let environment = start(PAGES).await;
    let function = inline(&environment);
    let long = format!("{}Quarterly \u{7}\u{1b}[31mEMEA", "Revenue of all regions ".repeat(61));
    assert!(long.chars().count() > 1_400);
    for name in [long.as_str(), "Sales\nOrders"] {
        let luid = environment.tableau.add(Datasource::named(name));
        let mut event = event(&environment, "DatasourceRefreshFailed", "Sales Orders", 0);
        event["resource_luid"] = json!(luid.as_str());
        event["resource_name"] = json!(name);
        let answer = function.answer(&Request::post(event.to_string())).await;
        assert_eq!(answer.body["status"], "done", "{:?}", answer.body);
    }
    assert_eq!(environment.pagerduty.refusals(), []);
    let events = environment.pagerduty.events();
    let summary = events[0].summary();
    assert!(summary.chars().count() <= 1_024 && summary.chars().count() > 1_000, "{summary}");
    let words: BTreeSet<&str> = "Extract refresh failed: Revenue of all regions".split(' ').collect();
    let kept: Vec<&str> = summary.strip_suffix('…').unwrap().split(' ').collect();
    assert!(kept.iter().all(|word| words.contains(word)), "{kept:?}");
    assert!(
        events[0].detail("text").contains(&format!("{}Quarterly EMEA", "Revenue of all regions ".repeat(61)))
    );
    assert!(
        events[1].summary().starts_with("Extract refresh failed: Sales Orders"),
        "{}",
        events[1].summary()
    );
    assert_ne!(events[0].dedup_key(), events[1].dedup_key());
    assert_eq!(open(&environment).len(), 2);
}

// D065
#[tokio::test]
async fn a_resolve_that_had_no_effect_is_sent_again_with_the_next_success() {
    let environment = start(FAILURES).await;
    let function = queued(&environment);
    handle(&function, &failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN)).await;
    environment.pagerduty.begin_maintenance("finance");
    handle(&function, &succeeded(&environment, "Sales Orders", 60)).await;
    environment.pagerduty.enable("finance");
    assert_eq!(open(&environment).len(), 1, "PagerDuty has accepted the resolve and done nothing");

    handle(&function, &succeeded(&environment, "Sales Orders", 120)).await;
    assert!(open(&environment).is_empty(), "{}", readable(&environment));
    let events = environment.pagerduty.events();
    let resolves: Vec<_> = events.iter().filter(|event| event.action() == "resolve").collect();
    let effective: Vec<bool> = resolves.iter().map(|event| event.effective).collect();
    assert_eq!(effective, [false, true]);
    assert!(resolves.iter().all(|event| routing(event) == routing(&events[0])));
    // The success of an object that has not failed sends nothing.
    handle(&function, &succeeded(&environment, "Shipments", 60)).await;
    assert_eq!(environment.pagerduty.calls(), 3);
}

#[tokio::test]
async fn a_failure_after_a_resolve_that_had_no_effect_pages_and_its_end_closes_both_alerts() {
    let environment = start(FAILURES).await;
    // In queue mode the second failure would wait for its group.
    let function = inline(&environment);
    let handle = async |event: &Value| {
        let answer = function.answer(&Request::post(event.to_string())).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
    };
    handle(&failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN)).await;
    environment.pagerduty.begin_maintenance("finance");
    handle(&succeeded(&environment, "Sales Orders", 60)).await;
    environment.pagerduty.enable("finance");

    handle(&event(&environment, "DatasourceRefreshFailed", "Sales Orders", 90)).await;
    let paged = environment.pagerduty.events().iter().filter(|event| event.paged).count();
    assert_eq!((paged, open(&environment).len()), (2, 2), "{}", readable(&environment));

    handle(&succeeded(&environment, "Sales Orders", 120)).await;
    assert_eq!(open(&environment).len(), 1, "{}", readable(&environment));
    handle(&succeeded(&environment, "Sales Orders", 180)).await;
    assert!(open(&environment).is_empty(), "{}", readable(&environment));
}

#[tokio::test]
async fn an_alert_that_a_person_has_resolved_pages_again_when_the_refresh_fails_again() {
    let environment = start(PAGES).await;
    let function = queued(&environment);
    handle(&function, &failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN)).await;
    environment.pagerduty.resolve_by_hand(&open(&environment)[0]);
    handle(&function, &event(&environment, "DatasourceRefreshFailed", "Sales Orders", 30)).await;
    let paged: Vec<bool> = environment.pagerduty.events().iter().map(|event| event.paged).collect();
    assert_eq!(paged, [true, true]);
}

#[tokio::test]
async fn the_fixture_for_a_local_invoke_is_an_alert() {
    let environment = start(PAGES).await;
    let function = inline(&environment);
    let answer = function.answer_to(&fixtures::json("http/page-on-call.json")).await;
    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("done")));
    assert_eq!(open(&environment).len(), 1);
}

// D007
#[tokio::test]
async fn a_test_is_an_alert_of_its_own_and_says_why_there_may_be_none() {
    let environment = start(PAGES).await;
    let function = queued(&environment);
    environment.pagerduty.disable("default");
    let answer = function.invoke(&json!({ "test": { "target": null } })).await.unwrap();
    let targets = answer["targets"].as_array().unwrap();
    assert_eq!(targets.len(), 2, "{answer}");
    for target in targets {
        assert_eq!(target["outcome"], "accepted", "{answer}");
        let said = target["answer"].as_str().unwrap();
        assert!(
            said.contains(":test") && said.contains("is the service disabled or in maintenance"),
            "{said}"
        );
    }
    assert_eq!(open(&environment).len(), 1);
    let events = environment.pagerduty.events();
    assert!(events.iter().all(|event| event.summary() == "Test" && event.field("severity") != "error"));
    let answer = function.invoke(&json!({ "test": { "target": "finance" } })).await.unwrap();
    assert_eq!(answer["targets"][0]["target"], "finance (critical)", "{answer}");
}
