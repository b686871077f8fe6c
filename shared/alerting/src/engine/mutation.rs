//! The changes that can be applied to an incident's document.

use crate::incident::{Receipt, Signal};
use std::collections::BTreeSet;

/// A change to an incident's document.
#[derive(Clone, Debug)]
pub(super) enum Mutation {
    /// An event arrived.
    Signal(Signal),
    /// A notification was sent, or failed to be sent.
    Receipt { incident: String, target: String, receipt: Receipt },
    /// Decide for the remaining targets, because one transaction cannot take them all. The set lists the decisions
    /// already made, by incident and target.
    Continue(BTreeSet<(String, String)>),
    /// A timer fired for an incident that was suppressed: decide again.
    LookAgain,
    /// The hourly sweep found a resolution that was not sent in time.
    Overdue,
    /// The hourly sweep checks whether targets must be reminded of the open incident.
    Remind,
}

impl Mutation {
    pub(super) fn is_decided(&self, incident: &str, target: &str) -> bool {
        let Self::Continue(decided) = self else { return false };
        decided.iter().any(|(one, of)| one == incident && of == target)
    }

    /// The mutation that decides for all targets except those in `decided`.
    pub(super) fn rest(&self, decided: impl Iterator<Item = (String, String)>) -> Self {
        let before = if let Self::Continue(before) = self { before.clone() } else { BTreeSet::new() };
        Self::Continue(before.into_iter().chain(decided).collect())
    }
}
