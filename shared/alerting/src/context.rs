//! What Tableau says about an event's object and about the cause of a failure.

use crate::incident::RefreshKind;
use serde::{Deserialize, Serialize};
use tableau_client::{Cause, Content, Owner};

pub(crate) use facts::NO_JOB_LISTED;

/// What Tableau's Recycle Bin says about a deleted object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletion {
    /// Who deleted it, if Tableau says it: untrusted text.
    pub by: Option<Owner>,
    /// The names of the projects that it was in, from the top, separated by `/`; empty if Tableau does not say it.
    pub path: String,
    /// Whose it was, if Tableau says it.
    pub owner: Option<Owner>,
}

/// The result of asking Tableau for one fact: found, not asked, or not available.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Lookup<T> {
    /// Tableau answered with this value.
    Found(T),
    /// Nothing needed this value, so Tableau was not asked.
    #[default]
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
    /// Who deleted the object, and where it was. Asked only about deletions.
    #[serde(default)]
    pub deletion: Lookup<Deletion>,
    /// Why the object's refresh failed.
    pub cause: Lookup<Cause>,
    /// Which kind of refresh failed: full or incremental.
    pub refresh: RefreshKind,
}

impl Context {
    /// A context in which Tableau could answer nothing; `why` is the reason.
    pub(crate) fn unavailable(why: &str) -> Self {
        Self {
            content: Lookup::Unavailable(why.to_owned()),
            deletion: Lookup::Unavailable(why.to_owned()),
            cause: Lookup::Unavailable(why.to_owned()),
            refresh: RefreshKind::Unknown,
        }
    }

    /// Whether Tableau answered every question that was asked.
    pub(crate) fn is_complete(&self) -> bool {
        let is_missing = matches!(self.content, Lookup::Unavailable(_))
            || matches!(self.deletion, Lookup::Unavailable(_))
            || matches!(self.cause, Lookup::Unavailable(_));
        !is_missing
    }
}

impl Default for Context {
    fn default() -> Self {
        Self {
            content: Lookup::NotAsked,
            deletion: Lookup::NotAsked,
            cause: Lookup::NotAsked,
            refresh: RefreshKind::Unknown,
        }
    }
}
