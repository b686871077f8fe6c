//! Every kind of message: as it is rendered, beside the same facts as `notify-slack` worded them before, and with names that
//! want to do harm.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod facts;
mod hostile;
mod samples;
mod snapshots;
