//! `events` as an operator runs it: the program, against AWS in memory with the table of the template.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod dead_letters;
mod grouped;
mod history;
mod json;
mod place;
mod replay;
mod short_ids;
mod story;
#[cfg(unix)]
mod terminal;
