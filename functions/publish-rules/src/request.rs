//! What the template says of the resource `Rules`, and what it can read of it. No I/O.

use custom_resource::RequestType;
use published_rules::Version;
use serde::{Deserialize, Serialize};

/// The resource's own id. It stays the same, so that no update replaces the resource.
pub(crate) const PHYSICAL_ID: &str = "published-rules";

/// A request of CloudFormation.
pub type Request = custom_resource::Request<Properties>;

/// What the template says of the resource.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Properties {
    /// The ARN of the layer with the rules file, which ends with the layer's version.
    #[serde(default)]
    pub layer: Option<String>,
}

/// The layer of the deploy that is being rolled back. `None` if this is a deploy.
///
/// A request does not say what it belongs to. Each deploy of a changed layer makes a new version of the layer, with a higher
/// number; only a rollback goes back.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/creating-deleting-layers.html>
pub(crate) fn rolled_back_layer(request: &Request) -> Option<&str> {
    let old = request.old_resource_properties.layer.as_deref()?;
    let old_version = LayerVersion::of(old)?;
    let new_version = LayerVersion::of(request.resource_properties.layer.as_deref()?)?;
    let goes_back = old_version.layer == new_version.layer && new_version.number < old_version.number;
    (request.request_type == RequestType::Update && goes_back).then_some(old)
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
