//! The names, ARNs and URLs of resources on this machine.

use super::plan::placeholder;
use super::resolve::Resolver;
use crate::aws::names::{arn, queue_url};
use serde_json::Value;

/// Resource types with a local counterpart: the property that holds the name, and the service and prefix of the ARN.
const KINDS: [(&str, &str, &str, &str); 7] = [
    ("AWS::S3::Bucket", "BucketName", "s3", ""),
    ("AWS::SQS::Queue", "QueueName", "sqs", ""),
    ("AWS::DynamoDB::Table", "TableName", "dynamodb", "table/"),
    ("AWS::Events::EventBus", "Name", "events", "event-bus/"),
    ("AWS::Scheduler::ScheduleGroup", "Name", "scheduler", "schedule-group/"),
    ("AWS::SecretsManager::Secret", "Name", "secretsmanager", "secret:"),
    ("AWS::Serverless::Function", "FunctionName", "lambda", "function:"),
];

impl<'a> Resolver<'a> {
    /// The resource with this logical id, unless the resource's condition is false.
    fn resource(&self, id: &str) -> Result<&'a Value, String> {
        let found = self.root["Resources"].get(id);
        let found = found.ok_or_else(|| format!("there is no parameter or resource `{id}`"))?;
        match found["Condition"].as_str() {
            Some(condition) if !self.named_condition(condition)? => {
                Err(format!("`{id}` is left out by its condition {condition}"))
            }
            _ => Ok(found),
        }
    }

    /// The name of a resource: the name in its properties, or its logical id. A function is named after its binary.
    pub(super) fn physical_name(&self, id: &str) -> Result<String, String> {
        let resource = self.resource(id)?;
        let kind = resource["Type"].as_str().unwrap_or_default();
        let property = KINDS.iter().find(|(known, ..)| *known == kind).map(|(_, property, ..)| *property);
        let asked_for = property.and_then(|property| resource["Properties"].get(property));
        if let Some(value) = asked_for {
            return self.text(value);
        }
        let binary = &resource["Metadata"]["BuildProperties"]["Binary"];
        Ok(match binary.as_str() {
            Some(binary) if kind == "AWS::Serverless::Function" => binary.to_owned(),
            // A bucket's name has no capital letters.
            _ if kind == "AWS::S3::Bucket" => id.to_lowercase(),
            _ => id.to_owned(),
        })
    }

    /// The value that `Ref` returns for a resource.
    pub(super) fn physical_reference(&self, id: &str) -> Result<String, String> {
        let name = self.physical_name(id)?;
        match self.resource(id)?["Type"].as_str().unwrap_or_default() {
            "AWS::SQS::Queue" => Ok(queue_url(&self.places.endpoint_url, &name)),
            "AWS::SecretsManager::Secret" => self.physical_attribute(id, "Id"),
            _ => Ok(name),
        }
    }

    /// The value that `Fn::GetAtt` returns for a resource's attribute.
    pub(super) fn physical_attribute(&self, id: &str, attribute: &str) -> Result<String, String> {
        let name = self.physical_name(id)?;
        let kind = self.resource(id)?["Type"].as_str().unwrap_or_default();
        let own_arn = KINDS.iter().find(|(known, ..)| *known == kind);
        let own_arn = own_arn.map(|(.., service, prefix)| arn(service, &format!("{prefix}{name}")));
        match (kind, attribute) {
            ("AWS::SQS::Queue", "QueueName") | ("AWS::Events::EventBus", "Name") => Ok(name),
            ("AWS::SQS::Queue", "QueueUrl") => Ok(queue_url(&self.places.endpoint_url, &name)),
            ("AWS::ApiGatewayV2::Api", "ApiEndpoint") => Ok(self.places.api_url.clone()),
            ("AWS::ApiGatewayV2::Api", "ApiId") => Ok(name),
            ("AWS::SecretsManager::Secret", "Arn") => Err(format!("`{id}` is a secret: its ARN is its Id")),
            // A secret's ARN lacks the characters that AWS appends: GetSecretValue takes it either way. What has no
            // counterpart here has an ARN that no caller asks for.
            ("AWS::SecretsManager::Secret", "Id") | (_, "Arn") if !kind.starts_with("Custom::") => {
                Ok(own_arn.unwrap_or_else(|| arn("local", &format!("{kind}/{name}"))))
            }
            (kind, attribute) if kind.starts_with("Custom::") => match self.after_answers.get() {
                true => Ok(placeholder(id, attribute)),
                false => Err(format!(
                    "`{id}` ({kind}) is made late here: only outputs and custom resources have its {attribute}"
                )),
            },
            _ => Err(format!("`{id}` ({kind}) has no attribute {attribute} here")),
        }
    }
}
