//! The definition of a flow that the README describes.

use serde_json::{Value, json};
use testkit::repository;

#[test]
fn the_definition_of_a_flow_is_valid_and_lets_members_choose_failures_only() {
    let file = repository::root().join("functions/notify-teams/flow.definition.json");
    let text = std::fs::read_to_string(file).unwrap();
    let flow: Value = serde_json::from_str(&text).unwrap();
    let trigger = &flow["triggers"]["manual"];
    assert_eq!((&trigger["type"], &trigger["kind"]), (&json!("Request"), &json!("Http")));
    assert_eq!(trigger["inputs"]["triggerAuthenticationType"], "All", "only then the URL has a `sig`");
    let schema = repository::power_automate_schema();
    assert_eq!(trigger["inputs"]["schema"], schema, "copy power-automate.schema.json into it");
    // Each expression names a field that is sent.
    let named = text.split("triggerBody()?['").skip(1).filter_map(|rest| rest.split("']").next());
    let named: Vec<&str> = named.collect();
    assert!(named.len() >= 4, "{named:?}");
    assert!(named.iter().all(|name| schema["properties"].get(*name).is_some()), "{named:?}");
    // Actions run after actions that are there; those of failures are behind a condition.
    let actions = flow["actions"].as_object().unwrap();
    for (name, action) in actions {
        let after = action["runAfter"].as_object().unwrap();
        assert!(after.keys().all(|other| other != name && actions.contains_key(other)), "{name}");
    }
    assert_eq!(
        actions.values().filter(|action| action["runAfter"] == json!({})).count(),
        1,
        "it begins once"
    );
    let condition = actions.values().find(|action| action["type"] == "If").unwrap();
    let statuses: Vec<&Value> =
        condition["expression"]["or"].as_array().unwrap().iter().map(|or| &or["equals"][1]).collect();
    assert_eq!(statuses, [&json!("failed"), &json!("recovered")]);
    // What it posts is HTML: names are escaped, and nothing is pasted that is a secret.
    for post in actions.values().chain(condition["actions"].as_object().unwrap().values()) {
        let Some(body) = post["inputs"]["parameters"]["body/messageBody"].as_str() else { continue };
        assert_eq!(body.matches("'<', '&lt;'").count(), 2, "{body}");
        let ids =
            ["groupId", "channelId"].map(|id| &post["inputs"]["parameters"][format!("body/recipient/{id}")]);
        assert!(ids.iter().all(|id| id.as_str().unwrap().starts_with("PASTE-")), "{ids:?}");
    }
    assert!(!text.contains("sig="));
}
