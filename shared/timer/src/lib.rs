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

/// Brings a message back to a workflow when its time has come.
#[async_trait]
pub trait Timer: Send + Sync {
    /// Arms the timer. `Ok` means that the queue or the scheduler has confirmed that it exists.
    ///
    /// Safe to repeat: after an error, a crash or a lost answer the caller asks again with the same message. The timer may
    /// then fire more than once, so the workflow's `on_timer` must not mind. A timer that is due in the past fires at
    /// once. There is no way to cancel one: the workflow ignores a generation that is not the newest.
    ///
    /// `now`: the time by which the caller decided that the timer is due later.
    ///
    /// # Errors
    /// [`TimerError`]. Unless [`TimerError::is_permanent`], the timer may exist or not, and the caller must ask again.
    async fn ensure(&self, timer: &TimerMessage, now: Timestamp) -> Result<(), TimerError>;
}
