//! Every kind of message: its snapshot, its facts compared with the earlier wording, and with hostile names.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod cards;
mod facts;
mod hostile;
mod samples;
mod snapshots;
