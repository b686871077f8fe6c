//! The real binary: requests in, refreshes at Tableau, results out.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests")]

mod api;
mod callbacks;
mod chains;
mod crowd;
mod kills;
mod limits;
mod names;
mod stage;
mod time;
mod truth;
mod waits;
