//! Why a timer is not armed.

use jiff::{SignedDuration, Timestamp};
use std::error::Error;

/// Any error, as the standard library boxes it.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Why a timer is not armed, or not known to be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TimerError {
    /// The queue or the scheduler did not confirm that the timer exists. It may exist: ask again.
    #[error("AWS did not confirm the timer")]
    NotConfirmed {
        /// What went wrong.
        source: BoxError,
    },
    /// The scheduler has a schedule of the timer's name that is not this timer.
    #[error("the schedule `{name}` exists and is not this timer: its {part} differs")]
    NameTaken {
        /// The schedule's name.
        name: String,
        /// What differs.
        part: &'static str,
    },
    /// The timer is due later than timers can be armed for.
    #[error("the timer is due at {due:.0}, more than {} hours ahead", longest.as_hours())]
    TooFar {
        /// When it is due.
        due: Timestamp,
        /// The most there is.
        longest: SignedDuration,
    },
    /// The timer was armed again too often without reaching its time. A bound of our own: Lambda's detection of loops
    /// does not see a scheduler.
    #[error("the timer was armed again {most} times and has not reached its time, {due:.0}")]
    TooManyHops {
        /// When it is due.
        due: Timestamp,
        /// The most there are.
        most: u32,
    },
}

impl TimerError {
    /// A timer that was not confirmed.
    pub fn not_confirmed(source: impl Into<BoxError>) -> Self {
        Self::NotConfirmed { source: source.into() }
    }

    /// Whether asking again with the same timer changes nothing.
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::NotConfirmed { .. } | Self::NameTaken { .. } => false,
            Self::TooFar { .. } | Self::TooManyHops { .. } => true,
        }
    }
}
