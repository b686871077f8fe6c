//! What every form of the store does.

use crate::Key;
use async_trait::async_trait;
use jiff::Timestamp;
use std::fmt;
use workflow::BoxError;

/// The longest text of a document. An item of DynamoDB has 400 KB at most, its key and other attributes included.
pub const TEXT_LIMIT_BYTES: usize = 390_000;
/// Counts the writes of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(u64);

impl Version {
    /// There is no document yet, or one whose version is missing.
    pub const ABSENT: Self = Self(0);
    /// The newest version that is believed: no document changes so often. One beyond it, or that is no number, is damaged, and
    /// no condition on it would ever hold.
    const NEWEST: u64 = 1 << 53;

    /// The version of this number, from 1 on.
    pub(crate) fn from_number(number: u64) -> Option<Self> {
        (1..=Self::NEWEST).contains(&number).then_some(Self(number))
    }

    pub(crate) fn number(self) -> u64 {
        self.0
    }

    /// The version that a write makes of this one.
    pub(crate) fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// A document as the store holds it. `Debug` says nothing of the text, which may hold a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Stored {
    /// What a write has to expect.
    pub version: Version,
    /// What was written; empty where it is missing.
    pub text: String,
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.text.len();
        f.debug_struct("Stored").field("version", &self.version).field("bytes", &bytes).finish()
    }
}

/// What is written. `Debug` says nothing of the text, which may hold a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Write {
    /// The document, [`TEXT_LIMIT_BYTES`] at most.
    pub text: String,
    /// From when on the table may delete it, in whole seconds.
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

/// Refuses a text that DynamoDB would refuse, with an error that repeats nothing of it.
pub(crate) fn check_text(key: &impl fmt::Display, text: &str) -> Result<(), BoxError> {
    match text.len() {
        bytes if bytes > TEXT_LIMIT_BYTES => {
            Err(format!("the document `{key}` has {bytes} bytes: {TEXT_LIMIT_BYTES} is the most").into())
        }
        _ => Ok(()),
    }
}

/// What became of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    /// It was written, as this version.
    Written(Version),
    /// Another version than the expected one is there: this one, or none. Nothing was written.
    Conflict(Option<Stored>),
}

/// Keeps texts under keys, each with a version.
///
/// Reads see every write that was confirmed before them. A write whose answer is lost on the way may be sent twice: it counts
/// once, and is found to be ours.
#[async_trait]
pub trait Store: Send + Sync {
    /// The newest version; `None` when there is none.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn get(&self, key: &Key) -> Result<Option<Stored>, BoxError>;

    /// Writes the version after `expected`, if `expected` is the newest.
    ///
    /// # Errors
    /// When the store does not answer, or the write is larger than the store takes.
    async fn put(&self, key: &Key, expected: Version, write: &Write) -> Result<Put, BoxError>;
}
