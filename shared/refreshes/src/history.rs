//! The history of what callers asked for, and what was answered.

use crate::board::Board;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::records::{Change, Key, Write};
use workflow::BoxError;

/// The partition of the history. Sort keys are times, so it is read from the newest on.
pub const HISTORY: &str = "refresh-log#refresh-extract";
/// How long it is kept, as requests are.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What a caller asked for, and what was answered. What is not known is empty. Names are untrusted text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// When, in RFC 3339.
    pub at: String,
    /// The caller of the key.
    pub caller: String,
    /// The key's id.
    pub key: String,
    /// What was asked for: `refresh` or `cancel`.
    pub what: String,
    /// The status of the answer.
    pub status: u16,
    /// The code of the refusal; empty if the request was taken.
    pub code: String,
    /// The id of the request for a refresh.
    pub refresh: String,
    /// The kind of the object.
    pub kind: String,
    /// The name of the object, or the address that the caller gave.
    pub name: String,
    /// The path of its project.
    pub project: String,
    /// Its LUID.
    pub luid: String,
}

impl Board {
    /// Writes a line of the history. `request`: the id of the invocation, so that lines of one moment differ.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn note(&self, asked: &Asked, request: &str, now: Timestamp) -> Result<(), BoxError> {
        let write = Write {
            text: serde_json::to_string(asked)?,
            expires_at: now.checked_add(KEPT).unwrap_or(Timestamp::MAX),
            due: None,
            is_active: false,
        };
        let sort = format!("{}#{request}", now.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"));
        let key = Key { partition: HISTORY.to_owned(), sort };
        // One that is there is of the same request.
        self.table.records.commit(&[Change { key, expected: Some(0), write: Some(write) }]).await?;
        Ok(())
    }
}
