//! The real binary with the Tableau and PagerDuty simulators over HTTP.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests")]

mod alerts;
mod killed;
mod many;
mod support;
mod trouble;
