//! CloudFormation, as far as it lists what a stack has, and the values of its parameters and outputs.

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
pub(crate) struct Stacks(BTreeMap<String, Stack>);

#[derive(Debug, Default)]
struct Stack {
    resources: Vec<StackResource>,
    parameters: BTreeMap<String, String>,
    outputs: BTreeMap<String, String>,
    /// The status, if it is not the usual one.
    status: Option<String>,
}

impl Stacks {
    pub(crate) fn create(&mut self, name: &str, resources: Vec<StackResource>) {
        self.0.entry(name.to_owned()).or_default().resources = resources;
    }

    pub(crate) fn set_parameters(&mut self, name: &str, parameters: BTreeMap<String, String>) {
        self.0.entry(name.to_owned()).or_default().parameters = parameters;
    }

    pub(crate) fn set_outputs(&mut self, name: &str, outputs: BTreeMap<String, String>) {
        self.0.entry(name.to_owned()).or_default().outputs = outputs;
    }

    pub(crate) fn set_status(&mut self, name: &str, status: &str) {
        self.0.entry(name.to_owned()).or_default().status = Some(status.to_owned());
    }

    /// The stack that a request names. `known`: the fields that are understood here.
    fn named(
        &self,
        action: &str,
        known: &[&str],
        fields: &BTreeMap<String, String>,
    ) -> Result<(&str, &Stack), Refusal> {
        let is_known = |name: &&String| known.contains(&name.as_str());
        if let Some(unknown) = fields.keys().find(|name| !is_known(name)) {
            return Err(invalid(format!("local-aws does not implement {unknown} of {action}")));
        }
        let name = fields.get("StackName").map(String::as_str).unwrap_or_default();
        let found = self.0.get_key_value(name).map(|(name, stack)| (name.as_str(), stack));
        found.ok_or_else(|| invalid(format!("Stack with id {name} does not exist")))
    }

    pub(super) fn describe_stacks(&self, fields: &BTreeMap<String, String>) -> Result<String, Refusal> {
        let (name, stack) = self.named("DescribeStacks", &["Action", "Version", "StackName"], fields)?;
        let mut xml =
            format!(r#"<DescribeStacksResponse xmlns="{NAMESPACE}"><DescribeStacksResult><Stacks><member>"#);
        // Writing to a String cannot fail.
        let _ = write!(
            xml,
            "<StackId>arn:aws:cloudformation:us-east-1:000000000000:stack/{0}/0</StackId>\
             <StackName>{0}</StackName><CreationTime>2026-01-01T00:00:00.000Z</CreationTime>\
             <StackStatus>{1}</StackStatus><Parameters>",
            escaped(name),
            escaped(stack.status.as_deref().unwrap_or("CREATE_COMPLETE"))
        );
        for (key, value) in &stack.parameters {
            let key = escaped(key);
            let value = escaped(value);
            let _ = write!(
                xml,
                "<member><ParameterKey>{key}</ParameterKey><ParameterValue>{value}</ParameterValue></member>"
            );
        }
        xml.push_str("</Parameters><Outputs>");
        for (key, value) in &stack.outputs {
            let (key, value) = (escaped(key), escaped(value));
            let _ = write!(
                xml,
                "<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>"
            );
        }
        xml.push_str("</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>");
        Ok(xml)
    }

    pub(super) fn list_stack_resources(&self, fields: &BTreeMap<String, String>) -> Result<String, Refusal> {
        let known = ["Action", "Version", "StackName", "NextToken"];
        let (_, Stack { resources, .. }) = self.named("ListStackResources", &known, fields)?;
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
