//! The real binary with the Tableau simulator over HTTP.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests")]

mod life;
mod many;
mod others;
mod refusals;
mod support;
mod trouble;
