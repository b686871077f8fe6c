//! Every kind of mail: its snapshot, what it says to whom, and with hostile names.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod hostile;
#[allow(dead_code, reason = "a mail has no markup, but lines to break")]
#[path = "../../../destinations/tests/messages/markup.rs"]
mod markup;
mod pages;
mod picture;
#[allow(dead_code, reason = "the samples of all destinations")]
#[path = "../../../destinations/tests/messages/samples.rs"]
mod samples;
#[allow(dead_code, reason = "the scenes of all destinations")]
#[path = "../../../destinations/tests/messages/scenes.rs"]
mod scenes;
mod snapshots;
#[path = "../../../destinations/tests/messages/symbols.rs"]
mod symbols;

use email::{MailTarget, Reason};
use rules::Address;

/// A target with one address that a rule names.
fn steward() -> MailTarget {
    let to = vec![Address::parse("steward@example.com").unwrap()];
    MailTarget { to, reply_to: None, reason: Reason::Named, left_out: Vec::new() }
}
