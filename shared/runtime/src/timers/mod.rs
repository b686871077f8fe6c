//! Timers (set with the workflow's queue or EventBridge Scheduler, delivered by the queue) and the hourly sweep.
//!
//! A timer's message needs no claim: the document that the timer belongs to recognises, under its lease, a timer that
//! fires twice, late, or for an older generation. A claim would cost two requests and would list timers among the
//! events (docs/decisions/0015-timers.md).

mod aws;
mod fire;
mod settings;
mod sweep;
#[cfg(test)]
mod tests;

pub use aws::{AwsTimer, Schedules};
pub(crate) use settings::timer_of;
