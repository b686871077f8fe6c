//! Every kind of mail: its snapshot, what it says to whom, and with hostile names.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod hostile;
mod pages;
#[allow(dead_code, reason = "the samples of all destinations")]
#[path = "../../../destinations/tests/messages/samples.rs"]
mod samples;
mod snapshots;

use email::{MailTarget, Reason};
use rules::Address;

/// A target with one address that a rule names.
fn steward() -> MailTarget {
    let to = vec![Address::parse("steward@example.com").unwrap()];
    MailTarget { to, reply_to: None, reason: Reason::Named, left_out: Vec::new() }
}
