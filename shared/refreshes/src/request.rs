//! A request of one caller. No I/O.

use crate::end::{Cause, Refusal};
use crate::wake::Wake;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;
use tableau::ContentKind;

/// The longest time that a request waits.
pub const LONGEST_TIMEOUT: SignedDuration = SignedDuration::from_hours(24);

/// What is refreshed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Its kind.
    pub kind: ContentKind,
    /// Its LUID, as Tableau writes it.
    pub luid: String,
    /// Its name when the request came: untrusted text.
    pub name: String,
    /// The names of its project and of those above, from the top. `None` if Tableau does not show them, as for a personal space.
    pub project: Option<Vec<String>>,
}

impl Target {
    /// `The data source Orders`, as sentences begin.
    pub fn sentence(&self) -> String {
        format!("The {} {}", self.kind, self.name)
    }
}

/// Who asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// A caller of the API.
    Key {
        /// The key's id.
        id: String,
        /// The caller's name.
        caller: String,
    },
    /// A rule, on an event.
    Rule {
        /// The rule's name.
        rule: String,
        /// The event's id.
        event: String,
    },
}

impl By {
    /// The caller's name, or the rule's.
    pub fn name(&self) -> &str {
        match self {
            Self::Key { caller, .. } => caller,
            Self::Rule { rule, .. } => rule,
        }
    }

    /// Whether this key has asked.
    pub fn is_key(&self, key: &str) -> bool {
        matches!(self, Self::Key { id, .. } if id == key)
    }
}

/// Where the result is sent. `Debug` does not show the path, which may be a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback {
    /// The address.
    pub url: String,
    /// How often it was tried.
    pub attempts: u32,
    /// What came of it.
    pub state: CallbackState,
}

/// What came of a callback.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackState {
    /// The end is not known, or the receiver has not taken it yet.
    Waits,
    /// The receiver has taken it.
    Delivered,
    /// It is not tried again.
    GivenUp {
        /// What was answered last.
        reason: String,
    },
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callback")
            .field("attempts", &self.attempts)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The refresh has not begun.
    Queued,
    /// Tableau refreshes.
    Running,
    /// It succeeded.
    Succeeded,
    /// It failed.
    Failed,
    /// The job or the request was cancelled.
    Cancelled,
    /// The request's own time is over. The job is left alone.
    TimedOut,
}

impl Status {
    /// As answers have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed_out",
        }
    }

    /// Whether it does not change any more.
    pub fn is_over(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// One that does not change any more.
    pub status: Status,
    /// When the refresh began, if it did.
    pub started_at: Option<Timestamp>,
    /// When it ended, or when the request did.
    pub ended_at: Timestamp,
    /// The job at Tableau, if one was made.
    pub job: Option<String>,
    /// Whether it was incremental.
    pub incremental: bool,
    /// One sentence for people.
    pub message: String,
    /// Why it failed, if Tableau says so.
    pub cause: Option<Cause>,
    /// Why Tableau or this service did not start it.
    #[serde(default)]
    pub refusal: Option<Refusal>,
}

/// A request of one caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Its id.
    pub id: String,
    /// Who asked.
    pub by: By,
    /// What is refreshed.
    pub target: Target,
    /// The site's LUID.
    pub site: String,
    /// Whether an incremental refresh was asked for.
    pub incremental: bool,
    /// Whether the refresh has to begin after the request came.
    pub fresh: bool,
    /// The SHA-256 of what was asked, to tell a repeated request from another with the same idempotency key.
    pub asked: String,
    /// When it came.
    pub requested_at: Timestamp,
    /// Until when it waits.
    pub until: Timestamp,
    /// Where the result is sent.
    pub callback: Option<Callback>,
    /// The number of the run that it waits for.
    pub run: u64,
    /// Whether the run was there before.
    pub joined: bool,
    /// What came of it.
    pub outcome: Option<Outcome>,
    pub(crate) wake: Wake,
}

impl Request {
    /// Whether a timer is of this state.
    pub fn is_current(&self, generation: u64) -> bool {
        self.wake.generation == generation
    }

    /// Whether its callback is still to be sent.
    pub fn has_callback_to_send(&self) -> bool {
        self.outcome.is_some()
            && self.callback.as_ref().is_some_and(|callback| callback.state == CallbackState::Waits)
    }

    /// Writes down what came of it. Its callback is to be sent then.
    pub(crate) fn end(&mut self, outcome: Outcome, now: Timestamp) {
        self.outcome = Some(outcome);
        let wake = self.callback.is_some().then_some(now);
        self.wake.set(wake, now);
    }
}
