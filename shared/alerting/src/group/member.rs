//! One incident in a group, or one event in a group of events.

use crate::time::is_credible;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Names are as long as messages about many show them, in characters.
const NAME_LIMIT: usize = 60;

/// One incident in a group, or one event in a group of events. Stored as an item of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The incident's id; for an event its own short id.
    pub id: String,
    /// The object's name, as Tableau has it.
    pub name: String,
    /// Why it fails, in a few words. `None` when the cause is not known, and for events that are no failures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// When it began to fail, or happened.
    pub since: Timestamp,
    /// When it was resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Timestamp>,
    /// How it is announced.
    pub placement: Placement,
    /// The key of the object: its LUID.
    #[serde(default)]
    pub object: String,
    /// Whether it is an event, which has no end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_event: bool,
    /// The event's payload, for an announcement of its own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sample: String,
}

/// How a member is announced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Placement {
    /// With the group, once it is announced.
    #[default]
    Grouped,
    /// With messages of its own.
    Alone,
    /// Not at all: its rule was muted before the group was announced.
    Left,
}

impl Member {
    /// A member that is not resolved.
    pub fn new(id: &str, name: &str, cause: Option<&str>, since: Timestamp) -> Self {
        Self {
            id: id.to_owned(),
            name: name.chars().take(NAME_LIMIT).collect(),
            cause: cause.map(str::to_owned),
            since,
            resolved_at: None,
            placement: Placement::Grouped,
            object: String::new(),
            is_event: false,
            sample: String::new(),
        }
    }

    /// Whether it still fails, and the group announces it.
    pub fn is_in_group(&self) -> bool {
        self.is_firing() && self.placement == Placement::Grouped
    }

    /// Whether it still fails.
    pub fn is_firing(&self) -> bool {
        self.resolved_at.is_none()
    }

    /// Forgets instants that a wrong clock wrote.
    pub fn sanitize(&mut self, now: Timestamp) {
        self.since = if is_credible(self.since, now) { self.since } else { now };
        self.resolved_at = self.resolved_at.filter(|at| is_credible(*at, now));
    }
}
