//! CloudFormation, as far as it lists what a stack has. Its protocol is older than JSON: forms in, XML out.

use super::Refusal;
use percent_encoding::percent_decode_str;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// How many resources an answer has at most.
const PAGE: usize = 100;
const NAMESPACE: &str = "http://cloudformation.amazonaws.com/doc/2010-05-15/";

/// A resource of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackResource {
    /// Its name in the template.
    pub logical_id: String,
    /// Its type, such as `AWS::SQS::Queue`.
    pub kind: String,
    /// What `Ref` gives; of a queue the URL.
    pub physical_id: String,
}

/// The stacks, by name.
#[derive(Debug, Default)]
pub(crate) struct Stacks(BTreeMap<String, Vec<StackResource>>);

/// A form's fields.
pub(super) fn fields(form: &str) -> BTreeMap<String, String> {
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pairs = form.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decoded(name), decoded(value))).collect()
}

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
            // Writing to a String cannot fail.
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

/// What an XML text must not hold.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn invalid(message: String) -> Refusal {
    Refusal::new("ValidationError", message)
}

/// An error as this protocol has it.
pub(super) fn error(kind: &str, message: &str) -> String {
    format!(
        r#"<ErrorResponse xmlns="{NAMESPACE}"><Error><Type>Sender</Type><Code>{}</Code><Message>{}</Message></Error></ErrorResponse>"#,
        escaped(kind),
        escaped(message)
    )
}
