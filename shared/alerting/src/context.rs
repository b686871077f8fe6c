//! What Tableau says about an event.

use crate::incident::RefreshKind;
use serde::{Deserialize, Serialize};
use tableau_client::{Cause, Content};

pub(crate) use facts::NO_JOB_LISTED;

/// Whether Tableau could say something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Lookup<T> {
    /// It said this.
    Found(T),
    /// There was no reason to ask.
    NotAsked,
    /// It could not say it, and why: for people, without a full stop.
    Unavailable(String),
}

impl<T> Lookup<T> {
    /// What was found.
    pub fn found(&self) -> Option<&T> {
        match self {
            Self::Found(value) => Some(value),
            Self::NotAsked | Self::Unavailable(_) => None,
        }
    }
}

/// What Tableau says about an event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Context {
    /// The object as it is now.
    pub content: Lookup<Content>,
    /// Why its refresh failed.
    pub cause: Lookup<Cause>,
    /// Which kind of refresh failed.
    pub refresh: RefreshKind,
}

impl Context {
    /// What it is when nothing was found, and why.
    pub(crate) fn unavailable(why: &str) -> Self {
        let content = Lookup::Unavailable(why.to_owned());
        Self { content, cause: Lookup::Unavailable(why.to_owned()), refresh: RefreshKind::Unknown }
    }

    /// Whether nothing is missing.
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
