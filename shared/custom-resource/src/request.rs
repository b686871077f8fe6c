//! What CloudFormation requests. No I/O.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html>

use serde::Deserialize;
use std::fmt;

/// A request of CloudFormation. `P`: what the template says of the resource.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request<P> {
    /// What happens to the resource.
    pub request_type: RequestType,
    /// Where the answer goes.
    #[serde(rename = "ResponseURL")]
    pub response_url: ResponseUrl,
    /// The stack.
    pub stack_id: String,
    /// Names the request. The same request may come again.
    pub request_id: String,
    /// The resource's name in the template.
    pub logical_resource_id: String,
    /// The resource's own id, unless it is being created.
    #[serde(default)]
    pub physical_resource_id: Option<String>,
    /// What the template says of the resource.
    #[serde(default)]
    pub resource_properties: P,
    /// What it said before, at an update.
    #[serde(default)]
    pub old_resource_properties: P,
}

/// What happens to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum RequestType {
    /// It is new.
    Create,
    /// Its properties have changed.
    Update,
    /// It goes.
    Delete,
}

/// A signed URL, which is a credential.
#[derive(Clone, Deserialize)]
pub struct ResponseUrl(String);

impl ResponseUrl {
    /// The URL, for the request.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ResponseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
