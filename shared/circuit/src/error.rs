//! How a call behind a circuit fails.

use jiff::Timestamp;
use std::error::Error;
use std::time::Duration;
use workflow::Failure;

/// The call was not made: the circuit is open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("circuit open, {destination} is not called until {until:.0}: {why}")]
pub struct CircuitOpen {
    /// Which destination, and which part of it.
    pub destination: String,
    /// When the next call may be made.
    pub until: Timestamp,
    /// The same, from now.
    pub retry_after: Duration,
    /// Why the circuit opened: for a person, no secrets.
    pub why: String,
}

impl From<CircuitOpen> for Failure {
    fn from(error: CircuitOpen) -> Self {
        let retry_after = Some(error.retry_after);
        Self::Transient { source: error.into(), retry_after }
    }
}

/// A call that was not made, or failed.
#[derive(Debug, thiserror::Error)]
pub enum Guarded<E: Error + 'static> {
    /// It was not made.
    #[error(transparent)]
    CircuitOpen(CircuitOpen),
    /// It failed.
    #[error(transparent)]
    Call(E),
}

impl<E: Error + Into<Failure>> From<Guarded<E>> for Failure {
    fn from(error: Guarded<E>) -> Self {
        match error {
            Guarded::CircuitOpen(error) => error.into(),
            Guarded::Call(error) => error.into(),
        }
    }
}
