//! A function for the tests of this crate, which does what its event says.
//!
//! HTTP and queue events are answered as our functions answer them; of any other event, `do` says what happens:
//! `fail`, `exit`, `sleep`, `large`, `variables`; anything else comes back.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    if variable("REFUSE_TO_START").is_some() {
        say("no settings");
        std::process::exit(7);
    }
    lambda_runtime::run(service_fn(handle)).await
}

#[expect(clippy::print_stdout, reason = "the test reads it")]
fn say(line: &str) {
    println!("{line}");
}

#[expect(clippy::disallowed_methods, reason = "stands alone")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[expect(clippy::disallowed_methods, reason = "the test looks at all of them")]
fn variables() -> Value {
    std::env::vars().map(|(name, value)| (name, Value::String(value))).collect()
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let (event, context) = event.into_parts();
    if let Some(records) = event["Records"].as_array() {
        return Ok(work(records));
    }
    if event["requestContext"]["http"].is_object() {
        return respond(&event);
    }
    act(&event, &context.request_id).await
}

async fn act(event: &Value, request_id: &str) -> Result<Value, Error> {
    match event["do"].as_str() {
        Some("fail") => Err("asked to fail".into()),
        Some("exit") => std::process::exit(3),
        Some("sleep") => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            Ok(Value::Null)
        }
        Some("large") => Ok(Value::String("x".repeat(7_000_000))),
        Some("log") => {
            say("one line");
            say("another line");
            Ok(Value::Null)
        }
        Some("variables") => Ok(variables()),
        Some("process") => Ok(json!({ "pid": std::process::id(), "request_id": request_id })),
        _ => Ok(event.clone()),
    }
}

/// Answers a request with the event it came as, or as its `x-answer` header says.
fn respond(event: &Value) -> Result<Value, Error> {
    match event["headers"]["x-answer"].as_str() {
        Some("fail") => Err("asked to fail".into()),
        Some("plain") => Ok(json!({ "plain": true })),
        Some("binary") => Ok(json!({
            "statusCode": 201, "headers": { "content-type": "image/png" }, "body": "iVBORw==", "isBase64Encoded": true,
            "cookies": ["a=1", "b=2"]
        })),
        _ => Ok(json!({
            "statusCode": 200, "headers": { "content-type": "application/json" }, "body": event.to_string()
        })),
    }
}

/// Fails the messages whose body says so.
fn work(records: &[Value]) -> Value {
    say(&format!("{} records", records.len()));
    let failed =
        records.iter().filter(|record| record["body"].as_str().is_some_and(|body| body.contains("poison")));
    let failures: Vec<Value> =
        failed.map(|record| json!({ "itemIdentifier": record["messageId"] })).collect();
    json!({ "batchItemFailures": failures })
}
