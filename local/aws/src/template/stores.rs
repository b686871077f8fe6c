//! Reads queues, rules, tables and secrets.

use super::resource::Resource;
use super::yaml::text;
use super::{Rule, Secret, SecretContent};
use crate::Error;
use crate::aws::names::last_part;
use crate::aws::{DeadLetters, IndexSpec, KeyAttribute, KeyKind, KeySchema, QueueSpec, TableSpec, Target};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

pub(super) fn queue(resource: &Resource<'_>) -> Result<QueueSpec, Error> {
    resource.only(&[
        "KmsDataKeyReusePeriodSeconds",
        "KmsMasterKeyId",
        "MaximumMessageSize",
        "MessageRetentionPeriod",
        "QueueName",
        "ReceiveMessageWaitTimeSeconds",
        "RedriveAllowPolicy",
        "RedrivePolicy",
        "SqsManagedSseEnabled",
        "Tags",
        "VisibilityTimeout",
    ])?;
    let dead_letters = match resource.text("RedrivePolicy.deadLetterTargetArn")? {
        None => None,
        Some(target) => {
            let max = resource.number("RedrivePolicy.maxReceiveCount")?;
            let max = max.and_then(|max| u32::try_from(max).ok()).filter(|max| (1..=1000).contains(max));
            let max = max.ok_or_else(|| resource.error("RedrivePolicy.maxReceiveCount", "from 1 to 1000"))?;
            Some(DeadLetters { queue: last_part(&target).to_owned(), max_receive_count: max })
        }
    };
    let visibility_timeout = Duration::from_secs(resource.number("VisibilityTimeout")?.unwrap_or(30));
    Ok(QueueSpec { name: resource.name()?, visibility_timeout, dead_letters })
}

/// The rule of a resource; `None` for an EventBridge schedule or a disabled rule.
pub(super) fn rule(resource: &Resource<'_>) -> Result<Option<Rule>, Error> {
    let known =
        ["Description", "EventBusName", "EventPattern", "Name", "State", "Targets", "ScheduleExpression"];
    resource.only(&known)?;
    let Some(pattern) = resource.get("EventPattern")? else { return Ok(None) };
    if resource.text("State")?.as_deref() == Some("DISABLED") {
        return Ok(None);
    }
    let bus = resource.text("EventBusName")?.unwrap_or_else(|| "default".to_owned());
    let targets = resource.list("Targets")?.into_iter().enumerate().map(|(at, target)| {
        let error = |part: &str, reason: String| resource.error(&format!("Targets[{at}]{part}"), reason);
        let known = ["Arn", "DeadLetterConfig", "Id", "InputPath", "RetryPolicy"];
        let unknown =
            target.as_object().into_iter().flatten().find(|(name, _)| !known.contains(&name.as_str()));
        if let Some((name, _)) = unknown {
            return Err(error(&format!(".{name}"), "is not understood here".to_owned()));
        }
        let arn = text(&target["Arn"]);
        if !arn.starts_with("arn:aws:sqs:") {
            return Err(error(".Arn", format!("`{arn}` is not a queue")));
        }
        let input_path = target["InputPath"].as_str().map(str::to_owned);
        Ok(Target { queue: last_part(&arn).to_owned(), input_path })
    });
    let targets = targets.collect::<Result<_, _>>()?;
    Ok(Some(Rule { name: resource.id.to_owned(), bus: last_part(&bus).to_owned(), pattern, targets }))
}

