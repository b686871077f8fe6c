//! Amazon SNS: `Publish` to topics.
//!
//! Sources: <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>

mod topics;

pub use topics::Publication;
pub(super) use topics::Topics;

use super::{Refusal, State};
use std::collections::BTreeMap;

/// The operation's name in call counts and faults.
pub(super) const PUBLISH: &str = "SNS.Publish";

impl State {
    /// Carries out `Publish`.
    pub(super) fn publish(&mut self, fields: &BTreeMap<String, String>) -> Result<String, Refusal> {
        self.topics.publish(fields)
    }
}
