//! What starts the function. No I/O.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use webhooks::Report;

/// What CloudFormation requests. All that the template says of the resource counts: a change of it starts a run.
pub type Request = custom_resource::Request<Value>;

/// What starts the function.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Event {
    /// CloudFormation, for the resource `Webhooks`.
    CloudFormation(Box<Request>),
    /// Anything else.
    Start(Start),
}

/// What starts a run, other than CloudFormation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "start")]
pub enum Start {
    /// The schedule.
    #[serde(rename = "schedule")]
    Periodic,
    /// Rules were published.
    Rules,
    /// A person has agreed to a plan.
    Plan {
        /// The plan's digest.
        digest: String,
    },
}

/// What a run answers, unless CloudFormation has started it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The webhooks are as the rules need them, but for what the report says.
    Report(Report),
    /// Nothing was done, and nothing had to be: why.
    Nothing(String),
    /// Nothing was done: why not.
    Error(String),
}
