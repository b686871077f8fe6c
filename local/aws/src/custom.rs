//! Custom resources: a function is asked for each, and puts its answer to a URL.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html>

use crate::Error;
use crate::error::{ANY_PORT, listen};
use crate::lambda::Lambda;
use crate::server::Server;
use crate::template::Custom;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::routing::put;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;
use uuid::Uuid;

/// The most bytes of an answer. Same source.
const ANSWER_LIMIT: usize = 4_096;
/// How long an answer may still be on its way when the invocation has ended.
const AFTER_INVOCATION: Duration = Duration::from_secs(5);

/// What a custom resource has for `Fn::GetAtt`, by attribute.
pub(crate) type Attributes = BTreeMap<String, Value>;

/// Has the function make the resource, and waits for its answer.
pub(crate) async fn create(custom: &Custom, function: &Lambda) -> Result<Attributes, Error> {
    let failed = |reason: String| Error::CustomResource { resource: custom.logical_id.clone(), reason };
    let listener = listen(ANY_PORT).await?;
    let address = listener.local_addr().map_err(|source| Error::Listen { address: ANY_PORT, source })?;
    let request_id = Uuid::new_v4().to_string();
    let (sender, mut answers) = mpsc::channel::<Bytes>(1);
    let router = Router::new()
        .route("/{request}", put(take))
        .layer(DefaultBodyLimit::max(ANSWER_LIMIT))
        .with_state(Expected { request_id: request_id.clone(), sender });
    let _server = Server::start(listener, router).map_err(|source| Error::Listen { address, source })?;
    let mut request = json!({
        "RequestType": "Create",
        "ResponseURL": format!("http://{address}/{request_id}"),
        "StackId": format!("arn:aws:cloudformation:us-east-1:000000000000:stack/{}/0", crate::STACK),
        "RequestId": request_id,
        "ResourceType": custom.kind,
        "LogicalResourceId": custom.logical_id,
    });
    request["ResourceProperties"] = custom.properties.clone();
    let invoked = async {
        // CloudFormation does not look at what the function returns: only the answer counts.
        let ended = function.invoke(&request, None).await;
        let answer = timeout(AFTER_INVOCATION, answers.recv()).await;
        match (answer, ended) {
            (Ok(Some(answer)), _) => Ok(answer),
            (_, Err(error)) => Err(failed(format!("{} failed: {error}", custom.function))),
            (_, Ok(_)) => Err(failed(format!("{} did not answer", custom.function))),
        }
    };
    let answer = timeout(custom.timeout, invoked)
        .await
        .map_err(|_| failed(format!("no answer within {} s", custom.timeout.as_secs())))??;
    let answer: Value = serde_json::from_slice(&answer)
        .map_err(|error| failed(format!("the answer is not JSON: {error}")))?;
    for field in ["RequestId", "StackId", "LogicalResourceId"] {
        if answer[field] != request[field] {
            return Err(failed(format!("the answer's {field} is not that of the request")));
        }
    }
    match (answer["Status"].as_str(), answer["PhysicalResourceId"].as_str()) {
        (Some("SUCCESS"), Some(id)) if !id.is_empty() => {
            let data = answer["Data"].as_object().into_iter().flatten();
            Ok(data.map(|(name, value)| (name.clone(), value.clone())).collect())
        }
        (Some("FAILED"), Some(id)) if !id.is_empty() => {
            Err(failed(answer["Reason"].as_str().unwrap_or("no Reason").to_owned()))
        }
        _ => Err(failed("the answer lacks Status or PhysicalResourceId".to_owned())),
    }
}

#[derive(Clone)]
struct Expected {
    request_id: String,
    sender: mpsc::Sender<Bytes>,
}

async fn take(State(expected): State<Expected>, Path(request): Path<String>, body: Bytes) -> StatusCode {
    if request != expected.request_id {
        return StatusCode::FORBIDDEN;
    }
    // The first answer counts.
    let _ = expected.sender.try_send(body);
    StatusCode::OK
}
