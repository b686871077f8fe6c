//! How refreshes end, and why. No I/O.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Why a refresh failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The class of the reason.
    pub class: String,
    /// The reason in the job's own words, without secrets.
    pub line: String,
    /// What to do about it.
    pub next_step: String,
}

/// Why a refresh was not started, which a caller is told with a status of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Tableau refuses the user of the service.
    TableauRefused,
    /// A live connection has nothing to refresh.
    LiveConnection,
    /// The content cannot be refreshed incrementally, and the caller does not want a full refresh.
    NoIncremental,
    /// The site does not allow refreshes on demand.
    NotAllowedOnSite,
    /// Tableau does not have the content any more.
    NotFound,
    /// The refresh would start itself.
    WouldStartItself,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndStatus {
    /// The refresh succeeded.
    Succeeded,
    /// It failed, or was not started.
    Failed,
    /// Its job was cancelled, or no one waited for it any more.
    Cancelled,
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// How it ended.
    pub status: EndStatus,
    /// When.
    pub at: Timestamp,
    /// When Tableau began, if it did.
    pub started_at: Option<Timestamp>,
    /// The job, if one is known.
    pub job: Option<String>,
    /// Whether the refresh was incremental.
    pub incremental: bool,
    /// One sentence for people.
    pub message: String,
    /// Why it failed, if that is known.
    pub cause: Option<Cause>,
    /// Why it was not started.
    #[serde(default)]
    pub refusal: Option<Refusal>,
}
