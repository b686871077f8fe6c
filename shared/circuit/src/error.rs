//! How a call fails that a circuit stands before.

use jiff::Timestamp;
use std::error::Error;
use std::time::Duration;
use workflow::Failure;

/// The call was not made: the destination is left alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{destination} is left alone until {until:.0}: {why}")]
pub struct LeftAlone {
    /// Which destination, and which part of it.
    pub destination: String,
    /// When to come again.
    pub until: Timestamp,
    /// The same, from now.
    pub retry_after: Duration,
    /// What happened there.
    pub why: String,
}

impl From<LeftAlone> for Failure {
    fn from(error: LeftAlone) -> Self {
        let retry_after = Some(error.retry_after);
        Self::Transient { source: error.into(), retry_after }
    }
}

/// A call that was not made, or failed.
#[derive(Debug, thiserror::Error)]
pub enum Guarded<E: Error + 'static> {
    /// It was not made.
    #[error(transparent)]
    LeftAlone(LeftAlone),
    /// It failed.
    #[error(transparent)]
    Call(E),
}

impl<E: Error + Into<Failure>> From<Guarded<E>> for Failure {
    fn from(error: Guarded<E>) -> Self {
        match error {
            Guarded::LeftAlone(error) => error.into(),
            Guarded::Call(error) => error.into(),
        }
    }
}
