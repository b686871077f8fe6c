//! The real binary with the Tableau and Twilio simulators over HTTP.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests")]

mod daily;
mod over_time;
mod support;
mod trouble;
mod workflow;
