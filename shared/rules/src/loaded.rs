//! Rules as a process keeps them.

use crate::{Error, Rules};
use std::error::Error as _;
use std::sync::Arc;

/// The rules, or why there are none. A broken file does not end a function: its own URL goes on storing events, which wait
/// until the file is right.
#[derive(Clone, Debug)]
pub struct LoadedRules(Arc<Result<Rules, Error>>);

/// There are no rules that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the rules file is not right: {0}")]
pub struct Unusable(String);

impl LoadedRules {
    /// What came of reading the rules.
    pub fn new(read: Result<Rules, Error>) -> Self {
        Self(Arc::new(read))
    }

    /// The rules.
    ///
    /// # Errors
    /// [`Unusable`] with what is wrong with the file.
    pub fn current(&self) -> Result<&Rules, Unusable> {
        self.0.as_ref().as_ref().map_err(|error| {
            let source = error.source().map(|source| format!(": {source}")).unwrap_or_default();
            Unusable(format!("{error}{source}"))
        })
    }
}

impl From<Rules> for LoadedRules {
    fn from(rules: Rules) -> Self {
        Self::new(Ok(rules))
    }
}
