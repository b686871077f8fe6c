//! `events` as an operator runs it: the program, against AWS in memory with the table of the template.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod dead_letters;
mod delivery;
mod environment;
mod grouped;
mod history;
mod json;
mod replay;
mod short_ids;
#[cfg(unix)]
mod terminal;
