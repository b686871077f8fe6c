//! What holds within the limits of a real account: the stack of `template.yaml` with the functions' real binaries, on our own
//! double of AWS with the limits that AWS sets.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "helpers of tests")]

mod quiet_hours;
mod routes;
mod site;
mod storm;
mod timers;
