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
    #[serde(rename = "u", default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<MissingFact>,
    /// The keys of the targets that the rules meant, such as channels: for when a rule has another name later.
    #[serde(rename = "t", default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
}

/// Something that a rule or a maintenance window asks and that could not be looked up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingFact {
    /// The rule, which counts as matched.
    #[serde(rename = "r", default, skip_serializing_if = "String::is_empty")]
    pub rule: String,
    /// The maintenance window, which does not count. Empty, or else `rule` is.
    #[serde(rename = "m", default, skip_serializing_if = "String::is_empty")]
    pub maintenance: String,
    /// What was asked: the words of its [`Lookup`].
    #[serde(rename = "l", default)]
    pub lookup: String,
    /// Why it is not known: for people, without a full stop.
    #[serde(rename = "y", default)]
    pub why: String,
}

impl MissingFact {
    pub(crate) fn of_rule(rule: &str, lookup: Lookup, why: String) -> Self {
        Self { rule: rule.to_owned(), maintenance: String::new(), lookup: lookup.to_string(), why }
    }

    pub(crate) fn of_maintenance(window: &str, lookup: Lookup, why: String) -> Self {
        Self { rule: String::new(), maintenance: window.to_owned(), lookup: lookup.to_string(), why }
    }
}

impl fmt::Display for MissingFact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, maintenance, lookup, why } = self;
        match maintenance.is_empty() {
            true => write!(f, "rule \"{rule}\" counts as matched")?,
            false => write!(f, "the maintenance \"{maintenance}\" does not count")?,
        }
        write!(f, ", because the {lookup} could not be looked up: {why}")
    }
}
