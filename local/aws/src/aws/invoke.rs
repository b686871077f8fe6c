//! Lambda's operation `Invoke`, for callers that wait for the answer and for those that do not.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>

use super::{Refusal, Shared};
use crate::process::InvocationError;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;
use serde_json::{Value, json};

/// The operation's name in call counts and faults.
pub(super) const INVOKE: &str = "Lambda.Invoke";
const PREFIX: &str = "/2015-03-31/functions/";
const SUFFIX: &str = "/invocations";

/// The name of the function that a request invokes; `None` for another operation.
pub(super) fn function(parts: &Parts) -> Option<&str> {
    let name = parts.uri.path().strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    (parts.method == http::Method::POST).then_some(name)
}

/// Invokes a function. An error of the function is an answer with the status 200 and a header that says so. A caller that does not
/// wait gets 202, and no answer.
pub(super) async fn invoke(
    shared: &Shared,
    parts: &Parts,
    name: &str,
    body: &[u8],
) -> Result<Response, Refusal> {
    let kind = parts.headers.get("x-amz-invocation-type").and_then(|value| value.to_str().ok());
    let waits = match kind {
        None | Some("RequestResponse") => true,
        Some("Event") => false,
        Some(_) => {
            return Err(Refusal::new(
                "InvalidParameterValueException",
                "local-aws does not implement this InvocationType",
            ));
        }
    };
    let found = shared.functions().get(name).cloned();
    let Some(function) = found else {
        return Err(Refusal::new("ResourceNotFoundException", format!("Function not found: {name}")));
    };
    let event: Value =
        serde_json::from_slice(if body.is_empty() { b"{}" } else { body }).map_err(|error| {
            Refusal::new(
                "InvalidRequestContentException",
                format!("Could not parse request body into json: {error}"),
            )
        })?;
    if !waits {
        tokio::spawn(async move { function.invoke(&event, None).await });
        return Ok(StatusCode::ACCEPTED.into_response());
    }
    match function.invoke(&event, None).await {
        Ok(answer) => Ok((StatusCode::OK, answer.to_string()).into_response()),
        Err(InvocationError::Throttled) => Err(Refusal::new("TooManyRequestsException", "Rate Exceeded.")),
        Err(error) => {
            // An error of the function comes as the function wrote it.
            let body = match error {
                InvocationError::Function { error_type, message } => {
                    json!({ "errorType": error_type, "errorMessage": message })
                }
                error => json!({ "errorType": "Error", "errorMessage": error.to_string() }),
            };
            let header = [("x-amz-function-error", "Unhandled")];
            Ok((StatusCode::OK, header, body.to_string()).into_response())
        }
    }
}
