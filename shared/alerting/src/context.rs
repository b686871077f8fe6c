//! What Tableau says about an event's object and about the cause of a failure.

use crate::incident::RefreshKind;
use serde::{Deserialize, Serialize};
use tableau_client::{Cause, Content};

pub(crate) use facts::NO_JOB_LISTED;

/// The result of asking Tableau for one fact: found, not asked, or not available.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Lookup<T> {
    /// Tableau answered with this value.
    Found(T),
    /// Nothing needed this value, so Tableau was not asked.
    NotAsked,
    /// Tableau could not answer. The text says why; people read it, and it has no full stop.
    Unavailable(String),
}

impl<T> Lookup<T> {
    /// The value, if Tableau answered with one.
    pub fn found(&self) -> Option<&T> {
        match self {
            Self::Found(value) => Some(value),
            Self::NotAsked | Self::Unavailable(_) => None,
        }
    }
}

/// What Tableau says about an event's object and about the cause of a failure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Context {
    /// The workbook, data source, … as Tableau describes it now.
    pub content: Lookup<Content>,
    /// Why the object's refresh failed.
    pub cause: Lookup<Cause>,
    /// Which kind of refresh failed: full or incremental.
    pub refresh: RefreshKind,
}

impl Context {
    /// A context in which Tableau could answer nothing; `why` is the reason.
    pub(crate) fn unavailable(why: &str) -> Self {
        let content = Lookup::Unavailable(why.to_owned());
        Self { content, cause: Lookup::Unavailable(why.to_owned()), refresh: RefreshKind::Unknown }
    }

    /// Whether Tableau answered every question that was asked.
    pub(crate) fn is_complete(&self) -> bool {
        let is_missing =
            matches!(self.content, Lookup::Unavailable(_)) || matches!(self.cause, Lookup::Unavailable(_));
        !is_missing
    }
}

impl Default for Context {
    fn default() -> Self {
        Self { content: Lookup::NotAsked, cause: Lookup::NotAsked, refresh: RefreshKind::Unknown }
    }
}
