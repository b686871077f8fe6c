//! Messages that no function of ours has sent: a principal of the account may put any text into a queue, and may invoke a
//! function with any event.

use crate::environment::{End, Environment};
use crate::{OTHER, next_event_is_handled};
use serde_json::{Value, json};
use testkit::Batch;

/// Bodies of queue messages.
fn bodies() -> Vec<String> {
    let nested = |open: &str, close: &str| format!("{}{}", open.repeat(20_000), close.repeat(20_000));
    let event = r#"{"event_type":"WorkbookCreated","resource_luid":"x","site_luid":"y"}"#;
    let envelope = |detail: &str| {
        format!(
            r#"{{"version":"0","id":"1","detail-type":"X","source":"tableau.webhooks","account":"1","time":"t",
                "region":"r","resources":[],"detail":{detail}}}"#
        )
    };
    let mut all = vec![
        String::new(),
        "x".to_owned(),
        "\u{feff}{}".to_owned(),
        nested("[", "]"),
        nested("{\"a\":", "}"),
        "x".repeat(250_000),
        format!("{{\"event_type\":\"{}\"}}", "x".repeat(250_000)),
        envelope("null"),
        envelope(&envelope(event)),
        envelope(r#"{"unreadable":{"reason":"r","sha256":"x","base64":"!"}}"#),
    ];
    for value in [json!(null), json!(true), json!(-1), json!(1e300), json!("x"), json!([]), json!({})] {
        all.push(value.to_string());
        for field in
            ["event_type", "resource", "resource_name", "resource_luid", "site_luid", "created_at", "text"]
        {
            let mut payload: Value = serde_json::from_str(event).unwrap();
            payload[field] = value.clone();
            all.push(payload.to_string());
        }
    }
    all
}

#[tokio::test]
async fn no_message_that_is_forged_fails_the_function_or_ends_without_a_record_or_a_dead_letter() {
    let environment = Environment::start().await;
    let function = environment.function();
    for body in bodies() {
        let beginning: String = body.chars().take(80).collect();
        let before = (
            environment.items_of("delivery#").len(),
            environment.services.aws.messages("dead-letters").len(),
        );
        let reply = function.invoke(&Batch::default().message(&body).received(150).event()).await;
        let reply = reply.unwrap_or_else(|error| panic!("{beginning}: {error}"));
        assert_eq!(reply["batchItemFailures"], json!([]), "{beginning}");
        let after = (
            environment.items_of("delivery#").len(),
            environment.services.aws.messages("dead-letters").len(),
        );
        // SQS accepts no empty message.
        assert!(before != after || body.is_empty(), "{beginning}: neither a record nor a dead letter");
    }
    assert!(environment.services.slack.messages().is_empty());
    next_event_is_handled(&environment, &function, "forged messages").await;
}

#[tokio::test]
async fn a_message_whose_attributes_are_forged_is_handled_as_if_it_had_none() {
    let environment = Environment::start().await;
    let attribute = |name: &str, value: &str| {
        let event = environment.event("WorkbookCreated", OTHER);
        Batch::default().message(&event).attribute(name, value).event()
    };
    let count = |count: &str| {
        let mut batch = Batch::default().message(&environment.event("WorkbookCreated", OTHER)).event();
        batch["Records"][0]["attributes"]["ApproximateReceiveCount"] = json!(count);
        batch
    };
    for batch in [
        attribute("copy_of", "-1"),
        attribute("copy_of", "x"),
        attribute("copy_of", "99999999999999999999"),
        attribute("ERROR_CODE", "x"),
        attribute("RULE_ARN", "\u{202e}<!channel>"),
        count(""),
        count("x"),
        count("-1"),
        count("99999999999999999999"),
    ] {
        // A process remembers the previous event and would group both.
        environment.restore(&[]).await;
        let before = environment.services.slack.message_count();
        let reply = environment.function().invoke(&batch).await.unwrap();
        assert_eq!(reply["batchItemFailures"], json!([]), "{batch}");
        assert_eq!(environment.services.slack.message_count(), before + 1, "{batch}");
    }
}

#[tokio::test]
async fn a_function_that_is_invoked_by_something_else_refuses_it_and_goes_on() {
    let environment = Environment::start().await;
    let function = environment.function();
    for event in [
        json!(null),
        json!({}),
        json!([]),
        json!("x"),
        json!({ "source": "aws.events", "detail": {} }),
        json!({ "Records": [{ "EventSource": "aws:sns", "Sns": { "Message": "{}" } }] }),
        json!({ "Records": [{ "eventSource": "aws:s3" }] }),
        json!({ "Records": [{}] }),
        json!({ "Records": {} }),
    ] {
        let answer = function.invoke(&event).await;
        assert!(answer.is_err(), "{event}: {answer:?}");
    }
    // A request that did not pass API Gateway needs the token too.
    let request = testkit::Request::post("{}").query_token(None).event();
    assert_eq!(function.answer_to(&request).await.status, 403);
    assert!(
        environment.items_of("delivery#").is_empty() && environment.services.aws.messages("queue").is_empty()
    );
    next_event_is_handled(&environment, &function, "invocations by others").await;
}

#[tokio::test]
async fn a_timer_that_is_forged_ends_and_sends_nothing() {
    let environment = Environment::start().await;
    let function = environment.function();
    let long = format!("group#notify-slack#data-alerts#{}", "x".repeat(3_000));
    let keys = [
        "",
        "x",
        "#",
        "delivery#notify-slack#x",
        "session#a#b",
        "incident#",
        "incident#notify-slack#4cdd2055-930d-4eaf-94f4-733f3e7d1bfb",
        "incident#update-broadcast#x",
        "group#",
        "group#notify-slack#board-room#0123456789ab",
        "group#notify-slack#data-alerts#\u{202e}<!channel>",
        "digest#",
        "digest#notify-slack#board-room#1795000000",
        "digest#notify-slack#data-night#never",
        long.as_str(),
    ];
    for key in keys {
        for generation in [0, 1, u64::MAX] {
            let end = environment.fire(&function, key, generation).await;
            assert!(!matches!(end, End::Lost(_)), "{key:?} {generation}: {end:?}");
        }
    }
    assert!(environment.services.slack.messages().is_empty() && environment.items_of("group#").is_empty());
    next_event_is_handled(&environment, &function, "forged timers").await;
}
