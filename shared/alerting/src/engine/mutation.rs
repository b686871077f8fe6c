//! What changes an incident's document.

use crate::incident::{Receipt, Signal};
use std::collections::BTreeSet;

/// What changes an incident's document.
#[derive(Clone, Debug)]
pub(super) enum Mutation {
    /// An event.
    Signal(Signal),
    /// A notification was sent, or not.
    Receipt { incident: String, target: String, receipt: Receipt },
    /// More targets are to be decided for than one transaction takes: all but these, by incident and target.
    Continue(BTreeSet<(String, String)>),
    /// A timer: look again at an incident that was suppressed.
    LookAgain,
    /// The sweep: a resolution was not sent in time.
    Overdue,
    /// The sweep: a target may be to be reminded.
    Remind,
}

impl Mutation {
    pub(super) fn is_decided(&self, incident: &str, target: &str) -> bool {
        let Self::Continue(decided) = self else { return false };
        decided.iter().any(|(one, of)| one == incident && of == target)
    }

    /// What decides for all but what is decided by now.
    pub(super) fn rest(&self, decided: impl Iterator<Item = (String, String)>) -> Self {
        let before = if let Self::Continue(before) = self { before.clone() } else { BTreeSet::new() };
        Self::Continue(before.into_iter().chain(decided).collect())
    }
}
