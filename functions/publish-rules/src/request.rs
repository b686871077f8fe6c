//! What CloudFormation requests of a custom resource, and what it is answered. No I/O.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html>

use published_rules::Version;
use serde::{Deserialize, Serialize};
use std::fmt;

/// CloudFormation refuses answers of more than 4,096 bytes.
const REASON_LIMIT: usize = 2_500;
/// The resource's own id. It stays the same, so that no update replaces the resource.
const PHYSICAL_ID: &str = "published-rules";

/// A request of CloudFormation.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    /// What happens to the resource.
    pub request_type: RequestType,
    /// Where the answer goes.
    #[serde(rename = "ResponseURL")]
    pub response_url: ResponseUrl,
    /// The stack.
    pub stack_id: String,
    /// Names the request.
    pub request_id: String,
    /// The resource's name in the template.
    pub logical_resource_id: String,
    /// The resource's own id, unless it is being created.
    #[serde(default)]
    pub physical_resource_id: Option<String>,
}

/// What happens to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum RequestType {
    /// It is new.
    Create,
    /// Its properties have changed: the rules file has.
    Update,
    /// It goes.
    Delete,
}

/// A signed URL, which is a credential.
#[derive(Clone, Deserialize)]
pub struct ResponseUrl(String);

impl ResponseUrl {
    /// The URL, for the request.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ResponseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// An answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Answer<'r> {
    status: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
    physical_resource_id: &'r str,
    stack_id: &'r str,
    request_id: &'r str,
    logical_resource_id: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Data>,
}

/// What the template can read with `GetAtt`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Data {
    version: String,
}

impl Data {
    pub(crate) fn new(version: &Version) -> Self {
        Self { version: version.number.to_string() }
    }
}

impl<'r> Answer<'r> {
    pub(crate) fn success(request: &'r Request, data: Option<Data>) -> Self {
        Self::new(request, "SUCCESS", String::new(), data)
    }

    pub(crate) fn failure(request: &'r Request, reason: &str) -> Self {
        let mut reason = reason.to_owned();
        if reason.len() > REASON_LIMIT {
            reason.truncate(reason.floor_char_boundary(REASON_LIMIT));
            reason.push('…');
        }
        Self::new(request, "FAILED", reason, None)
    }

    fn new(request: &'r Request, status: &'static str, reason: String, data: Option<Data>) -> Self {
        Self {
            status,
            reason,
            physical_resource_id: request.physical_resource_id.as_deref().unwrap_or(PHYSICAL_ID),
            stack_id: &request.stack_id,
            request_id: &request.request_id,
            logical_resource_id: &request.logical_resource_id,
            data,
        }
    }
}
