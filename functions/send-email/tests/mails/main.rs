//! The real binary with the doubles of Tableau and Amazon SES over HTTP.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests")]

mod account;
mod over_time;
mod recipients;
mod support;
mod trouble;
mod workflow;
