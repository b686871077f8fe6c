//! The `events` commands as an operator runs them: the real program against the AWS double with the template's table.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod causes;
mod dead_letters;
mod delivery;
mod environment;
mod grouped;
mod history;
mod json;
mod keys;
mod refresh;
mod replay;
mod short_ids;
#[cfg(unix)]
mod terminal;
