//! What matched an event.

use crate::facts::Lookup;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The rules and maintenance windows that match an event. Timers, which come later, take them from here: nothing is looked up
/// for them again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matched {
    /// The names of the rules, in the file's order.
    #[serde(rename = "r", default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
    /// The names of the maintenance windows whose conditions hold, whether it is their time or not.
    #[serde(rename = "m", default, skip_serializing_if = "Vec::is_empty")]
    pub maintenance: Vec<String>,
    /// What could not be looked up, for the message.
    #[serde(skip)]
    pub missing: Vec<MissingFact>,
}

/// Something that a rule asks and that could not be looked up: its condition counts as matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingFact {
    /// The rule.
    pub rule: String,
    /// What was asked.
    pub lookup: Lookup,
    /// Why it is not known: for people, without a full stop.
    pub why: String,
}

impl fmt::Display for MissingFact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, lookup, why } = self;
        write!(f, "rule \"{rule}\" counts as matched, because the {lookup} could not be looked up: {why}")
    }
}
