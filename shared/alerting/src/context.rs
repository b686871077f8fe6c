//! What Tableau says about an event.

use tableau_client::{Cause, Content};

/// Whether Tableau could say something.
#[derive(Clone, Debug, PartialEq)]
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
#[derive(Clone, Debug, PartialEq)]
pub struct Context {
    /// The object as it is now.
    pub content: Lookup<Content>,
    /// Why its refresh failed.
    pub cause: Lookup<Cause>,
}

impl Default for Context {
    fn default() -> Self {
        Self { content: Lookup::NotAsked, cause: Lookup::NotAsked }
    }
}
