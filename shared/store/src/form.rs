//! The interface that every store of documents implements.

use crate::Key;
use async_trait::async_trait;
use jiff::Timestamp;
use std::fmt;
use workflow::BoxError;

/// The longest document, in bytes. A DynamoDB item has at most 400 KB, including its key and other attributes.
pub const TEXT_LIMIT_BYTES: usize = 390_000;
/// The version of a document: counts its writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(u64);

impl Version {
    /// The version of a document that does not exist, or whose version attribute is missing.
    pub const ABSENT: Self = Self(0);
    /// The largest version that is valid: no document is written so often. A larger number, or a text, is damage, and
    /// no condition on it would ever hold.
    const NEWEST: u64 = 1 << 53;

    /// The version with this number, from 1 to the largest valid version.
    pub(crate) fn from_number(number: u64) -> Option<Self> {
        (1..=Self::NEWEST).contains(&number).then_some(Self(number))
    }

    pub(crate) fn number(self) -> u64 {
        self.0
    }

    /// The version after this one.
    pub(crate) fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// A stored document. `Debug` does not show the text, which may contain a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Stored {
    /// The version that the next write must expect.
    pub version: Version,
    /// The document's text; empty if it is missing.
    pub text: String,
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.text.len();
        f.debug_struct("Stored").field("version", &self.version).field("bytes", &bytes).finish()
    }
}

/// The content of a write. `Debug` does not show the text, which may contain a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Write {
    /// The document's text, at most [`TEXT_LIMIT_BYTES`] long.
    pub text: String,
    /// When the table may delete the document, in whole seconds.
    pub expires_at: Timestamp,
}

impl fmt::Debug for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Write")
            .field("bytes", &self.text.len())
            .field("expires_at", &self.expires_at)
            .finish()
    }
}

/// Refuses a text that is too long for DynamoDB. The error does not repeat the text.
pub(crate) fn check_text(key: &impl fmt::Display, text: &str) -> Result<(), BoxError> {
    match text.len() {
        bytes if bytes > TEXT_LIMIT_BYTES => {
            Err(format!("the document `{key}` has {bytes} bytes: {TEXT_LIMIT_BYTES} is the most").into())
        }
        _ => Ok(()),
    }
}

/// The result of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    /// The document was written and now has this version.
    Written(Version),
    /// Nothing was written: the store has another version than expected. Its document, or `None` if there is none.
    Conflict(Option<Stored>),
}

/// A store of versioned texts under keys.
///
/// A read sees every write that was confirmed before it. A request whose answer was lost may be sent twice; the write
/// counts once, and the second answer says that it was made.
#[async_trait]
pub trait Store: Send + Sync {
    /// Reads the newest version; `None` if there is no document.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn get(&self, key: &Key) -> Result<Option<Stored>, BoxError>;

    /// Writes the version after `expected`, if `expected` is the newest version.
    ///
    /// # Errors
    /// When the store does not answer, or the text is longer than the store accepts.
    async fn put(&self, key: &Key, expected: Version, write: &Write) -> Result<Put, BoxError>;
}
