//! Rules as a process keeps them.

use crate::{Error, Rules};
use std::error::Error as _;
use std::sync::{Arc, PoisonError, RwLock};

/// The rules, or why there are none. They may be replaced at any time; an attempt that has them keeps the ones it has.
///
/// Rules that cannot be used do not end a function: its own URL goes on storing events, which wait until the rules are right.
#[derive(Clone, Debug)]
pub struct LoadedRules(Arc<RwLock<Result<Arc<Rules>, Unusable>>>);

/// There are no rules that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the rules cannot be used: {0}")]
pub struct Unusable(String);

impl Unusable {
    /// For this reason.
    pub fn new(reason: &str) -> Self {
        Self(reason.to_owned())
    }
}

impl From<&Error> for Unusable {
    fn from(error: &Error) -> Self {
        let source = error.source().map(|source| format!(": {source}")).unwrap_or_default();
        Self(format!("{error}{source}"))
    }
}

impl LoadedRules {
    /// The rules, or why there are none.
    pub fn new(rules: Result<Rules, Unusable>) -> Self {
        Self(Arc::new(RwLock::new(rules.map(Arc::new))))
    }

    /// The rules.
    ///
    /// # Errors
    /// [`Unusable`], and why.
    pub fn current(&self) -> Result<Arc<Rules>, Unusable> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts other rules in their place.
    pub fn replace(&self, rules: Result<Rules, Unusable>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = rules.map(Arc::new);
    }
}

impl From<Rules> for LoadedRules {
    fn from(rules: Rules) -> Self {
        Self::new(Ok(rules))
    }
}
