//! Rules and sites, as the checked file has them. No I/O.

use crate::conditions::Conditions;
use crate::error::Problem;
use crate::family;
use crate::file::Position;
use crate::invalid::InvalidTemplate;
use crate::message::Message;
use crate::schedule::Hours;
use crate::window::Window;
use jiff::tz::TimeZone;
use serde_json::Value;
use std::collections::BTreeMap;
use tableau::{EventName, SiteLuid};

/// After how many failures in a row Tableau suspends a scheduled refresh, if its administrator has not changed that.
/// Tableau Server's setting is `backgrounder.failure_threshold_for_run_prevention`.
///
/// Source: <https://help.tableau.com/current/server/en-us/extract_refresh_alert.htm>
pub const SUSPENDS_AFTER: u32 = 5;

/// The word for a site where Tableau never suspends a refresh.
pub(crate) const NEVER: &str = "never";

/// A site that may send events.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// Its LUID, the only thing that an event says about it.
    pub luid: SiteLuid,
    /// Its name.
    pub name: String,
    /// The time zone of its users.
    pub timezone: TimeZone,
    /// After how many failures in a row Tableau suspends a scheduled refresh. `None`: messages do not say it.
    pub suspends_after: Option<u32>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) on: Vec<EventName>,
    /// The same as a set: [`family::bit`] of each.
    pub(crate) on_bits: u32,
    pub(crate) conditions: Conditions,
    /// The rule does not match if one of these holds.
    pub(crate) unless: Vec<Conditions>,
    /// It matches only if no rule above does.
    pub(crate) otherwise: bool,
    pub(crate) hours: Hours,
    pub(crate) message: Option<Message>,
    /// Workflows by name, each with its settings.
    pub(crate) actions: Vec<(String, Settings)>,
}

/// A time in which alerts are suppressed and recoveries are sent.
#[derive(Clone, Debug)]
pub(crate) struct Maintenance {
    pub(crate) name: String,
    pub(crate) conditions: Conditions,
    pub(crate) window: Window,
}

impl Rule {
    pub(crate) fn is_for(&self, event: &EventName) -> bool {
        self.is_for_bit(family::bit(event), event)
    }

    /// Whether it is for the event of which this is [`family::bit`]. An event without one is one of the file's own, or none.
    pub(crate) fn is_for_bit(&self, bit: u32, event: &EventName) -> bool {
        if bit == 0 { self.on.contains(event) } else { self.on_bits & bit != 0 }
    }

    /// Whether it has an action for this workflow.
    pub(crate) fn acts(&self, workflow: &str) -> bool {
        self.actions.iter().any(|(name, _)| name == workflow)
    }

    /// The settings of each of its actions for a workflow, in the file's order.
    pub(crate) fn settings_of(&self, workflow: &str) -> impl Iterator<Item = &Settings> {
        self.actions.iter().filter(move |(name, _)| name == workflow).map(|(_, settings)| settings)
    }
}

/// The settings of an action, with the defaults of its workflow.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) value: Value,
    /// Where the workflow's name stands.
    pub(crate) at: Position,
    pub(crate) positions: Positions,
}

/// Where a setting stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) key: Position,
    pub(crate) value: Position,
    /// Where the first line of the value stands, if the value is a text behind `|`, which has the lines of the file.
    pub(crate) block: Option<Position>,
}

/// Where each setting stands.
pub(crate) type Positions = BTreeMap<String, Place>;

impl Settings {
    /// What is wrong with the setting that this path begins with: with its key, if it is not known, else with its value.
    pub(crate) fn wrong(&self, path: &str, rule: &str, text: impl Into<String>) -> Problem {
        let first = path.split(['.', '[']).next().unwrap_or_default();
        let text = text.into();
        let at = match self.positions.get(first) {
            Some(place) if text.starts_with("unknown field") || first.contains(':') => place.key,
            Some(place) => place.value,
            None => self.at,
        };
        Problem::of_rule(at, rule, text)
    }

    /// What is wrong with a template: at the line that it is about, if the file has that line; else the text says the line.
    pub(crate) fn wrong_within(&self, invalid: &InvalidTemplate, rule: &str) -> Problem {
        let InvalidTemplate { field, line, problem } = invalid;
        let block = self.positions.get(*field).and_then(|place| place.block);
        if let Some(start) = block {
            let below = line.and_then(|line| u64::try_from(line.saturating_sub(1)).ok()).unwrap_or_default();
            let at = Position { line: start.line + below, ..start };
            return Problem::of_rule(at, rule, format!("{field}: {problem}"));
        }
        let written = self.value.get(*field).and_then(Value::as_str).unwrap_or_default();
        let text = match line {
            Some(line) if written.trim_end().contains('\n') => {
                format!("{field}: line {line} of the template: {problem}")
            }
            _ => format!("{field}: {problem}"),
        };
        self.wrong(field, rule, text)
    }
}
