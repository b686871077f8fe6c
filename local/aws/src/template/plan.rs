//! The resolved content of a template.

use crate::Error;
use crate::aws::{QueueSpec, StackResource, TableSpec, Target};
use crate::gateway::RouteKey;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// The content of a template, with every reference resolved.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The functions.
    pub functions: Vec<Function>,
    /// The routes of the HTTP API.
    pub routes: Vec<Route>,
    /// The throttling limits of the HTTP API, if its stage sets them.
    pub throttling: Option<Throttling>,
    /// The queues.
    pub queues: Vec<QueueSpec>,
    /// The event source mappings: which function processes which queue.
    pub mappings: Vec<Mapping>,
    /// The names of the event buses.
    pub buses: Vec<String>,
    /// The rules on the event buses.
    pub rules: Vec<Rule>,
    /// The schedule groups, which are empty at first.
    pub schedule_groups: Vec<String>,
    /// The template's schedules, which invoke functions at an interval.
    pub repeated: Vec<Repeated>,
    /// The tables.
    pub tables: Vec<TableSpec>,
    /// The names of the buckets.
    pub buckets: Vec<String>,
    /// The secrets.
    pub secrets: Vec<Secret>,
    /// What functions make when the stack is created, in the order in which it is made.
    pub custom: Vec<Custom>,
    /// What the template prints when it is deployed, by name. What a function's answer says stands as `{{resource.attribute}}`
    /// until there is the answer.
    pub outputs: BTreeMap<String, String>,
    /// All resources, including those without a local counterpart.
    pub resources: Vec<StackResource>,
}

/// A function of the template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// The function's logical id.
    pub logical_id: String,
    /// The function's name: from its properties, or else its binary's name.
    pub name: String,
    /// The name of the function's binary.
    pub binary: String,
    /// The function's environment variables.
    pub environment: BTreeMap<String, String>,
    /// The timeout of one invocation.
    pub timeout: Duration,
    /// The function's memory, in MB.
    pub memory_mb: u32,
    /// Whether recursive invocations are allowed: `RecursiveLoop: Allow`.
    pub recursion_allowed: bool,
}

/// A route of the HTTP API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The route key: which requests the route matches.
    pub key: RouteKey,
    /// The name of the function that answers the requests.
    pub function: String,
    /// How long the HTTP API waits for the function.
    pub timeout: Duration,
}

/// The throttling limits of a stage. Requests above them are answered 429.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttling {
    /// The rate limit: requests per second, on average.
    pub rate_per_second: u32,
    /// The burst limit: requests at the same moment.
    pub burst: u32,
}

/// An event source mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The name of the function.
    pub function: String,
    /// The name of the queue.
    pub queue: String,
    /// The most messages in one invocation.
    pub batch_size: usize,
    /// Whether the function's answer lists the messages that failed (`ReportBatchItemFailures`).
    pub reports_failures: bool,
    /// The most simultaneous invocations (`MaximumConcurrency`), if the template sets it.
    pub maximum_concurrency: Option<usize>,
}

/// A schedule of the template, which invokes a function at an interval.
#[derive(Clone, Debug, PartialEq)]
pub struct Repeated {
    /// The name of the function.
    pub function: String,
    /// The interval between two invocations.
    pub every: Duration,
    /// The event that the function gets.
    pub input: Value,
}

/// A rule on an event bus.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The rule's logical id.
    pub name: String,
    /// The name of the event bus.
    pub bus: String,
    /// Its event pattern.
    pub pattern: Value,
    /// The targets of the rule.
    pub targets: Vec<Target>,
}

/// A custom resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Custom {
    /// The name of its resource in the template.
    pub logical_id: String,
    /// Its type, such as `Custom::Widget`.
    pub kind: String,
    /// The name of the function that makes it.
    pub function: String,
    /// What the function gets, texts all of them but for lists and objects.
    pub properties: Value,
    /// How long its answer may take.
    pub timeout: Duration,
}

/// A secret.
#[derive(Clone, Debug, PartialEq)]
pub struct Secret {
    /// The secret's logical id.
    pub logical_id: String,
    /// The secret's name.
    pub name: String,
    /// The secret's value at creation.
    pub content: SecretContent,
}

/// The value of a secret at creation.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SecretContent {
    /// No value: it is put later.
    Empty,
    /// A text from the template.
    Text(String),
    /// A generated value of random letters and digits (`GenerateSecretString`).
    Generated {
        /// The length of the generated value.
        length: usize,
        /// The JSON object that the generated value is put into, and its key there.
        within: Option<(serde_json::Map<String, Value>, String)>,
    },
}

impl Plan {
    /// Puts into the outputs what a custom resource has.
    pub(crate) fn fill_in(&mut self, resource: &str, attributes: &BTreeMap<String, Value>) {
        for (name, value) in attributes {
            let there = placeholder(resource, name);
            let text = super::yaml::text(value);
            self.outputs.values_mut().for_each(|output| *output = output.replace(&there, &text));
            self.custom.iter_mut().for_each(|custom| replace(&mut custom.properties, &there, &text));
        }
    }

    /// Puts each custom resource behind those whose attributes it has.
    pub(super) fn order_custom(&mut self) -> Result<(), Error> {
        let mut left = std::mem::take(&mut self.custom);
        while !left.is_empty() {
            let waits = |custom: &Custom| {
                let text = custom.properties.to_string();
                left.iter().any(|other| text.contains(&format!("{{{{{}.", other.logical_id)))
            };
            let Some(next) = left.iter().position(|custom| !waits(custom)) else {
                return Err(Error::Template {
                    resource: left.remove(0).logical_id,
                    property: "Properties".to_owned(),
                    reason: "custom resources need each other".to_owned(),
                });
            };
            self.custom.push(left.remove(next));
        }
        Ok(())
    }
}

fn replace(value: &mut Value, there: &str, text: &str) {
    match value {
        Value::String(value) => *value = value.replace(there, text),
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, there, text)),
        Value::Object(map) => map.values_mut().for_each(|value| replace(value, there, text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What stands for an attribute of a custom resource until its function has answered.
pub(super) fn placeholder(resource: &str, attribute: &str) -> String {
    format!("{{{{{resource}.{attribute}}}}}")
}
