//! The real binary: requests in, refreshes at Tableau, results out.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests")]

mod api;
mod stage;
mod truth;
mod waits;
