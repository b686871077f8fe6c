//! The real binary with the Tableau and ServiceNow simulators over HTTP.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests")]

mod credential;
mod over_time;
mod person;
mod support;
mod trouble;
mod workflow;
