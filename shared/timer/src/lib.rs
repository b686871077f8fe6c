#![doc = include_str!("../README.md")]

mod error;
mod memory;
mod message;
mod route;

pub use error::{BoxError, TimerError};
pub use memory::MemoryTimer;
pub use message::{KEY, NotATimer, TimerMessage, is_timer};
pub use route::{
    LONGEST_CHAIN, LONGEST_DELAY, LONGEST_SCHEDULE, MOST_CHAIN_HOPS, MOST_HOPS, Route, route, schedule_name,
};

use async_trait::async_trait;
use jiff::Timestamp;

/// Sets timers: each brings a message back to a workflow at its due time.
#[async_trait]
pub trait Timer: Send + Sync {
    /// Sets the timer. `Ok` means that the queue or EventBridge Scheduler has confirmed that the timer exists.
    ///
    /// Safe to repeat: after an error, a crash or a lost answer the caller sets the same timer again. The timer may
    /// then fire more than once, and the workflow's `on_timer` must allow that. A timer with a due time in the past
    /// fires at once. Timers cannot be cancelled: the workflow ignores a generation that is not the newest.
    ///
    /// `now` is the time at which the caller decided about the due time.
    ///
    /// # Errors
    /// [`TimerError`]. Unless [`TimerError::is_permanent`], the timer may exist or not, and the caller must set it
    /// again.
    async fn ensure(&self, timer: &TimerMessage, now: Timestamp) -> Result<(), TimerError>;
}
