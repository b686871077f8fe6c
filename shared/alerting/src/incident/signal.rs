//! What an event says about an object's refreshes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What an event says about an object. Times are Tableau's own, to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// A refresh began.
    Started(Timestamp),
    /// A refresh failed.
    Failed(Timestamp, RefreshKind),
    /// A refresh succeeded.
    Succeeded(Timestamp, RefreshKind),
    /// Tableau's job list shows a success. Its event never came.
    FoundSucceeded(Timestamp, RefreshKind),
    /// The object was deleted, so nothing of it fails any more.
    Deleted(Timestamp),
}

/// Which of an object's refreshes: an object may have a full and an incremental schedule, and one may fail while the
/// other succeeds. Events do not say it; Tableau's job list does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefreshKind {
    /// A full refresh.
    Full,
    /// An incremental refresh.
    Incremental,
    /// Tableau did not say.
    #[default]
    Unknown,
}

impl RefreshKind {
    /// Whether a success of this kind ends a failure of the `failed` kind. Where Tableau did not say a kind, it does.
    pub fn resolves(self, failed: Self) -> bool {
        self == failed || self == Self::Unknown || failed == Self::Unknown
    }
}

/// What a signal changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Transition {
    /// Nothing: no incident is open, or the other kind of refresh still fails.
    Unchanged,
    /// An incident opened.
    Opened,
    /// An open incident has one more failure.
    FailedAgain,
    /// The open incident was resolved.
    Resolved,
    /// Something later is known already, so the signal counts for nothing.
    Outdated,
}