pub(super) fn table(resource: &Resource<'_>) -> Result<TableSpec, Error> {
    resource.only(&[
        "AttributeDefinitions",
        "BillingMode",
        "DeletionProtectionEnabled",
        "GlobalSecondaryIndexes",
        "KeySchema",
        "OnDemandThroughput",
        "PointInTimeRecoverySpecification",
        "SSESpecification",
        "TableClass",
        "TableName",
        "Tags",
        "TimeToLiveSpecification",
    ])?;
    let attributes = resource.list("AttributeDefinitions")?;
    let schema = |keys: &[Value], property: &str| key_schema(resource, property, keys, &attributes);
    let indexes = resource.list("GlobalSecondaryIndexes")?.into_iter().enumerate().map(|(at, index)| {
        let property = format!("GlobalSecondaryIndexes[{at}]");
        let keys = index["KeySchema"].as_array().map(Vec::as_slice).unwrap_or_default();
        let key = schema(keys, &property)?;
        let included = index["Projection"]["NonKeyAttributes"].as_array().into_iter().flatten().map(text);
        let carries = match index["Projection"]["ProjectionType"].as_str() {
            Some("ALL") => None,
            Some("KEYS_ONLY") => Some(BTreeSet::new()),
            Some("INCLUDE") => Some(included.collect()),
            _ => return Err(resource.error(&property, "has no ProjectionType")),
        };
        Ok((text(&index["IndexName"]), IndexSpec { key, carries }))
    });
    let indexes = indexes.collect::<Result<_, Error>>()?;
    Ok(TableSpec { name: resource.name()?, key: schema(&resource.list("KeySchema")?, "KeySchema")?, indexes })
}

fn key_schema(
    resource: &Resource<'_>,
    property: &str,
    keys: &[Value],
    attributes: &[Value],
) -> Result<KeySchema, Error> {
    let key = |kind: &str| {
        let Some(key) = keys.iter().find(|key| key["KeyType"] == *kind) else { return Ok(None) };
        let name = &key["AttributeName"];
        let definition = attributes.iter().find(|attribute| attribute["AttributeName"] == *name);
        let kind = match definition.map(|definition| text(&definition["AttributeType"])).as_deref() {
            Some("S") => KeyKind::S,
            Some("N") => KeyKind::N,
            Some("B") => KeyKind::B,
            _ => return Err(resource.error(property, format!("{name} has no type in AttributeDefinitions"))),
        };
        Ok(Some(KeyAttribute { name: text(name), kind }))
    };
    let partition = key("HASH")?.ok_or_else(|| resource.error(property, "has no HASH key"))?;
    Ok(KeySchema { partition, sort: key("RANGE")? })
}

pub(super) fn secret(resource: &Resource<'_>) -> Result<Secret, Error> {
    resource.only(&["Description", "GenerateSecretString", "KmsKeyId", "Name", "SecretString", "Tags"])?;
    let content = match (resource.get("GenerateSecretString")?, resource.text("SecretString")?) {
        (None, None) => SecretContent::Empty,
        (None, Some(text)) => SecretContent::Text(text),
        (Some(_), Some(_)) => {
            return Err(resource.error("SecretString", "cannot stand beside GenerateSecretString"));
        }
        (Some(_), None) => generated(resource)?,
    };
    Ok(Secret { logical_id: resource.id.to_owned(), name: resource.name()?, content })
}

/// The excluded characters do not matter: the generated value has only letters and digits.
fn generated(resource: &Resource<'_>) -> Result<SecretContent, Error> {
    let at = |part: &str| format!("GenerateSecretString.{part}");
    let length = resource.number(&at("PasswordLength"))?.unwrap_or(43);
    let length = usize::try_from(length).ok().filter(|length| (1..=4096).contains(length));
    let length = length.ok_or_else(|| resource.error(&at("PasswordLength"), "from 1 to 4096"))?;
    let key = resource.text(&at("GenerateStringKey"))?;
    let template = resource.text(&at("SecretStringTemplate"))?;
    let within = match (template, key) {
        (None, None) => None,
        (Some(template), Some(key)) => match serde_json::from_str(&template) {
            Ok(Value::Object(map)) => Some((map, key)),
            _ => return Err(resource.error(&at("SecretStringTemplate"), "is not a JSON object")),
        },
        _ => return Err(resource.error(&at("GenerateStringKey"), "goes with SecretStringTemplate")),
    };
    Ok(SecretContent::Generated { length, within })
}
