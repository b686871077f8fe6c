//! An object among those that fail together.

use crate::telling::is_credible;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Names are as long as messages about many show them, in characters.
const NAME_LIMIT: usize = 60;

/// An object in a burst. There may be hundreds in a document: what is as usual is not written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Why it fails, in a few words.
    pub cause: String,
    /// When it began to fail.
    pub since: Timestamp,
    /// When it failed last, if again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last: Option<Timestamp>,
    /// When it recovered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovered: Option<Timestamp>,
    /// Where it is told.
    pub place: Place,
    /// Whether the messages show it as it is now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shown: bool,
}

impl Member {
    /// An object that began to fail at `since`, of which nothing is told yet. `cause`: if it is known.
    pub fn new(name: &str, cause: Option<&str>, since: Timestamp) -> Self {
        let name = name.chars().take(NAME_LIMIT).collect();
        let cause = cause.unwrap_or("Cause not available").to_owned();
        Self { name, cause, since, last: None, recovered: None, place: Place::Waiting, shown: false }
    }

    pub(super) fn failed_last(&self) -> Timestamp {
        self.last.unwrap_or(self.since)
    }

    pub(super) fn forget_future(&mut self, now: Timestamp) {
        self.since = if is_credible(self.since, now) { self.since } else { now };
        self.last = self.last.filter(|at| is_credible(*at, now));
        self.recovered = self.recovered.filter(|at| is_credible(*at, now));
    }

    /// Takes in one more failure, which may be one from before the recovery.
    pub(super) fn fail(&mut self, again: Self) {
        if self.recovered.is_some_and(|recovered| recovered <= again.since) {
            let shown = self.place == Place::Alone;
            *self = Self { place: self.place, shown, ..again };
        } else if self.failed_last() < again.since {
            self.last = Some(again.since);
        }
    }
}

/// Where an object is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// In a message of its own.
    Alone,
    /// It is not clear yet.
    Waiting,
    /// With the others.
    Together,
}

/// What a recovery means for a burst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// It is told with the others.
    Together,
    /// It is not told here.
    Alone,
    /// The object fails again already: there is nothing to tell.
    FailsAgain,
}
