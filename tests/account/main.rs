//! The stack of `template.yaml` with the functions' real binaries, within the limits of a real AWS account, on our own
//! AWS double.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "helpers of tests")]

mod quiet_hours;
mod routes;
mod site;
mod storm;
mod timers;
