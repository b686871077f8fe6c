//! What is remembered about targets and incidents.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::Document;

/// The key of what is known about a target.
pub(crate) fn target_key(target: &str) -> String {
    format!("target#{target}")
}

/// The key of what is known about the incident of an object.
pub(crate) fn incident_key(object: &str) -> String {
    format!("incident#{object}")
}

/// A target that wants no more events, until its URL or secret changes or a test is accepted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct TargetState {
    pub(crate) stopped: Option<Stop>,
}

/// Why a target gets no events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stop {
    /// When it said so.
    pub(crate) at: Timestamp,
    /// What it said.
    pub(crate) why: String,
    /// Which URL and secret it had.
    pub(crate) fingerprint: String,
}

impl Document for TargetState {
    const KIND: &'static str = "forward";
    /// It must not start again because time has passed.
    const KEPT_DAYS: i64 = 3_650;
}

/// The failures of one object that were forwarded, by destination, until a refresh succeeds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct IncidentState {
    pub(crate) open: BTreeMap<String, Open>,
    /// When a refresh last succeeded, or the object was deleted.
    #[serde(default)]
    pub(crate) ended_at: Option<Timestamp>,
}

/// A failure that was forwarded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Open {
    /// The id of its event.
    pub(crate) event: String,
    /// When it was forwarded.
    pub(crate) at: Timestamp,
    /// When it happened.
    pub(crate) failed_at: Timestamp,
    /// The id of what the target has made, such as an issue; unset until it has answered.
    pub(crate) made: Option<String>,
    /// Until when it keeps others back without an answer of the target.
    #[serde(default)]
    pub(crate) held_until: Option<Timestamp>,
}

impl Document for IncidentState {
    const KIND: &'static str = "forward";
    const KEPT_DAYS: i64 = 400;
}
