//! Secrets as users paste them, and outputs in which they must not appear.
//!
//! `pasted`: read by the types that use them. `repeating`, `aws`, `command`: doubles of Slack, Tableau and AWS repeat the whole
//! request in every answer, the real binaries run against them at log level trace, and every byte that comes out is
//! searched for every secret. `unconfirmed`: answers of AWS that confirm nothing, and words of AWS that are shown nowhere.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that panics has failed")]

mod aws;
mod command;
mod echo;
mod environment;
mod pasted;
mod repeating;
mod search;
mod unconfirmed;
