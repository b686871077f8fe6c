//! What every form of the store does.

use crate::Key;
use async_trait::async_trait;
use jiff::Timestamp;
use std::fmt;
use workflow::BoxError;

/// The longest text of a document. An item of DynamoDB has 400 KB at most, its key and other attributes included.
pub const TEXT_LIMIT_BYTES: usize = 390_000;
/// The most documents that are written together.
///
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
pub const MOST_PUTS: usize = 100;
/// The longest scope of what is due: the partition key of the index.
const SCOPE_LIMIT_BYTES: usize = 2_048;

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

/// When a document needs attention, and whose: [`BulkStore::due`] finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Whose attention, such as a workflow's name; from 1 to 2,048 bytes.
    pub scope: String,
    /// From when on, in whole milliseconds.
    pub at: Timestamp,
}

/// What is written. `Debug` says nothing of the text, which may hold a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Write {
    /// The document, [`TEXT_LIMIT_BYTES`] at most.
    pub text: String,
    /// From when on the table may delete it, in whole seconds.
    pub expires_at: Timestamp,
    /// When it is due; `None` takes it out of the index.
    pub due: Option<Due>,
}

impl fmt::Debug for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Write")
            .field("bytes", &self.text.len())
            .field("expires_at", &self.expires_at)
            .field("due", &self.due)
            .finish()
    }
}

impl Write {
    /// Refuses what DynamoDB would refuse.
    pub(crate) fn check(&self, key: &Key) -> Result<(), BoxError> {
        let bytes = self.text.len();
        if bytes > TEXT_LIMIT_BYTES {
            return Err(
                format!("the document `{key}` has {bytes} bytes: {TEXT_LIMIT_BYTES} is the most").into()
            );
        }
        let scope = self.due.as_ref().map(|due| due.scope.len());
        match scope {
            Some(bytes) if !(1..=SCOPE_LIMIT_BYTES).contains(&bytes) => Err(format!(
                "the document `{key}` is due in a scope of {bytes} bytes: 1 to {SCOPE_LIMIT_BYTES}"
            )
            .into()),
            _ => Ok(()),
        }
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

/// What became of writes of which all are made or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PutAll {
    /// All were written, as these versions, in the order of the writes.
    Written(Vec<Version>),
    /// None was written. One entry per write, in their order.
    Conflict(Vec<Conflict>),
}

/// Why writes that belong together were not made, as far as one of them goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// This one could have been written.
    None,
    /// Another version than the expected one is there: this one, or none.
    Current(Option<Stored>),
    /// Another request was writing it, or the table takes no more for a moment: the same again may succeed.
    Busy,
}

/// What became of a deletion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delete {
    /// The document is gone, by this request or before it.
    Deleted,
    /// Another version than the expected one is there.
    Conflict(Stored),
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

/// What only some functions need. Each operation of DynamoDB adds to the size of a function that can call it, so these are a
/// trait of their own.
#[async_trait]
pub trait BulkStore: Store {
    /// The newest versions, in the order of the keys, each as [`Store::get`] gives it; not all at one instant. A key may come
    /// twice.
    ///
    /// # Errors
    /// When the store does not answer, or leaves some keys out again and again.
    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Stored>>, BoxError>;

    /// Writes all or none of up to [`MOST_PUTS`] documents of different keys.
    ///
    /// # Errors
    /// When the store does not answer, for more documents, and for one key twice.
    async fn put_all(&self, puts: &[(Key, Version, Write)]) -> Result<PutAll, BoxError>;

    /// Deletes the document, if `expected` is the newest version.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn delete(&self, key: &Key, expected: Version) -> Result<Delete, BoxError>;

    /// Up to `limit` documents of a scope that are due before an instant, the earliest first. An index knows them, which may
    /// lag behind: who acts on one reads the document first.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn due(
        &self,
        scope: &str,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Key, Timestamp)>, BoxError>;
}

/// Refuses writes that cannot be made together.
pub(crate) fn check_together(puts: &[(Key, Version, Write)]) -> Result<(), BoxError> {
    if puts.len() > MOST_PUTS {
        return Err(
            format!("{} documents cannot be written together: {MOST_PUTS} is the most", puts.len()).into()
        );
    }
    let mut keys: Vec<&Key> = puts.iter().map(|(key, ..)| key).collect();
    keys.sort();
    if let Some(twice) = keys.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(format!("the document `{}` cannot be written twice at once", twice[0]).into());
    }
    puts.iter().try_for_each(|(key, _, write)| write.check(key))
}
