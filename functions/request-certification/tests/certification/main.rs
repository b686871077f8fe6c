//! Events in, mails out, pages answered, data sources certified: the real binary against the doubles of Tableau and Amazon SES.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests")]

mod code;
mod decide;
mod forged;
mod mails;
mod over_time;
mod scanners;
mod support;
mod trouble;
