//! `LambdaProcess` runs a real bootstrap.

#![expect(clippy::unwrap_used, reason = "helpers of tests are not known for such")]

mod support;

use local_aws::{Error, FunctionSpec, InvocationError, LambdaProcess};
use serde_json::{Value, json};
use std::time::Duration;

fn echo() -> FunctionSpec {
    FunctionSpec {
        timeout: Duration::from_secs(20),
        ..FunctionSpec::new(
            "echo",
            support::binaries().join(format!("echo-bootstrap{}", std::env::consts::EXE_SUFFIX)),
        )
    }
}

fn function(spec: FunctionSpec) -> LambdaProcess {
    LambdaProcess::new(spec).unwrap()
}

async fn pid(function: &LambdaProcess) -> Value {
    function.invoke(&json!({ "do": "process" })).await.unwrap()["pid"].clone()
}

#[tokio::test]
async fn an_event_goes_in_and_an_answer_comes_out_of_one_process() {
    let function = function(echo());
    let event = json!({ "text": "ü", "n": [1, 2] });

    assert_eq!(function.invoke(&event).await.unwrap(), event);
    assert_eq!(pid(&function).await, pid(&function).await);
}

#[tokio::test]
async fn a_function_error_leaves_the_process_running() {
    let function = function(echo());
    let before = pid(&function).await;

    let error = function.invoke(&json!({ "do": "fail" })).await.unwrap_err();

    assert!(
        matches!(&error, InvocationError::Function { message, .. } if message == "asked to fail"),
        "{error}"
    );
    assert_eq!(pid(&function).await, before);
}

#[tokio::test]
async fn a_process_that_ends_is_reported_and_replaced() {
    let function = function(echo());
    let before = pid(&function).await;

    let error = function.invoke(&json!({ "do": "exit" })).await.unwrap_err();

    let InvocationError::Ended { status: Some(status) } = &error else { panic!("{error}") };
    assert_eq!(status.code(), Some(3));
    assert_ne!(pid(&function).await, before);
}

#[tokio::test]
async fn a_process_that_cannot_start_is_reported_each_time() {
    let mut spec = echo();
    spec.environment.insert("REFUSE_TO_START".to_owned(), "1".to_owned());
    let function = function(spec);

    for _ in 0..2 {
        let error = function.invoke(&json!({})).await.unwrap_err();
        let InvocationError::Ended { status: Some(status) } = &error else { panic!("{error}") };
        assert_eq!(status.code(), Some(7));
    }
}

#[tokio::test]
async fn a_process_that_takes_too_long_is_killed_and_replaced() {
    let function = function(FunctionSpec { timeout: Duration::from_millis(1500), ..echo() });
    let before = pid(&function).await;

    let error = function.invoke(&json!({ "do": "sleep" })).await.unwrap_err();

    assert!(matches!(error, InvocationError::TimedOut { .. }), "{error}");
    assert_eq!(error.to_string(), "timed out after 1.50 seconds");
    assert_eq!(function.pid(), None);
    assert_ne!(pid(&function).await, before);
}

#[tokio::test]
async fn a_process_can_be_killed_at_work_and_at_rest() {
    let function = function(echo());
    let before = pid(&function).await;
    let at_work = function.clone();
    let invocation = tokio::spawn(async move { at_work.invoke(&json!({ "do": "sleep" })).await });
    tokio::time::sleep(Duration::from_millis(50)).await;

    function.kill().await;

    let error = invocation.await.unwrap().unwrap_err();
    assert!(matches!(error, InvocationError::Ended { .. }), "{error}");
    let after = pid(&function).await;
    assert_ne!(after, before);
    function.kill().await;
    assert_eq!(function.pid(), None);
    assert_ne!(pid(&function).await, after);
}

#[tokio::test]
async fn a_task_of_its_own_can_kill_a_process() {
    let function = function(echo());
    let before = pid(&function).await;
    let killer = function.clone();

    tokio::spawn(async move { killer.kill().await }).await.unwrap();

    assert_eq!(function.pid(), None);
    assert_ne!(pid(&function).await, before);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_process_ends_with_its_last_handle() {
    let function = function(echo());
    let pid = pid(&function).await.as_u64().unwrap();
    let running = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
        stat.is_ok_and(|stat| !stat.contains(") Z "))
    };
    assert!(running());

    drop(function);

    for _ in 0..500 {
        if !running() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("process {pid} still runs");
}

#[tokio::test]
async fn a_payload_of_ten_megabytes_arrives() {
    let function = function(echo());
    let event = json!({ "do": "process", "padding": "x".repeat(10_000_000) });

    assert!(function.invoke(&event).await.unwrap()["pid"].is_u64());
}

#[tokio::test]
async fn an_answer_over_six_megabytes_is_an_error() {
    let function = function(echo());

    let error = function.invoke(&json!({ "do": "large" })).await.unwrap_err();

    assert!(
        matches!(&error, InvocationError::Function { error_type, .. } if error_type == "Function.ResponseSizeTooLarge"),
        "{error}"
    );
    assert!(function.invoke(&json!({})).await.is_ok());
}

#[tokio::test]
async fn what_a_function_writes_is_kept_and_passed_on() {
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let function = function(FunctionSpec { logs: Some(sender), ..echo() });

    function.invoke(&json!({ "do": "log" })).await.unwrap();

    let mut lines = Vec::new();
    while lines.len() < 2 {
        let line = tokio::time::timeout(Duration::from_secs(10), receiver.recv()).await.unwrap().unwrap();
        assert_eq!(line.function, "echo");
        lines.push(line.line);
    }
    assert_eq!(lines, ["one line", "another line"]);
    assert_eq!(function.logs(), lines);
}

#[tokio::test]
async fn a_function_sees_lambdas_variables_and_its_own_and_no_others() {
    let mut spec =
        FunctionSpec { endpoint_url: Some("http://127.0.0.1:1".to_owned()), memory_mb: 256, ..echo() };
    spec.environment.insert("QUEUE_URL".to_owned(), "there".to_owned());
    let seen = function(spec).invoke(&json!({ "do": "variables" })).await.unwrap();

    for (name, value) in [
        ("AWS_LAMBDA_FUNCTION_NAME", "echo"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
        ("AWS_REGION", "us-east-1"),
        ("TZ", ":UTC"),
        ("QUEUE_URL", "there"),
    ] {
        assert_eq!(seen[name], value, "{name}");
    }
    assert_eq!(seen["HOME"], Value::Null);
    assert_eq!(seen["CARGO_PKG_NAME"], Value::Null);
}

#[tokio::test]
async fn callers_queue() {
    let function = function(echo());
    let calls: Vec<_> = (0..20)
        .map(|n| {
            let function = function.clone();
            tokio::spawn(async move { function.invoke(&json!({ "n": n })).await.unwrap() })
        })
        .collect();

    for (n, call) in calls.into_iter().enumerate() {
        assert_eq!(call.await.unwrap(), json!({ "n": n }));
    }
}

#[test]
fn a_missing_binary_is_named() {
    let error = LambdaProcess::new(FunctionSpec::new("echo", "/nowhere/bootstrap")).unwrap_err();

    assert!(matches!(error, Error::NoBinary { .. }));
    assert_eq!(error.to_string(), "there is no binary `bootstrap` in /nowhere: build it first");
}
