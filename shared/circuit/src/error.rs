//! Errors of a call behind a circuit breaker.

use jiff::Timestamp;
use std::error::Error;
use std::time::Duration;
use workflow::Failure;

/// The error that a call was not made because the circuit is open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("circuit open, {destination} is not called until {until:.0}: {why}")]
pub struct CircuitOpen {
    /// The destination, and the part of it.
    pub destination: String,
    /// When the next call may be made.
    pub until: Timestamp,
    /// The wait until then.
    pub retry_after: Duration,
    /// Why the circuit opened, for people; without secrets.
    pub why: String,
}

impl From<CircuitOpen> for Failure {
    fn from(error: CircuitOpen) -> Self {
        let retry_after = Some(error.retry_after);
        Self::Transient { source: error.into(), retry_after }
    }
}

/// A call was not made, or it failed.
#[derive(Debug, thiserror::Error)]
pub enum Guarded<E: Error + 'static> {
    /// The call was not made, because the circuit is open.
    #[error(transparent)]
    CircuitOpen(CircuitOpen),
    /// The call was made and failed.
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
