//! How the function `reconcile-webhooks` is started, and what it answers. No I/O.
//!
//! The command line starts it too, and may depend on no function.

use crate::report::Report;
use serde::{Deserialize, Serialize};

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
