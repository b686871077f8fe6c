//! Rules and sites, as the checked file has them. No I/O.

use crate::schedule::Hours;
use jiff::tz::TimeZone;
use serde_json::Value;
use std::collections::BTreeMap;
use tableau::{EventName, SiteLuid};

/// A site that may send events.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// Its LUID, the only thing that an event says about it.
    pub luid: SiteLuid,
    /// Its name.
    pub name: String,
    /// Where its people live.
    pub timezone: TimeZone,
}

#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) on: Vec<EventName>,
    pub(crate) hours: Hours,
    /// Workflows by name, each with its settings.
    pub(crate) actions: Vec<(String, Settings)>,
}

impl Rule {
    /// What the rule says to a workflow, in the file's order.
    pub(crate) fn settings_of(&self, workflow: &str) -> impl Iterator<Item = &Settings> {
        self.actions.iter().filter(move |(name, _)| name == workflow).map(|(_, settings)| settings)
    }
}

/// What a rule says to a workflow.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) value: Value,
    /// The line of the workflow's name.
    pub(crate) line: u64,
    /// The lines of the settings.
    pub(crate) lines: BTreeMap<String, u64>,
}

impl Settings {
    /// The line of what this path begins with.
    pub(crate) fn line_of(&self, path: &str) -> u64 {
        let first = path.split(['.', '[']).next().unwrap_or_default();
        self.lines.get(first).copied().unwrap_or(self.line)
    }
}
