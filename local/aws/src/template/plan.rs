//! What a template describes.

use crate::aws::{QueueSpec, StackResource, TableSpec, Target};
use crate::gateway::RouteKey;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// What a template describes, with every reference resolved.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The functions.
    pub functions: Vec<Function>,
    /// The routes of the HTTP API.
    pub routes: Vec<Route>,
    /// How many requests the HTTP API takes, if its stage says so.
    pub throttling: Option<Throttling>,
    /// The queues.
    pub queues: Vec<QueueSpec>,
    /// Which function works on which queue.
    pub mappings: Vec<Mapping>,
    /// The names of the event buses.
    pub buses: Vec<String>,
    /// The rules on them.
    pub rules: Vec<Rule>,
    /// The groups of schedules, which are empty at first.
    pub schedule_groups: Vec<String>,
    /// What invokes a function again and again.
    pub repeated: Vec<Repeated>,
    /// The tables.
    pub tables: Vec<TableSpec>,
    /// The secrets.
    pub secrets: Vec<Secret>,
    /// What functions make when the stack is created, in the order in which it is made.
    pub custom: Vec<Custom>,
    /// What the template prints when it is deployed, by name. What a function's answer says stands as `{{resource.attribute}}`
    /// until there is the answer.
    pub outputs: BTreeMap<String, String>,
    /// All resources, those without a counterpart here included.
    pub resources: Vec<StackResource>,
}

/// A function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// The name of its resource in the template.
    pub logical_id: String,
    /// Its name: the one it asks for, or its binary's.
    pub name: String,
    /// The name of its binary.
    pub binary: String,
    /// Its variables.
    pub environment: BTreeMap<String, String>,
    /// How long an invocation may take.
    pub timeout: Duration,
    /// Its memory.
    pub memory_mb: u32,
    /// Whether it may go on being invoked by what it sent itself: `RecursiveLoop: Allow`.
    pub recursion_allowed: bool,
}

/// A route of the HTTP API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Which requests it takes.
    pub key: RouteKey,
    /// The name of the function that answers them.
    pub function: String,
    /// How long the API waits for the function.
    pub timeout: Duration,
}

/// How many requests a stage takes; more are answered 429.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttling {
    /// Requests per second, on average.
    pub rate_per_second: u32,
    /// Requests at once.
    pub burst: u32,
}

/// An event source mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The name of the function.
    pub function: String,
    /// The name of the queue.
    pub queue: String,
    /// The most messages per invocation.
    pub batch_size: usize,
    /// Whether the function's answer says which messages failed.
    pub reports_failures: bool,
    /// The most invocations at the same time, if the template says so.
    pub maximum_concurrency: Option<usize>,
}

/// A schedule of the template that invokes a function again and again.
#[derive(Clone, Debug, PartialEq)]
pub struct Repeated {
    /// The name of the function.
    pub function: String,
    /// The time between two invocations.
    pub every: Duration,
    /// What it is invoked with.
    pub input: Value,
}

/// A rule on a bus.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The name of its resource in the template.
    pub name: String,
    /// The name of the bus.
    pub bus: String,
    /// Its event pattern.
    pub pattern: Value,
    /// Where the events go.
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
    /// The name of its resource in the template.
    pub logical_id: String,
    /// Its name.
    pub name: String,
    /// What it holds when it is created.
    pub content: SecretContent,
}

/// What a secret holds when it is created.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SecretContent {
    /// Nothing: a value is put later.
    Empty,
    /// A text from the template.
    Text(String),
    /// Random letters and digits.
    Generated {
        /// How many.
        length: usize,
        /// The JSON object they go into, and the key under which they do.
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
        }
    }
}

/// What stands for an attribute of a custom resource until its function has answered.
pub(super) fn placeholder(resource: &str, attribute: &str) -> String {
    format!("{{{{{resource}.{attribute}}}}}")
}
