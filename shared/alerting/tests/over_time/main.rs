//! The alerting engine over time, with a clock, a queue, timers and a destination that the test controls.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod attempts;
mod beginnings;
mod crashes;
mod doubles;
mod dynamodb;
mod environment;
mod impact;
mod incidents;
mod lasting;
mod reasons;
mod sweep;
