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
    /// What the template says of the resource.
    #[serde(default)]
    pub resource_properties: Properties,
    /// What it said before, at an update.
    #[serde(default)]
    pub old_resource_properties: Properties,
}

/// What the template says of the resource.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Properties {
    /// The ARN of the layer with the rules file, which ends with the layer's version.
    #[serde(default)]
    pub layer: Option<String>,
}

impl Request {
    /// The layer of the deploy that is being rolled back. `None` if this is a deploy.
    ///
    /// A request does not say what it belongs to. Each deploy of a changed layer makes a new version of the layer, with a higher
    /// number; only a rollback goes back.
    ///
    /// Source: <https://docs.aws.amazon.com/lambda/latest/dg/creating-deleting-layers.html>
    pub(crate) fn rolled_back_layer(&self) -> Option<&str> {
        let old = self.old_resource_properties.layer.as_deref()?;
        let old_version = LayerVersion::of(old)?;
        let new_version = LayerVersion::of(self.resource_properties.layer.as_deref()?)?;
        let goes_back = old_version.layer == new_version.layer && new_version.number < old_version.number;
        (self.request_type == RequestType::Update && goes_back).then_some(old)
    }
}

struct LayerVersion<'r> {
    layer: &'r str,
    number: u64,
}

impl<'r> LayerVersion<'r> {
    /// `None` for texts that are no ARN, as on the local stack.
    fn of(arn: &'r str) -> Option<Self> {
        let parts = arn.rsplit_once(':')?;
        Some(Self { layer: parts.0, number: parts.1.parse().ok()? })
    }
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
    /// The version in force. The template's output needs an answer also where none can be read.
    pub(crate) fn new(version: Option<&Version>) -> Self {
        Self { version: version.map_or_else(|| "none".to_owned(), |version| version.number.to_string()) }
    }
}

impl<'r> Answer<'r> {
    pub(crate) fn success(request: &'r Request, reason: &str, data: Option<Data>) -> Self {
        Self::new(request, "SUCCESS", reason.to_owned(), data)
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
