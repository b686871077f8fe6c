//! Reads functions, the queues they process, and the schedules that invoke them.

use super::resource::Resource;
use super::{Function, Mapping, Repeated};
use crate::Error;
use crate::aws::names::last_part;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

const KNOWN: [&str; 24] = [
    "Architectures",
    "CodeUri",
    "Description",
    "Environment",
    "EphemeralStorage",
    "EventInvokeConfig",
    "Events",
    "FunctionName",
    "Handler",
    "Layers",
    "LoggingConfig",
    "MemorySize",
    "PackageType",
    "PermissionsBoundary",
    "Policies",
    "RecursiveLoop",
    "ReservedConcurrentExecutions",
    "Role",
    "Runtime",
    "RuntimeManagementConfig",
    "Tags",
    "Timeout",
    "Tracing",
    "VpcConfig",
];

/// Merges a function's properties over the properties in `Globals`.
fn merged(global: &Value, own: &Value) -> Value {
    match (global, own) {
        (Value::Object(global), Value::Object(own)) => {
            let mut all = global.clone();
            for (name, value) in own {
                let value = global.get(name).map_or_else(|| value.clone(), |global| merged(global, value));
                all.insert(name.clone(), value);
            }
            Value::Object(all)
        }
        (global, Value::Null) => global.clone(),
        (_, own) => own.clone(),
    }
}

/// Reads a function and everything that invokes it.
pub(super) struct Read {
    pub(super) function: Function,
    pub(super) mappings: Vec<Mapping>,
    pub(super) repeated: Vec<Repeated>,
}

pub(super) fn function(resource: &Resource<'_>) -> Result<Read, Error> {
    resource.only(&KNOWN)?;
    let global = &resource.resolver.root["Globals"]["Function"];
    let body = json!({ "Properties": merged(global, &resource.body["Properties"]) });
    let whole = Resource { resolver: resource.resolver, id: resource.id, body: &body };
    let binary = resource.body["Metadata"]["BuildProperties"]["Binary"].as_str();
    let binary = binary.ok_or_else(|| resource.error("Metadata", "BuildProperties.Binary is missing"))?;
    let name = resource.name()?;
    let memory_mb = whole.number("MemorySize")?.unwrap_or(128);
    let mut environment = environment(&whole)?;
    // Lambda passes the log format in environment variables too.
    for (setting, variable) in
        [("LogFormat", "AWS_LAMBDA_LOG_FORMAT"), ("ApplicationLogLevel", "AWS_LAMBDA_LOG_LEVEL")]
    {
        if let Some(value) = whole.text(&format!("LoggingConfig.{setting}"))? {
            environment.insert(variable.to_owned(), value);
        }
    }
    let recursion_allowed = match whole.text("RecursiveLoop")?.as_deref() {
        Some("Allow") => true,
        None | Some("Terminate") => false,
        Some(_) => return Err(whole.error("RecursiveLoop", "must be Allow or Terminate")),
    };
    let function = Function {
        logical_id: resource.id.to_owned(),
        name: name.clone(),
        binary: binary.to_owned(),
        environment,
        timeout: Duration::from_secs(whole.number("Timeout")?.unwrap_or(3)),
        memory_mb: u32::try_from(memory_mb).map_err(|_| whole.error("MemorySize", "is too large"))?,
        recursion_allowed,
    };
    let events = resource.body["Properties"]["Events"].as_object();
    let mut read = Read { function, mappings: Vec::new(), repeated: Vec::new() };
    for (event, body) in events.into_iter().flatten() {
        let id = format!("{}.Events.{event}", resource.id);
        let event = Resource { resolver: resource.resolver, id: &id, body };
        match event.kind() {
            "SQS" => read.mappings.extend(mapping(&event, &name)?),
            "Schedule" => read.repeated.extend(repeated(&event, &name)?),
            other => return Err(event.error("Type", format!("{other} is not understood here"))),
        }
    }
    Ok(read)
}

