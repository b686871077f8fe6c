//! `Invoke`, for callers that wait for the answer and for those that do not.

#![expect(clippy::unwrap_used, reason = "helpers of tests are not known for such")]

mod sdk;
mod support;

use aws_sdk_lambda::Client;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use local_aws::{Aws, Fault, FunctionSpec, LambdaProcess};
use serde_json::{Value, json};
use std::time::Duration;

async fn with_echo() -> (Aws, LambdaProcess, Client) {
    let aws = Aws::start().await.unwrap();
    let binary = support::binaries().join(format!("echo-bootstrap{}", std::env::consts::EXE_SUFFIX));
    let spec = FunctionSpec { timeout: Duration::from_secs(20), ..FunctionSpec::new("echo", binary) };
    let function = LambdaProcess::new(spec).unwrap();
    aws.add_function(function.clone());
    let client = Client::new(&sdk::config_of(&aws));
    (aws, function, client)
}

#[tokio::test]
async fn a_caller_that_waits_gets_the_answer_or_the_functions_error() {
    let (aws, _, client) = with_echo().await;
    let invoke = |event: Value| client.invoke().function_name("echo").payload(Blob::new(event.to_string()));
    let answer = invoke(json!({ "n": 1 })).send().await.unwrap();
    let payload: Value = serde_json::from_slice(answer.payload().unwrap().as_ref()).unwrap();
    assert_eq!((answer.status_code(), answer.function_error(), payload), (200, None, json!({ "n": 1 })));
    let failed = invoke(json!({ "do": "fail" })).send().await.unwrap();
    assert_eq!(failed.function_error(), Some("Unhandled"));
    aws.fail_next("Lambda.Invoke", 1, Fault::AccessDenied);
    let denied = invoke(json!({})).send().await.unwrap_err();
    assert_eq!(denied.into_service_error().meta().code(), Some("AccessDeniedException"));
    assert_eq!(aws.calls("Lambda.Invoke"), 3);
    let unknown = client.invoke().function_name("no-such").send().await.unwrap_err();
    assert!(unknown.into_service_error().is_resource_not_found_exception());
}

#[tokio::test]
async fn a_caller_that_does_not_wait_is_answered_at_once_and_the_function_runs() {
    let (_aws, function, client) = with_echo().await;
    let invoke = client.invoke().function_name("echo").invocation_type(InvocationType::Event);
    let answer = invoke.payload(Blob::new(json!({ "n": 1 }).to_string())).send().await.unwrap();
    assert_eq!(
        (answer.status_code(), answer.payload().is_none_or(|blob| blob.as_ref().is_empty())),
        (202, true)
    );
    for _ in 0..200 {
        if function.pid().is_some() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the function does not run");
}
