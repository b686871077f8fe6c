//! The simulated flows: what a trigger refuses, and what a run cannot post.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use serde_json::{Value, json};
use simulator::{SAMPLE_FLOW, TeamsFault, TeamsSimulator, render_post};
use support::client;

async fn post(url: &str, kind: &str, body: &Value) -> (u16, String) {
    let request = client().post(url).header("content-type", kind).body(body.to_string());
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

fn code(answer: &str) -> String {
    let answer: Value = serde_json::from_str(answer).unwrap();
    answer["error"]["code"].as_str().unwrap().to_owned()
}

fn envelope(card: Value) -> Value {
    let kind = "application/vnd.microsoft.card.adaptive";
    json!({ "type": "message", "attachments": [{ "contentType": kind, "contentUrl": null, "content": card }] })
}

fn card(version: &str, body: Value) -> Value {
    envelope(json!({ "type": "AdaptiveCard", "version": version, "body": body }))
}

fn text(text: &str) -> Value {
    json!([{ "type": "TextBlock", "text": text, "wrap": true }])
}

// D001, D003
#[tokio::test]
async fn a_trigger_accepts_with_202_and_nothing_whatever_becomes_of_the_run() {
    let teams = TeamsSimulator::start().await.unwrap();
    let flow = teams.add_flow("finance");
    let element = |kind: &str| json!([{ "type": kind }]);
    let big = "x".repeat(24_500);
    let broken = [
        (json!({ "text": "Sales" }), "'attachments' is of type 'Null'"),
        (json!({ "@type": "MessageCard", "text": "Sales" }), "'attachments' is of type 'Null'"),
        (envelope(json!({ "type": "message" })), "Property 'type' must be 'AdaptiveCard'"),
        (card("1.5", text("Sales")), "version 1.5"),
        (card("1.4", element("Table")), "element Table"),
        (card("1.4", json!([{ "type": "TextBlock" }])), "text is missing"),
        (
            card("1.4", json!([{ "type": "TextBlock", "text": "x", "actions": [] }])),
            "unknown property actions",
        ),
        (card("1.4", text("<at>Dana</at>")), "is shown literally"),
        (card("1.4", text(&big)), "MessageSizeExceeded"),
    ];
    for (n, (body, expected)) in broken.iter().enumerate() {
        assert_eq!(post(&flow, "application/json", body).await, (202, String::new()), "{expected}");
        let failures = teams.run_failures();
        assert_eq!(failures.len(), n + 1, "{expected}");
        assert!(failures[n].reason.contains(expected), "{}", failures[n].reason);
    }
    let mut submit = card("1.4", text("Sales"));
    submit["attachments"][0]["content"]["actions"] = json!([{ "type": "Action.Submit", "title": "Retry" }]);
    assert_eq!(post(&flow, "application/json", &submit).await.0, 202);
    assert_eq!(post(&flow, "text/plain", &card("1.4", text("Sales"))).await.0, 202);
    assert!(teams.run_failures().last().unwrap().reason.contains("content type is not application/json"));
    assert!(teams.posts().is_empty());

    assert_eq!(post(&flow, "application/json", &card("1.4", text(r"**Sales** \_eu"))).await.0, 202);
    assert_eq!(render_post(&teams.posts()[0]), "Sales _eu");
    assert_eq!(teams.posts()[0].channel, "finance");
}

// D018, D144
#[tokio::test]
async fn a_trigger_with_a_schema_refuses_what_does_not_fit() {
    let teams = TeamsSimulator::start().await.unwrap();
    let schema = json!({ "type": "object", "properties": { "a": { "type": "string" } }, "required": ["a"] });
    let flow = teams.add_http_flow("mine", schema);
    for body in [json!({ "a": null }), json!({ "a": 1 }), json!({})] {
        let (status, answer) = post(&flow, "application/json", &body).await;
        assert_eq!((status, code(&answer).as_str()), (400, "TriggerInputSchemaMismatch"), "{body}");
    }
    assert_eq!(post(&flow, "text/plain", &json!({ "a": "" })).await.0, 202);
    assert_eq!(teams.run_failures().len(), 1, "as one text, its fields are empty");
    assert_eq!(post(&flow, "application/json; charset=utf-8", &json!({ "a": "x" })).await.0, 202);
    assert_eq!((teams.posts().len(), teams.posts()[0].field("a")), (1, "x"));
}

// D039
#[tokio::test]
async fn only_the_present_signature_of_a_flow_that_is_on_is_taken() {
    let teams = TeamsSimulator::start().await.unwrap();
    let flow = teams.add_flow("finance");
    let body = card("1.4", text("Sales"));
    let refused = async |url: &str| {
        let (status, answer) = post(url, "application/json", &body).await;
        format!("{status} {}", code(&answer))
    };
    let unsigned = flow.split("&sig=").next().unwrap();
    assert_eq!(refused(unsigned).await, "401 DirectApiAuthorizationRequired");
    assert_eq!(refused(&flow.replace("&sig=", "&amp;sig=")).await, "401 DirectApiAuthorizationRequired");
    assert_eq!(refused(&format!("{flow}x")).await, "401 AuthorizationFailed");
    assert_eq!(refused(&flow.replace("/workflows/", "/workflows/0")).await, "404 WorkflowNotFound");
    teams.turn_off("finance");
    assert_eq!(refused(&flow).await, "400 WorkflowTriggerIsNotEnabled");
    teams.turn_on("finance");
    let renewed = teams.regenerate("finance").unwrap();
    assert_eq!(refused(&flow).await, "401 AuthorizationFailed");
    let with_token = client().post(&renewed).header("authorization", "Bearer x");
    let answer = with_token.body("{}").send().await.unwrap().text().await.unwrap();
    assert_eq!(code(&answer), "DirectApiRequestHasMoreThanOneAuthorization");
    assert_eq!(post(&renewed, "application/json", &body).await.0, 202);
    assert_eq!(teams.refusals().len(), 7);
    let sample = format!("{}{SAMPLE_FLOW}", teams.url());
    assert_eq!(post(&sample, "application/json", &body).await.0, 202);
}

#[tokio::test]
async fn a_fault_happens_as_often_as_it_was_planned() {
    let teams = TeamsSimulator::start().await.unwrap();
    let flow = teams.add_flow("finance");
    let body = card("1.4", text("Sales"));
    for (fault, status) in [
        (TeamsFault::TooManyRequests { retry_after: Some(3) }, 429),
        (TeamsFault::Forbidden, 403),
        (TeamsFault::TooLarge, 413),
        (TeamsFault::ServerError, 502),
        (TeamsFault::Answers(200, "1"), 200),
    ] {
        teams.fail_next(1, fault.clone());
        assert_eq!(post(&flow, "application/json", &body).await.0, status, "{fault:?}");
        assert_eq!(post(&flow, "application/json", &body).await.0, 202, "{fault:?}");
    }
    assert_eq!(teams.posts().len(), 6, "an answer of the flow's own is a success");
    let planned = format!("{}/simulator/faults?fault=403&times=1", teams.url());
    assert_eq!(post(&planned, "application/json", &json!({})).await.0, 200);
    assert_eq!(post(&flow, "application/json", &body).await.0, 403);
}
