//! The real binary when Slack or Tableau refuses, is down, or a proxy answers instead.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests")]

mod slack;
#[path = "../support/mod.rs"]
mod support;
mod tableau;

use support::metrics;
use testkit::Function;

/// The outcomes of the attempts that the function reported.
pub(crate) fn outcomes(function: &Function) -> Vec<String> {
    let attempts = metrics(function, "Attempts");
    attempts.iter().map(|line| line["outcome"].as_str().unwrap().to_owned()).collect()
}
