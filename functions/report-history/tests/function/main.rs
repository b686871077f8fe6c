//! What the function exports and reports.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod binary;
mod cost;
mod erase;
mod export;
mod scene;
mod weekly;
