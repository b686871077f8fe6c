//! `tableau-webhooks test forward-event`.

use crate::support::Environment;
use serde_json::json;
use testkit::simulator::ReceiverFault;

#[tokio::test]
async fn a_test_goes_to_each_destination_and_says_what_came_of_it() {
    let rules = "rules:\n  - name: all\n    on: [Any]\n    do:\n      - forward-event: { target: own }\n      - forward-event: { target: jira, preset: jira-issue, values: { project: BI } }\n";
    let environment = Environment::with_rules(rules).await;
    let function = environment.queued();
    let answer = function.invoke(&json!({ "test": {} })).await.unwrap();
    let targets = answer["targets"].as_array().unwrap();
    assert_eq!(targets.len(), 2, "{answer}");
    assert_eq!(targets[0]["target"], "jira");
    assert_eq!(
        targets[0]["answer"],
        "answered 201: it has taken the request and made BI-1. Look in the product whether it did its work"
    );
    assert_eq!(
        targets[1]["answer"],
        "answered 204: it has taken the request. Look in the product whether it did its work"
    );
    let requests = environment.receiver.requests();
    assert_eq!(requests[0].json()["fields"]["summary"], "Test of forward-event");
    assert_eq!(requests[1].json()["type"], "test");
    let lines = requests[1].json()["data"]["lines"].to_string();
    assert!(lines.contains("Nothing has happened in Tableau"), "{lines}");

    // Each test is another event.
    function.invoke(&json!({ "test": { "target": "OWN" } })).await.unwrap();
    let requests = environment.receiver.requests();
    assert_eq!(requests.len(), 3);
    assert_ne!(requests[1].header("webhook-id"), requests[2].header("webhook-id"));
    environment.assert_no_secret_in(&function);
}

#[tokio::test]
async fn a_test_that_is_refused_says_why() {
    let environment = Environment::start("{ target: own }").await;
    let function = environment.queued();
    // What is wrong with another target stops that one only.
    environment.put_secret([
        ("own", environment.receiver.add_hook("own")),
        ("other", json!({ "uri": "https://hooks.example.com/in" })),
    ]);
    environment.receiver.fail_next(1, ReceiverFault::Answer(404, &[], "no such hook"));
    let answer = function.invoke(&json!({ "test": { "target": "own" } })).await.unwrap();
    assert_eq!(answer["targets"][0]["outcome"], "permanent");
    assert_eq!(
        answer["targets"][0]["answer"],
        "the target `own` answered 404; it does not take this event: no such hook"
    );
    let answer = function.invoke(&json!({ "test": { "target": "other" } })).await;
    let text = format!("{answer:?}");
    assert!(text.contains("rules name: own"), "{text}");
}
