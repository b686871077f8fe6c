//! The real binary with the Tableau and Teams simulators over HTTP.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests")]

mod over_time;
mod plain;
mod standing;
mod support;
mod trouble;
mod workflow;
