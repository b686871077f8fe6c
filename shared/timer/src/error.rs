//! Why a timer could not be set.

use jiff::{SignedDuration, Timestamp};
use std::error::Error;

/// Any error, as the standard library boxes it.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Why a timer was not set, or may not have been set.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TimerError {
    /// The queue or EventBridge Scheduler did not confirm the timer. It may exist: set it again.
    #[error("AWS did not confirm the timer")]
    NotConfirmed {
        /// What went wrong.
        source: BoxError,
    },
    /// A schedule with this timer's name exists, but it is not this timer.
    #[error("the schedule `{name}` exists and is not this timer: its {part} differs")]
    NameTaken {
        /// The schedule's name.
        name: String,
        /// The property that differs.
        part: &'static str,
    },
    /// The timer is due further ahead than timers can be set.
    #[error("the timer is due at {due:.0}, more than {} hours ahead", longest.as_hours())]
    TooFar {
        /// When the timer is due.
        due: Timestamp,
        /// The furthest that a timer can be ahead.
        longest: SignedDuration,
    },
    /// The timer was set again too often without reaching its due time. Lambda's detection of recursive loops does
    /// not see EventBridge Scheduler, so this limit replaces it.
    #[error("the timer was armed again {most} times and has not reached its time, {due:.0}")]
    TooManyHops {
        /// When the timer is due.
        due: Timestamp,
        /// How often a timer may be set again.
        most: u32,
    },
}

impl TimerError {
    /// The error that the timer was not confirmed.
    pub fn not_confirmed(source: impl Into<BoxError>) -> Self {
        Self::NotConfirmed { source: source.into() }
    }

    /// Whether setting the same timer again must fail again.
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::NotConfirmed { .. } | Self::NameTaken { .. } => false,
            Self::TooFar { .. } | Self::TooManyHops { .. } => true,
        }
    }
}
