//! Timers: armed with the workflow's queue or with EventBridge Scheduler, fired from the queue; and the hourly sweep.
//!
//! A timer's message needs no claim: whatever fires twice, late or for an older generation is recognised by the document it
//! is for, under that document's lease. A claim would cost two requests and show timers among the events
//! (docs/decisions/0015-timers.md).

mod aws;
mod fire;
mod settings;
mod sweep;
#[cfg(test)]
mod tests;

pub use aws::{AwsTimer, Schedules};
pub(crate) use settings::timer_of;
