//! Invokes a function of a stack.

use crate::stack::Stack;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::config::timeout::TimeoutConfig;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use serde_json::Value;
use std::time::Duration;
use workflow::BoxError;

/// The permission.
const ACTION: &str = "lambda:InvokeFunction";

/// A client that invokes once and waits for so long: a second invocation would do everything again.
fn client(stack: &Stack, longest: Duration) -> Client {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(longest)
        .operation_timeout(longest)
        .read_timeout(longest)
        .build();
    let config = aws_sdk_lambda::config::Builder::from(&stack.account.config)
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts);
    Client::from_conf(config.build())
}

/// Invokes a function and waits for its answer. `None` if the function failed, which its log explains.
pub(crate) async fn invoke(
    stack: &Stack,
    function: &str,
    event: &Value,
    longest: Duration,
) -> Result<Option<Vec<u8>>, BoxError> {
    Ok(invoke_or_reason(stack, function, event, longest).await?.ok())
}

/// Invokes a function and waits for its answer, or for the reason why it failed.
pub(crate) async fn invoke_or_reason(
    stack: &Stack,
    function: &str,
    event: &Value,
    longest: Duration,
) -> Result<Result<Vec<u8>, String>, BoxError> {
    let invoke = client(stack, longest).invoke().function_name(function);
    let invoked = invoke.payload(Blob::new(event.to_string())).send().await;
    let invoked = invoked.map_err(|error| stack.account.explain(ACTION, error))?;
    let payload = invoked.payload().map(|payload| payload.as_ref().to_vec()).unwrap_or_default();
    if invoked.function_error().is_some() {
        let error: Value = serde_json::from_slice(&payload).unwrap_or_default();
        let reason = error["errorMessage"].as_str().unwrap_or("its log says why");
        return Ok(Err(reason.to_owned()));
    }
    Ok(Ok(payload))
}

/// Lets Lambda run a function, and does not wait for its end.
pub(crate) async fn start(stack: &Stack, function: &str, event: &Value) -> Result<(), BoxError> {
    let invoke = Client::new(&stack.account.config).invoke().function_name(function);
    let invoke = invoke.invocation_type(InvocationType::Event).payload(Blob::new(event.to_string()));
    invoke.send().await.map_err(|error| stack.account.explain(ACTION, error))?;
    Ok(())
}
