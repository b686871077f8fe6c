//! The cause of an incident, kept until its end: the message of a recovery says what it was.

use serde::{Deserialize, Serialize};
use tableau_client::Cause;

/// How much of a line is kept.
const LINE_LIMIT: usize = 300;
/// How much of a title is kept.
const TITLE_LIMIT: usize = 120;

/// The last known cause of an incident, in the words of its messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownCause {
    /// The class of the cause, in a few words.
    pub title: String,
    /// The line of the job's notes that gives the reason: untrusted text.
    pub line: String,
}

impl KnownCause {
    pub(crate) fn of(cause: &Cause) -> Self {
        let mut known = Self { title: cause.class.title().to_owned(), line: cause.line.clone() };
        known.sanitize();
        known
    }

    /// Cuts texts that are longer than those that this crate writes.
    pub(super) fn sanitize(&mut self) {
        for (text, limit) in [(&mut self.title, TITLE_LIMIT), (&mut self.line, LINE_LIMIT)] {
            if let Some((end, _)) = text.char_indices().nth(limit) {
                text.truncate(end);
            }
        }
    }
}
