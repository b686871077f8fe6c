//! A Lambda function for the tests of this crate. The event says what the function does.
//!
//! HTTP and queue events are answered as our functions answer them; a message `{"again": 3}` is sent to the function's own
//! queue with one less, and `slow` takes half a second. Of any other event, `do` says what happens:
//! `fail`, `exit`, `sleep`, `large`, `variables`; anything else comes back.

use aws_credential_types::Credentials;
use aws_sdk_sqs::config::{BehaviorVersion, Region, SharedCredentialsProvider};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const SLOW: Duration = Duration::from_millis(500);

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
        return work(records).await;
    }
    if event["requestContext"]["http"].is_object() {
        return respond(&event).await;
    }
    if event["ResponseURL"].is_string() {
        return make(&event).await;
    }
    act(&event, &context.request_id).await
}

/// Makes a custom resource as its property `Do` says: `fail` refuses it, `hush` leaves it without an answer.
async fn make(request: &Value) -> Result<Value, Error> {
    let mut answer = request.clone();
    answer["PhysicalResourceId"] = json!("made");
    answer["Status"] = json!("SUCCESS");
    answer["Data"] = json!({ "Size": request["ResourceProperties"]["Size"] });
    match request["ResourceProperties"]["Do"].as_str() {
        Some("hush") => return Ok(Value::Null),
        Some("fail") => {
            answer["Status"] = json!("FAILED");
            answer["Reason"] = json!("it is broken");
        }
        _ => {}
    }
    let url = request["ResponseURL"].as_str().and_then(|url| url.strip_prefix("http://"));
    let (host, path) = url.and_then(|url| url.split_once('/')).ok_or("no URL")?;
    let body = answer.to_string();
    let head = format!("PUT /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\n", body.len());
    let mut stream = TcpStream::connect(host).await?;
    stream.write_all(format!("{head}Connection: close\r\n\r\n{body}").as_bytes()).await?;
    let mut taken = String::new();
    stream.read_to_string(&mut taken).await?;
    Ok(Value::Null)
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
async fn respond(event: &Value) -> Result<Value, Error> {
    match event["headers"]["x-answer"].as_str() {
        Some("fail") => Err("asked to fail".into()),
        Some("plain") => Ok(json!({ "plain": true })),
        Some("pid") => Ok(json!({ "pid": std::process::id() })),
        Some("slow") => {
            tokio::time::sleep(SLOW).await;
            Ok(json!({ "slow": true }))
        }
        Some("binary") => Ok(json!({
            "statusCode": 201, "headers": { "content-type": "image/png" }, "body": "iVBORw==", "isBase64Encoded": true,
            "cookies": ["a=1", "b=2"]
        })),
        _ => Ok(json!({
            "statusCode": 200, "headers": { "content-type": "application/json" }, "body": event.to_string()
        })),
    }
}

/// Reports the messages whose body asks for a failure, and sends a message again when its body asks for that.
async fn work(records: &[Value]) -> Result<Value, Error> {
    say(&format!("{} records", records.len()));
    let mut failures = Vec::new();
    for record in records {
        let body = record["body"].as_str().unwrap_or_default();
        if body.contains("slow") {
            tokio::time::sleep(SLOW).await;
        }
        if body.contains("poison") {
            failures.push(json!({ "itemIdentifier": record["messageId"] }));
        }
        let message: Value = serde_json::from_str(body).unwrap_or_default();
        if let Some(left @ 1..) = message["again"].as_u64() {
            send(&json!({ "again": left - 1 }).to_string()).await?;
        }
    }
    Ok(json!({ "batchItemFailures": failures }))
}

/// Sends a message to the function's own queue, with the SDK as our functions do.
async fn send(body: &str) -> Result<(), Error> {
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            variable("AWS_ACCESS_KEY_ID").unwrap_or_default(),
            variable("AWS_SECRET_ACCESS_KEY").unwrap_or_default(),
            variable("AWS_SESSION_TOKEN"),
            None,
            "lambda environment",
        )))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(variable("AWS_ENDPOINT_URL").unwrap_or_default());
    let client = aws_sdk_sqs::Client::from_conf(config.build());
    let queue = variable("QUEUE_URL").unwrap_or_default();
    client.send_message().queue_url(queue).message_body(body).delay_seconds(900).send().await?;
    Ok(())
}
