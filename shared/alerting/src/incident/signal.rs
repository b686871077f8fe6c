//! Signals: what an event or the sweep says about an object's refreshes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What an event or the sweep says about an object's refreshes. Times are Tableau's, in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// A refresh began.
    Started(Timestamp),
    /// A refresh failed.
    Failed(Timestamp, RefreshKind),
    /// A refresh succeeded.
    Succeeded(Timestamp, RefreshKind),
    /// Tableau's job list shows a successful refresh, but no success event arrived.
    FoundSucceeded(Timestamp, RefreshKind),
    /// The object was deleted, which ends its incident.
    Deleted(Timestamp),
}

/// The kind of a refresh. An object may have a full and an incremental schedule, and one may fail while the other
/// succeeds. Events do not say the kind; Tableau's job list does.
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
    /// Whether a success of this kind ends a failure of the kind `failed`. An unknown kind, on either side, counts as
    /// equal.
    pub fn resolves(self, failed: Self) -> bool {
        self == failed || self == Self::Unknown || failed == Self::Unknown
    }
}

/// What a signal changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Transition {
    /// Nothing: no incident is open, or another kind of refresh still fails.
    Unchanged,
    /// An incident opened.
    Opened,
    /// An open incident has one more failure.
    FailedAgain,
    /// The open incident was resolved.
    Resolved,
    /// The signal is older than something already known, so it is ignored.
    Outdated,
}
