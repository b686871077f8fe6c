//! A function whose rules are newer than itself.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod common;

use common::{facts, failure, noon};
use rules::Rules;

const NEWER: &str = r#"{
  "version": 2,
  "sites": [{ "luid": "8b2a95d8-52b9-40a4-8712-cd6da771bd1b", "name": "Marketing", "region": "eu" }],
  "defaults": { "page-oncall": { "team": "data" } },
  "maintenance": [
    { "name": "known", "days": ["Wed"], "colour": "red" },
    { "name": "unknown", "days": ["Wed"], "where": { "server": "x" } }
  ],
  "rules": [
    { "name": "events", "on": ["DatasourceMoved", "RefreshFailed"], "do": [{ "notify-slack": { "channel": "a" } }], "since": 1 },
    { "name": "workflow", "on": ["RefreshFailed"], "do": [{ "page-oncall": {} }, { "notify-slack": { "channel": "a" } }] },
    { "name": "where", "on": ["RefreshFailed"], "where": { "server": "x" }, "do": [{ "notify-slack": { "channel": "a" } }] },
    { "name": "tags", "on": ["RefreshFailed"], "where": { "tags": { "like": ["x"] } }, "do": [{ "notify-slack": {} }] },
    { "name": "unless", "on": ["RefreshFailed"], "unless": { "server": "x" }, "do": [{ "notify-slack": {} }] },
    { "name": "unless too", "on": ["RefreshFailed"], "unless": [{ "server": "x", "certified": true }], "do": [{ "notify-slack": {} }] },
    { "name": "unless known", "on": ["RefreshFailed"], "unless": [{ "certified": true }, { "server": "x" }], "do": [{ "notify-slack": {} }] },
    { "name": "unless cause", "on": ["RefreshFailed"], "unless": { "cause": ["Cosmic"] }, "do": [{ "notify-slack": {} }] },
    { "name": "cause", "on": ["RefreshFailed"], "where": { "cause": ["Cosmic"] }, "do": [{ "notify-slack": {} }] },
    { "name": "only events", "on": ["DatasourceMoved"], "do": [{ "notify-slack": {} }] }
  ]
}"#;

// Issue 15, 3
#[test]
fn what_a_newer_file_has_and_a_function_does_not_know_stops_nothing_and_suppresses_nothing() {
    let rules = Rules::of_json(NEWER).unwrap();
    let matched = rules.matching("notify-slack", &failure(), &facts(), noon()).unwrap();
    assert_eq!(
        matched.rules,
        ["events", "workflow", "where", "tags", "unless", "unless too", "unless cause"]
    );
    assert_eq!(matched.maintenance, ["known"]);
    assert_eq!(rules.sites().len(), 1);
}

// Issue 15, 3
#[test]
fn a_text_that_is_no_json_form_of_a_rules_file_is_an_error() {
    for text in [
        "",
        "{",
        "[]",
        "null",
        "5",
        "\"rules\"",
        "{}",
        "{\"rules\": 5}",
        "{\"rules\": {}}",
        "rules: []",
        "[[], [], []]",
        "{\"rules\": [5]}",
        "{\"rules\": [{\"on\": 5}]}",
        "{\"rules\": [], \"sites\": [{\"luid\": \"x\"}]}",
    ] {
        assert!(Rules::of_json(text).is_err(), "{text}");
    }
    assert!(Rules::of_json("{\"rules\": []}").unwrap().is_empty());
}
