//! A test notification: an operator asks for it, to see whether the destination accepts it.

use serde::{Deserialize, Serialize};

/// Which targets get a test notification. Lambda's input is `{"test": {"target": "data-alerts"}}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestRequest {
    /// The target, such as a channel. `None`: every target that a rule names.
    #[serde(default)]
    pub target: Option<String>,
}

/// What came of a test notification in one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tested {
    /// The target, such as a channel.
    pub target: String,
    /// `accepted`, `accepted in part` (some recipients were left out), `not tried`, or the kind of the failure, as
    /// [`Failure::kind`](crate::Failure::kind) has it.
    pub outcome: &'static str,
    /// What the destination answered, for people.
    pub answer: String,
}
