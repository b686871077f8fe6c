//! CloudFormation, as far as it lists what a stack has.

use super::Refusal;
use super::query_protocol::{NAMESPACE, escaped};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The most resources in one answer.
const PAGE: usize = 100;

/// A resource of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackResource {
    /// The resource's name in the template (logical id).
    pub logical_id: String,
    /// The resource's type, such as `AWS::SQS::Queue`.
    pub kind: String,
    /// What `Ref` returns for the resource; for a queue, its URL.
    pub physical_id: String,
}

/// The stacks by stack name.
#[derive(Debug, Default)]
pub(crate) struct Stacks(BTreeMap<String, Vec<StackResource>>);

impl Stacks {
    pub(crate) fn create(&mut self, name: &str, resources: Vec<StackResource>) {
        self.0.insert(name.to_owned(), resources);
    }

    pub(super) fn list_stack_resources(&self, fields: &BTreeMap<String, String>) -> Result<String, Refusal> {
        let known = ["Action", "Version", "StackName", "NextToken"];
        if let Some(unknown) = fields.keys().find(|name| !known.contains(&name.as_str())) {
            return Err(invalid(format!("local-aws does not implement {unknown} of ListStackResources")));
        }
        let name = fields.get("StackName").map(String::as_str).unwrap_or_default();
        let resources = self.0.get(name);
        let resources = resources.ok_or_else(|| invalid(format!("Stack with id {name} does not exist")))?;
        let from: usize = match fields.get("NextToken") {
            None => 0,
            Some(token) => token.parse().map_err(|_| invalid("The NextToken is not valid".to_owned()))?,
        };
        let mut xml =
            format!(r#"<ListStackResourcesResponse xmlns="{NAMESPACE}"><ListStackResourcesResult>"#);
        xml.push_str("<StackResourceSummaries>");
        for resource in resources.iter().skip(from).take(PAGE) {
            let fields = [
                ("LogicalResourceId", resource.logical_id.as_str()),
                ("PhysicalResourceId", &resource.physical_id),
                ("ResourceType", &resource.kind),
                ("LastUpdatedTimestamp", "2026-01-01T00:00:00.000Z"),
                ("ResourceStatus", "CREATE_COMPLETE"),
            ];
            let fields = fields.map(|(name, value)| format!("<{name}>{}</{name}>", escaped(value)));
            // Writing to a `String` cannot fail.
            let _ = write!(xml, "<member>{}</member>", fields.concat());
        }
        xml.push_str("</StackResourceSummaries>");
        if from + PAGE < resources.len() {
            let _ = write!(xml, "<NextToken>{}</NextToken>", from + PAGE);
        }
        xml.push_str("</ListStackResourcesResult></ListStackResourcesResponse>");
        Ok(xml)
    }
}

fn invalid(message: String) -> Refusal {
    Refusal::new("ValidationError", message)
}
