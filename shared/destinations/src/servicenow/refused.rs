//! The error that ServiceNow refused a call, or that its answer cannot be used.

use crate::Refusal;
use std::time::Duration;

/// ServiceNow refused a call, or its answer cannot be used. Contains no secret.
#[derive(Debug, thiserror::Error)]
#[error("ServiceNow did not {action}, with status {status} ({reason}): {advice}")]
pub struct Refused {
    /// What the call was to do, such as `create an incident`.
    pub action: &'static str,
    /// HTTP status.
    pub status: u16,
    /// The beginning of what the answer says.
    pub reason: String,
    /// The kind of refusal.
    pub refusal: Refusal,
    /// What a person has to do, or what happens by itself.
    pub advice: String,
    /// How long ServiceNow asked the caller to wait.
    pub retry_after: Option<Duration>,
}

impl Refused {
    /// The record does not exist, or the account may not see it.
    pub(super) fn is_gone(&self) -> bool {
        self.refusal == Refusal::Gone
    }

    /// The instance refuses to change a record, for a reason that another try does not change.
    pub(super) fn is_forbidden(&self) -> bool {
        self.status == 403
    }
}
