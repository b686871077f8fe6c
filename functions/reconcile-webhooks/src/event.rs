//! What starts the function. No I/O.

use serde::Deserialize;
use serde_json::Value;
use webhooks::Start;

/// What CloudFormation requests. All that the template says of the resource counts: a change of it starts a run.
pub type Request = custom_resource::Request<Value>;

/// What starts the function.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Event {
    /// CloudFormation, for the resource `ReconcileWebhooksAtTableau`.
    CloudFormation(Box<Request>),
    /// Anything else.
    Start(Start),
}