/// The schedule of a `Schedule` event; `None` when it is disabled.
///
/// Source: <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-schedule.html>
fn repeated(event: &Resource<'_>, function: &str) -> Result<Option<Repeated>, Error> {
    event.only(&["DeadLetterConfig", "Description", "Enabled", "Input", "RetryPolicy", "Schedule"])?;
    if event.text("Enabled")?.as_deref() == Some("false") {
        return Ok(None);
    }
    let expression = event.required_text("Schedule")?;
    let every = every(&expression);
    let every =
        every.ok_or_else(|| event.error("Schedule", format!("`{expression}` is not understood here")))?;
    let input = event.required_text("Input")?;
    let input = serde_json::from_str(&input).map_err(|_| event.error("Input", "is not JSON"))?;
    Ok(Some(Repeated { function: function.to_owned(), every, input }))
}

/// The interval of a rate expression: `rate(1 hour)`, `rate(5 minutes)`.
fn every(expression: &str) -> Option<Duration> {
    let (count, unit) = expression.strip_prefix("rate(")?.strip_suffix(')')?.split_once(' ')?;
    let count: u64 = count.parse().ok().filter(|count| *count > 0)?;
    let unit = match (count, unit) {
        (1, "minute") | (2.., "minutes") => 60,
        (1, "hour") | (2.., "hours") => 3_600,
        (1, "day") | (2.., "days") => 86_400,
        _ => return None,
    };
    Some(Duration::from_secs(count.checked_mul(unit)?))
}

/// Resolve the variables one by one, so that an error names the variable.
fn environment(function: &Resource<'_>) -> Result<BTreeMap<String, String>, Error> {
    let variables = &function.body["Properties"]["Environment"]["Variables"];
    let variables = variables.as_object().into_iter().flatten().filter_map(|(name, value)| {
        let error = |reason| function.error(&format!("Environment.Variables.{name}"), reason);
        match function.resolver.resolve(value) {
            Ok(None) => None,
            Ok(Some(Value::Array(_) | Value::Object(_))) => Some(Err(error("a text is expected".to_owned()))),
            Ok(Some(value)) => Some(Ok((name.clone(), super::yaml::text(&value)))),
            Err(reason) => Some(Err(error(reason))),
        }
    });
    variables.collect()
}

/// The event source mapping of an `SQS` event; `None` when it is disabled.
fn mapping(event: &Resource<'_>, function: &str) -> Result<Option<Mapping>, Error> {
    let known = ["BatchSize", "Enabled", "FunctionResponseTypes", "Queue", "ScalingConfig"];
    event.only(&[known.as_slice(), &["MaximumBatchingWindowInSeconds"]].concat())?;
    if event.text("Enabled")?.as_deref() == Some("false") {
        return Ok(None);
    }
    let responses = event.list("FunctionResponseTypes")?;
    if let Some(other) = responses.iter().find(|kind| **kind != "ReportBatchItemFailures") {
        return Err(event.error("FunctionResponseTypes", format!("{other} is not understood here")));
    }
    let batch_size = event.number("BatchSize")?.unwrap_or(10);
    let batch_size = usize::try_from(batch_size).ok().filter(|size| (1..=10).contains(size));
    let at_once = event.number("ScalingConfig.MaximumConcurrency")?;
    let at_once = at_once.map(|most| match usize::try_from(most) {
        Ok(most @ 2..=1000) => Ok(most),
        _ => Err(event.error("ScalingConfig.MaximumConcurrency", "must be from 2 to 1000")),
    });
    Ok(Some(Mapping {
        function: function.to_owned(),
        queue: last_part(&event.required_text("Queue")?).to_owned(),
        batch_size: batch_size.ok_or_else(|| event.error("BatchSize", "from 1 to 10 is understood here"))?,
        reports_failures: !responses.is_empty(),
        maximum_concurrency: at_once.transpose()?,
    }))
}
