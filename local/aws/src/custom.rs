//! Custom resources of the template, created as CloudFormation does: a function gets a request and answers it at a URL.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html>

use crate::aws::STACK;
use crate::aws::names::random_alphanumeric;
use crate::error::{ANY_PORT, Error, listen};
use crate::lambda::Lambda;
use crate::server::Server;
use crate::template::CustomResource;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::put;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::mpsc::{self, UnboundedSender};

/// CloudFormation waits for an hour. A developer does not.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Creates a custom resource: invokes its function with a `Create` request and waits for the answer.
///
/// # Errors
/// [`Error::CustomResource`] when the function refuses, fails, or does not answer within a minute.
pub(crate) async fn create(resource: &CustomResource, function: &Lambda) -> Result<(), Error> {
    let failed = |reason: String| Error::CustomResource { resource: resource.logical_id.clone(), reason };
    let listener = listen(ANY_PORT).await?;
    let address = listener.local_addr().map_err(|source| Error::Listen { address: ANY_PORT, source })?;
    let (sender, mut answers) = mpsc::unbounded_channel();
    let path = format!("/{}", random_alphanumeric(32));
    let router = Router::new().route(&path, put(receive)).with_state(sender);
    let _server = Server::start(listener, router).map_err(|source| Error::Listen { address, source })?;
    let request = json!({
        "RequestType": "Create",
        "ResponseURL": format!("http://{address}{path}"),
        "StackId": format!("arn:aws:cloudformation:us-east-1:000000000000:stack/{STACK}/local"),
        "RequestId": random_alphanumeric(16),
        "ResourceType": resource.kind,
        "LogicalResourceId": resource.logical_id,
        "ResourceProperties": resource.properties,
    });
    function.invoke(&request, None).await.map_err(|error| failed(error.to_string()))?;
    let answer = tokio::time::timeout(TIMEOUT, answers.recv()).await.ok().flatten();
    let body = answer
        .ok_or_else(|| failed(format!("its function did not answer within {} s", TIMEOUT.as_secs())))?;
    let answer: Value = serde_json::from_slice(&body)
        .map_err(|error| failed(format!("its answer is not understood: {error}")))?;
    match answer["Status"].as_str() {
        Some("SUCCESS") => Ok(()),
        _ => Err(failed(answer["Reason"].as_str().unwrap_or("its function gave no reason").to_owned())),
    }
}

async fn receive(State(answers): State<UnboundedSender<Bytes>>, body: Bytes) -> StatusCode {
    // After the first answer the receiver may be gone.
    let _ = answers.send(body);
    StatusCode::OK
}
