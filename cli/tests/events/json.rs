//! `--json` in every command that lists something: one JSON object per line, with documented fields.

use crate::delivery::{Delivery, HOUR, failed};
use crate::environment::{Environment, body, id, stderr, stdout};
use serde_json::Value;
use std::collections::BTreeSet;

async fn objects(environment: &Environment, arguments: &[&str]) -> Vec<Value> {
    let output = environment.run(&[&["events"], arguments, &["--json"]].concat()).await;
    assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
    stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The names of all fields, including those of nested objects.
fn fields(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                found.insert(name.clone());
                // Skip the payload: Tableau defines its fields.
                if name != "payload" {
                    fields(value, found);
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| fields(value, found)),
        _ => {}
    }
}

async fn failed_event(environment: &Environment, name: &str) -> String {
    let body = body(name);
    Delivery::of(environment, "notify-slack", &body).attempt(HOUR, failed()).await;
    environment.dead_letter("NotifySlackDeadLetters", &body, "Slack: channel_not_found").await;
    id(&body).as_str().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_that_lists_events_prints_documented_fields_and_nothing_else() {
    let environment = Environment::start().await;
    let event = failed_event(&environment, "a").await;
    let operations = std::fs::read_to_string(testkit::repository::root().join("docs/operations.md")).unwrap();
    for arguments in [
        &["list"][..],
        &["show", &event],
        &["dead-letters", "list"],
        &["replay", "--dry-run"],
        &["replay"],
        &["dead-letters", "redrive"],
        &["dead-letters", "drop", &event, "--yes"],
    ] {
        if arguments.contains(&"redrive") || arguments.contains(&"drop") {
            environment.dead_letter("NotifySlackDeadLetters", &body("a"), "no").await;
        }
        let objects = objects(&environment, arguments).await;
        assert_eq!(objects.len(), 1, "{arguments:?}");
        assert_eq!(
            (&objects[0]["event_id"], &objects[0]["workflow"]),
            (&event.as_str().into(), &"notify-slack".into())
        );
        let mut found = BTreeSet::new();
        fields(&objects[0], &mut found);
        for field in found {
            assert!(
                operations.contains(&format!("`{field}`")),
                "{arguments:?}: docs/operations.md lacks `{field}`"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_as_json_says_on_standard_error_how_much_it_was() {
    let environment = Environment::start().await;
    failed_event(&environment, "a").await;
    failed_event(&environment, "b").await;
    let listed = objects(&environment, &["dead-letters", "list"]).await;
    let output = environment.run(&["events", "replay", "--json"]).await;
    let replayed: Vec<Value> =
        stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((replayed, stderr(&output).as_str()), (listed, "2 events replayed\n"));
    assert_eq!(environment.bodies("NotifySlackQueue").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_dropped_is_whole_in_json_also_when_it_is_not_an_event() {
    let environment = Environment::start().await;
    environment.dead_letter("NotifySlackDeadLetters", "not\nJSON", "no").await;
    let message =
        objects(&environment, &["dead-letters", "list"]).await[0]["message_id"].as_str().unwrap().to_owned();
    let dropped = objects(&environment, &["dead-letters", "drop", &message, "--yes"]).await;
    assert_eq!((&dropped[0]["body"], &dropped[0]["payload"]), (&"not\nJSON".into(), &Value::Null));
    assert!(environment.bodies("NotifySlackDeadLetters").is_empty());
    let wide = environment.run(&["events", "list", "--json", "--wide"]).await;
    assert_eq!(wide.status.code(), Some(2), "{}", stderr(&wide));
}
