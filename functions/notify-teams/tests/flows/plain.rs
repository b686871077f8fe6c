//! The real binary: events in, fields for a flow of one's own out.

use crate::support::{PLAIN, assert_taken, failed, inline, message, queued, start};
use serde_json::{Value, json};
use testkit::simulator::{Recorder, notes};
use testkit::{Request, fixtures, repository};

/// The fields that Tableau's own webhooks have.
const OF_TABLEAU: [&str; 6] =
    ["resource", "event_type", "resource_name", "site_luid", "resource_luid", "created_at"];

// D004, D018
#[tokio::test]
async fn each_of_the_22_events_matches_the_schema_and_has_tableaus_own_six_fields() {
    let environment = start(PLAIN).await;
    let function = inline(&environment);
    let mut names: Vec<String> = std::fs::read_dir(repository::root().join("events/tableau"))
        .unwrap()
        .filter_map(|file| {
            file.unwrap().file_name().into_string().ok()?.strip_suffix(".json").map(str::to_owned)
        })
        .collect();
    names.sort_by_key(|name| (!name.ends_with("started"), name.clone()));
    assert_eq!(names.len(), 22);
    for name in &names {
        let event = fixtures::json(&format!("tableau/{name}.json"));
        let answer = function.answer(&Request::post(event.to_string())).await;
        assert_eq!(answer.body["status"], "done", "{name}");
        let posts = environment.teams.posts();
        let of_event = posts.iter().rfind(|post| post.field("event_type") == event["event_type"]).unwrap();
        for field in OF_TABLEAU {
            assert_eq!(of_event.body[field], event[field], "{name}: {field}");
        }
        let fields = of_event.body.as_object().unwrap();
        assert!(fields.values().all(Value::is_string), "{name}: {fields:?}");
        assert!(
            ["failed", "recovered", "notice", "information"].contains(&of_event.field("status")),
            "{name}"
        );
    }
    // The trigger of the simulated flow checks each body against the shipped schema.
    assert_taken(&environment);
    let schema = repository::power_automate_schema();
    let known: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
    for post in environment.teams.posts() {
        let sent: Vec<&String> = post.body.as_object().unwrap().keys().collect();
        assert_eq!(sent, known, "the schema names each field and no other");
    }
}

#[tokio::test]
async fn a_failure_has_our_fields_too() {
    let environment = start(PLAIN).await;
    let function = queued(&environment);
    let event = failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN);
    assert!(function.failures(&message(&event)).await.is_empty());
    let posts = environment.teams.posts();
    let post = &posts[0];
    assert_eq!((post.field("kind"), post.field("status")), ("opened", "failed"));
    assert_eq!(post.field("title"), "🔴 Extract refresh failed: Sales Orders");
    assert_eq!(post.field("cause"), "Credentials refused");
    assert!(!post.field("cause_detail").is_empty() && !post.field("next_step").is_empty());
    assert!(!post.field("project").is_empty() && !post.field("owner").is_empty());
    assert!(post.field("mention").ends_with("@example.com"), "{}", post.field("mention"));
    assert!(post.field("link").starts_with("http"), "{}", post.field("link"));
    assert_eq!(post.field("site"), "Marketing");
    for part in ["Cause – Credentials refused", "Next step – ", "Project: "] {
        assert!(post.field("text").contains(part), "no {part} in\n{}", post.field("text"));
    }
    environment.assert_no_secret_in(&function.logs());
}

// D144
#[tokio::test]
async fn the_content_type_is_json_and_no_authorization_stands_beside_the_signature() {
    for rules in [PLAIN, crate::support::CARDS] {
        let environment = start(rules).await;
        let recorder = Recorder::start().await.unwrap();
        let url = format!("{}/powerautomate/x?api-version=1&sig=simulated-not-a-secret", recorder.url());
        environment.aws.create_secret("teams", json!({ "webhooks": { "default": url } }));
        let function = queued(&environment);
        let event = failed(&environment, "Sales Orders", notes::SNOWFLAKE_LOGIN);
        assert!(function.failures(&message(&event)).await.is_empty());
        let requests = recorder.requests();
        assert_eq!(requests.len(), 1);
        assert_eq!(requests[0].header("content-type"), Some("application/json"));
        assert_eq!(requests[0].header("authorization"), None);
        assert!(requests[0].query.contains("sig=simulated-not-a-secret"));
    }
}
