//! Custom resources.

use super::Custom;
use super::resource::Resource;
use super::yaml::text;
use crate::Error;
use crate::aws::names::last_part;
use serde_json::Value;
use std::time::Duration;

/// How long an answer may take, in seconds, when the template does not say: for CloudFormation an hour, which no person
/// waits for at a terminal.
const TIMEOUT: u64 = 120;
/// CloudFormation's limit, in seconds.
///
/// Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-customresource.html>
const LONGEST: u64 = 3_600;

pub(super) fn custom(resource: &Resource<'_>) -> Result<Custom, Error> {
    let token = resource.required_text("ServiceToken")?;
    if !token.starts_with("arn:aws:lambda:") {
        return Err(resource.error("ServiceToken", format!("`{token}` is not a function")));
    }
    let seconds = resource.number("ServiceTimeout")?.unwrap_or(TIMEOUT);
    if !(1..=LONGEST).contains(&seconds) {
        return Err(resource.error("ServiceTimeout", "must be from 1 to 3600"));
    }
    let properties = resource.resolver.resolve(&resource.body["Properties"]);
    let properties = properties.map_err(|reason| resource.error("Properties", reason))?;
    Ok(Custom {
        logical_id: resource.id.to_owned(),
        kind: resource.kind().to_owned(),
        function: last_part(&token).to_owned(),
        properties: as_texts(properties.unwrap_or_default()),
        timeout: Duration::from_secs(seconds),
    })
}

/// CloudFormation passes numbers and booleans as texts.
fn as_texts(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(as_texts).collect(),
        Value::Object(map) => map.into_iter().map(|(name, value)| (name, as_texts(value))).collect(),
        Value::Null => Value::Null,
        plain => Value::String(text(&plain)),
    }
}
