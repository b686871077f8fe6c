//! Whether the notes of failed jobs are read right: reported notes, the knowledge files, and what is around them.

#![expect(clippy::unwrap_used, clippy::print_stdout, clippy::panic, reason = "helpers of tests")]

mod cost;
mod files;
mod knowledge;
mod names;
mod table;
mod wrappers;
